/*
 * Goal: whatever is said to the core, in whatever order, and however often, the queue's
 * promises hold (support/core/queue_model.h says them a second time).
 * Method: commands drawn from a seed go to the core and to the model; states,
 * generations, attempts, holders, replies and the order of hand-outs must agree after
 * each. At the end of a run the faults stop, and everything must come to an end.
 *
 *   test_property_queue [--seed N] [--seeds N] [--steps N] [--trace 1]
 */
#include "core/log_check.h"
#include "core/queue_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STEPS_DEFAULT 1000 /* each step costs several times as much */
#else
#define STEPS_DEFAULT 3000
#endif

enum {
    SEEDS_DEFAULT = 60,
    WIDE_EVERY = 6,   /* likewise is wide */
    TWICE_EVERY = 10, /* one seed in so many is run twice */
    VERIFY_EVERY = 100,
    REPORTS_KEPT = 32,
    OVERDUE_RESIDUES = 997,
};

static const int64_t SECOND_MS = 1000;

struct report {
    enum message_type type;
    int agent;
    uint64_t link;
    uint64_t number;
    uint64_t generation;
};

struct run {
    uint64_t random;
    struct queue_check check;
    struct report reports[REPORTS_KEPT]; /* sent before, and maybe again */
    uint64_t report_count;
    uint64_t links; /* given out */
    unsigned agents;
    unsigned lanes;
    unsigned needs_mask;
    unsigned open_max; /* few: agents wait for tasks; many: tasks for agents */
    unsigned overdue_percent;
    unsigned wall_percent;
    bool wide; /* more at once than one command may do */
    uint64_t overdues;
    uint64_t seed;
    uint64_t step;
};

/* SplitMix64 (Steele, Lea and Flood, 2014). */
static uint64_t draw(struct run *run)
{
    uint64_t word = run->random += 0x9e3779b97f4a7c15;
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
    word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
    return word ^ (word >> 31);
}

static unsigned below(struct run *run, unsigned end)
{
    return (unsigned)(draw(run) % end);
}

static bool chance(struct run *run, unsigned percent)
{
    return below(run, 100) < percent;
}

static int any_agent(struct run *run)
{
    return (int)below(run, run->agents);
}

static int any_task(struct run *run)
{
    size_t count = run->check.model.task_count;
    return count == 0 ? MODEL_NOBODY : (int)below(run, (unsigned)count);
}

static int task_held_by(struct run *run, int agent)
{
    const struct model *model = &run->check.model;
    size_t from = model->task_count == 0 ? 0 : below(run, (unsigned)model->task_count);
    for (size_t i = 0; i < model->task_count; i++) {
        size_t at = (from + i) % model->task_count;
        if (model->tasks[at].slot_holder == agent)
            return (int)at;
    }
    return MODEL_NOBODY;
}

static unsigned open_count(const struct model *model)
{
    unsigned count = 0;
    for (size_t i = 0; i < model->task_count; i++)
        count += model_is_open(&model->tasks[i]);
    return count;
}

/* Many wait for one. */
static int first_open(const struct model *model)
{
    for (size_t i = 0; i < model->task_count; i++) {
        if (model_is_open(&model->tasks[i]))
            return (int)i;
    }
    return MODEL_NOBODY;
}

static void draw_depends(struct run *run, struct model_submit *submit)
{
    size_t wanted = 1 + below(run, MODEL_DEPENDS_MAX);
    for (size_t i = 0; i < wanted; i++) {
        int task = run->wide ? first_open(&run->check.model) : any_task(run);
        bool known =
            task == MODEL_NOBODY || run->check.model.tasks[task].state == MODEL_CANCELLED;
        for (size_t j = 0; j < submit->depend_count; j++)
            known = known || submit->depends[j] == task;
        if (!known)
            submit->depends[submit->depend_count++] = task;
    }
}

static void try_submit(struct run *run)
{
    struct queue_check *check = &run->check;
    if (check->model.task_count == MODEL_TASKS_MAX)
        check_compact(check);
    if (check->model.task_count == MODEL_TASKS_MAX ||
        open_count(&check->model) >= run->open_max)
        return;

    struct model_submit submit = {
        .lane = below(run, run->lanes),
        .needs = (unsigned)draw(run) & (unsigned)draw(run) & run->needs_mask,
        .complete_by_wall_ms = MODEL_NEVER,
        .attempts_max = 1 + below(run, 4),
    };
    int64_t wall_ms = check->fleet.command.wall_ms;
    if (chance(run, run->wide ? 60 : 15))
        draw_depends(run, &submit);
    if (chance(run, 10))
        submit.not_before_wall_ms = wall_ms + ((int64_t)below(run, 200) - 50) * SECOND_MS;
    /* Each at a fraction of a second of its own, so that it never ties with the end of
     * the same task's lease: both count an attempt. */
    if (chance(run, run->overdue_percent))
        submit.complete_by_wall_ms = (wall_ms / SECOND_MS + below(run, 300)) * SECOND_MS +
                                     1 + (int64_t)(run->overdues++ % OVERDUE_RESIDUES);
    int agent = chance(run, 15) ? any_agent(run) : MODEL_NOBODY;
    int key = chance(run, 20) ? (int)below(run, CHECK_CLIENT_KEYS) : MODEL_NOBODY;
    if (key != MODEL_NOBODY && check->keys[key].used)
        check_submit_again(check, key, chance(run, 70));
    else
        check_submit(check, &submit, agent, key);
}

static void try_identify(struct run *run)
{
    int agent = any_agent(run);
    unsigned slots = chance(run, 70) ? 1 : below(run, 4);
    if (run->wide)
        slots = below(run, 150);
    unsigned capabilities = (unsigned)draw(run) | (unsigned)draw(run);
    check_identify(&run->check, agent, ++run->links,
                   capabilities & ((1u << CHECK_CAPABILITIES) - 1), slots);
}

static void try_close(struct run *run)
{
    uint64_t link = run->check.model.agents[any_agent(run)].link;
    if (chance(run, 20))
        link = 1 + draw(run) % (run->links + 1);
    if (link != 0)
        check_link_closed(&run->check, link);
}

/* A link speaks for one agent alone: the door sees to that. */
static bool is_anothers(const struct model *model, int agent, uint64_t link)
{
    for (int i = 0; i < MODEL_AGENTS_MAX; i++) {
        if (i != agent && model->agents[i].link == link)
            return true;
    }
    return false;
}

static void send(struct run *run, const struct report *report)
{
    const struct model *model = &run->check.model;
    if (is_anothers(model, report->agent, report->link))
        return;
    for (size_t i = 0; i < model->task_count; i++) {
        if (model->tasks[i].number != report->number)
            continue;
        check_report(&run->check, report->type, report->agent, report->link, (int)i,
                     report->generation);
        return;
    }
}

static enum message_type draw_report_type(struct run *run, enum model_state state)
{
    static const enum message_type TYPES[] = {
        MESSAGE_TASK_ACCEPTED,  MESSAGE_TASK_PROGRESS, MESSAGE_LEASE_RENEW,
        MESSAGE_TASK_COMPLETE,  MESSAGE_TASK_FAILED,   MESSAGE_TASK_RECOVERING,
        MESSAGE_TASK_CANCELLED,
    };
    if (state == MODEL_ASSIGNED && chance(run, 60))
        return MESSAGE_TASK_ACCEPTED;
    if (state == MODEL_WORKING && chance(run, 40))
        return chance(run, 70) ? MESSAGE_TASK_COMPLETE : MESSAGE_TASK_FAILED;
    if (state == MODEL_CANCELLED && chance(run, 50))
        return MESSAGE_TASK_CANCELLED;
    return TYPES[below(run, sizeof TYPES / sizeof *TYPES)];
}

static bool generation_is_optional(enum message_type type)
{
    return type == MESSAGE_TASK_ACCEPTED || type == MESSAGE_TASK_PROGRESS;
}

static void try_report(struct run *run)
{
    const struct model *model = &run->check.model;
    int agent = any_agent(run);
    int task = chance(run, 85) ? task_held_by(run, agent) : any_task(run);
    if (task == MODEL_NOBODY)
        return;

    struct report report = {
        .type = draw_report_type(run, model->tasks[task].state),
        .agent = agent,
        .link = model->agents[agent].link,
        .number = model->tasks[task].number,
        .generation = model->tasks[task].generation,
    };
    if (chance(run, 5))
        report.generation += 1;
    else if (chance(run, 8) && report.generation > 1)
        report.generation -= 1;
    if (generation_is_optional(report.type) && chance(run, 20))
        report.generation = 0;
    else if (report.generation == 0)
        return;
    if (report.link == 0 || chance(run, 3))
        report.link = 1 + draw(run) % (run->links + 1);
    run->reports[run->report_count++ % REPORTS_KEPT] = report;
    send(run, &report);
}

static void try_repeat(struct run *run)
{
    uint64_t kept = run->report_count < REPORTS_KEPT ? run->report_count : REPORTS_KEPT;
    if (kept == 0)
        return;
    struct report report = run->reports[draw(run) % kept];
    if (chance(run, 50))
        report.link = run->check.model.agents[report.agent].link;
    if (report.link != 0)
        send(run, &report);
}

static void try_pass(struct run *run)
{
    static const unsigned SECONDS[] = { 1, 5, 20, 60, 400 };
    int64_t ms = (1 + below(run, SECONDS[below(run, 5)])) * SECOND_MS;
    if (chance(run, 20))
        check_pass_late(&run->check, ms);
    else
        check_pass(&run->check, ms);
}

static void try_other(struct run *run)
{
    unsigned kind = below(run, 100);
    int task = any_task(run);
    if (chance(run, run->wall_percent)) {
        check_wall_jump(&run->check, ((int64_t)below(run, 200) - 100) * SECOND_MS);
        return;
    }
    if (kind < 40 && task != MODEL_NOBODY) {
        check_cancel(&run->check, task);
    } else if (kind < 90 && task != MODEL_NOBODY) {
        check_retry(&run->check, task);
    } else {
        /* Links are numbered anew by a hub that has started. */
        check_hub_started(&run->check);
        run->links = chance(run, 50) ? 0 : run->links;
        memset(run->reports, 0, sizeof run->reports);
        run->report_count = 0;
    }
}

/* A backlog meets one agent that takes all of it. */
static void try_burst(struct run *run)
{
    struct queue_check *check = &run->check;
    for (int i = 0; i < (int)run->agents; i++) {
        if (check->model.agents[i].link != 0)
            check_link_closed(check, check->model.agents[i].link);
    }
    for (int i = 0; i < MODEL_TASKS_MAX && !check_is_broken(check); i++)
        try_submit(run);
    check_identify(check, any_agent(run), ++run->links, (1u << CHECK_CAPABILITIES) - 1,
                   MODEL_TASKS_MAX);
}

static void one_step(struct run *run)
{
    if (run->wide && below(run, 200) == 0)
        try_burst(run);
    unsigned kind = run->wide && chance(run, 40) ? 0 : below(run, 100);
    if (kind < 22)
        try_submit(run);
    else if (kind < 29)
        try_identify(run);
    else if (kind < 33)
        try_close(run);
    else if (kind < 76)
        try_report(run);
    else if (kind < 84)
        try_repeat(run);
    else if (kind < 94)
        try_pass(run);
    else
        try_other(run);
    if (run->step % VERIFY_EVERY == 0)
        check_everything(&run->check);
}

/* Everything that can end, ends: only dead letters hold others back. */
static void drain(struct run *run)
{
    struct queue_check *check = &run->check;
    for (unsigned round = 0; round < 2000 && !check_is_broken(check); round++) {
        bool waits = false;
        for (int i = 0; i < (int)run->agents; i++) {
            const struct model_agent *agent = &check->model.agents[i];
            if (agent->link == 0 || agent->unresponsive || agent->slots_max == 0 ||
                agent->capabilities != (1u << CHECK_CAPABILITIES) - 1)
                check_identify(check, i, ++run->links, (1u << CHECK_CAPABILITIES) - 1, 2);
        }
        for (int i = 0; i < (int)check->model.task_count; i++) {
            struct model_task task = check->model.tasks[i];
            if (task.state == MODEL_DEAD)
                check_retry(check, i);
            else if (task.state == MODEL_ASSIGNED)
                check_report(check, MESSAGE_TASK_ACCEPTED, task.holder,
                             check->model.agents[task.holder].link, i, task.generation);
            else if (task.state == MODEL_WORKING)
                check_report(check, MESSAGE_TASK_COMPLETE, task.holder,
                             check->model.agents[task.holder].link, i, task.generation);
            waits = waits || model_is_open(&check->model.tasks[i]);
        }
        if (!waits)
            break;
        check_pass(check, SECOND_MS);
    }
    for (size_t i = 0; i < check->model.task_count && !check_is_broken(check); i++) {
        const struct model_task *task = &check->model.tasks[i];
        if (model_is_open(task))
            snprintf(check->broken, sizeof check->broken,
                     "task %" PRIx64 " never came to its end, in the model's state %d",
                     task->number, (int)task->state);
    }
    if (!check_is_broken(check))
        check_everything(check);
}

/* What happened was told, and nothing else. */
static void log_compare(struct queue_check *check)
{
    const char *flaw = log_check(&check->fleet);
    if (flaw != NULL)
        snprintf(check->broken, sizeof check->broken, "%.200s", flaw);
}

static void run_init(struct run *run, uint64_t seed)
{
    memset(run, 0, sizeof *run);
    run->random = seed;
    run->seed = seed;
    run->agents = 1 + below(run, MODEL_AGENTS_MAX);
    run->lanes = chance(run, 30) ? 1 : 4;
    run->needs_mask = (unsigned)draw(run) & ((1u << CHECK_CAPABILITIES) - 1);
    static const unsigned open_max[] = { 2, 6, 15, 40 };
    static const unsigned percent[] = { 0, 10, 60 };
    run->open_max = open_max[below(run, 4)];
    run->wide = seed % WIDE_EVERY == 0;
    if (run->wide) {
        run->lanes = 1;
        run->open_max = 3 * MODEL_TASKS_MAX / 4;
    }
    run->overdue_percent = percent[below(run, 3)];
    run->wall_percent = percent[below(run, 3)];
    struct model_settings settings = {
        .acceptance_ms = (5 + below(run, 60)) * SECOND_MS,
        .lease_ms = (10 + below(run, 300)) * SECOND_MS,
        .grace_ms = (1 + below(run, 60)) * SECOND_MS,
        .retry_delay_ms = chance(run, 50) ? 0 : (1 + below(run, 30)) * SECOND_MS,
    };
    check_init(&run->check, settings);
}

static bool run_whole(struct run *run, uint64_t seed, uint64_t steps, bool trace)
{
    run_init(run, seed);
    run->check.trace = trace;
    for (run->step = 1; run->step <= steps && !check_is_broken(&run->check); run->step++)
        one_step(run);
    if (!check_is_broken(&run->check))
        drain(run);
    if (!check_is_broken(&run->check))
        log_compare(&run->check);
    if (!check_is_broken(&run->check))
        return true;
    fprintf(stderr,
            "seed %" PRIu64 ", step %" PRIu64
            ": %s\nagain: test_property_queue --seed %" PRIu64 " --steps %" PRIu64 "\n",
            seed, run->step - 1, run->check.broken, seed, steps);
    return false;
}

/* The same commands on the same tables give the same bytes. */
static bool run_again(const struct run *first, uint64_t steps)
{
    static struct run again;
    bool whole = run_whole(&again, first->seed, steps, false);
    int table =
        memory_store_difference(first->check.fleet.store, again.check.fleet.store);
    check_finish(&again.check);
    if (table >= 0)
        fprintf(stderr, "seed %" PRIu64 ": table %s differs when run twice\n",
                first->seed, CORE_TABLES[table]);
    return whole && table < 0;
}

static bool run_seed(uint64_t seed, uint64_t steps, bool trace, struct queue_check *total)
{
    static struct run run;
    bool whole = run_whole(&run, seed, steps, trace);
    if (whole && seed % TWICE_EVERY == 0)
        whole = run_again(&run, steps);
    total->handed_out += run.check.handed_out;
    total->taken += run.check.taken;
    total->refused += run.check.refused;
    check_finish(&run.check);
    return whole;
}

static uint64_t option(int argc, char **argv, const char *name, uint64_t otherwise)
{
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], name) == 0)
            return strtoull(argv[i + 1], NULL, 10);
    }
    return otherwise;
}

int main(int argc, char **argv)
{
    static struct queue_check total;
    uint64_t only = option(argc, argv, "--seed", 0);
    uint64_t seeds = option(argc, argv, "--seeds", only == 0 ? SEEDS_DEFAULT : 1);
    uint64_t steps = option(argc, argv, "--steps", STEPS_DEFAULT);
    bool trace = option(argc, argv, "--trace", 0) != 0;
    uint64_t first = only == 0 ? 1 : only;
    bool whole = true;

    for (uint64_t seed = first; seed < first + seeds && whole; seed++)
        whole = run_seed(seed, steps, trace, &total);
    printf("%" PRIu64 " seeds, %" PRIu64 " hand-outs, %" PRIu64 " reports taken, %" PRIu64
           " refused\n",
           seeds, total.handed_out, total.taken, total.refused);
    /* A run that hands out nothing shows nothing. */
    return whole && total.handed_out > 0 && total.refused > 0 ? 0 : 1;
}
