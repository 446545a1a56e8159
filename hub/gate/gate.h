/*
 * gate.h - may this one do this, now?
 *
 * The one door in front of every dispatch: a frame or a request becomes an envelope only
 * here, after its sender's identity and role are known. Refusals are answers, rendered.
 *
 * Ownership  An admitted envelope is the caller's. A verdict's answer points into the
 *            gate and is valid until the gate is asked again.
 * Failure    Without memory everything is refused as unavailable.
 * Threads    One gate per net thread.
 */
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include "gate/attempts.h"
#include "gate/cooldown.h"
#include "gate/failures.h"
#include "gate/keyring.h"
#include "gate/limit.h"
#include "gate/moment.h"
#include "wire/wire.h"

enum {
    TOKEN_BYTES = 32,
    TOKEN_TEXT_BYTES = 2 * TOKEN_BYTES,
    FAREWELL_BYTES_MAX = 64,
    USED_MAX = 64,
};

struct gate_options {
    const struct wire *wire;  /* borrowed */
    bool registration_open;   /* anybody may register an agent */
    size_t keys_max;          /* tokens in the key ring */
    size_t message_bytes_max; /* the largest text that will be shown to the gate */
    struct limits limits;
    bool token_in_url; /* a token in the query of a URL is taken */
};

/* What the gate says: either `envelope` is set, or `answer`, `close` or both are. */
struct verdict {
    struct envelope *envelope;
    struct slice answer; /* a JSON object to send back */
    uint16_t status;     /* of an HTTP answer */
    int64_t retry_after_ms;
    enum close_reason close; /* CLOSE_NONE, or why the link is closed after the answer */
    struct slice farewell;   /* said with the close; absent: the reason's name */
    struct slice notice;     /* said before anything else; may be missed */
    struct envelope *word;   /* the gate's own for the core, whatever else; may be lost */
    int64_t pause_ms;        /* nothing more is read from the socket for so long */
};

struct gate {
    struct gate_options options;
    struct wire_reader *reader;
    struct keyring *keyring;
    struct attempts *attempts;
    struct cooldowns *agents_away;
    struct cooldowns *addresses_away; /* of those who have not said who they are */
    struct failures *failures;
    struct rates *rates;
    struct buffer answer;
    struct buffer notice;
    char farewell[FAREWELL_BYTES_MAX];
    /* Tokens whose use the store has not heard of. */
    uint8_t used[USED_MAX][DIGEST_BYTES];
    size_t used_count;
};

/* NULL without memory. */
struct gate *gate_create(const struct gate_options *options, struct gate_time now);
void gate_destroy(struct gate *gate); /* accepts NULL */

enum err gate_key_add(struct gate *gate, const uint8_t digest[DIGEST_BYTES],
                      const struct key *key);
/* Returns the role it had; 0: it was not there. */
uint32_t gate_key_remove(struct gate *gate, const uint8_t digest[DIGEST_BYTES]);

/* The key was used. When too many uses wait to be told, a later one counts. */
void gate_key_use(struct gate *gate, const uint8_t digest[DIGEST_BYTES],
                  struct gate_time now);

/* The hub's own word to the core of the uses that wait; NULL when there are none, or
 * without memory. They wait until gate_uses_told(). */
struct envelope *gate_uses(const struct gate *gate);
void gate_uses_told(struct gate *gate);

/* Drops what the guards remember, and takes no key for good until it is added again:
 * gate_keys_sweep() lets go of those that were not. ERR_MEMORY: the guards remember. */
enum err gate_reset(struct gate *gate, struct gate_time now);
size_t gate_keys_sweep(struct gate *gate);
bool gate_key_is_known(const struct gate *gate, const uint8_t digest[DIGEST_BYTES]);

/* True when a token of this role and these scopes opens the message; else the verdict says
 * what is missing. `roles` are those the message's row allows. */
bool gate_opens(struct gate *gate, enum message_type type, uint32_t roles,
                const struct key *key, bool http, struct verdict *ret_verdict);

/* Fills in the answer for an error; `detail` may be absent. `http` as in wire.h. */
void gate_refuse(struct gate *gate, enum error_code code, struct slice detail, bool http,
                 struct verdict *ret_verdict);

/* As gate_refuse, for an HTTP request, with a hint on what to try. */
void gate_refuse_hint(struct gate *gate, enum error_code code, struct slice hint,
                      struct verdict *ret_verdict);

/* As gate_refuse, telling when to try again. Of HTTP also the tier; it may be absent. */
void gate_refuse_guess(struct gate *gate, int64_t retry_ms, struct verdict *ret_verdict);
void gate_refuse_rate(struct gate *gate, int64_t retry_ms, struct slice tier,
                      struct verdict *ret_verdict);

/* Renders a message as the verdict's notice, or as its answer with a status of HTTP. */
void gate_notice(struct gate *gate, const struct message *message,
                 struct verdict *ret_verdict);
void gate_answer(struct gate *gate, const struct message *message, uint16_t status,
                 struct verdict *ret_verdict);

/* As gate_refuse, for what wire_parse said. */
void gate_refuse_text(struct gate *gate, const struct refusal *refusal, bool http,
                      struct arena *arena, struct verdict *ret_verdict);

/* An envelope for a text of `text_bytes`; NULL without memory. */
struct envelope *gate_envelope(const struct gate *gate, size_t text_bytes,
                               struct slice address);

#endif
