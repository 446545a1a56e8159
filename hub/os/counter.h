/*
 * counter.h - what the hub counts: one row here is one metric there.
 *
 * A counter only rises; a gauge is set. Bumping costs one relaxed addition, from any
 * thread and any room that may use os.
 */
#ifndef OS_COUNTER_H
#define OS_COUNTER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* ROW(NAME, name, kind, help) */
#define COUNTER_ROWS(ROW)                                                                \
    ROW(LOG_LINES, log_lines, counter, "log lines written")                              \
    ROW(LOG_DROPPED, log_dropped, counter, "log lines nobody took")                      \
    ROW(LINKS_OPENED, links_opened, counter, "connections accepted")                     \
    ROW(LINKS_CLOSED, links_closed, counter, "connections ended")                        \
    ROW(LINKS_REFUSED, links_refused, counter, "connections refused at the door")        \
    ROW(LINKS_PARKED, links_parked, counter, "links told to wait for a full queue")      \
    ROW(LINKS_SLOW, links_slow, counter, "links closed because they did not read")       \
    ROW(LINKS_OPEN, links_open, gauge, "connections open now")                           \
    ROW(BYTES_IN, bytes_in, counter, "bytes of messages received")                       \
    ROW(BYTES_OUT, bytes_out, counter, "bytes of messages sent")                         \
    ROW(MESSAGES_IN, messages_in, counter, "messages received")                          \
    ROW(MESSAGES_OUT, messages_out, counter, "messages sent")                            \
    ROW(MESSAGES_SHED, messages_shed, counter, "frames dropped for a slow reader")       \
    ROW(MESSAGES_INVALID, messages_invalid, counter, "messages refused as invalid")      \
    ROW(HTTP_REQUESTS, http_requests, counter, "HTTP requests received")                 \
    ROW(HTTP_ERRORS, http_errors, counter, "HTTP requests answered 4xx or 5xx")          \
    ROW(AUTH_FAILED, auth_failed, counter, "identities refused")                         \
    ROW(ROLE_REFUSED, role_refused, counter, "requests refused for want of a role")      \
    ROW(RATE_REFUSED, rate_refused, counter, "requests refused by a rate")               \
    ROW(LINKS_STRUCK, links_struck, counter, "links closed for invalid messages")        \
    ROW(COOLDOWN_REFUSED, cooldown_refused, counter, "links closed in a cooldown")       \
    ROW(COMMANDS, commands, counter, "commands applied")                                 \
    ROW(QUERIES, queries, counter, "questions answered")                                 \
    ROW(BATCHES, batches, counter, "batches applied")                                    \
    ROW(BATCHES_FAILED, batches_failed, counter, "batches given up")                     \
    ROW(EFFECTS, effects, counter, "effects released")                                   \
    ROW(RING_IN_FULL, ring_in_full, counter, "times the ring to the engine was full")    \
    ROW(RING_OUT_FULL, ring_out_full, counter, "times the ring to the net was full")     \
    ROW(STORE_COMMITS, store_commits, counter, "transactions synced to disk")            \
    ROW(STORE_COMMIT_US, store_commit_us, counter, "microseconds spent in commits")      \
    ROW(STORE_GROWN, store_grown, counter, "times the map was grown")                    \
    ROW(STORE_FULL, store_full, counter, "writes refused for want of space")             \
    ROW(STORE_ERRORS, store_errors, counter, "reads and writes the disk failed")         \
    ROW(STORE_READERS_STALE, store_readers_stale, counter, "dead readers cleared")       \
    ROW(STORE_USED_BYTES, store_used_bytes, gauge, "bytes of the store in use")          \
    ROW(STORE_MAP_BYTES, store_map_bytes, gauge, "bytes the store may grow to as is")    \
    ROW(LINKS_FLOODING, links_flooding, counter, "links closed for their rate")          \
    ROW(LINKS_PAUSED, links_paused, counter, "times a link was read no faster")

enum counter {
#define COUNTER_ENUM(NAME, name, kind, help) COUNTER_##NAME,
    COUNTER_ROWS(COUNTER_ENUM)
#undef COUNTER_ENUM
        COUNTER_COUNT
};

struct counters {
    _Atomic uint64_t values[COUNTER_COUNT];
};

extern struct counters COUNTERS;

static inline void counter_add(enum counter counter, uint64_t amount)
{
    atomic_fetch_add_explicit(&COUNTERS.values[counter], amount, memory_order_relaxed);
}

static inline void counter_set(enum counter counter, uint64_t value)
{
    atomic_store_explicit(&COUNTERS.values[counter], value, memory_order_relaxed);
}

static inline uint64_t counter_read(enum counter counter)
{
    return atomic_load_explicit(&COUNTERS.values[counter], memory_order_relaxed);
}

struct counter_row {
    const char *name;
    const char *help;
    bool gauge;
};

const struct counter_row *counter_row(enum counter counter);

#endif
