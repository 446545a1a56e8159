/*
 * refuse.h - a refusal with all it can say; step_refuse() is the short way.
 */
#ifndef CORE_REFUSE_H
#define CORE_REFUSE_H

#include "core/step.h"

struct refusal {
    enum error_code code;
    struct slice prefix; /* v1.1 puts a word and a colon before the code of a report */
    struct slice detail;
    struct message_list errors; /* of struct message_refusal_item */
    struct slice task_id;
    bool has_generation;
    int64_t generation;
};

void refuse(struct step *step, const struct refusal *refusal);

/* As step_refuse_field(), with another code. */
void step_refuse_item(struct step *step, enum error_code code, struct slice field,
                      struct slice error, struct slice detail);

#endif
