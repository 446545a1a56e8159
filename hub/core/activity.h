/*
 * activity.h - what each agent said, heard and how long it was there: hour by hour, for a
 * day.
 *
 * One row for each name, whether it speaks on a socket or over HTTP. A message writes the
 * sender's row and the receiver's. What is said to all writes no receiver's row: it is
 * counted once, and who is connected takes it from there; see activity_broadcast().
 * Beyond analytics_agents_max names the one that is gone longest is forgotten.
 *
 *   activity       id (bytes)              the row
 *   activity_gone  hour, id (bytes)        index: those not connected, by their last hour
 */
#ifndef CORE_ACTIVITY_H
#define CORE_ACTIVITY_H

#include "core/agent.h"

enum {
    ACTIVITY_HOURS = 24, /* this one and those before it */
};

struct activity_hour {
    uint32_t hour; /* since 1970 */
    uint32_t sent;
    uint32_t received;
    uint32_t connected_ms;
};

struct activity {
    struct slice id; /* not in the row: its key */
    bool connected;
    int64_t active_ms;      /* wall, when it last did anything */
    int64_t seen_ms;        /* wall, when it was last connected or did anything */
    int64_t since_ms;       /* wall, of this connection */
    int64_t since_fleet_ms; /* likewise on the fleet's clock, which measures */
    uint32_t since_said;    /* what had been said to all in that hour before it came */
    uint32_t gone_hour;     /* its place in activity_gone */
    uint64_t connections;
    struct activity_hour hours[ACTIVITY_HOURS]; /* by hour modulo their number */
};

/* A message was taken from, or given to, a name. */
void activity_sent(struct step *step, struct slice id);
void activity_received(struct step *step, struct slice id);

/* Something was said to all who are connected. */
void activity_broadcast(struct step *step);

/* It did something else; noted once a minute at the most. */
void activity_touch(struct step *step, struct slice id);

/* Its connection begins, or another takes its place; and ends. */
void activity_connected(struct step *step, struct slice id);
void activity_gone(struct step *step, struct slice id);

/* As it stands now, the open connection and what was said to all included; false for a
 * name that is not known. */
bool activity_load(struct step *step, struct slice id, struct activity *ret_activity);

/* The first row whose name comes after `after` (absent: the first of all), as it was
 * written; and what has come since. */
bool activity_next(struct step *step, struct slice after, struct activity *ret_activity);
void activity_bring_up(struct step *step, struct activity *activity);

/* The hour's figures, all zero when there are none. */
struct activity_hour activity_hour_of(const struct activity *activity, uint32_t hour);
uint32_t activity_hour_now(const struct step *step);

/* For verification: a row as it stands, and what was said to all. */
bool activity_unpack(struct step *step, struct slice id, struct slice value,
                     struct activity *ret_activity);
bool activity_said_read(struct step *step);

#endif
