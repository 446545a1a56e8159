/*
 * wheel.h - many deadlines, cheaply: putting, moving and taking cost the same however
 * many there are.
 *
 * A node fires late by at most one grain, never early. A deadline beyond the wheel's
 * reach fires at the reach; its owner looks at the clock and puts it back.
 */
#ifndef NET_WHEEL_H
#define NET_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

enum { WHEEL_GRAIN_MS = 100, WHEEL_SLOTS = 1024 };

struct wheel_node {
    struct wheel_node *previous; /* NULL: in no wheel */
    struct wheel_node *next;
    int64_t due_ms;
};

struct wheel {
    struct wheel_node slots[WHEEL_SLOTS];
    int64_t turned; /* grains behind us */
};

void wheel_init(struct wheel *wheel, int64_t now_ms);

/* Puts the node in, or moves it. */
void wheel_put(struct wheel *wheel, struct wheel_node *node, int64_t due_ms);
void wheel_remove(struct wheel_node *node);

/* Takes one node out that is due, or NULL. */
struct wheel_node *wheel_take(struct wheel *wheel, int64_t now_ms);

#endif
