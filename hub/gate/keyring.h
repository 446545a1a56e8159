/*
 * keyring.h - whose token a digest is: the gate's copy of the hub's tokens.
 *
 * Fed by the core's effects. Several tokens may belong to one agent.
 *
 * Threads    The thread that owns the gate.
 */
#ifndef GATE_KEYRING_H
#define GATE_KEYRING_H

#include "base/err.h"
#include "message/envelope.h"

struct key {
    struct slice actor;
    uint32_t role;           /* one enum role */
    uint64_t scopes;         /* SCOPES_ALL, or the bits of its list */
    int64_t expires_wall_ms; /* zero: never */
    int64_t used_wall_ms;    /* as far as the store knows; zero: never */
    uint32_t round;          /* the ring's own */
};

enum {
    USED_EVERY_MS = 60 * 60 * 1000,
};

struct keyring;

/* NULL without memory. */
struct keyring *keyring_create(size_t keys_max);
void keyring_destroy(struct keyring *keyring); /* accepts NULL */

/* Copies the key. Replaces what stood under the digest, but for when it was used last.
 * ERR_LIMIT or ERR_MEMORY change nothing. */
enum err keyring_add(struct keyring *keyring, const uint8_t digest[DIGEST_BYTES],
                     const struct key *key);

/* Returns the role the key had; 0: it was not there. */
uint32_t keyring_remove(struct keyring *keyring, const uint8_t digest[DIGEST_BYTES]);

/* NULL when nobody has it or its time is over. Valid until the ring changes. */
const struct key *keyring_find(const struct keyring *keyring,
                               const uint8_t digest[DIGEST_BYTES], int64_t wall_ms);

/* Remembers the use of a key. True when the store should hear of it: not more often than
 * once in USED_EVERY_MS. */
bool keyring_use(struct keyring *keyring, const uint8_t digest[DIGEST_BYTES],
                 int64_t wall_ms);

/* All keys are about to be added again; the sweep lets go of those that were not and
 * returns how many. */
void keyring_renew(struct keyring *keyring);
size_t keyring_sweep(struct keyring *keyring);

size_t keyring_count(const struct keyring *keyring);

#endif
