/*
 * order.h - who decides which command comes next, and when it happened.
 *
 * An order hands the engine commands with a strictly rising sequence, a clock that never
 * falls and entropy, so that the core needs none of its own. order_local takes from the
 * doors of this process; an order over a shared stream gives every hub the same commands.
 *
 * Threads    The engine thread.
 */
#ifndef ENGINE_ORDER_H
#define ENGINE_ORDER_H

#include "core/core.h"

/* A command and the envelope it came in, which the taker frees. */
struct ordered {
    struct command command;
    struct envelope *envelope;
};

/* Everything but the order's own stamp. The command borrows from the envelope. */
void command_from_envelope(struct command *command, const struct envelope *envelope);

struct order;

struct order_methods {
    /* Fills up to `max` entries and returns how many; never waits. */
    uint32_t (*take)(struct order *order, struct ordered *batch, uint32_t max);
    /* Stamps a command of the hub's own (tick, hub_started), which came in no envelope. */
    void (*stamp)(struct order *order, struct command *command);
    void (*destroy)(struct order *order);
};

struct order {
    const struct order_methods *methods;
};

struct ring;
struct fleet_clock;

/* Takes from `rings` (borrowed, `count` of them, envelopes inside) in turn. Goes on
 * behind `sequence` on `clock` (borrowed). NULL without memory. */
struct order *order_local_create(struct ring *const *rings, uint32_t count,
                                 uint64_t sequence, const struct fleet_clock *clock);

#endif
