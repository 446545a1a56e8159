#include "core/queue_model.h"

#include <string.h>

static void breaks(struct model *model, const char *text)
{
    if (model->broken == NULL)
        model->broken = text;
}

bool model_is_held(const struct model_task *task)
{
    return task->state == MODEL_ASSIGNED || task->state == MODEL_WORKING;
}

bool model_is_open(const struct model_task *task)
{
    return task->state >= MODEL_QUEUED && task->state <= MODEL_WORKING;
}

void model_init(struct model *model, struct model_settings settings)
{
    memset(model, 0, sizeof *model);
    model->settings = settings;
}

void model_time(struct model *model, int64_t now_ms, int64_t wall_ms)
{
    if (now_ms < model->now_ms)
        breaks(model, "the test turned the fleet's clock back");
    model->now_ms = now_ms;
    model->wall_ms = wall_ms;
}

unsigned model_slots_taken(const struct model *model, int agent)
{
    unsigned taken = 0;
    for (size_t i = 0; i < model->task_count; i++)
        taken += model->tasks[i].slot_holder == agent;
    return taken;
}

/* Where a task without a holder belongs, from what it waits for. */
static void settle(struct model *model, struct model_task *task)
{
    for (size_t i = 0; i < task->depend_count; i++) {
        enum model_state state = model->tasks[task->depends[i]].state;
        if (state == MODEL_CANCELLED) {
            task->state = MODEL_CANCELLED;
            return;
        }
    }
    task->state = MODEL_QUEUED;
    if (task->not_before_wall_ms > model->wall_ms || task->retry_at_ms > model->now_ms)
        task->state = MODEL_SCHEDULED;
    for (size_t i = 0; i < task->depend_count; i++) {
        if (model->tasks[task->depends[i]].state != MODEL_COMPLETED)
            task->state = MODEL_BLOCKED;
    }
}

/* An end state reaches the tasks that wait for it, and theirs. */
static void settle_blocked(struct model *model)
{
    bool changed = true;
    while (changed) {
        changed = false;
        for (size_t i = 0; i < model->task_count; i++) {
            struct model_task *task = &model->tasks[i];
            if (task->state != MODEL_BLOCKED)
                continue;
            settle(model, task);
            changed = changed || task->state != MODEL_BLOCKED;
        }
    }
}

static void let_go(struct model_task *task)
{
    task->holder = MODEL_NOBODY;
    task->slot_holder = MODEL_NOBODY;
    task->accept_by_ms = MODEL_NEVER;
    task->lease_until_ms = MODEL_NEVER;
}

/* A failure or a reclaim. True when that was the last attempt. */
static bool attempt_over(struct model *model, struct model_task *task, int64_t delay_ms)
{
    let_go(task);
    /* Its time had come once; a wall clock turned back does not undo that. */
    task->not_before_wall_ms = 0;
    task->attempts++;
    if (task->attempts >= task->attempts_max) {
        task->state = MODEL_DEAD;
        return true;
    }
    task->generation++;
    task->retry_at_ms = delay_ms == 0 ? 0 : model->now_ms + delay_ms;
    task->state = MODEL_QUEUED;
    settle(model, task);
    return false;
}

static void tick_agents(struct model *model)
{
    for (int i = 0; i < MODEL_AGENTS_MAX; i++) {
        struct model_agent *agent = &model->agents[i];
        if (!agent->leaving || agent->grace_until_ms > model->now_ms)
            continue;
        agent->leaving = false;
        for (size_t j = 0; j < model->task_count; j++) {
            struct model_task *task = &model->tasks[j];
            if (model_is_held(task) && task->holder == i)
                attempt_over(model, task, 0);
            else if (task->slot_holder == i)
                let_go(task);
        }
    }
}

static void tick_task(struct model *model, struct model_task *task)
{
    if (task->state == MODEL_CANCELLED && task->slot_holder != MODEL_NOBODY &&
        (task->accept_by_ms <= model->now_ms || task->lease_until_ms <= model->now_ms))
        let_go(task);
    if (task->state == MODEL_ASSIGNED && task->accept_by_ms <= model->now_ms) {
        model->agents[task->holder].unresponsive = true;
        attempt_over(model, task, 0);
    } else if (task->state == MODEL_WORKING && task->lease_until_ms <= model->now_ms) {
        model->agents[task->holder].unresponsive = true;
        attempt_over(model, task, 0);
    }
    if (model_is_held(task) && task->overdue_wall_ms <= model->wall_ms) {
        task->overdue_wall_ms = MODEL_NEVER;
        attempt_over(model, task, 0);
    }
    if (task->state == MODEL_SCHEDULED)
        settle(model, task);
}

void model_tick(struct model *model)
{
    tick_agents(model);
    for (size_t i = 0; i < model->task_count; i++)
        tick_task(model, &model->tasks[i]);
    settle_blocked(model);
}

static void earlier(int64_t *best_ms, int64_t due_ms)
{
    if (due_ms < *best_ms)
        *best_ms = due_ms;
}

int64_t model_next_ms(const struct model *model)
{
    int64_t wall_to_now = model->now_ms - model->wall_ms;
    int64_t best_ms = MODEL_NEVER;
    for (int i = 0; i < MODEL_AGENTS_MAX; i++) {
        if (model->agents[i].leaving)
            earlier(&best_ms, model->agents[i].grace_until_ms);
    }
    for (size_t i = 0; i < model->task_count; i++) {
        const struct model_task *task = &model->tasks[i];
        if (task->slot_holder != MODEL_NOBODY) {
            earlier(&best_ms, task->accept_by_ms);
            earlier(&best_ms, task->lease_until_ms);
        }
        if (model_is_held(task) && task->overdue_wall_ms != MODEL_NEVER)
            earlier(&best_ms, task->overdue_wall_ms + wall_to_now);
        if (task->state == MODEL_SCHEDULED && task->not_before_wall_ms > model->wall_ms)
            earlier(&best_ms, task->not_before_wall_ms + wall_to_now);
        else if (task->state == MODEL_SCHEDULED)
            earlier(&best_ms, task->retry_at_ms);
    }
    return best_ms;
}

int model_submit(struct model *model, const struct model_submit *submit)
{
    int index = (int)model->task_count++;
    struct model_task *task = &model->tasks[index];
    *task = (struct model_task){
        .number = submit->number,
        .lane = submit->lane,
        .needs = submit->needs,
        .depend_count = submit->depend_count,
        .not_before_wall_ms = submit->not_before_wall_ms,
        .overdue_wall_ms = submit->complete_by_wall_ms,
        .attempts_max = submit->attempts_max,
        .cancelled_under = MODEL_NOBODY,
        .last_reporter = MODEL_NOBODY,
    };
    memcpy(task->depends, submit->depends, sizeof task->depends);
    let_go(task);
    settle(model, task);
    return index;
}

static bool is_forgettable(const struct model *model, size_t index)
{
    const struct model_task *task = &model->tasks[index];
    if (model_is_open(task) || task->slot_holder != MODEL_NOBODY)
        return false;
    for (size_t i = 0; i < model->task_count; i++) {
        for (size_t j = 0; j < model->tasks[i].depend_count; j++) {
            if (model->tasks[i].depends[j] == (int)index)
                return false;
        }
    }
    return true;
}

void model_compact(struct model *model, int moved[MODEL_TASKS_MAX])
{
    bool forgets[MODEL_TASKS_MAX];
    for (size_t i = 0; i < model->task_count; i++)
        forgets[i] = is_forgettable(model, i);

    size_t kept = 0;
    for (size_t i = 0; i < model->task_count; i++) {
        moved[i] = forgets[i] ? MODEL_NOBODY : (int)kept;
        if (!forgets[i])
            model->tasks[kept++] = model->tasks[i];
    }
    model->task_count = kept;
    for (size_t i = 0; i < kept; i++) {
        for (size_t j = 0; j < model->tasks[i].depend_count; j++)
            model->tasks[i].depends[j] = moved[model->tasks[i].depends[j]];
    }
}

void model_identify(struct model *model, int index, uint64_t link, unsigned capabilities,
                    unsigned slots_max)
{
    struct model_agent *agent = &model->agents[index];
    *agent = (struct model_agent){
        .known = true,
        .link = link,
        .capabilities = capabilities,
        .slots_max = slots_max,
    };
    for (size_t i = 0; i < model->task_count; i++) {
        struct model_task *task = &model->tasks[i];
        if (task->state == MODEL_ASSIGNED && task->holder == index)
            task->accept_by_ms = model->now_ms + model->settings.acceptance_ms;
    }
}

static void agent_away(struct model *model, struct model_agent *agent)
{
    agent->link = 0;
    agent->leaving = true;
    agent->grace_until_ms = model->now_ms + model->settings.grace_ms;
}

void model_link_closed(struct model *model, uint64_t link)
{
    for (int i = 0; i < MODEL_AGENTS_MAX; i++) {
        if (link != 0 && model->agents[i].link == link)
            agent_away(model, &model->agents[i]);
    }
}

void model_hub_started(struct model *model)
{
    for (int i = 0; i < MODEL_AGENTS_MAX; i++) {
        if (model->agents[i].link != 0)
            agent_away(model, &model->agents[i]);
    }
}

bool model_heard(struct model *model, int agent, uint64_t link)
{
    if (link == 0 || model->agents[agent].link != link)
        return false;
    model->agents[agent].unresponsive = false;
    return true;
}

static bool may_report(const struct model_task *task, int agent, uint64_t generation)
{
    return model_is_held(task) && task->holder == agent &&
           (generation == 0 || generation == task->generation);
}

/* A report about a cancelled task is refused, and shows that the work has ended. */
static void slot_comes_back(struct model_task *task, int agent, uint64_t generation)
{
    if (task->state == MODEL_CANCELLED && task->slot_holder == agent &&
        generation == task->generation)
        let_go(task);
}

enum model_answer model_accepted(struct model *model, int agent, int index,
                                 uint64_t generation)
{
    struct model_task *task = &model->tasks[index];
    if (!may_report(task, agent, generation))
        return MODEL_REFUSED;
    if (task->state == MODEL_ASSIGNED) {
        task->state = MODEL_WORKING;
        task->accept_by_ms = MODEL_NEVER;
        task->lease_until_ms = model->now_ms + model->settings.lease_ms;
    }
    return MODEL_ACCEPTED;
}

/* Whoever reports progress or renews has the task in hand, said so or not. */
static enum model_answer keep_alive(struct model *model, int agent, int index,
                                    uint64_t generation, enum model_answer answer)
{
    struct model_task *task = &model->tasks[index];
    if (!may_report(task, agent, generation))
        return MODEL_REFUSED;
    task->state = MODEL_WORKING;
    task->accept_by_ms = MODEL_NEVER;
    task->lease_until_ms = model->now_ms + model->settings.lease_ms;
    return answer;
}

enum model_answer model_progress(struct model *model, int agent, int task,
                                 uint64_t generation)
{
    return keep_alive(model, agent, task, generation, MODEL_SILENCE);
}

enum model_answer model_renew(struct model *model, int agent, int task,
                              uint64_t generation)
{
    return keep_alive(model, agent, task, generation, MODEL_RENEWED);
}

static bool is_repeat(const struct model_task *task, int agent, uint64_t generation,
                      enum model_report report)
{
    return task->last_report == report && task->last_reporter == agent &&
           task->last_generation == generation;
}

static void remember(struct model_task *task, int agent, uint64_t generation,
                     enum model_report report, enum model_answer answer)
{
    task->last_report = report;
    task->last_reporter = agent;
    task->last_generation = generation;
    task->last_answer = answer;
}

enum model_answer model_complete(struct model *model, int agent, int index,
                                 uint64_t generation)
{
    struct model_task *task = &model->tasks[index];
    if (is_repeat(task, agent, generation, MODEL_REPORT_COMPLETE))
        return task->last_answer;
    if (!may_report(task, agent, generation)) {
        slot_comes_back(task, agent, generation);
        return MODEL_REFUSED;
    }
    let_go(task);
    task->state = MODEL_COMPLETED;
    remember(task, agent, generation, MODEL_REPORT_COMPLETE, MODEL_COMPLETE);
    settle_blocked(model);
    return MODEL_COMPLETE;
}

enum model_answer model_failed(struct model *model, int agent, int index,
                               uint64_t generation)
{
    struct model_task *task = &model->tasks[index];
    if (is_repeat(task, agent, generation, MODEL_REPORT_FAILED))
        return task->last_answer;
    if (!may_report(task, agent, generation)) {
        slot_comes_back(task, agent, generation);
        return MODEL_REFUSED;
    }
    bool dead = attempt_over(model, task, model->settings.retry_delay_ms);
    enum model_answer answer = dead ? MODEL_DEAD_LETTER : MODEL_RETRIED;
    remember(task, agent, generation, MODEL_REPORT_FAILED, answer);
    return answer;
}

enum model_answer model_recovering(struct model *model, int agent, int index,
                                   uint64_t *ret_generation)
{
    struct model_task *task = &model->tasks[index];
    if (!may_report(task, agent, 0)) {
        slot_comes_back(task, agent, task->generation);
        return MODEL_REASSIGN;
    }
    *ret_generation = task->generation;
    return keep_alive(model, agent, index, 0, MODEL_CONTINUE);
}

enum model_answer model_killed(struct model *model, int agent, int index,
                               uint64_t generation)
{
    struct model_task *task = &model->tasks[index];
    /* Said twice, it is as well. */
    bool taken = task->state == MODEL_CANCELLED && task->cancelled_under == agent &&
                 generation == task->generation;
    slot_comes_back(task, agent, generation);
    return taken ? MODEL_CANCEL_SEEN : MODEL_REFUSED;
}

bool model_cancel(struct model *model, int index)
{
    struct model_task *task = &model->tasks[index];
    if (!model_is_open(task))
        return task->state == MODEL_CANCELLED;
    task->state = MODEL_CANCELLED;
    task->cancelled_under = task->holder;
    task->holder = MODEL_NOBODY;
    settle_blocked(model);
    return true;
}

bool model_retry(struct model *model, int index)
{
    struct model_task *task = &model->tasks[index];
    if (task->state != MODEL_DEAD)
        return false;
    task->attempts = 0;
    task->generation++;
    task->retry_at_ms = 0;
    settle(model, task);
    return true;
}

static bool covers(const struct model_agent *agent, const struct model_task *task)
{
    return (task->needs & ~agent->capabilities) == 0;
}

static bool stands_before(const struct model_task *one, const struct model_task *other)
{
    if (one->lane != other->lane)
        return one->lane < other->lane;
    return one->number < other->number;
}

static bool has_room(const struct model *model, int index)
{
    const struct model_agent *agent = &model->agents[index];
    return agent->link != 0 && !agent->unresponsive &&
           model_slots_taken(model, index) < agent->slots_max;
}

void model_ready(const struct model *model, bool ready[MODEL_TASKS_MAX])
{
    for (size_t i = 0; i < MODEL_TASKS_MAX; i++)
        ready[i] = i < model->task_count && model->tasks[i].state == MODEL_QUEUED;
}

void model_assign(struct model *model, int agent_index, int index, uint64_t generation,
                  const bool ready[MODEL_TASKS_MAX])
{
    struct model_task *task = &model->tasks[index];
    const struct model_agent *agent = &model->agents[agent_index];

    if (agent->link == 0)
        breaks(model, "a task was handed to an agent that is away");
    if (agent->unresponsive)
        breaks(model, "a task was handed to an unresponsive agent");
    if (task->state != MODEL_QUEUED)
        breaks(model, "a task that was not ready was handed out");
    if (!covers(agent, task))
        breaks(model, "a task was handed to an agent that lacks a capability");
    if (!has_room(model, agent_index))
        breaks(model, "an agent was handed more than it can hold");
    if (generation != task->generation + 1)
        breaks(model, "a hand-out did not raise the generation by one");
    for (size_t i = 0; i < model->task_count; i++) {
        const struct model_task *other = &model->tasks[i];
        if (ready[i] && other->state == MODEL_QUEUED && covers(agent, other) &&
            stands_before(other, task))
            breaks(model, "a task overtook one that stood before it");
    }
    /* What is late already cannot become late in somebody's hands. */
    if (task->overdue_wall_ms <= model->wall_ms)
        task->overdue_wall_ms = MODEL_NEVER;
    task->state = MODEL_ASSIGNED;
    task->generation = generation;
    task->holder = agent_index;
    task->slot_holder = agent_index;
    task->retry_at_ms = 0;
    task->accept_by_ms = model->now_ms + model->settings.acceptance_ms;
    task->lease_until_ms = MODEL_NEVER;
}

void model_idle_work(struct model *model)
{
    for (int i = 0; i < MODEL_AGENTS_MAX; i++) {
        if (!has_room(model, i))
            continue;
        for (size_t j = 0; j < model->task_count; j++) {
            if (model->tasks[j].state == MODEL_QUEUED &&
                covers(&model->agents[i], &model->tasks[j]))
                breaks(model, "a ready task and a free agent for it stand side by side");
        }
    }
}
