#include "simulation/steps.h"

#include "simulation/rot.h"
#include "simulation/sim.h"

#include <stdio.h>

enum {
    HOUR_MS = 3600000,
    DAY_MS = 86400000,
    FREEZE_MS = 60000,
    MOMENT_MS = 20,
    PASSES_LONG = 60, /* so many long passes make up a seed's span */
};

static uint32_t any_agent(struct sim *sim)
{
    return dice_below(&sim->dice, sim->agents.count);
}

/* Everybody leaves at once, and comes back at once. */
static void storm(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->agents.count; i++) {
        sim->agents.agents[i].tries = 0;
        agent_disconnect(&sim->agents, i, sim_fault(sim, POINT_NET_HALF_OPEN));
    }
}

static void settings_change(struct sim *sim)
{
    if (!sim_fault(sim, POINT_HUB_SETTINGS_CHANGED))
        return;
    plan_settings(&sim->plan, &sim->dice, &sim->hub.settings);
    if (sim->hub.settings.lease_ms > sim->lease_ms_max)
        sim->lease_ms_max = sim->hub.settings.lease_ms;
}

static void restart(struct sim *sim, bool orderly)
{
    int64_t down_ms = dice_tail(&sim->dice, 1, HOUR_MS);
    if (orderly)
        hub_stop(&sim->hub, down_ms);
    else
        hub_kill(&sim->hub, down_ms);
    settings_change(sim);
}

/* Somebody makes a backup, or goes back to the last one. */
static void restore(struct sim *sim)
{
    if (!sim->backup.made || dice_chance(&sim->dice, 300)) {
        if (sim->hub.up)
            (void)backup_make(sim);
        return;
    }
    hub_kill(&sim->hub, dice_tail(&sim->dice, 1, HOUR_MS));
    if (sim->hub.up)
        return;
    backup_restore(sim, sim->disk.kind == PLAN_STORE_MODEL || sim->disk.flip_count == 0);
    sim->reached[POINT_HUB_RESTORED]++;
}

static void hazard_do(struct sim *sim, enum point point)
{
    struct dice *dice = &sim->dice;
    switch ((int)point) {
    case POINT_NET_STORM:
        storm(sim);
        break;
    case POINT_CLOCK_WALL_STEP:
        sim->wall_offset_ms += dice_between(dice, -1000, 1000);
        break;
    case POINT_CLOCK_WALL_DAY:
        sim->wall_offset_ms += dice_between(dice, -DAY_MS, DAY_MS);
        break;
    case POINT_CLOCK_DAYLIGHT_SAVING:
        sim->wall_offset_ms += dice_chance(dice, 500) ? HOUR_MS : -HOUR_MS;
        break;
    case POINT_CLOCK_FREEZE:
        sim->hub.frozen_ms = sim->monotonic_ms + FREEZE_MS;
        break;
    case POINT_CLOCK_GAP:
        sim->hub.frozen_ms = sim->monotonic_ms + dice_tail(dice, FREEZE_MS, DAY_MS);
        break;
    case POINT_HUB_RESTART:
        restart(sim, true);
        break;
    case POINT_HUB_KILLED:
        restart(sim, false);
        break;
    case POINT_HUB_TOKEN_REVOKED:
        clients_revoke(&sim->clients, any_agent(sim));
        break;
    case POINT_HUB_WAY_OUT_FULL:
        sim->hub.way_out_ms = sim->monotonic_ms + dice_tail(dice, 10, FREEZE_MS);
        break;
    case POINT_STORE_FILE_FLIP:
        sim->reached[point] += rot_while_up(sim);
        break;
    case POINT_STORE_FILE_ROT:
        sim->reached[point] += rot_while_down(sim, (long)dice_tail(dice, 1, HOUR_MS));
        break;
    case POINT_HUB_RESTORED:
        restore(sim);
        break;
    case POINT_STORE_NEARLY_FULL:
        sim->disk.nearly_full = !sim->disk.nearly_full;
        break;
    case POINT_STORE_BIT_FLIP:
        if (disk_flip(&sim->disk, dice))
            audit_verify(&sim->audit);
        break;
    case POINT_AGENT_TWICE:
        agent_connect(&sim->agents, any_agent(sim));
        break;
    default:
        break;
    }
}

static void hazard(struct sim *sim)
{
    static const enum point HAZARDS[] = {
        POINT_NET_STORM,         POINT_CLOCK_WALL_STEP,
        POINT_CLOCK_WALL_DAY,    POINT_CLOCK_DAYLIGHT_SAVING,
        POINT_CLOCK_FREEZE,      POINT_CLOCK_GAP,
        POINT_HUB_RESTART,       POINT_HUB_KILLED,
        POINT_HUB_TOKEN_REVOKED, POINT_HUB_WAY_OUT_FULL,
        POINT_STORE_NEARLY_FULL, POINT_STORE_BIT_FLIP,
        POINT_AGENT_TWICE,       POINT_HUB_RESTORED,
        POINT_STORE_FILE_FLIP,   POINT_STORE_FILE_ROT,
    };
    enum point point =
        HAZARDS[dice_below(&sim->dice, sizeof HAZARDS / sizeof HAZARDS[0])];
    /* These need several to come to something. */
    if (dice_chance(&sim->dice, 150))
        point = POINT_HUB_RESTORED;
    if (sim->disk.kind == PLAN_STORE_LMDB && dice_chance(&sim->dice, 300))
        point =
            dice_chance(&sim->dice, 500) ? POINT_STORE_FILE_FLIP : POINT_STORE_FILE_ROT;
    if (sim->plan.rate[point] == 0)
        return;
    /* These are reached when they have come to something. */
    if (point != POINT_STORE_BIT_FLIP && point != POINT_AGENT_TWICE &&
        point != POINT_HUB_RESTORED && point != POINT_STORE_FILE_FLIP &&
        point != POINT_STORE_FILE_ROT)
        sim->reached[point]++;
    hazard_do(sim, point);
}

static void pass(struct sim *sim)
{
    struct dice *dice = &sim->dice;
    uint32_t kind = dice_below(dice, 100);
    int64_t long_ms = 2 * sim->plan.span_ms / PASSES_LONG;
    int64_t ms = kind < 60   ? dice_tail(dice, 1, 5000)
                 : kind < 92 ? dice_tail(dice, 1000, 2 * sim->hub.settings.lease_ms)
                             : dice_between(dice, 1, long_ms);
    sim_run_until(sim, sim->monotonic_ms + ms);
}

static void submit(struct sim *sim)
{
    if (sim->audit.open < sim->plan.open_max)
        clients_submit(&sim->clients);
}

static void show(struct sim *sim)
{
    uint32_t number;
    if (clients_any(&sim->clients, &number))
        clients_show(&sim->clients, number);
}

static void cancel(struct sim *sim)
{
    uint32_t number;
    if (clients_any(&sim->clients, &number) && sim_fault(sim, POINT_CLIENT_CANCEL))
        clients_cancel(&sim->clients, number);
}

static void retry(struct sim *sim)
{
    uint32_t number;
    if (clients_any(&sim->clients, &number))
        clients_retry(&sim->clients, number);
}

static void repeat(struct sim *sim)
{
    uint32_t number;
    if (clients_any(&sim->clients, &number) && sim_fault(sim, POINT_CLIENT_REPEAT))
        clients_submit_again(&sim->clients, number);
}

static void conflict(struct sim *sim)
{
    if (sim_fault(sim, POINT_CLIENT_CONFLICT))
        clients_conflict(&sim->clients);
}

static void watch(struct sim *sim)
{
    clients_watch(&sim->clients);
}

static void chatter(struct sim *sim)
{
    uint32_t agent = any_agent(sim);
    if (sim->agents.agents[agent].identified)
        agent_chatter(&sim->agents, agent);
}

static void misbehave(struct sim *sim)
{
    uint32_t agent = any_agent(sim);
    if (sim->agents.agents[agent].identified)
        agent_misbehave(&sim->agents, agent);
}

static void leave(struct sim *sim)
{
    agent_disconnect(&sim->agents, any_agent(sim), sim_fault(sim, POINT_NET_HALF_OPEN));
}

static const struct {
    const char *name;
    uint32_t share;
    void (*step)(struct sim *);
} STEPS[] = {
    { "submit", 30, submit }, { "show", 8, show },       { "cancel", 4, cancel },
    { "retry", 5, retry },    { "repeat", 4, repeat },   { "conflict", 2, conflict },
    { "watch", 3, watch },    { "chatter", 6, chatter }, { "misbehave", 4, misbehave },
    { "leave", 3, leave },    { "hazard", 4, hazard },   { "pass", 27, pass },
};

void step_do(struct sim *sim, bool tell)
{
    uint32_t all = 0;
    for (size_t i = 0; i < sizeof STEPS / sizeof STEPS[0]; i++)
        all += STEPS[i].share;
    uint32_t drawn = dice_below(&sim->dice, all);
    size_t at = 0;
    while (drawn >= STEPS[at].share)
        drawn -= STEPS[at++].share;
    if (tell)
        fprintf(stderr, "step %llu at %lld ms: %s\n", (unsigned long long)sim->operation,
                (long long)(sim->monotonic_ms - sim->started_ms), STEPS[at].name);
    STEPS[at].step(sim);
    sim_run_until(sim, sim->monotonic_ms + dice_below(&sim->dice, MOMENT_MS));
}
