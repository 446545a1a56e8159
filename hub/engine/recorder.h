/*
 * recorder.h - what the engine does, into the command journal: one record a batch.
 *
 * The commands are gathered as they are applied and written before the batch is committed.
 * A journal that cannot be written stops nothing: it is logged, once, and the history that
 * a later record begins has a gap before it.
 *
 * Threads    The engine's.
 */
#ifndef ENGINE_RECORDER_H
#define ENGINE_RECORDER_H

#include "core/core.h"
#include "store/journal.h"

struct recorder {
    struct journal *journal; /* NULL: nothing is kept */
    struct buffer commands;  /* of the batch being applied */
    uint64_t position;       /* the sequence of the last seal that was committed */
    uint64_t event_last;     /* the highest event then; 0 none */
    bool written;            /* the batch's record: it is to be committed or taken back */
    bool stopped;            /* and it has been logged */
};

/* A batch is cut when its commands come to this. */
#define RECORDER_BATCH_BYTES ((size_t)8 * 1024 * 1024)

/* What the journal's segments say wrote them: only it is sure to do the same again. */
#define RECORDER_PROGRAM SLICE_OF("drover-hub " DROVER_VERSION)

void recorder_init(struct recorder *recorder);
void recorder_finish(struct recorder *recorder);

/* Where the store stands, and what is applied from now on with these settings is kept.
 * `journal` NULL: it is not. */
void recorder_begin(struct recorder *recorder, struct journal *journal,
                    const struct core_figures *figures,
                    const struct core_settings *settings);

void recorder_clear(struct recorder *recorder);

/* It has been applied and has changed a row. */
void recorder_add(struct recorder *recorder, const struct command *command);

static inline bool recorder_is_crowded(const struct recorder *recorder)
{
    return recorder->commands.size > RECORDER_BATCH_BYTES;
}

/* The batch is sealed with `seal` and about to be committed; the highest event in it, 0
 * when it has none. */
void recorder_write(struct recorder *recorder, const struct command *seal,
                    uint64_t event_last);

/* It was committed, and the store stands at that sequence; or `err` says why not. Of a
 * store that broke nobody knows whether it kept the batch: the next start will. */
void recorder_settle(struct recorder *recorder, enum err err, uint64_t sequence,
                     uint64_t event_last);

#endif
