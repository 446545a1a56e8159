/*
 * request.h - the gate's side of one HTTP request.
 *
 * Asked twice: when the headers are known, so that a stranger's body is never read, and
 * when the request is whole.
 */
#ifndef GATE_REQUEST_H
#define GATE_REQUEST_H

#include "gate/gate.h"

struct request {
    enum message_type type;
    struct slice address;
    struct slice authorization; /* the header's value; absent when there is none */
    struct slice url_token;     /* `token` of the query; absent when there is none */
};

/* Who is asking, as the headers say. */
struct caller {
    bool known; /* else anybody */
    struct rate_answer rate;
    uint8_t digest[DIGEST_BYTES];
};

/* A token that is shown once, in the answer of the request it was minted for. */
struct minted {
    bool present;
    char text[TOKEN_TEXT_BYTES];
};

/* True: the caller may ask this. False: *ret_verdict is the answer. */
bool request_check(struct gate *gate, const struct request *request, struct gate_time now,
                   struct caller *ret_caller, struct verdict *ret_verdict);

/*
 * Admits the whole request of a caller that was checked. *ret_minted is filled in for the
 * routes that hand out a token; wipe it after use.
 */
void request_admit(struct gate *gate, const struct request *request,
                   const struct caller *caller, struct origin origin,
                   const struct wire_parameter *parameters, size_t parameter_count,
                   struct slice body, struct gate_time now, struct minted *ret_minted,
                   struct verdict *ret_verdict);

#endif
