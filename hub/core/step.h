/*
 * step.h - one command being applied: what every handler is handed.
 *
 * Failure    Sticky. The first error of the world (transaction, arena) is kept in
 *            step->err; from then on reads find nothing and writes do nothing, so a
 *            handler needs no ladder: it runs to its end and core_apply() returns the
 *            error. Loops over rows must stop when step_failed().
 * Ownership  Slices read from the tables are valid until the next write: keep them with
 *            step_copy(). Messages given to step_send() and its kin are copied as they
 *            stand; what they point at must live in the arena, in the command, or be
 *            constant.
 */
#ifndef CORE_STEP_H
#define CORE_STEP_H

#include "base/arena.h"
#include "base/pack.h"
#include "core/core.h"
#include "core/table.h"
#include "message/row.h"

struct stats;

/* The end of the event log; see event.h. */
struct event_tail {
    bool known;
    uint32_t audits; /* events of EVENT_CLASS_AUDIT added in this step */
    uint64_t last;   /* the highest number given out */
    uint64_t epoch;
    uint8_t hash[DIGEST_BYTES];
};

struct step {
    const struct core_settings *settings;
    struct transaction *transaction;
    const struct command *command;
    struct effects *effects;
    enum err err;

    uint32_t fanouts; /* recipients given a letter to, and the bytes sent to them */
    size_t fanout_bytes;
    uint32_t boxes_swept; /* mailboxes looked into for what is too old */

    struct stats *stats; /* as counted so far; see stats.h */
    struct event_tail event_tail;
    uint32_t changes; /* rows put and removed */
    uint32_t matches; /* hand-outs made, and their bytes: one command's are bounded */
    size_t match_bytes;
    uint32_t postponed;  /* hand-outs left for after a pause; see match.h */
    uint32_t message_id; /* ids drawn from the command's entropy so far */
    uint64_t woken;      /* agent to look for work for once the asker has its answer */
};

static inline bool step_failed(const struct step *step)
{
    return step->err != ERR_OK;
}

/* Keeps the first error. ERR_CORRUPT: a row that cannot be read or has no counterpart. */
void step_fail(struct step *step, enum err err);

/* Rows. False: no such row, or the step has failed. */
bool step_get(struct step *step, enum table table, struct slice key,
              struct slice *ret_value);
bool step_has(struct step *step, enum table table, struct slice key);
void step_put(struct step *step, enum table table, struct slice key, struct slice value);

/* Removes a row that must be there: ERR_CORRUPT when it is not. */
void step_remove(struct step *step, enum table table, struct slice key);
bool step_first_from(struct step *step, enum table table, struct slice key,
                     struct slice *ret_key, struct slice *ret_value);

/* An absent key: the last row of the table. */
bool step_last_before(struct step *step, enum table table, struct slice key,
                      struct slice *ret_key, struct slice *ret_value);

/* An index entry: a key whose value is only a version byte. */
void step_put_mark(struct step *step, enum table table, struct slice key);

/* Rows that hold one number. */
void step_put_number(struct step *step, enum table table, struct slice key,
                     uint64_t number);
bool step_get_number(struct step *step, enum table table, struct slice key,
                     uint64_t *ret_number);

/* Counters; 0 when never written. */
uint64_t step_counter(struct step *step, enum counter counter);
void step_counter_put(struct step *step, enum counter counter, uint64_t number);
void step_counter_move(struct step *step, enum counter counter, int by);

/* Arena memory, zeroed; NULL (and the step has failed) when it is spent. */
void *step_take(struct step *step, size_t bytes);
void *step_take_many(struct step *step, size_t count, size_t bytes);
struct slice step_copy(struct step *step, struct slice slice);

/*
 * Rows are packed into a fixed space: `struct packed` holds one key or value. Too much
 * fails the buffer, and step_put() turns that into ERR_LIMIT through packed_slice().
 */
struct packed {
    struct buffer buffer;
    char bytes[TRANSACTION_VALUE_BYTES_MAX];
};

struct packed_key {
    struct buffer buffer;
    char bytes[TRANSACTION_KEY_BYTES_MAX];
};

struct buffer *packed_start(struct packed *packed);
struct buffer *packed_key_start(struct packed_key *packed);

/* The bytes written; fails the step when they did not fit. */
struct slice packed_slice(struct step *step, const struct buffer *buffer);

/* Keys made of numbers alone, built in place: key_1(&key, 7).  */
struct number_key {
    uint8_t bytes[24];
};

struct slice key_one(struct number_key *key, uint64_t first);
struct slice key_two(struct number_key *key, uint64_t first, uint64_t second);
struct slice key_three(struct number_key *key, uint64_t first, uint64_t second,
                       uint64_t third);

/* The n-th (from 0) 8-byte number of such a key; ERR_CORRUPT when it is too short. */
uint64_t key_number(struct step *step, struct slice key, unsigned index);

/* True when the asker waits at an HTTP request; else it is a socket, or the hub. */
static inline bool step_is_http(const struct step *step)
{
    return step->command->origin.request != 0;
}

/* To one socket; link 0 is nobody. */
void step_send(struct step *step, uint64_t link, const struct message *message);

/* To every identified socket but `except` (0: all). */
void step_broadcast(struct step *step, uint64_t except, const struct message *message);

/* To the asker: a frame on its socket, or the HTTP answer (status 0: the row's own). */
void step_answer(struct step *step, const struct message *message, uint16_t status);

/* Names what the answer just given shows, for its ETag. Never 0. */
void step_answer_tag(struct step *step, uint64_t tag);

/* The answer to an HTTP request of another command's; link 0 is nobody. */
void step_answer_to(struct step *step, uint64_t link, uint64_t request,
                    const struct message *message, uint16_t status);

/* Refuses in the asker's way: an `error` frame, or `http_error` with the code's status. */
void step_refuse(struct step *step, enum error_code code);

/* 422 validation_failed about one field: `error` is v1.1's word, `detail` a sentence. */
void step_refuse_field(struct step *step, struct slice field, struct slice error,
                       struct slice detail);

/* To every subscribed link. */
void step_publish(struct step *step, const struct message *message);
void step_subscribe(struct step *step, uint64_t link, bool on);

/* The store's epoch: another one after a restore. */
uint64_t step_epoch(struct step *step);

/* To the asker, who follows the event log: a frame, or NULL, the name of what it is, and
 * the place behind it. */
void step_give_events(struct step *step, const struct message *message, struct slice name,
                      uint64_t epoch, uint64_t last, bool more);

/* The link speaks for the command's actor from now on. */
void step_bind(struct step *step, uint64_t link);
void step_close(struct step *step, uint64_t link, enum close_reason reason);

/* 16 hex digits from the command's entropy; each call gives another. */
struct slice step_message_id(struct step *step);

/* The asker's id, or `unknown`. */
struct slice step_actor(const struct step *step);

#endif
