/*
 * session.h - the gate's side of one WebSocket: who it is, and how it behaves.
 */
#ifndef GATE_SESSION_H
#define GATE_SESSION_H

#include "gate/gate.h"
#include "gate/limit.h"

struct session {
    char *actor; /* owned; NULL before a good identify */
    size_t actor_size;
    uint32_t role;
    uint64_t scopes;
    uint8_t digest[DIGEST_BYTES]; /* of the token it came with */
    int64_t expires_wall_ms;
    uint32_t failures; /* identifies refused */
    /* v1.1's violation tracker: the window of this connection. */
    int64_t strikes_since_ms;
    uint32_t strikes;
    struct allowance allowance;
};

void session_init(struct session *session);
void session_finish(struct session *session);

static inline bool session_is_identified(const struct session *session)
{
    return session->actor != NULL;
}

/*
 * Judges one frame that came from `origin` at `address`. The text is wiped when it held a
 * token: no secret goes further than this. The verdict's `close` may come with or without
 * an answer, and with no envelope only.
 */
void session_frame(struct session *session, struct gate *gate, struct origin origin,
                   struct slice address, char *text, size_t size, struct gate_time now,
                   struct verdict *ret_verdict);

/* The hub's own word to the core that the link is gone; NULL without memory. */
struct envelope *session_closed(const struct gate *gate, struct origin origin);

#endif
