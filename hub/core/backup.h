/*
 * backup.h - the backups that were seen.
 *
 * The directory of backups is what counts: the ops thread says what it holds whenever that
 * has changed, and the rows follow. When the next one is due: upkeep.h.
 *
 *   backup       name; see backup.c
 */
#ifndef CORE_BACKUP_H
#define CORE_BACKUP_H

#include "core/job.h"

enum {
    BACKUPS_SEEN_MAX = 64, /* the youngest */
    BACKUP_NAME_BYTES_MAX = 64,
    BACKUP_RETRY_MS = 60 * 60 * 1000, /* after a scheduled one that failed */
};

struct backup {
    struct slice name;
    int64_t created_ms; /* wall */
    uint64_t bytes;
    uint64_t sequence;
    uint64_t epoch;
    uint64_t records;
    uint64_t task_last;  /* the highest task number given out */
    uint64_t event_last; /* the highest event; 0: nobody knows */
    uint64_t instance;
    struct slice sha256; /* hexadecimal */
    struct slice hub_version;
};

bool backup_load(struct step *step, struct slice name, struct backup *ret_backup);

/* By name from `after` (absent: the first). Texts are copied. */
bool backup_next(struct step *step, struct slice after, struct backup *ret_backup);

/* The number that tells this store from any other; drawn at its first start. */
uint64_t instance_ensure(struct step *step);

/* 16 hexadecimal digits, in the arena. */
struct slice instance_text(struct step *step, uint64_t instance);

/* What whoever waits for a backup is told. */
void backup_job_answer(struct step *step, const struct job *job);

void store_at_job_answer(struct step *step, const struct job *job);

void backup_job_ended(struct step *step, const struct job *job);

#endif
