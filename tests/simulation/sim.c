#include "simulation/sim.h"

#include "base/ensure.h"
#include "simulation/seam.h"
#include "simulation/steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WALL_START_S = 1767225600, /* a new year */
    SETTLE_MS = 5000,
    CALM_STEP_MS = 20000,
    CALM_SLACK_MS = 900000, /* connections noticed, delays, waits between tries */
    STEPS_PER_OPERATION = 3,
};

bool sim_fault(struct sim *sim, enum point point)
{
    if (sim->calm || sim->plan.rate[point] == 0 ||
        !dice_chance(&sim->dice, sim->plan.rate[point]))
        return false;
    sim->reached[point]++;
    return true;
}

void sim_break(struct sim *sim, const char *text, const char *about)
{
    if (sim->broken != NULL)
        return;
    sim->broken = text;
    (void)snprintf(sim->broken_about, sizeof sim->broken_about, "%s",
                   about == NULL ? "" : about);
}

static bool is_for_hub(enum event_kind kind)
{
    return kind == AGENDA_FRAME_TO_HUB || kind == AGENDA_CLOSE_AT_HUB ||
           kind == AGENDA_REQUEST;
}

static void connect_or_give_up(struct sim *sim, const struct event *event)
{
    struct agent_actor *agent = &sim->agents.agents[event->who];
    agent->connecting = false;
    if (agent->connection == NO_CONNECTION)
        agent_connect(&sim->agents, event->who);
    else if (!agent->identified && event->tag == 1 + (uint64_t)agent->connection)
        agent_disconnect(&sim->agents, event->who, false);
}

static void happen(struct sim *sim, const struct event *event)
{
    struct slice bytes =
        slice_make(event->bytes == NULL ? "" : event->bytes, event->size);
    switch (event->kind) {
    case AGENDA_FRAME_TO_HUB:
        hub_frame(&sim->hub, event->who, event->bytes, event->size);
        break;
    case AGENDA_FRAME_TO_AGENT:
        agent_hear(&sim->agents, event->who, bytes);
        break;
    case AGENDA_CLOSE_AT_HUB:
        hub_closed(&sim->hub, event->who);
        break;
    case AGENDA_CLOSE_AT_AGENT:
        agent_lost(&sim->agents, event->who);
        break;
    case AGENDA_CONNECT:
        connect_or_give_up(sim, event);
        break;
    case AGENDA_WORK:
        agent_work(&sim->agents, event->who, event->tag);
        break;
    case AGENDA_REQUEST:
        hub_request(&sim->hub, event->who);
        break;
    case AGENDA_ANSWER:
        clients_hear(&sim->clients, event->who, (uint16_t)event->tag, bytes);
        break;
    case AGENDA_RETRY:
        if (sim->clients.submissions[event->who].state == SUBMISSION_OPEN)
            clients_submit_again(&sim->clients, event->who);
        break;
    case AGENDA_HUB_START:
        hub_start(&sim->hub);
        break;
    }
}

static void events_happen(struct sim *sim)
{
    while (agenda_next_ms(&sim->agenda) <= sim->monotonic_ms && !sim_is_broken(sim)) {
        struct event event = agenda_take(&sim->agenda);
        if (is_for_hub(event.kind) && sim->hub.up && hub_is_frozen(&sim->hub)) {
            agenda_add(&sim->agenda, sim->hub.frozen_ms, event.kind, event.who, event.tag,
                       slice_make(event.bytes, event.size));
        } else {
            happen(sim, &event);
            if (!dice_chance(&sim->dice, sim->plan.gather))
                hub_turn(&sim->hub);
        }
        free(event.bytes);
    }
}

static void verify_sometimes(struct sim *sim)
{
    if (sim->disk.commits < sim->verified_commits + sim->plan.verify_every ||
        !disk_can_look(&sim->disk))
        return;
    sim->verified_commits = sim->disk.commits;
    audit_verify(&sim->audit);
    history_mark(&sim->history);
}

static int64_t earlier(int64_t one_ms, int64_t other_ms)
{
    return one_ms < other_ms ? one_ms : other_ms;
}

void sim_run_until(struct sim *sim, int64_t until_ms)
{
    while (!sim_is_broken(sim)) {
        int64_t next_ms = earlier(agenda_next_ms(&sim->agenda), hub_due_ms(&sim->hub));
        next_ms = earlier(next_ms, until_ms);
        if (next_ms > sim->monotonic_ms) {
            /* What has gathered does not wait longer than the moment. */
            hub_turn(&sim->hub);
            next_ms = earlier(next_ms, hub_due_ms(&sim->hub));
            next_ms = earlier(next_ms, agenda_next_ms(&sim->agenda));
            if (next_ms > sim->monotonic_ms)
                sim->monotonic_ms = next_ms;
        }
        events_happen(sim);
        hub_turn(&sim->hub);
        verify_sometimes(sim);
        if (sim->monotonic_ms >= until_ms &&
            agenda_next_ms(&sim->agenda) > sim->monotonic_ms)
            break;
    }
}

static bool all_know_tokens(const struct sim *sim)
{
    for (unsigned i = 0; i < sim->agents.count; i++) {
        if (!sim->agents.agents[i].has_token)
            return false;
    }
    return sim->clients.has_token;
}

/* The fleet comes to life on a good day. */
static void begin(struct sim *sim)
{
    sim->calm = true;
    hub_start(&sim->hub);
    clients_mint_own(&sim->clients);
    for (unsigned i = 0; i < sim->agents.count; i++)
        clients_mint(&sim->clients, i);
    while (!all_know_tokens(sim) && !sim_is_broken(sim))
        sim_run_until(sim, sim->monotonic_ms + 100);
    sim->calm = false;
}

static bool is_left_out(const struct choice *choice, uint64_t step)
{
    return choice->left_out != NULL && step < choice->count && choice->left_out[step];
}

/* Faults on; all promises but those of an end hold at every step. */
static uint64_t safety(struct sim *sim, const struct sim_options *options)
{
    uint64_t most = options->choice.count != 0
                        ? options->choice.count
                        : sim->plan.operations * STEPS_PER_OPERATION;
    uint64_t step = 0;
    for (; step < most && !sim_is_broken(sim); step++) {
        if (options->choice.count == 0 && sim->messages >= sim->plan.operations)
            break;
        if (is_left_out(&options->choice, step))
            continue;
        sim->operation = step;
        if (options->progress != NULL)
            *options->progress = step;
        sim->dice = dice_of(sim->plan.seed, step + 1);
        step_do(sim, options->tell);
    }
    return step;
}

static bool somebody_asks(const struct sim *sim)
{
    for (uint32_t i = 0; i < sim->clients.submission_count; i++) {
        const struct submission *submission = &sim->clients.submissions[i];
        if (submission->state == SUBMISSION_OPEN)
            return true;
    }
    return false;
}

/* Dead letters hold others back until somebody takes them up again. */
static void retry_dead(struct sim *sim)
{
    if (sim->audit.dead == 0)
        return;
    for (uint32_t i = 0; i < sim->clients.submission_count; i++) {
        const struct submission *submission = &sim->clients.submissions[i];
        uint64_t number;
        if (submission->state != SUBMISSION_TAKEN ||
            !task_id_parse(slice_from_text(submission->id), &number))
            continue;
        const struct audit_task *task = audit_task(&sim->audit, number);
        if (task != NULL && task->row.state == TASK_DEAD_LETTER)
            clients_retry(&sim->clients, i);
    }
}

/* Faults off, and one agent that can do everything: all comes to an end (P5, P8). */
static void liveness(struct sim *sim)
{
    sim->calm = true;
    sim->dice = dice_of(sim->plan.seed, UINT64_MAX);
    sim->disk.nearly_full = false;
    sim->hub.frozen_ms = 0;
    sim->hub.way_out_ms = 0;
    if (sim->disk.flip_count > 0)
        hub_kill(&sim->hub, 1);
    hub_mend(&sim->hub);
    struct core_settings settings = sim->plan.settings;
    settings.capability_sets_max = 10000;
    settings.tasks_open_max = 1000000;
    sim->hub.settings = settings;
    hub_stop(&sim->hub, 1);
    agenda_add(&sim->agenda, sim->monotonic_ms + 1, AGENDA_HUB_START, 0, 0,
               (struct slice){ 0 });
    for (unsigned i = 0; i < sim->agents.count; i++) {
        if (!sim->agents.agents[i].has_token || sim->agents.agents[i].revoked)
            clients_mint(&sim->clients, i);
    }
    agent_make_good(&sim->agents, 0);

    int64_t start_ms = sim->monotonic_ms;
    int64_t wall_ms = sim_wall_ms(sim);
    int64_t most_ms = CALM_SLACK_MS + 3 * sim->lease_ms_max;
    int64_t waits_ms = 0;
    while (sim->monotonic_ms - start_ms < most_ms + waits_ms && !sim_is_broken(sim) &&
           (sim->audit.open > 0 || somebody_asks(sim))) {
        sim_run_until(sim, sim->monotonic_ms + CALM_STEP_MS);
        retry_dead(sim);
        if (audit_not_before_ms(&sim->audit) - wall_ms > waits_ms)
            waits_ms = audit_not_before_ms(&sim->audit) - wall_ms;
    }
    /* What is still held was cancelled: its agent says that it has stopped, or its time
     * runs out. */
    sim_run_until(sim, sim->monotonic_ms + sim->lease_ms_max + SETTLE_MS);
}

static void look_at_everything(struct sim *sim)
{
    if (somebody_asks(sim))
        sim_break(sim, "a submission never got its answer", NULL);
    audit_all_ended(&sim->audit);
    for (uint32_t i = 0; i < sim->clients.submission_count; i++)
        clients_show(&sim->clients, i);
    sim->clients.shown = 0;
    sim_run_until(sim, sim->monotonic_ms + SETTLE_MS);
    uint32_t taken = 0;
    for (uint32_t i = 0; i < sim->clients.submission_count; i++)
        taken += sim->clients.submissions[i].state == SUBMISSION_TAKEN;
    if (sim->clients.shown < taken)
        sim_break(sim, "a task that was acknowledged is not shown", NULL);
    audit_idle_work(&sim->audit);
    audit_verify(&sim->audit);
}

static void sim_init(struct sim *sim, const struct sim_options *options)
{
    memset(sim, 0, sizeof *sim);
    plan_make(&sim->plan, options->seed, options->store);
    sim->dice = dice_of(options->seed, 0);
    sim->monotonic_ms = 1000000;
    sim->started_ms = sim->monotonic_ms;
    sim->wall_offset_ms = (int64_t)WALL_START_S * 1000 - sim->monotonic_ms;
    sim->lease_ms_max = sim->plan.settings.lease_ms;
    sim->wire = options->wire;
    sim->reader = wire_reader_create(options->wire);
    ENSURE(sim->reader != NULL);
    sim->reached = options->reached;
    sim->reached[POINT_HUB_TIGHT_RATES] += sim->plan.rate[POINT_HUB_TIGHT_RATES] > 0;
    sim->reached[POINT_HUB_TINY_LIMITS] += sim->plan.rate[POINT_HUB_TINY_LIMITS] > 0;
    trace_init(&sim->trace, options->trace_path);
    disk_init(&sim->disk, sim, options->store);
    history_init(&sim->history, sim);
    audit_init(&sim->audit, sim);
    hub_init(&sim->hub, sim);
    network_init(&sim->network, sim);
    agents_init(&sim->agents, sim);
    clients_init(&sim->clients, sim);
    seam_enter(sim);
}

static void sim_finish(struct sim *sim)
{
    hub_finish(&sim->hub);
    history_finish(&sim->history);
    disk_finish(&sim->disk);
    backup_finish(&sim->backup);
    audit_finish(&sim->audit);
    agenda_finish(&sim->agenda);
    network_finish(&sim->network);
    clients_finish(&sim->clients);
    trace_finish(&sim->trace);
    wire_reader_destroy(sim->reader);
    seam_leave();
}

void sim_run(const struct sim_options *options, struct sim_outcome *ret_outcome)
{
    static struct sim sim;
    memset(ret_outcome, 0, sizeof *ret_outcome);
    sim_init(&sim, options);
    begin(&sim);
    uint64_t steps = safety(&sim, options);
    if (!sim_is_broken(&sim))
        liveness(&sim);
    if (!sim_is_broken(&sim))
        look_at_everything(&sim);
    if (!sim_is_broken(&sim))
        history_check(&sim.history);

    *ret_outcome = (struct sim_outcome){
        .hash = sim.trace.hash,
        .span_ms = sim.monotonic_ms - sim.started_ms,
        .messages = sim.messages,
        .operations = steps,
        .commits = sim.disk.commits,
        .hand_outs = sim.audit.hand_outs,
        .completions = sim.audit.completions,
        .restarts = sim.hub.restarts,
        .replayed = sim.history.replayed,
    };
    if (sim.broken != NULL)
        (void)snprintf(ret_outcome->broken, sizeof ret_outcome->broken, "%s", sim.broken);
    memcpy(ret_outcome->about, sim.broken_about, sizeof ret_outcome->about);
    sim_finish(&sim);
}
