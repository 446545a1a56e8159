/*
 * event_log.h - the rows of the event log, for who reads it and for retention.
 */
#ifndef CORE_EVENT_LOG_H
#define CORE_EVENT_LOG_H

#include "core/event.h"

/* One event as it is stored. */
struct event {
    uint64_t sequence;
    uint64_t epoch;
    int64_t wall_ms;
    uint32_t role; /* the asker's, one enum role */
    bool cut;
    struct slice actor;   /* absent: the hub itself, or nobody who is known */
    struct slice address; /* absent: not from outside */
    struct message message;
    uint8_t hash[DIGEST_BYTES];
};

/* The event with this number; false: it is not there. Its texts are in the arena. */
bool event_load(struct step *step, uint64_t sequence, struct event *ret_event);

/* From a row of TABLE_EVENT, likewise. */
bool event_unpack(struct step *step, uint64_t sequence, struct slice value,
                  struct event *ret_event);

/* As much as retention looks at. */
struct event_head {
    uint64_t epoch;
    int64_t wall_ms;
    uint8_t hash[DIGEST_BYTES];
};

bool event_head_load(struct step *step, uint64_t sequence, struct event_head *ret_head);

/* What stood before the oldest event kept. */
struct event_base {
    uint64_t sequence; /* the last one that retention took; 0 none */
    uint64_t epoch;
    uint8_t hash[DIGEST_BYTES];
    int64_t sweep_due_ms; /* wall; 0: no sweep is planned */
};

/* Zeroes where there is none. */
void event_base_load(struct step *step, struct event_base *ret_base);
void event_base_save(struct step *step, const struct event_base *base);

/* Events (before, last] are there. */
struct event_span {
    uint64_t before;
    uint64_t before_epoch;
    uint64_t last;  /* 0: never was one */
    uint64_t epoch; /* of the next one */
};

void event_span_load(struct step *step, struct event_span *ret_span);

/* Plans a sweep when there are more events than are kept. */
void event_crowd(struct step *step);

/* Once at the start of the hub, and when the deadline is due. */
void event_sweep_start(struct step *step);
void event_sweep(struct step *step, int64_t due_ms);

/* Splits a row's value; false: it is misshapen. */
bool event_row_split(struct slice value, uint8_t ret_hash[DIGEST_BYTES],
                     struct slice *ret_record);

/* The hash that event `sequence` has after one with the hash `before`. */
void event_hash(event_digest *digest, const uint8_t before[DIGEST_BYTES],
                uint64_t sequence, struct slice record, uint8_t ret_hash[DIGEST_BYTES]);

#endif
