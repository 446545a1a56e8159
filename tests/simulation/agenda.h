/*
 * agenda.h - what is going to happen, by time; what happens at the same time happens in
 * the order in which it was put down.
 */
#ifndef SIMULATION_AGENDA_H
#define SIMULATION_AGENDA_H

#include "base/slice.h"

enum event_kind {
    AGENDA_FRAME_TO_HUB,   /* who: connection */
    AGENDA_FRAME_TO_AGENT, /* who: connection */
    AGENDA_CLOSE_AT_HUB,   /* who: connection */
    AGENDA_CLOSE_AT_AGENT, /* who: connection */
    AGENDA_CONNECT,        /* who: agent */
    AGENDA_WORK,           /* who: agent; tag: job */
    AGENDA_REQUEST,        /* who: request */
    AGENDA_ANSWER,         /* who: request; tag: status */
    AGENDA_RETRY,          /* who: submission */
    AGENDA_HUB_START,
};

struct event {
    int64_t at_ms;
    uint64_t order;
    enum event_kind kind;
    uint32_t who;
    uint64_t tag;
    char *bytes; /* owned */
    size_t size;
};

struct agenda {
    struct event *events; /* a heap */
    size_t count;
    size_t room;
    uint64_t order;
};

void agenda_finish(struct agenda *agenda);

/* Copies the bytes. */
void agenda_add(struct agenda *agenda, int64_t at_ms, enum event_kind kind, uint32_t who,
                uint64_t tag, struct slice bytes);

/* INT64_MAX: nothing is going to happen. */
int64_t agenda_next_ms(const struct agenda *agenda);

/* The first one; its bytes are the caller's to free. Only when there is one. */
struct event agenda_take(struct agenda *agenda);

#endif
