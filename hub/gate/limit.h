/*
 * limit.h - the limits by rate, put to one message or request: what is let through, what
 * is said to who is not, and what the core is told.
 *
 * An agent's reports on its own tasks are never refused. Each task handed to it brings so
 * many reports with it, and a bucket of its connection lets others through at a rate; past
 * that its socket is not read for a while, and what it sent waits.
 */
#ifndef GATE_LIMIT_H
#define GATE_LIMIT_H

#include "gate/bucket.h"
#include "gate/rates.h"

struct gate;
struct gate_time;
struct verdict;

struct limits {
    struct rates_options rates;
    struct rate reports;   /* of an agent's connection, beyond those its tasks bring */
    uint32_t refusals_max; /* of a socket within ten seconds; then it is closed */
};

/* As the settings say; `number` looks one up in `from`. */
void limits_read(struct limits *limits, int64_t (*number)(const void *, enum setting),
                 const void *from);

/* The defaults of schemas/config.json. */
void limits_init(struct limits *limits);

/* What one connection has used up. All zeros: nothing. */
struct allowance {
    struct bucket reports;
    uint32_t task_reports; /* that tasks handed out brought with them */
    int64_t refused_since_ms;
    uint32_t refused; /* since then */
};

/* Of one frame. `message_type` is absent where nobody knows it, and so is `request_id`. */
struct limit_frame {
    enum message_tier tier;
    struct slice message_type;
    struct slice request_id;
};

/* True: it may pass, and the verdict may hold a notice or a pause. False: the verdict says
 * how it is refused. */
bool limit_frame(struct gate *gate, struct allowance *allowance,
                 const struct rate_asker *asker, const struct limit_frame *frame,
                 struct gate_time now, struct verdict *verdict);

/* True: the name may open a connection. False: it was closed for its rate lately. */
bool limit_first_identify(struct gate *gate, const struct rate_asker *asker,
                          struct gate_time now, struct verdict *verdict);

/* Something was refused before anybody had said who it is: enough of that is a flood. */
void limit_stranger(struct allowance *allowance, struct verdict *verdict);

/* A task was handed out on the connection. */
void limit_task_given(struct allowance *allowance);

/* As limit_frame(), for an HTTP request; *ret_answer is what its answer tells of it. */
bool limit_request(struct gate *gate, const struct rate_asker *asker,
                   enum message_tier tier, struct gate_time now,
                   struct rate_answer *ret_answer, struct verdict *verdict);

#endif
