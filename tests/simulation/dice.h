/*
 * dice.h - all the chance there is in a simulation: SplitMix64 from one seed.
 *
 * Every operation draws from dice of its own, so that an operation left out changes
 * nothing about what the others draw.
 */
#ifndef SIMULATION_DICE_H
#define SIMULATION_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

/* SplitMix64 (Steele, Lea and Flood, 2014). */
static inline uint64_t dice_draw(struct dice *dice)
{
    uint64_t word = dice->state += 0x9e3779b97f4a7c15;
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
    word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
    return word ^ (word >> 31);
}

static inline struct dice dice_of(uint64_t seed, uint64_t stream)
{
    struct dice dice = { seed ^ (stream * 0xd1342543de82ef95) };
    dice.state = dice_draw(&dice);
    return dice;
}

static inline uint32_t dice_below(struct dice *dice, uint32_t end)
{
    return (uint32_t)(dice_draw(dice) % end);
}

/* Some of the bits: each with three chances of four, or with one. */
static inline uint32_t dice_many(struct dice *dice, uint32_t bits)
{
    uint32_t first = (uint32_t)dice_draw(dice);
    uint32_t second = (uint32_t)dice_draw(dice);
    return (first | second) & bits;
}

static inline uint32_t dice_few(struct dice *dice, uint32_t bits)
{
    uint32_t first = (uint32_t)dice_draw(dice);
    uint32_t second = (uint32_t)dice_draw(dice);
    return first & second & bits;
}

/* Both ends belong to it. */
static inline int64_t dice_between(struct dice *dice, int64_t low, int64_t high)
{
    return low + (int64_t)(dice_draw(dice) % (uint64_t)(high - low + 1));
}

static inline bool dice_chance(struct dice *dice, uint32_t per_mille)
{
    return dice_below(dice, 1000) < per_mille;
}

/* Each power of two between the two is as likely as any other: a heavy tail. */
static inline int64_t dice_tail(struct dice *dice, int64_t low, int64_t high)
{
    int64_t top = low;
    unsigned doublings = 0;
    while (top < high / 2) {
        top *= 2;
        doublings++;
    }
    int64_t from = low << dice_below(dice, doublings + 1);
    int64_t to = from * 2 < high ? from * 2 : high;
    return dice_between(dice, from, to < from ? from : to);
}

#endif
