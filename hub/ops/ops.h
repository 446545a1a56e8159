/*
 * ops.h - the thread for what takes long: backups and other jobs, one at a time.
 *
 * Jobs come out of the order (core/job.h) by a door of their own and their ends go back
 * into it by the same door, as commands of the hub's own: this thread changes no table. It
 * may wait for a disk or a child as long as it likes; nobody waits for it.
 *
 * Life       ops_create, engine_prepare, ops_start; ops_stop, then engine_stop.
 * Threads    All on the main thread.
 */
#ifndef OPS_OPS_H
#define OPS_OPS_H

#include "engine/engine.h"

struct ops;

struct ops_options {
    struct engine *engine; /* borrowed; the ops thread adds its door */
    struct store *store;   /* borrowed */
    const char *data_directory;
    const char *backup_directory;
    uint32_t backups_kept;
    uint64_t backup_bytes_per_second;
    const char *journal_directory; /* NULL: no command journal is kept */
    uint64_t journal_bytes_max;
    const char *const *tables; /* their names */
    unsigned table_count;
    uint32_t compaction_percent; /* of the file that must be free, and how much */
    uint64_t compaction_bytes_min;
    uint64_t scrub_bytes_per_second;
    const char *quarantine_directory;     /* for records that rotted; made when needed */
    const struct core_settings *settings; /* borrowed; for a store that is restored */
    uint64_t store_bytes_max;
    bool forced_file_system;
    /* A restored store is prepared: end, and go on with ops_restore_merge(). From the ops
     * thread. */
    void (*restart)(void *context);
    void *context;
};

enum err ops_create(const struct ops_options *options, struct ops **ret_ops);

enum err ops_start(struct ops *ops);

/* The job under way is given up: the next start finds it failed. */
void ops_stop(struct ops *ops);

/* A restored store waits to take the place of the one in use. */
bool ops_restore_is_ready(const struct ops *ops);

/* After ops_stop() and engine_stop(), the store still open: what was revoked in it stays
 * so. Then close it and restore_swap(). */
enum err ops_restore_merge(struct ops *ops);

/* Accepts NULL. */
void ops_destroy(struct ops *ops);

#endif
