/*
 * verify.h - the parts of core_verify(): every row against its counterparts.
 *
 * Each part walks some tables and says what is broken through verify_broken(); the first
 * word stands. Parts go on after that as long as nothing worse happens.
 */
#ifndef CORE_VERIFY_H
#define CORE_VERIFY_H

#include "base/map.h"
#include "core/stats.h"

struct verify {
    struct step step;
    struct effects effects;
    struct arena arena;
    const char *text;      /* what is broken; NULL: nothing yet */
    struct stats stats;    /* tasks counted one by one */
    struct map *set_users; /* users of each set counted one by one */
    uint64_t deadlines;    /* rows of TABLE_DEADLINE that heads and agents account for */
    struct map *letter_users; /* users of each letter counted one by one */
    uint64_t letters;         /* of the history */
    uint64_t letter_entries;  /* rows of TABLE_LETTER_INDEX that they account for */
    uint64_t mails;           /* rows of TABLE_MAIL that the mailboxes account for */
    uint64_t channel_letters; /* rows of TABLE_CHANNEL_LETTER, likewise */
    uint64_t members;         /* rows of TABLE_MEMBER, likewise */
    uint64_t mail_deadlines;  /* rows of TABLE_DEADLINE, likewise */
    uint64_t fanout_deadlines;
    uint64_t token_deadlines;
    uint64_t remembered; /* those of TABLE_IDEMPOTENCY's rows */
    uint64_t tasks_of_kind;
    uint64_t schema_texts;    /* texts that stand in blobs */
    uint64_t schema_versions; /* versions and bindings that heads account for */
    uint64_t schema_binds;
    uint64_t tasks_imported;
    uint64_t resets; /* under way: deadlines less places */
    uint64_t gone;   /* rows of TABLE_ACTIVITY_GONE that activities account for */
    uint64_t event_last;
    uint64_t event_epoch;
    uint64_t event_deadlines; /* rows of TABLE_DEADLINE, likewise */
    uint64_t jobs_open;
    uint64_t job_deadlines; /* rows of TABLE_DEADLINE that they account for */
    uint64_t upkeep_deadlines;
};

void verify_broken(struct verify *verify, const char *text);

/* Breaks with `text` unless `holds`. */
void verify_holds(struct verify *verify, bool holds, const char *text);

/* Calls for every row of a table, key and value copied; returns how many there are. */
uint64_t verify_walk(struct verify *verify, enum table table,
                     void (*row)(struct verify *, struct slice key, struct slice value));

/* One user more of a set; 0 is ignored. */
void verify_set_used(struct verify *verify, uint64_t set);

/* One user more of a letter, which must be there. */
void verify_letter_used(struct verify *verify, uint64_t letter);

/* An index entry's value. */
void verify_mark(struct verify *verify, struct slice value);

/* A number key must have exactly this many numbers. */
bool verify_key(struct verify *verify, struct slice key, unsigned numbers);

void verify_tasks(struct verify *verify);
void verify_agents(struct verify *verify);
void verify_letters(struct verify *verify);
void verify_channels(struct verify *verify);
void verify_events(struct verify *verify);
void verify_feed(struct verify *verify);
void verify_jobs(struct verify *verify);
void verify_rest(struct verify *verify);
void verify_activity(struct verify *verify);
void verify_schemas(struct verify *verify); /* after the others */
void verify_rates(struct verify *verify);

#endif
