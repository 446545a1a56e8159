#include "gate/keyring.h"

#include "base/map.h"
#include "os/entropy.h"

#include <stdlib.h>
#include <string.h>

struct keyring {
    struct map *keys;
    uint32_t round;
};

struct keyring *keyring_create(size_t keys_max)
{
    struct siphash_key seed;
    entropy_fill(&seed, sizeof seed);

    struct keyring *keyring = calloc(1, sizeof *keyring);
    if (keyring == NULL)
        return NULL;
    keyring->keys = map_create(seed, keys_max);
    if (keyring->keys == NULL) {
        free(keyring);
        return NULL;
    }
    return keyring;
}

void keyring_destroy(struct keyring *keyring)
{
    if (keyring == NULL)
        return;
    size_t position = 0;
    struct slice digest;
    void *key;
    while (map_next(keyring->keys, &position, &digest, &key))
        free(key);
    map_destroy(keyring->keys);
    free(keyring);
}

enum err keyring_add(struct keyring *keyring, const uint8_t digest[DIGEST_BYTES],
                     const struct key *key)
{
    struct key *copy = malloc(sizeof *copy + key->actor.size);
    if (copy == NULL)
        return ERR_MEMORY;
    char *name = (char *)(copy + 1);
    if (key->actor.size > 0)
        memcpy(name, key->actor.data, key->actor.size);
    *copy = *key;
    copy->actor = slice_make(name, key->actor.size);
    copy->round = keyring->round;

    void *old = NULL;
    enum err err = map_put(keyring->keys, slice_make(digest, DIGEST_BYTES), copy, &old);
    if (err != ERR_OK) {
        free(copy);
        return err;
    }
    if (old != NULL && ((struct key *)old)->used_wall_ms > copy->used_wall_ms)
        copy->used_wall_ms = ((struct key *)old)->used_wall_ms;
    free(old);
    return ERR_OK;
}

bool keyring_use(struct keyring *keyring, const uint8_t digest[DIGEST_BYTES],
                 int64_t wall_ms)
{
    struct key *key = map_get(keyring->keys, slice_make(digest, DIGEST_BYTES));
    if (key == NULL ||
        (key->used_wall_ms <= wall_ms && wall_ms - key->used_wall_ms < USED_EVERY_MS))
        return false;
    key->used_wall_ms = wall_ms;
    return true;
}

uint32_t keyring_remove(struct keyring *keyring, const uint8_t digest[DIGEST_BYTES])
{
    struct key *key = map_remove(keyring->keys, slice_make(digest, DIGEST_BYTES));
    uint32_t role = key == NULL ? 0 : key->role;
    free(key);
    return role;
}

const struct key *keyring_find(const struct keyring *keyring,
                               const uint8_t digest[DIGEST_BYTES], int64_t wall_ms)
{
    const struct key *key = map_get(keyring->keys, slice_make(digest, DIGEST_BYTES));
    if (key == NULL || (key->expires_wall_ms != 0 && key->expires_wall_ms <= wall_ms))
        return NULL;
    return key;
}

void keyring_renew(struct keyring *keyring)
{
    keyring->round++;
}

size_t keyring_sweep(struct keyring *keyring)
{
    size_t position = 0;
    size_t gone = 0;
    struct slice digest;
    void *key;
    while (map_next(keyring->keys, &position, &digest, &key)) {
        if (((struct key *)key)->round == keyring->round)
            continue;
        map_remove(keyring->keys, digest);
        free(key);
        gone++;
    }
    return gone;
}

size_t keyring_count(const struct keyring *keyring)
{
    return map_count(keyring->keys);
}
