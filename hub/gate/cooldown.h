/*
 * cooldown.h - who was sent away, and for how long it stays away.
 *
 * Each time in a row costs more, up to a bound; who behaves for long enough is forgotten.
 *
 * Memory     Fixed at creation. In a full table the one sent away longest ago is forgotten
 *            early.
 * Threads    One at a time.
 */
#ifndef GATE_COOLDOWN_H
#define GATE_COOLDOWN_H

#include "base/slice.h"

#include <stdint.h>

enum { COOLDOWNS_MAX = 1024 };

struct cooldowns;

struct cooldown {
    uint32_t times; /* in a row, this one counted */
    int64_t length_ms;
};

/* NULL without memory. */
struct cooldowns *cooldowns_create(void);
void cooldowns_destroy(struct cooldowns *cooldowns); /* accepts NULL */

/* `name` is sent away now. */
struct cooldown cooldowns_begin(struct cooldowns *cooldowns, struct slice name,
                                int64_t now_ms);

/* How long it still stays away; zero: it may come. */
int64_t cooldowns_left_ms(const struct cooldowns *cooldowns, struct slice name,
                          int64_t now_ms);

#endif
