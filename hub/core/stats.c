#include "core/stats.h"

#include <string.h>

enum {
    STATS_VERSION = 1,
    STATS_VERSION_RECOUNT = 2,
};

static const uint64_t STATS_KEY = 1;

static void counts_unpack(struct unpack *unpack,
                          uint64_t counts[TASK_STATE_COUNT][LANE_COUNT])
{
    for (int state = 0; state < TASK_STATE_COUNT; state++) {
        for (int lane = 0; lane < LANE_COUNT; lane++)
            counts[state][lane] = unpack_u64(unpack);
    }
}

static void counts_pack(struct buffer *row, uint64_t counts[TASK_STATE_COUNT][LANE_COUNT])
{
    for (int state = 0; state < TASK_STATE_COUNT; state++) {
        for (int lane = 0; lane < LANE_COUNT; lane++)
            pack_u64(row, counts[state][lane]);
    }
}

static void stats_read(struct step *step, struct stats *ret_stats)
{
    *ret_stats = (struct stats){ 0 };
    struct number_key key;
    struct slice value;
    if (!step_get(step, TABLE_STATS, key_one(&key, STATS_KEY), &value))
        return;

    struct unpack unpack = unpack_start(value);
    uint8_t version = unpack_u8(&unpack);
    counts_unpack(&unpack, ret_stats->tasks);
    if (version == STATS_VERSION_RECOUNT) {
        ret_stats->recount_before = unpack_u64(&unpack);
        counts_unpack(&unpack, ret_stats->recounted);
    }
    if (version < STATS_VERSION || version > STATS_VERSION_RECOUNT ||
        !unpack_done(&unpack))
        step_fail(step, ERR_CORRUPT);
}

/* The step's own counts, read when they are first asked for; NULL when it has failed. */
static struct stats *stats_of(struct step *step)
{
    if (step->stats == NULL) {
        step->stats = step_take(step, sizeof *step->stats);
        if (step->stats != NULL)
            stats_read(step, step->stats);
    }
    return step_failed(step) ? NULL : step->stats;
}

void stats_load(struct step *step, struct stats *ret_stats)
{
    const struct stats *stats = stats_of(step);
    *ret_stats = stats == NULL ? (struct stats){ 0 } : *stats;
}

static void stats_save(struct step *step, struct stats *stats)
{
    struct packed packed;
    struct buffer *row = packed_start(&packed);
    bool recounts = stats->recount_before != 0;
    pack_u8(row, recounts ? STATS_VERSION_RECOUNT : STATS_VERSION);
    counts_pack(row, stats->tasks);
    if (recounts) {
        pack_u64(row, stats->recount_before);
        counts_pack(row, stats->recounted);
    }
    struct number_key key;
    step_put(step, TABLE_STATS, key_one(&key, STATS_KEY), packed_slice(step, row));
}

void stats_settle(struct step *step)
{
    if (step->stats == NULL || !step->stats->changed)
        return;
    stats_save(step, step->stats);
    step->stats->changed = false;
}

void stats_add(struct step *step, enum task_state state, enum lane lane)
{
    struct stats *stats = stats_of(step);
    if (stats == NULL)
        return;
    stats->tasks[state][lane]++;
    stats->changed = true;
}

void stats_move(struct step *step, const struct task *task, enum task_state to)
{
    struct stats *stats = stats_of(step);
    enum task_state from = task->state;
    enum lane lane = task->lane;
    if (stats == NULL)
        return;
    if (stats->tasks[from][lane] == 0) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    stats->tasks[from][lane]--;
    stats->tasks[to][lane]++;
    if (task->number < stats->recount_before) {
        stats->recounted[from][lane]--;
        stats->recounted[to][lane]++;
    }
    stats->changed = true;
}

void stats_recount_start(struct step *step)
{
    struct stats *stats = stats_of(step);
    if (stats == NULL)
        return;
    memset(stats->recounted, 0, sizeof stats->recounted);
    stats->recount_before = 1;
    stats->changed = true;
}

void stats_recount(struct step *step, const struct task *task)
{
    struct stats *stats = stats_of(step);
    if (stats == NULL || task->number < stats->recount_before)
        return;
    stats->recounted[task->state][task->lane]++;
    stats->recount_before = task->number + 1;
    stats->changed = true;
}

bool stats_recount_end(struct step *step)
{
    struct stats *stats = stats_of(step);
    if (stats == NULL || stats->recount_before == 0)
        return false;
    bool wrong = memcmp(stats->tasks, stats->recounted, sizeof stats->tasks) != 0;
    memcpy(stats->tasks, stats->recounted, sizeof stats->tasks);
    stats->recount_before = 0;
    stats->changed = true;
    return wrong;
}

void stats_remove(struct step *step, const struct task *task)
{
    struct stats *stats = stats_of(step);
    if (stats == NULL)
        return;
    if (stats->tasks[task->state][task->lane] == 0) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    stats->tasks[task->state][task->lane]--;
    if (task->number < stats->recount_before)
        stats->recounted[task->state][task->lane]--;
    stats->changed = true;
}

uint64_t stats_of_state(const struct stats *stats, enum task_state state)
{
    uint64_t sum = 0;
    for (int lane = 0; lane < LANE_COUNT; lane++)
        sum += stats->tasks[state][lane];
    return sum;
}

uint64_t stats_of_lane(const struct stats *stats, enum lane lane)
{
    uint64_t sum = 0;
    for (int state = 0; state < TASK_STATE_COUNT; state++)
        sum += stats->tasks[state][lane];
    return sum;
}

uint64_t stats_open(const struct stats *stats)
{
    uint64_t sum = 0;
    for (int state = 0; state < TASK_STATE_COUNT; state++) {
        if (!task_state_is_end((enum task_state)state))
            sum += stats_of_state(stats, (enum task_state)state);
    }
    return sum;
}
