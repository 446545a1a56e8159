/*
 * Who makes each move:
 *
 *   (new)      -> queued, scheduled, blocked    task_submit
 *   blocked    -> queued, scheduled             depend.c, the last dependency completed
 *   scheduled  -> queued                        tick, not_before or the retry delay is over
 *   queued     -> assigned                      hold_assign
 *   assigned   -> working                       hold_start: accepted, or spoken for
 *   assigned, working -> completed              on_task_complete
 *   assigned, working -> queued, scheduled, dead_letter   task_give_back
 *   any but an end state -> cancelled           task_cancel
 *   dead_letter -> queued                       task_retry
 */
#include "core/state.h"

#define TO(state) (1u << (state))

static const struct {
    struct slice name;
    struct slice status; /* v1.1's word */
    uint32_t next;
    bool end;
} STATES[TASK_STATE_COUNT] = {
    [TASK_QUEUED] = { SLICE("queued"), SLICE("queued"),
                      TO(TASK_ASSIGNED) | TO(TASK_CANCELLED), false },
    [TASK_ASSIGNED] = { SLICE("assigned"), SLICE("assigned"),
                        TO(TASK_WORKING) | TO(TASK_COMPLETED) | TO(TASK_QUEUED) |
                            TO(TASK_SCHEDULED) | TO(TASK_DEAD_LETTER) |
                            TO(TASK_CANCELLED),
                        false },
    [TASK_WORKING] = { SLICE("working"), SLICE("assigned"),
                       TO(TASK_COMPLETED) | TO(TASK_QUEUED) | TO(TASK_SCHEDULED) |
                           TO(TASK_DEAD_LETTER) | TO(TASK_CANCELLED),
                       false },
    [TASK_COMPLETED] = { SLICE("completed"), SLICE("completed"), 0, true },
    [TASK_SCHEDULED] = { SLICE("scheduled"), SLICE("scheduled"),
                         TO(TASK_QUEUED) | TO(TASK_CANCELLED), false },
    [TASK_BLOCKED] = { SLICE("blocked"), SLICE("blocked"),
                       TO(TASK_QUEUED) | TO(TASK_SCHEDULED) | TO(TASK_CANCELLED), false },
    [TASK_CANCELLED] = { SLICE("cancelled"), SLICE("cancelled"), 0, true },
    [TASK_DEAD_LETTER] = { SLICE("dead_letter"), SLICE("dead_letter"), TO(TASK_QUEUED),
                           true },
};

static const struct slice LANES[LANE_COUNT] = {
    [LANE_URGENT] = SLICE("urgent"),
    [LANE_HIGH] = SLICE("high"),
    [LANE_NORMAL] = SLICE("normal"),
    [LANE_LOW] = SLICE("low"),
};

bool task_state_may_move(enum task_state from, enum task_state to)
{
    return (STATES[from].next & TO(to)) != 0;
}

struct slice task_state_name(enum task_state state)
{
    return STATES[state].name;
}

struct slice task_status_word(enum task_state state)
{
    return STATES[state].status;
}

bool task_state_is_end(enum task_state state)
{
    return STATES[state].end;
}

bool task_state_parse(struct slice word, enum task_state *ret_state)
{
    for (int i = 0; i < TASK_STATE_COUNT; i++) {
        if (slice_equal(STATES[i].name, word)) {
            *ret_state = (enum task_state)i;
            return true;
        }
    }
    return false;
}

struct slice lane_name(enum lane lane)
{
    return LANES[lane];
}

bool lane_parse(struct slice word, enum lane *ret_lane)
{
    for (int i = 0; i < LANE_COUNT; i++) {
        if (slice_equal(LANES[i], word)) {
            *ret_lane = (enum lane)i;
            return true;
        }
    }
    return false;
}
