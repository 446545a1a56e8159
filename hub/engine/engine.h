/*
 * engine.h - the turn: take what waits, apply it, commit once, release what was said.
 *
 * The engine thread owns the only write batch. While one commit syncs, the next batch
 * gathers: group commit without a timer.
 *
 * Failure    Map full: the store is grown and the same batch applied again. No space: the
 *            commands of the batch are applied one by one and those that do not fit are
 *            refused with storage_full. A broken store: everything is refused with
 *            storage_error and `broken` is called once.
 * Threads    engine_create, engine_start, engine_stop, engine_destroy: the main thread.
 *            engine_turn: the engine thread, or a test that never started one.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "core/core.h"
#include "engine/door.h"
#include "store/store.h"
#include "wire/wire.h"

struct engine;
struct order;

struct engine_options {
    struct core_settings settings;
    struct store *store;
    struct journal *journal; /* borrowed; NULL: what was done is not kept */
    uint32_t ring_slots;     /* envelopes that may wait per door */
    uint32_t batch_max;      /* commands per commit */
    void (*broken)(void *context, enum err err); /* from the engine thread, once */
    void *context;
};

enum err engine_create(const struct engine_options *options, struct engine **ret_engine);

/* A new pair of rings. `wake` is called from the engine thread after each batch that has
 * something for this door, and whenever a full ring has room again. Before
 * engine_prepare. NULL without memory. */
struct door *engine_door_add(struct engine *engine, void (*wake)(void *context),
                             void *context);

/* Likewise for the ops thread: jobs leave by it, and nothing else does. At most one. */
struct door *engine_jobs_door_add(struct engine *engine, void (*wake)(void *context),
                                  void *context);

/* Goes on where the last run stopped: closes the list of doors and applies hub_started.
 * engine_start does it when it has not been done. */
enum err engine_prepare(struct engine *engine);

/* Applies one command of the hub's own between engine_prepare and engine_start; what it
 * would have said is dropped. The envelope stays the caller's. */
enum err engine_apply(struct engine *engine, const struct envelope *envelope);

/* Runs the thread. */
enum err engine_start(struct engine *engine);

/* Runs the call on the engine thread between two turns, when no batch of the store is
 * open, and returns after it; the fleet waits meanwhile. Without a thread it runs here. Not
 * while engine_stop() is under way; one at a time, not from the engine thread. */
void engine_between(struct engine *engine, void (*call)(void *context), void *context);

/* Takes what still waits in the rings, commits it, releases it, joins the thread. Nothing
 * may be pushed any more. */
void engine_stop(struct engine *engine);

/* Accepts NULL; frees the doors and what stands in them. Doors' owners are gone by now. */
void engine_destroy(struct engine *engine);

/* One turn. True when something was done. */
bool engine_turn(struct engine *engine);

bool engine_is_broken(const struct engine *engine);

/* The engine thread turns at least this often, be there work or not. */
enum { ENGINE_WAIT_MS_MAX = 1000 };

/* When it last did, on the monotonic clock. Any thread. */
int64_t engine_turned_ms(const struct engine *engine);

/* New submits are refused because the store nears its largest size. Any thread. */
bool engine_intake_closed(const struct engine *engine);

#endif
