/*
 * idempotency.h - a submit that is sent twice makes one task.
 *
 * One row per (actor, key): TABLE_IDEMPOTENCY, hash(16), with actor and key in full, the
 * digest of what was asked, and what was answered. The deadline table's subject is the
 * row's key; the row outlives its time while its task is not ended or ended lately.
 */
#ifndef CORE_IDEMPOTENCY_H
#define CORE_IDEMPOTENCY_H

#include "core/submit.h"

/* What a submit is answered with, the first time and every other. */
struct submitted {
    uint64_t task;
    enum task_state state; /* as it came in: queued, scheduled or blocked */
    enum lane lane;
    int64_t created_ms;
    bool replayed;
};

/*
 * task_submit(), once for each key of the asker (an absent key: every time). False: the
 * asker has been refused, with idempotency_conflict when the key stands for another
 * request, or the step has failed.
 */
bool idempotency_submit(struct step *step, struct slice key,
                        const struct submission *submission,
                        struct submitted *ret_submitted);

/* DEADLINE_IDEMPOTENCY has fired; its row of the deadline table is gone already. */
void idempotency_expire(struct step *step, struct slice subject);

#endif
