#include "core/deadline.h"
#include "core/event_log.h"

#include <string.h>

enum {
    SWEEP_EVENTS_MAX = 256, /* taken at one deadline */
    CROWD_EVENTS = 256,     /* above the most that are kept before a sweep is planned */
};

/* At most one sweep is planned at any time. */
static void sweep_plan(struct step *step, struct event_base *base, int64_t due_ms)
{
    if (base->sweep_due_ms != 0)
        deadline_remove_number(step, CLOCK_WALL, base->sweep_due_ms, DEADLINE_EVENTS, 0);
    base->sweep_due_ms = due_ms > 0 ? due_ms : 1;
    deadline_add_number(step, CLOCK_WALL, base->sweep_due_ms, DEADLINE_EVENTS, 0);
    event_base_save(step, base);
}

void event_crowd(struct step *step)
{
    struct event_base base;
    uint64_t most = step->settings->events_max;
    /* Looked at now and then: the base is a row to be read. */
    if (most == 0 || step->event_tail.last % CROWD_EVENTS != 0)
        return;
    event_base_load(step, &base);
    if (step->event_tail.last - base.sequence > most &&
        (base.sweep_due_ms == 0 || base.sweep_due_ms > step->command->wall_ms))
        sweep_plan(step, &base, step->command->wall_ms);
}

void event_sweep_start(struct step *step)
{
    struct event_base base;
    event_base_load(step, &base);
    if (!step_failed(step))
        sweep_plan(step, &base, step->command->wall_ms);
}

/* The oldest event goes unless it is the last, or still to be kept. When it is too young
 * to go, *ret_due_ms says when it will be old enough. */
static bool oldest_take(struct step *step, const struct event_span *span,
                        struct event_base *base, int64_t *ret_due_ms)
{
    const struct core_settings *settings = step->settings;
    struct event_head head;
    uint64_t sequence = base->sequence + 1;
    *ret_due_ms = 0;
    if (sequence >= span->last) {
        if (settings->events_ttl_ms > 0)
            *ret_due_ms = step->command->wall_ms + settings->events_ttl_ms;
        return false;
    }
    if (!event_head_load(step, sequence, &head)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    bool crowded =
        settings->events_max > 0 && span->last - base->sequence > settings->events_max;
    if (!crowded) {
        if (settings->events_ttl_ms <= 0)
            return false;
        if (head.wall_ms > step->command->wall_ms - settings->events_ttl_ms) {
            *ret_due_ms = head.wall_ms + settings->events_ttl_ms;
            return false;
        }
    }
    struct number_key key;
    step_remove(step, TABLE_EVENT, key_one(&key, sequence));
    base->sequence = sequence;
    base->epoch = head.epoch;
    memcpy(base->hash, head.hash, DIGEST_BYTES);
    return !step_failed(step);
}

void event_sweep(struct step *step, int64_t due_ms)
{
    struct event_base base;
    struct event_span span;
    event_base_load(step, &base);
    event_span_load(step, &span);
    if (base.sweep_due_ms != due_ms)
        step_fail(step, ERR_CORRUPT);
    if (step_failed(step))
        return;

    base.sweep_due_ms = 0; /* its row is gone */
    int64_t next_ms = step->command->wall_ms;
    for (unsigned i = 0; i < SWEEP_EVENTS_MAX; i++) {
        if (!oldest_take(step, &span, &base, &next_ms))
            break;
        next_ms = step->command->wall_ms;
    }
    if (step_failed(step))
        return;
    /* Nothing to wait for: the next start, or a crowd, plans another. */
    if (next_ms == 0)
        event_base_save(step, &base);
    else
        sweep_plan(step, &base, next_ms);
}
