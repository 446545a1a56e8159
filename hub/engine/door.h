/*
 * door.h - the pair of rings between one thread and the engine.
 *
 * In: envelopes, taken by the engine. Out: released batches, in commit order. Both are
 * bounded; the engine takes no question unless the way out has room. A net thread has
 * one, and so has the ops thread, whose way out brings jobs and nothing else.
 *
 * Threads    door_push and door_pop: the thread that owns the door.
 */
#ifndef ENGINE_DOOR_H
#define ENGINE_DOOR_H

#include "engine/frame.h"
#include "message/envelope.h"
#include "message/rate.h"

struct door;

enum release_kind {
    RELEASE_SEND,          /* frame to one link */
    RELEASE_BROADCAST,     /* frame to every identified link but `link` */
    RELEASE_ANSWER,        /* the HTTP answer of (link, request) */
    RELEASE_BIND,          /* the link is identified from now on */
    RELEASE_CLOSE,         /* close the link */
    RELEASE_KEY_ADD,       /* for the gate's key ring */
    RELEASE_KEY_REMOVE,    /* likewise; links opened with it are to be closed */
    RELEASE_SUBSCRIBE,     /* the link gets what is published */
    RELEASE_UNSUBSCRIBE,   /* and does not any more */
    RELEASE_PUBLISH,       /* frame to every subscribed link */
    RELEASE_RATE_OVERRIDE, /* for the gate's rates */
    RELEASE_RATE_EXEMPT,   /* likewise */
    RELEASE_RESET,         /* drop what can be had anew; every key follows */
    RELEASE_KEYS_TOLD,     /* that was every key: others leave the ring */
    RELEASE_RESET_DONE,    /* `request` differences were put right */

    RELEASE_JOB,         /* for the ops thread */
    RELEASE_JOB_SKIPPED, /* likewise: for its log */
    RELEASE_EVENTS,      /* a frame, or none, for who follows the event log */
    RELEASE_EVENTS_NEW,  /* the log goes up to `event_last` now */
};

struct release {
    struct release *next;
    enum release_kind kind;
    uint64_t link;
    uint64_t request;
    struct frame
        *frame; /* SEND, BROADCAST, ANSWER, PUBLISH: one reference, the taker's */
    enum message_type answer; /* ANSWER: what the frame holds */
    uint16_t status;
    bool replayed;
    uint64_t tag;        /* ANSWER: for its ETag; 0: none */
    uint16_t code;       /* CLOSE */
    struct slice reason; /* CLOSE, JOB_SKIPPED */
    uint8_t digest[DIGEST_BYTES];
    struct slice actor; /* KEY_ADD, BIND */
    uint32_t role;
    uint64_t scopes;
    int64_t expires_wall_ms;
    struct rate_override override; /* RATE_OVERRIDE */
    bool exempt;                   /* RATE_EXEMPT */
    uint64_t job;                  /* JOB */
    uint32_t job_kind;
    uint32_t job_flags;
    struct slice subject; /* JOB */
    uint64_t event_epoch; /* EVENTS: the place behind the frame */
    uint64_t event_last;
    bool more; /* EVENTS: there are events behind it already */
};

/* A batch that is committed. Its releases stand in order; the batch owns all but frames. */
struct release_batch;

/* Takes the envelope; false, and nothing taken, when the ring is full: park the reader
 * and try again after the next wake-up. */
bool door_push(struct door *door, struct envelope *envelope);

/* The links of a door count up from here: no two doors and no two runs of the hub share a
 * link. */
uint64_t door_link_first(const struct door *door);

/* Whether the engine is to tell of new events (RELEASE_EVENTS_NEW). Whoever begins to
 * follow the log says so first and looks then: nothing falls between. */
void door_watch(struct door *door, bool watch);

/* The next committed batch, or NULL. */
struct release_batch *door_pop(struct door *door);

struct release *release_first(const struct release_batch *batch);

/* How many messages of one socket the engine has finished with: committed or refused. */
struct release_done {
    struct release_done *next;
    uint64_t link;
    uint32_t count;
};

const struct release_done *release_done_first(const struct release_batch *batch);

/* Frees the batch and lets go of frames nobody took (set release->frame NULL on taking). */
void release_batch_destroy(struct release_batch *batch);

#endif
