/*
 * envelope.h - one admitted message on its way from a door to the engine.
 *
 * Built by gate/ on the thread that owns the door, pushed through a ring, read by the
 * engine, freed there. The envelope owns one arena: the message's slices point into it.
 */
#ifndef MESSAGE_ENVELOPE_H
#define MESSAGE_ENVELOPE_H

#include "base/arena.h"
#include "message/message.h"

/* Who asked and where an answer goes. Zero link: the hub itself. */
struct origin {
    uint64_t link;    /* one socket, never reused while the hub runs */
    uint64_t request; /* one HTTP request on it; zero for socket messages */
};

enum {
    DIGEST_BYTES = 32, /* SHA-256 */
};

/* Roles as bits: a token has one, a row of the message table allows several. */
enum role {
    ROLE_ANYBODY = 1 << 0, /* no credentials at all */
    ROLE_AGENT = 1 << 1,
    ROLE_SUBMITTER = 1 << 2,
    ROLE_VIEWER = 1 << 3,
    ROLE_OPERATOR = 1 << 4,
    ROLE_ADMIN = 1 << 5,
    ROLE_ENROL = 1 << 6,     /* may register an agent, nothing else */
    ROLE_HUB = 1 << 7,       /* the hub's own commands; never from outside */
    ROLE_BOOTSTRAP = 1 << 8, /* the enrolment secret: makes an administrator, once */
};

/* What a token may be used for, as bits of enum scope. */
#define SCOPES_ALL UINT64_MAX /* no list: all its role opens */

struct envelope {
    struct arena arena;
    struct origin origin;
    struct slice actor; /* authenticated id; absent for nobody and for the hub */
    uint32_t role;      /* exactly one enum role */
    uint64_t scopes;    /* SCOPES_ALL, or the bits of the token's list */
    bool digest_present;
    uint8_t digest[DIGEST_BYTES]; /* of the request's body, for idempotency */
    struct slice address;         /* the peer's, as text */
    bool credential_present;
    uint8_t credential[DIGEST_BYTES]; /* SHA-256 of the token it came with */
    /* A token the door has minted for this request: the text stays at the door. */
    bool minted;
    uint8_t minted_digest[DIGEST_BYTES];
    char minted_prefix[8];
    struct message message;
};

/* NULL without memory. `bytes_max` bounds the arena. */
struct envelope *envelope_create(size_t bytes_max);

/* Accepts NULL. Wipes nothing: secrets are digested before they reach an envelope. */
void envelope_destroy(struct envelope *envelope);

#endif
