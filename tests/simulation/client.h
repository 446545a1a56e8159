/*
 * client.h - those who submit and watch over HTTP, and what they were told.
 *
 * The ledger: a submission that was acknowledged must be there ever after, byte for byte,
 * under the same id however often its key is sent; one without an answer is asked for
 * again until there is one (P1, P4, P15).
 */
#ifndef SIMULATION_CLIENT_H
#define SIMULATION_CLIENT_H

#include "base/map.h"
#include "gate/gate.h"
#include "simulation/dice.h"

struct sim;

enum {
    PARAMETERS_MAX = 3,
    ID_BYTES = 24,
    KEY_BYTES = 24,
    DEPENDS_MAX = 3,
};

enum purpose {
    PURPOSE_MINT,     /* about: agent, or AGENTS_MAX and a client */
    PURPOSE_REVOKE,   /* about: agent */
    PURPOSE_SUBMIT,   /* about: submission */
    PURPOSE_CONFLICT, /* about: submission */
    PURPOSE_SHOW,     /* about: submission */
    PURPOSE_CANCEL,   /* about: submission */
    PURPOSE_RETRY,    /* about: submission */
    PURPOSE_WATCH,    /* lists and counts; about nothing */
};

struct client_request {
    enum purpose purpose;
    uint32_t about;
    enum message_type type;
    bool answered;
    uint64_t moment;   /* when it was sent, among all that is sent and told */
    uint64_t restores; /* before it was answered */
    char authorization[8 + TOKEN_TEXT_BYTES];
    struct wire_parameter parameters[PARAMETERS_MAX];
    size_t parameter_count;
    char texts[PARAMETERS_MAX][32];
    char *body;
    size_t body_size;
    char minted[TOKEN_TEXT_BYTES];
};

enum submission_state {
    SUBMISSION_OPEN,    /* sent, and no answer yet */
    SUBMISSION_TAKEN,   /* acknowledged */
    SUBMISSION_REFUSED, /* and that for good */
    SUBMISSION_UNKNOWN, /* given up: without a key nobody can ask */
    SUBMISSION_LOST,    /* acknowledged after the backup that was gone back to */
};

struct submission {
    enum submission_state state;
    uint32_t number;
    bool keyed;
    uint32_t needs;
    unsigned lane;
    unsigned attempts;
    size_t pad; /* bytes that make it longer */
    int64_t not_before_ms;
    int64_t complete_by_ms;
    uint32_t depends[DEPENDS_MAX];
    unsigned depend_count;
    unsigned tries;
    int64_t taken_ms; /* monotonic */
    char id[ID_BYTES];
    bool ended;     /* seen in an end state */
    bool backed_up; /* acknowledged before the backup was made */
};

/* A completion that was acknowledged to its agent. */
struct finished {
    int64_t generation; /* as reported */
    int64_t shown;      /* as restores have raised it */
    uint64_t result_hash;
    uint64_t moment;
};

struct clients {
    struct sim *sim;
    struct client_request **requests;
    uint32_t request_count;
    uint32_t request_room;
    struct submission *submissions;
    uint32_t submission_count;
    uint32_t submission_room;
    struct map *finished; /* by task id: struct finished */
    char token[TOKEN_TEXT_BYTES];
    bool has_token;
    uint64_t moment;
    uint32_t shown; /* answers that were compared with the ledger */
};

void clients_init(struct clients *clients, struct sim *sim);
void clients_finish(struct clients *clients);

struct client_request *clients_request(struct clients *clients, uint32_t number);

/* The hub has answered; the answer is on its way, or lost. */
void clients_answer(struct clients *clients, uint32_t request, uint16_t status,
                    struct slice body);
/* It has arrived. */
void clients_hear(struct clients *clients, uint32_t request, uint16_t status,
                  struct slice body);

/* Tokens, from the administrator. */
void clients_mint(struct clients *clients, uint32_t agent);
void clients_revoke(struct clients *clients, uint32_t agent);
void clients_mint_own(struct clients *clients);

void clients_submit(struct clients *clients);
void clients_submit_again(struct clients *clients, uint32_t submission);
void clients_conflict(struct clients *clients);
void clients_show(struct clients *clients, uint32_t submission);
void clients_cancel(struct clients *clients, uint32_t submission);
void clients_retry(struct clients *clients, uint32_t submission);
void clients_watch(struct clients *clients);

/* A submission picked at random; false when there is none. */
bool clients_any(struct clients *clients, uint32_t *ret_submission);

/* An agent was told that its report of a completed task is taken. */
void clients_finished(struct clients *clients, struct slice task_id, int64_t generation,
                      struct slice result);

/* What is acknowledged now, the backup holds. */
void clients_backed_up(struct clients *clients);
/* What it did not hold is lost; what it held must be there. */
void clients_restored(struct clients *clients);

uint64_t bytes_hash(struct slice bytes);

/* The body a submission is sent with, in *body; the same each time. */
void submission_body(const struct clients *clients, const struct submission *submission,
                     bool other, struct buffer *body);
void submission_description(const struct submission *submission, struct buffer *text);
void submission_metadata(const struct submission *submission, struct buffer *text);

#endif
