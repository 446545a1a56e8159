/*
 * outbox.h - reports on their way to the hub, safe on disk until it has taken them.
 *
 * A report is a file of its own, written and synced before outbox_put() returns, and
 * removed when the hub has answered. Its name tells the order, the task, the generation
 * and the kind; its content is the frame as it is sent. When the disk refuses, the report
 * is kept in memory: it is then as safe as the process. A file that cannot be read or does
 * not say what its name says is set aside under its name with .damaged behind it.
 *
 * The same folder holds one file for each task being worked on, so that a sidecar that
 * starts knows what its predecessor had begun.
 *
 * Memory     At most OUTBOX_REPORTS_MAX reports; only the one being sent is read in.
 * Threads    One.
 */
#ifndef SIDECAR_OUTBOX_H
#define SIDECAR_OUTBOX_H

#include "base/buffer.h"
#include "base/err.h"
#include "os/file.h"

#include <limits.h>

enum { OUTBOX_REPORTS_MAX = 4096, TASK_ID_BYTES_MAX = 128 };

enum report_kind { REPORT_COMPLETE, REPORT_FAILED, REPORT_CANCELLED };

struct report {
    struct report *next;
    uint64_t order; /* rises; part of the file's name */
    enum report_kind kind;
    int64_t generation;
    char task_id[TASK_ID_BYTES_MAX + 1];
    bool asked;             /* sent on this connection, not answered yet */
    struct slice in_memory; /* the frame, where the disk refused it */
};

struct outbox {
    char directory[PATH_MAX];
    struct file_lock lock;
    struct report *first; /* the oldest */
    struct report **last;
    size_t count;
    uint64_t order_next;
};

/* What a predecessor was working on. */
struct begun {
    char task_id[TASK_ID_BYTES_MAX + 1];
    int64_t generation; /* 0: its record is damaged */
};

/* A task id that is also a file name: letters, digits, '-', '_' and inner dots. */
bool task_id_is_plain(struct slice task_id);

/* Makes the folder, takes its lock and reads what it holds. ERR_EXISTS: another sidecar
 * is using it. */
enum err outbox_open(struct outbox *outbox, const char *directory);
void outbox_close(struct outbox *outbox);

/* ERR_LIMIT or ERR_MEMORY: the report is lost. Any other failure of the disk is told by
 * *ret_durable. */
enum err outbox_put(struct outbox *outbox, enum report_kind kind, const char *task_id,
                    int64_t generation, struct slice frame, bool *ret_durable);

/* Appends the frame. But for ERR_MEMORY, a failure will not pass. */
enum err outbox_read(const struct outbox *outbox, const struct report *report,
                     struct buffer *buffer);

/* Forgets it, on disk too. */
void outbox_remove(struct outbox *outbox, struct report *report);

/* Forgets it; its file is kept for people to look at, and the log tells where. */
void outbox_set_aside(struct outbox *outbox, struct report *report);

/* Puts it behind all the others. */
void outbox_postpone(struct outbox *outbox, struct report *report);

/* generation below 0: any. The oldest that fits, or NULL. */
struct report *outbox_find(const struct outbox *outbox, struct slice task_id,
                           int64_t generation);

/* Records that a task has been begun (`task`: its frame), or is over. */
enum err outbox_begin(const struct outbox *outbox, const char *task_id,
                      int64_t generation, struct slice task);
void outbox_end(const struct outbox *outbox, const char *task_id);

/* The frame recorded for a task. */
enum err outbox_begun_read(const struct outbox *outbox, const char *task_id,
                           struct buffer *buffer);

/* Calls `each` for every task recorded as begun. */
enum err outbox_begun_walk(const struct outbox *outbox,
                           void (*each)(void *owner, const struct begun *begun),
                           void *owner);

#endif
