/*
 * blob.h - payloads of any size, laid out in rows of a bounded one.
 */
#ifndef CORE_BLOB_H
#define CORE_BLOB_H

#include "core/step.h"

enum {
    BLOB_PIECE_BYTES = 1900,
};

/* Each kind has a number space of its own for `owner`. */
enum blob_kind {
    BLOB_TASK_BODY = 1,     /* owner: task; see task.h */
    BLOB_TASK_RESULT = 2,   /* owner: task; original JSON text */
    BLOB_TASK_ERROR = 3,    /* owner: task; text */
    BLOB_TASK_NOTE = 4,     /* owner: task; the last note of its progress */
    BLOB_AGENT_PROFILE = 5, /* owner: agent; see agent.h */
    BLOB_SET = 6,           /* owner: capability set, canonical */
    BLOB_IDEMPOTENCY = 7,   /* owner: see idempotency.h */
    BLOB_TASK_WAITS = 8,    /* owner: task; the numbers it depends on, if any */
    BLOB_SCHEMA_TEXT = 9,   /* owner: see fleet_schema.h */

    BLOB_LETTER = 20,  /* owner: letter; see letter.h */
    BLOB_CHANNEL = 21, /* owner: channel; its description */

    BLOB_CONFIG = 130,       /* owner: enum config_text */
    BLOB_SAID = 131,         /* owner: 1; what was said to all, see activity.h */
    BLOB_RESET = 132,        /* owner: 1; how far a reset is, see reset.h */
    BLOB_TASK_BLOCKED = 140, /* owner: task; why its agent cannot go on */
    BLOB_JOB_RESULTS = 180,  /* owner: job; JSON text, see job.h */
};

/* Replaces what was there. An empty payload is kept, an absent one removes. */
void blob_put(struct step *step, uint64_t owner, enum blob_kind kind,
              struct slice payload);

/* Removing what is not there does nothing. */
void blob_remove(struct step *step, uint64_t owner, enum blob_kind kind);

/* A copy in the arena; absent when there is none. */
struct slice blob_get(struct step *step, uint64_t owner, enum blob_kind kind);

/* The same without a copy where the payload is one row: then borrowed from the tables,
 * until the next write. */
struct slice blob_peek(struct step *step, uint64_t owner, enum blob_kind kind);

/* Its first bytes alone, as many as one row holds, borrowed likewise. */
struct slice blob_peek_start(struct step *step, uint64_t owner, enum blob_kind kind);

#endif
