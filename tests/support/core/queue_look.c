#include "core/queue_look.h"

#include "core/agent.h"
#include "core/task.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const LOOK_AGENTS[MODEL_AGENTS_MAX] = { "ada", "bob", "cyd",
                                                    "dee", "eve", "fay" };

void look_breaks(struct queue_check *check, const char *text, uint64_t one,
                 uint64_t other)
{
    look_breaks_word(check, text, one, other, "");
}

void look_breaks_word(struct queue_check *check, const char *text, uint64_t one,
                      uint64_t other, const char *word)
{
    if (check->broken[0] != '\0')
        return;
    snprintf(check->broken, sizeof check->broken, "%s (%llx, %llx) %s", text,
             (unsigned long long)one, (unsigned long long)other, word);
}

void look_trace(const struct queue_check *check, const char *format, ...)
{
    if (!check->trace)
        return;
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%lld: ", (long long)check->model.now_ms);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

bool check_is_broken(const struct queue_check *check)
{
    return check->broken[0] != '\0';
}

void check_init(struct queue_check *check, struct model_settings settings)
{
    memset(check, 0, sizeof *check);
    fleet_init(&check->fleet);
    check->fleet.settings.acceptance_ms = settings.acceptance_ms;
    check->fleet.settings.lease_ms = settings.lease_ms;
    check->fleet.settings.reconnect_grace_ms = settings.grace_ms;
    check->fleet.settings.retry_delay_ms = settings.retry_delay_ms;
    check->fleet.settings.idempotency_ms = (int64_t)1 << 50;
    check->fleet.settings.history_max = 8;
    model_init(&check->model, settings);
    model_time(&check->model, check->fleet.command.now_ms, check->fleet.command.wall_ms);
}

void check_finish(struct queue_check *check)
{
    fleet_finish(&check->fleet);
}

static int agent_of_link(const struct queue_check *check, uint64_t link)
{
    for (int i = 0; i < MODEL_AGENTS_MAX; i++) {
        if (link != 0 && check->model.agents[i].link == link)
            return i;
    }
    return MODEL_NOBODY;
}

static int task_of_number(const struct queue_check *check, uint64_t number)
{
    for (size_t i = 0; i < check->model.task_count; i++) {
        if (check->model.tasks[i].number == number)
            return (int)i;
    }
    return MODEL_NOBODY;
}

uint64_t look_number(struct queue_check *check, struct slice id)
{
    uint64_t number = 0;
    if (!task_id_parse(id, &number))
        look_breaks(check, "an id that is none was sent", 0, 0);
    return number;
}

static void see_assign(struct queue_check *check, uint64_t link,
                       const struct message_task_assign *assign)
{
    struct model *model = &check->model;
    uint64_t number = look_number(check, assign->task_id);
    int task = task_of_number(check, number);
    int agent = agent_of_link(check, link);
    if (task == MODEL_NOBODY || agent == MODEL_NOBODY) {
        look_breaks(check, "task_assign for nobody or for nothing", link, number);
        return;
    }
    if (check->resends[task] && model->tasks[task].holder == agent &&
        model->tasks[task].generation == (uint64_t)assign->generation) {
        check->resends[task] = false;
        return;
    }
    /* Of deadlines due together, one may have handed it out before another took the
     * agent out of the line. */
    bool unresponsive = model->agents[agent].unresponsive;
    if (check->ticking && check->was_well[agent])
        model->agents[agent].unresponsive = false;
    model_assign(model, agent, task, (uint64_t)assign->generation, check->ready);
    model->agents[agent].unresponsive = unresponsive;
    check->handed_out++;
    look_trace(check, "  %s gets %llx, generation %llu", LOOK_AGENTS[agent],
               (unsigned long long)number, (unsigned long long)assign->generation);
}

static void keep_word(struct queue_check *check, struct slice word)
{
    size_t size =
        word.size < sizeof check->reply.word ? word.size : sizeof check->reply.word - 1;
    memset(check->reply.word, 0, sizeof check->reply.word);
    if (size > 0)
        memcpy(check->reply.word, word.data, size);
}

static void see_reply(struct queue_check *check, const struct effect *effect)
{
    const struct message *message = &effect->message;
    if (check->reply.there) {
        look_breaks(check, "two replies to one command", check->reply.type,
                    message->type);
        return;
    }
    check->reply.there = true;
    check->reply.type = message->type;
    check->reply.status = effect->status;
    if (message->type == MESSAGE_TASK_ACK)
        keep_word(check, message->as.task_ack.status);
    if (message->type == MESSAGE_ERROR)
        keep_word(check, message->as.error.error);
    if (message->type == MESSAGE_HTTP_ERROR)
        keep_word(check, message->as.http_error.error);
    if (message->type == MESSAGE_TASK_CONTINUE)
        check->reply.generation = (uint64_t)message->as.task_continue.generation;
}

static void see_send(struct queue_check *check, const struct effect *effect)
{
    const struct message *message = &effect->message;
    if (message->type == MESSAGE_TASK_ASSIGN) {
        see_assign(check, effect->link, &message->as.task_assign);
        return;
    }
    /* Whether the holder is told to stop is shown by unit tests. */
    if (message->type == MESSAGE_TASK_CANCEL)
        return;
    if (effect->link == check->fleet.command.origin.link)
        see_reply(check, effect);
    else
        look_breaks(check, "a frame for somebody who did not ask", effect->link,
                    message->type);
}

static const struct effect *next_effect(const struct queue_check *check)
{
    return check->looked == NULL ? check->fleet.effects.first : check->looked->next;
}

void look_effects(struct queue_check *check)
{
    const struct effect *effect;
    while ((effect = next_effect(check)) != NULL) {
        if (effect->kind == EFFECT_SEND)
            see_send(check, effect);
        if (effect->kind == EFFECT_ANSWER)
            see_reply(check, effect);
        check->looked = effect;
    }
    check->looked = NULL;
}

/* The clocks of both, and what stands ready before the command. */
void look_before(struct queue_check *check)
{
    const struct command *command = &check->fleet.command;
    model_time(&check->model, command->now_ms, command->wall_ms);
    model_ready(&check->model, check->ready);
    for (int i = 0; i < MODEL_AGENTS_MAX; i++)
        check->was_well[i] = !check->model.agents[i].unresponsive;
    memset(&check->reply, 0, sizeof check->reply);
}

static enum model_state model_state_of(enum task_state state)
{
    switch (state) {
    case TASK_QUEUED:
        return MODEL_QUEUED;
    case TASK_ASSIGNED:
        return MODEL_ASSIGNED;
    case TASK_WORKING:
        return MODEL_WORKING;
    case TASK_COMPLETED:
        return MODEL_COMPLETED;
    case TASK_SCHEDULED:
        return MODEL_SCHEDULED;
    case TASK_BLOCKED:
        return MODEL_BLOCKED;
    case TASK_CANCELLED:
        return MODEL_CANCELLED;
    case TASK_DEAD_LETTER:
        return MODEL_DEAD;
    case TASK_STATE_COUNT:
        break;
    }
    return MODEL_UNUSED;
}

static void compare_task(struct queue_check *check, struct step *step, size_t index)
{
    const struct model_task *expected = &check->model.tasks[index];
    bool holds = expected->slot_holder != MODEL_NOBODY;
    char id[TASK_ID_BYTES + 1];
    struct task task;

    snprintf(id, sizeof id, "task-%016llx", (unsigned long long)expected->number);
    if (!task_load(step, expected->number, &task)) {
        look_breaks_word(check, "a task is gone", 0, 0, id);
        return;
    }
    if (model_state_of(task.state) != expected->state)
        look_breaks_word(check, "a task's state (model's, core's)", expected->state,
                         model_state_of(task.state), id);
    if (task.generation != expected->generation)
        look_breaks_word(check, "a task's generation (model's, core's)",
                         expected->generation, task.generation, id);
    if (task.attempts != expected->attempts)
        look_breaks_word(check, "a task's attempts (model's, core's)", expected->attempts,
                         task.attempts, id);
    if (task.held != holds)
        look_breaks_word(check, "whether a task takes a slot (model's, core's)", holds,
                         task.held, id);
    if (task.held &&
        !slice_equal_text(agent_id(step, task.agent), LOOK_AGENTS[expected->slot_holder]))
        look_breaks_word(check, "who holds a task (model's, core's)",
                         (uint64_t)expected->slot_holder, task.agent, id);
}

static void compare_agent(struct queue_check *check, struct step *step, int index)
{
    const struct model_agent *expected = &check->model.agents[index];
    struct agent agent;
    if (!expected->known)
        return;
    if (!agent_load_id(step, slice_from_text(LOOK_AGENTS[index]), &agent)) {
        look_breaks(check, "an agent is gone", (uint64_t)index, 0);
        return;
    }
    if (agent.link != expected->link)
        look_breaks(check, "an agent's link", expected->link, agent.link);
    if (agent.held != model_slots_taken(&check->model, index))
        look_breaks(check, "an agent's taken slots",
                    model_slots_taken(&check->model, index), agent.held);
    if (expected->link != 0 && agent.unresponsive != expected->unresponsive)
        look_breaks(check, "whether an agent is unresponsive", expected->unresponsive,
                    agent.unresponsive);
}

static void compare(struct queue_check *check, bool all)
{
    struct step step = fleet_step(&check->fleet);
    model_idle_work(&check->model);
    for (size_t i = 0; i < check->model.task_count; i++) {
        bool ended = !model_is_open(&check->model.tasks[i]);
        if (all || !ended || i % 8 == check->settled % 8)
            compare_task(check, &step, i);
        if (check->resends[i])
            look_breaks(check, "task_assign was not said again", i, 0);
    }
    for (int i = 0; i < MODEL_AGENTS_MAX; i++)
        compare_agent(check, &step, i);
    if (check->model.broken != NULL)
        look_breaks(check, check->model.broken, 0, 0);
}

/* Everything due now, then all must agree. */
void look_settle(struct queue_check *check)
{
    struct fleet *fleet = &check->fleet;
    const struct message tick = { .type = MESSAGE_TICK };

    fleet_as_hub(fleet);
    /* Once at least: what the model holds to be due may not be so for the core. */
    for (unsigned i = 0; i < 1000 && (i == 0 || fleet_next_due_ms(fleet) == 0); i++) {
        model_tick(&check->model);
        fleet_do(fleet, &tick);
        check->ticking = true;
        look_effects(check);
        check->ticking = false;
        check->settled++;
    }
    if (fleet_next_due_ms(fleet) == 0)
        look_breaks(check, "ticks do not come to an end", 0, 0);
    compare(check, false);
}

void check_pass(struct queue_check *check, int64_t ms)
{
    struct fleet *fleet = &check->fleet;
    int64_t end_ms = fleet->command.now_ms + ms;
    look_trace(check, "%lld ms pass", (long long)ms);

    while (!check_is_broken(check) && fleet->command.now_ms < end_ms) {
        int64_t next_ms = model_next_ms(&check->model);
        int64_t due_ms = fleet_next_due_ms(fleet);
        if (due_ms < INT64_MAX && fleet->command.now_ms + due_ms < next_ms)
            next_ms = fleet->command.now_ms + due_ms;
        if (next_ms > end_ms)
            next_ms = end_ms;
        if (next_ms > fleet->command.now_ms)
            fleet_pass(fleet, next_ms - fleet->command.now_ms);
        look_before(check);
        look_settle(check);
    }
}

/* The reclaim at complete_by counts an attempt, and so does the end of a lease: which
 * comes first in a heap of both shows. */
static bool overdue_within(const struct queue_check *check, int64_t ms)
{
    for (size_t i = 0; i < check->model.task_count; i++) {
        const struct model_task *task = &check->model.tasks[i];
        if (task->overdue_wall_ms != MODEL_NEVER && model_is_open(task) &&
            task->overdue_wall_ms <= check->model.wall_ms + ms)
            return true;
    }
    return false;
}

void check_pass_late(struct queue_check *check, int64_t ms)
{
    if (overdue_within(check, ms)) {
        check_pass(check, ms);
        return;
    }
    fleet_pass(&check->fleet, ms);
    look_trace(check, "%lld ms pass in one leap", (long long)ms);
    look_before(check);
    look_settle(check);
}

void check_wall_jump(struct queue_check *check, int64_t ms)
{
    check->fleet.command.wall_ms += ms;
    look_trace(check, "the wall clock jumps by %lld ms", (long long)ms);
    look_before(check);
    look_settle(check);
}

void check_compact(struct queue_check *check)
{
    int moved[MODEL_TASKS_MAX];
    model_compact(&check->model, moved);
}

void check_everything(struct queue_check *check)
{
    const char *text = "";
    compare(check, true);
    enum err err = core_verify(memory_transaction(check->fleet.store), &text);
    if (err != ERR_OK)
        look_breaks(check, text, (uint64_t)err, 0);
}
