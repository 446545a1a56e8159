/*
 * core.h - the fleet's rules: a pure function from tables and a command to tables and
 * effects.
 *
 * core_apply() is the only door through which state changes. It has no memory, reads no
 * clock, draws no random number and touches no file, socket or lock: all it knows stands
 * in the transaction's tables and in the command. The same commands on the same tables
 * give the same bytes on every machine.
 *
 * Ownership  The command is borrowed for the call. Effects go into the caller's
 *            `struct effects`, whose arena holds all their bytes.
 * Failure    A refused request is an ordinary effect. The returned error is the
 *            transaction's or the arena's: then the batch must be aborted, and the
 *            effects thrown away.
 * Threads    As the transaction's.
 */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include "core/effects.h"
#include "core/settings.h"
#include "store/transaction.h"

/* What only the store itself can say; brought along by a question about it. */
struct core_table_figures {
    uint64_t records;
    uint64_t bytes;
};

struct core_store_figures {
    uint64_t file_bytes;
    uint64_t used_bytes;
    const struct core_table_figures *tables; /* CORE_TABLE_COUNT of them */
};

struct command {
    uint64_t sequence; /* strictly rising, given by the order */
    int64_t now_ms;    /* the fleet's clock: monotonic, stands still while the hub is
                          down; leases and timeouts count on it; never falls */
    int64_t wall_ms;   /* Unix time: what people see, not_before and complete_by */
    uint8_t entropy[16];
    struct origin origin;
    struct slice actor;
    uint32_t role;   /* one enum role */
    uint64_t scopes; /* SCOPES_ALL, or the bits of its token's list */
    bool digest_present;
    uint8_t digest[DIGEST_BYTES];
    struct slice address; /* the peer's, as text */
    bool credential_present;
    uint8_t credential[DIGEST_BYTES]; /* SHA-256 of the token it came with */
    /* A token the door has minted for this request: the text stays at the door. */
    bool minted;
    uint8_t minted_digest[DIGEST_BYTES];
    char minted_prefix[8];
    const struct core_store_figures *figures; /* NULL: nobody asked the store */
    const struct message *message;
};

/* The names of the core's tables, in the order of their numbers, for store_open(). */
extern const char *const CORE_TABLES[];
extern const unsigned CORE_TABLE_COUNT;

/* Applies one command. A tick (MESSAGE_TICK) handles a bounded number of due deadlines
 * and sets effects->more_due when others are left. */
enum err core_apply(const struct core_settings *settings, struct transaction *transaction,
                    const struct command *command, struct effects *effects);

/* Answers a question (a message whose row says "query") without changing a row. */
enum err core_query(const struct core_settings *settings, struct transaction *transaction,
                    const struct command *question, struct effects *effects);

/* Writes the order's place (sequence and clock) and the end of the event log into the
 * tables: once per changed batch. */
enum err core_seal(struct transaction *transaction, uint64_t sequence, int64_t now_ms);

struct core_place {
    uint64_t sequence;
    int64_t now_ms;
    uint64_t epoch;
    uint64_t event_last; /* the highest event, as of the last seal; 0 none */
};

/* Zeroes for a new store, whose first hub_started gives it its epoch. */
enum err core_place_read(struct transaction *transaction, struct core_place *ret_place);

/* Numbers of events and of mailboxes mean something else from here on: the first start of
 * a store, and every restore. `epoch` is a hint that no other history has (the wall
 * clock); what is taken is greater than the one before. */
enum err core_epoch_start(struct transaction *transaction, uint64_t epoch);
/* What tells one store, and one state of it, from another. */
struct core_figures {
    struct core_place place;
    uint64_t instance;  /* 0: it was never started */
    uint64_t task_last; /* the highest task number given out */
};

enum err core_figures_read(struct transaction *transaction,
                           struct core_figures *ret_figures);

/* How long until a tick has work, 0 when it has now, INT64_MAX when nothing waits. */
enum err core_next_due_ms(struct transaction *transaction, int64_t now_ms,
                          int64_t wall_ms, int64_t *ret_wait_ms);

/* One key of the key ring, as the gate keeps it. */
struct core_key {
    uint8_t digest[DIGEST_BYTES]; /* SHA-256 of the token */
    struct slice actor;
    uint32_t role;
    uint64_t scopes;
    int64_t expires_wall_ms; /* 0: never */
    int64_t used_wall_ms;    /* roughly; 0: never */
};

/* Walks the key ring: start with *position all zero. ERR_NOT_FOUND at the end. */
enum err core_key_next(struct transaction *transaction, uint8_t position[DIGEST_BYTES],
                       struct core_key *ret_key);

/* The event log's chain, from the oldest event kept. */
struct core_chain {
    uint64_t first; /* the oldest */
    uint64_t last;  /* up to here the chain holds; first - 1: no event holds */
    uint64_t count;
    uint64_t broken_at;         /* the first event that does not hold; 0: all do */
    const char *text;           /* what is wrong there */
    uint8_t hash[DIGEST_BYTES]; /* of the last that holds */
};

/* Computes every link anew; a row the store cannot read is the transaction's error. */
enum err core_chain_verify(struct transaction *transaction, event_digest *digest,
                           struct core_chain *ret_chain);
/* Walk the limits that operators set: start with an empty name. ERR_NOT_FOUND at the end.
 * The name lies in the tables. */
enum err core_rate_override_next(struct transaction *transaction, struct slice after,
                                 struct slice *ret_name,
                                 struct rate_override *ret_override);
enum err core_rate_exempt_next(struct transaction *transaction, struct slice after,
                               struct slice *ret_name);

/* Walks every table both ways and names the first broken invariant in *ret_text (fixed
 * text); ERR_CORRUPT then. For tests and `drover store verify`. */
enum err core_verify(struct transaction *transaction, const char **ret_text);

#endif
