#include "core/lane.h"

#include "core/stats.h"

enum {
    PASSES_BITS = 16, /* of the row's number, for each lane */
    PASSES_MAX = (1 << PASSES_BITS) - 1,
};

struct passes {
    uint32_t of[LANE_COUNT];
};

static void passes_load(struct step *step, struct passes *ret_passes)
{
    uint64_t number = step_counter(step, COUNTER_LANE_PASSES);
    for (int lane = 0; lane < LANE_COUNT; lane++)
        ret_passes->of[lane] = (uint32_t)(number >> (lane * PASSES_BITS)) & PASSES_MAX;
}

static uint64_t passes_number(const struct passes *passes)
{
    uint64_t number = 0;
    for (int lane = 0; lane < LANE_COUNT; lane++)
        number |= (uint64_t)passes->of[lane] << (lane * PASSES_BITS);
    return number;
}

/* Behind those that were passed over as often: ties go to the more urgent. */
static void turns_add(struct lane_turns *turns, const struct passes *passes,
                      enum lane lane)
{
    unsigned at = turns->count++;
    while (at > 0 && passes->of[turns->lanes[at - 1]] < passes->of[lane]) {
        turns->lanes[at] = turns->lanes[at - 1];
        at--;
    }
    turns->lanes[at] = lane;
}

void lane_turns_find(struct step *step, struct lane_turns *ret_turns)
{
    struct passes passes;
    *ret_turns = (struct lane_turns){ 0 };
    if (step->settings->lane_passes_max == 0)
        return;
    passes_load(step, &passes);
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        if (passes.of[lane] >= step->settings->lane_passes_max)
            turns_add(ret_turns, &passes, (enum lane)lane);
    }
}

void lane_count_hand_out(struct step *step, enum lane lane)
{
    struct passes passes;
    struct stats stats;
    if (step->settings->lane_passes_max == 0)
        return;
    passes_load(step, &passes);
    stats_load(step, &stats);
    uint64_t before = passes_number(&passes);
    for (int other = 0; other < LANE_COUNT; other++) {
        /* The urgent are passed over only where they are out of an agent's reach. */
        if (other == LANE_URGENT || other == (int)lane ||
            stats.tasks[TASK_QUEUED][other] == 0)
            passes.of[other] = 0;
        else if (passes.of[other] < PASSES_MAX)
            passes.of[other]++;
    }
    if (passes_number(&passes) != before)
        step_counter_put(step, COUNTER_LANE_PASSES, passes_number(&passes));
}
