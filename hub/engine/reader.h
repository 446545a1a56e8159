/*
 * reader.h - questions answered from the last commit, on the asker's own thread.
 *
 * Threads    One reader per thread.
 */
#ifndef ENGINE_READER_H
#define ENGINE_READER_H

#include "engine/engine.h"

struct reader;

/* NULL without memory. */
struct reader *reader_create(struct engine *engine);
void reader_destroy(struct reader *reader);

/* Forgets what it compiled. */
void reader_reset(struct reader *reader);

/*
 * Answers `envelope` (a KIND_QUERY message), which stays the caller's. The batch holds
 * the releases, frames rendered; NULL without memory. A failing store gives an answer of
 * storage_error.
 */
struct release_batch *reader_answer(struct reader *reader,
                                    const struct envelope *envelope);

#endif
