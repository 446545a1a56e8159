#include "simulation/plan.h"

#include "core/fleet.h"

#include <string.h>

static const int64_t SECOND_MS = 1000;
static const int64_t MINUTE_MS = (int64_t)60 * 1000;
static const int64_t HOUR_MS = (int64_t)60 * 60 * 1000;
static const int64_t DAY_MS = (int64_t)24 * 60 * 60 * 1000;

/* As a hub has them, and the tests of the core. */
static struct core_settings usual_settings(void)
{
    struct fleet fleet;
    fleet_init(&fleet);
    struct core_settings settings = fleet.settings;
    settings.judge = NULL;
    settings.lane_passes_max = 20;
    fleet_finish(&fleet);
    return settings;
}

/* Limits so small that all of them are met. */
static void settings_tiny(struct dice *dice, struct core_settings *settings)
{
    settings->history_max = 1 + dice_below(dice, 4);
    settings->presence_events_agents_max = dice_below(dice, 4);
    settings->tasks_open_max = 4 + dice_below(dice, 30);
    settings->capability_sets_max = 6 + dice_below(dice, 20);
    settings->messages_max = 1 + dice_below(dice, 8);
    settings->mailbox_max = 1 + dice_below(dice, 4);
    settings->mailboxes_max = 1 + dice_below(dice, 8);
    settings->channel_messages_max = 1 + dice_below(dice, 4);
    settings->channels_max = 1 + dice_below(dice, 3);
    settings->fanout_max = 1 + dice_below(dice, 3);
    settings->events_max = 1 + dice_below(dice, 50);
    settings->lease_ms = SECOND_MS;
    settings->idempotency_ms = MINUTE_MS;
}

void plan_settings(const struct plan *plan, struct dice *dice,
                   struct core_settings *ret_settings)
{
    *ret_settings = usual_settings();
    ret_settings->acceptance_ms = dice_tail(dice, SECOND_MS, 2 * MINUTE_MS);
    ret_settings->lease_ms = dice_tail(dice, 5 * SECOND_MS, 10 * MINUTE_MS);
    ret_settings->reconnect_grace_ms = dice_tail(dice, SECOND_MS, MINUTE_MS);
    ret_settings->attempts_default = 1 + dice_below(dice, 4);
    ret_settings->lane_passes_max = dice_chance(dice, 500) ? 0 : 1 + dice_below(dice, 20);
    if (dice_chance(dice, 300))
        ret_settings->events_max = 1 + dice_below(dice, 300);
    if (dice_chance(dice, 300))
        ret_settings->events_ttl_ms = dice_tail(dice, MINUTE_MS, DAY_MS);
    if (dice_chance(dice, 500))
        ret_settings->retry_delay_ms = dice_tail(dice, SECOND_MS, MINUTE_MS);
    if (plan->rate[POINT_HUB_TINY_LIMITS] > 0)
        settings_tiny(dice, ret_settings);
}

/* A random half of the points; some seeds know no harm at all, some every harm. */
static void plan_points(struct plan *plan, struct dice *dice)
{
    uint32_t share = dice_below(dice, 20) == 0   ? 0
                     : dice_below(dice, 20) == 0 ? 1000
                                                 : 150 + dice_below(dice, 500);
    for (int i = 0; i < POINT_COUNT; i++) {
        uint32_t rate = 1 + dice_below(dice, POINTS[i].rate_max);
        plan->rate[i] = dice_chance(dice, share) ? rate : 0;
    }
    /* Once in a while is enough for what takes everything else away. */
    if (!dice_chance(dice, 300))
        plan->rate[POINT_HUB_TINY_LIMITS] = 0;
    if (!dice_chance(dice, 300))
        plan->rate[POINT_HUB_TIGHT_RATES] = 0;
}

void plan_make(struct plan *plan, uint64_t seed, enum plan_store store)
{
    struct dice dice = dice_of(seed, 0);
    bool large = dice_below(&dice, 40) == 0;

    memset(plan, 0, sizeof *plan);
    plan->seed = seed;
    plan->store = store;
    plan->operations = (uint64_t)dice_tail(&dice, 500, large ? 20000 : 1200);
    if (store == PLAN_STORE_LMDB)
        plan->operations = 500;
    plan->span_ms = dice_tail(&dice, HOUR_MS, 30 * DAY_MS);
    plan->agents = 2 + dice_below(&dice, large ? AGENTS_MAX - 1 : 11);
    plan->clients = 1 + dice_below(&dice, CLIENTS_MAX);
    plan->capabilities = 1 + dice_below(&dice, CAPABILITIES);
    plan->lanes = dice_chance(&dice, 300) ? 1 : 4;
    plan->open_max = (uint32_t)dice_tail(&dice, 2, 200);
    plan->verify_every = large ? 1000 : 150;
    plan->gather = dice_chance(&dice, 500) ? 0 : dice_below(&dice, 1000);
    plan_points(plan, &dice);
    plan->ring_slots =
        plan->rate[POINT_HUB_RING_FULL] > 0 ? 1 + dice_below(&dice, 8) : 4096;
    plan->batch_max = dice_chance(&dice, 300) ? 1 : 1 + dice_below(&dice, 64);
    plan_settings(plan, &dice, &plan->settings);
}
