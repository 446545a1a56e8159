#include "gate/cooldown.h"

#include "base/hash.h"
#include "os/entropy.h"

#include <stdlib.h>

enum { FORGOTTEN_AFTER_MS = 600 * 1000 };

static const int64_t LENGTHS_MS[] = { 30 * 1000, 60 * 1000, 300 * 1000 };

enum { LENGTH_COUNT = sizeof LENGTHS_MS / sizeof LENGTHS_MS[0] };

struct place {
    uint64_t name; /* its hash under a secret key */
    int64_t begun_ms;
    uint32_t times; /* zero: the place is free */
};

struct cooldowns {
    struct siphash_key key;
    struct place places[COOLDOWNS_MAX];
    size_t used; /* places behind these were never taken */
};

struct cooldowns *cooldowns_create(void)
{
    struct cooldowns *cooldowns = calloc(1, sizeof *cooldowns);
    if (cooldowns != NULL)
        entropy_fill(&cooldowns->key, sizeof cooldowns->key);
    return cooldowns;
}

void cooldowns_destroy(struct cooldowns *cooldowns)
{
    free(cooldowns);
}

static bool is_forgotten(const struct place *place, int64_t now_ms)
{
    return place->times == 0 || now_ms - place->begun_ms > FORGOTTEN_AFTER_MS;
}

static int64_t length_ms(uint32_t times)
{
    return LENGTHS_MS[times < LENGTH_COUNT ? times - 1 : LENGTH_COUNT - 1];
}

/* The place of the name, or where it may be written: one that is not needed any more,
 * else the oldest. */
static struct place *place_for(struct cooldowns *cooldowns, uint64_t name, int64_t now_ms)
{
    struct place *best = NULL;
    for (size_t i = 0; i < cooldowns->used; i++) {
        struct place *place = &cooldowns->places[i];
        if (place->times > 0 && place->name == name)
            return place;
        if (best == NULL || place->begun_ms < best->begun_ms)
            best = place;
    }
    if (cooldowns->used < COOLDOWNS_MAX && (best == NULL || !is_forgotten(best, now_ms)))
        best = &cooldowns->places[cooldowns->used++];
    *best = (struct place){ .name = name, .begun_ms = now_ms };
    return best;
}

struct cooldown cooldowns_begin(struct cooldowns *cooldowns, struct slice name,
                                int64_t now_ms)
{
    struct place *place = place_for(cooldowns, siphash(cooldowns->key, name), now_ms);
    if (is_forgotten(place, now_ms))
        place->times = 0;
    if (place->times < UINT32_MAX)
        place->times++;
    place->begun_ms = now_ms;
    return (struct cooldown){ place->times, length_ms(place->times) };
}

int64_t cooldowns_left_ms(const struct cooldowns *cooldowns, struct slice name,
                          int64_t now_ms)
{
    if (cooldowns->used == 0)
        return 0;
    uint64_t hash = siphash(cooldowns->key, name);
    for (size_t i = 0; i < cooldowns->used; i++) {
        const struct place *place = &cooldowns->places[i];
        if (place->times == 0 || place->name != hash)
            continue;
        int64_t left_ms = place->begun_ms + length_ms(place->times) - now_ms;
        return left_ms > 0 ? left_ms : 0;
    }
    return 0;
}
