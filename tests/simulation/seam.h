/*
 * seam.h - where the production code meets the simulation: the linker's --wrap.
 *
 * The rooms under test are linked as they ship. The clocks, the entropy, the store and the
 * entrance of the core are reached through symbols the linker leads here
 * (tests/CMakeLists.txt lists them), so nothing in hub/ knows of simulations.
 */
#ifndef SIMULATION_SEAM_H
#define SIMULATION_SEAM_H

#include "core/core.h"
#include "store/store.h"

struct sim;

/* Whose clocks, dice and disk the hub is given from now on. One at a time. */
void seam_enter(struct sim *sim);
void seam_leave(void);

/* What the wrapped names stand for otherwise. */
struct transaction *real_store_batch(struct store *store) __asm__("__real_store_batch");
enum err real_store_commit(struct store *store) __asm__("__real_store_commit");
void real_store_abort(struct store *store) __asm__("__real_store_abort");
enum err real_store_grow(struct store *store) __asm__("__real_store_grow");
struct store_reader *real_store_reader_create(struct store *store) __asm__(
    "__real_store_reader_create");
void real_store_reader_destroy(struct store_reader *reader) __asm__(
    "__real_store_reader_destroy");
struct transaction *real_store_reader_begin(struct store_reader *reader) __asm__(
    "__real_store_reader_begin");
void real_store_reader_end(struct store_reader *reader) __asm__(
    "__real_store_reader_end");

#endif
