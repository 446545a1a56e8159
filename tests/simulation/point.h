/*
 * point.h - every place where a simulation may do harm, by name, and how often it did.
 *
 * A seed turns some of them on (plan.h). A run over many seeds that never reached one of
 * them has tested less than it says: that is a failure of its own.
 */
#ifndef SIMULATION_POINT_H
#define SIMULATION_POINT_H

#include <stdbool.h>
#include <stdint.h>

/* ROW(NAME, name, per mille at most): how likely it is each time it might happen. */
#define POINT_ROWS(ROW)                                                                  \
    ROW(STORE_CRASH_BEFORE_PUT, "store.crash_before_put", 8)                             \
    ROW(STORE_CRASH_AFTER_PUT, "store.crash_after_put", 8)                               \
    ROW(STORE_CRASH_BEFORE_COMMIT, "store.crash_before_commit", 8)                       \
    ROW(STORE_CRASH_AFTER_COMMIT, "store.crash_after_commit", 8)                         \
    ROW(STORE_MAP_FULL, "store.map_full", 60)                                            \
    ROW(STORE_NO_SPACE_PUT, "store.no_space_put", 40)                                    \
    ROW(STORE_NO_SPACE_COMMIT, "store.no_space_commit", 40)                              \
    ROW(STORE_NEARLY_FULL, "store.nearly_full", 20)                                      \
    ROW(STORE_IO_READ, "store.io_read", 4)                                               \
    ROW(STORE_IO_PUT, "store.io_put", 4)                                                 \
    ROW(STORE_IO_COMMIT_LOST, "store.io_commit_lost", 4)                                 \
    ROW(STORE_IO_COMMIT_KEPT, "store.io_commit_kept", 4)                                 \
    ROW(STORE_SLOW_COMMIT, "store.slow_commit", 15)                                      \
    ROW(STORE_READERS_FULL, "store.readers_full", 60)                                    \
    ROW(STORE_BIT_FLIP, "store.bit_flip", 10)                                            \
    ROW(STORE_FILE_FLIP, "store.file_flip", 1000)                                        \
    ROW(STORE_FILE_ROT, "store.file_rot", 1000)                                          \
    ROW(NET_DROP, "net.drop", 150)                                                       \
    ROW(NET_DUPLICATE, "net.duplicate", 200)                                             \
    ROW(NET_REORDER, "net.reorder", 300)                                                 \
    ROW(NET_DELAY, "net.delay", 100)                                                     \
    ROW(NET_HALF_OPEN, "net.half_open", 400)                                             \
    ROW(NET_CUT, "net.cut", 40)                                                          \
    ROW(NET_STORM, "net.storm", 100)                                                     \
    ROW(NET_STALLED_READER, "net.stalled_reader", 40)                                    \
    ROW(NET_STALE_FRAME, "net.stale_frame", 300)                                         \
    ROW(NET_ANSWER_LOST, "net.answer_lost", 150)                                         \
    ROW(CLOCK_WALL_STEP, "clock.wall_step", 200)                                         \
    ROW(CLOCK_WALL_DAY, "clock.wall_day", 100)                                           \
    ROW(CLOCK_DAYLIGHT_SAVING, "clock.daylight_saving", 100)                             \
    ROW(CLOCK_FREEZE, "clock.freeze", 100)                                               \
    ROW(CLOCK_GAP, "clock.gap", 50)                                                      \
    ROW(AGENT_VANISH, "agent.vanish", 150)                                               \
    ROW(AGENT_NEVER_ACCEPT, "agent.never_accept", 100)                                   \
    ROW(AGENT_FAIL, "agent.fail", 300)                                                   \
    ROW(AGENT_FINISH_TWICE, "agent.finish_twice", 200)                                   \
    ROW(AGENT_OLD_GENERATION, "agent.old_generation", 150)                               \
    ROW(AGENT_LATE_HEARTBEAT, "agent.late_heartbeat", 100)                               \
    ROW(AGENT_OVERCLAIM, "agent.overclaim", 200)                                         \
    ROW(AGENT_LARGE_RESULT, "agent.large_result", 50)                                    \
    ROW(AGENT_TWICE, "agent.twice", 150)                                                 \
    ROW(AGENT_SLOW, "agent.slow", 200)                                                   \
    ROW(AGENT_FOREIGN_REPORT, "agent.foreign_report", 800)                               \
    ROW(AGENT_BAD_FRAME, "agent.bad_frame", 30)                                          \
    ROW(AGENT_BLOCKED, "agent.blocked", 300)                                             \
    ROW(AGENT_DRAINS, "agent.drains", 300)                                               \
    ROW(AGENT_LOSES_MEMORY, "agent.loses_memory", 300)                                   \
    ROW(CLIENT_REPEAT, "client.repeat", 200)                                             \
    ROW(CLIENT_CONFLICT, "client.conflict", 150)                                         \
    ROW(CLIENT_CANCEL, "client.cancel", 300)                                             \
    ROW(HUB_RESTART, "hub.restart", 100)                                                 \
    ROW(HUB_KILLED, "hub.killed", 100)                                                   \
    ROW(HUB_SETTINGS_CHANGED, "hub.settings_changed", 500)                               \
    ROW(HUB_TINY_LIMITS, "hub.tiny_limits", 1000)                                        \
    ROW(HUB_RING_FULL, "hub.ring_full", 1000)                                            \
    ROW(HUB_WAY_OUT_FULL, "hub.way_out_full", 100)                                       \
    ROW(HUB_TIGHT_RATES, "hub.tight_rates", 1000)                                        \
    ROW(HUB_TOKEN_REVOKED, "hub.token_revoked", 100)                                     \
    ROW(HUB_RESTORED, "hub.restored", 1000)

enum point {
#define POINT_ENUM(NAME, name, rate) POINT_##NAME,
    POINT_ROWS(POINT_ENUM)
#undef POINT_ENUM
        POINT_COUNT
};

struct point_row {
    const char *name;
    uint32_t rate_max;
};

extern const struct point_row POINTS[POINT_COUNT];

#endif
