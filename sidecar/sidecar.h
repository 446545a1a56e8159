/*
 * sidecar.h - one agent's side: its connection, its tasks, its reports.
 *
 *     hub_link --text--> tasks --start--> job --ended--> outbox --> delivery --> hub_link
 *
 * Threads    One. Nothing here waits but hub_link_turn().
 */
#ifndef SIDECAR_SIDECAR_H
#define SIDECAR_SIDECAR_H

#include "sidecar/config.h"
#include "sidecar/hub_link.h"
#include "sidecar/job.h"
#include "sidecar/outbox.h"
#include "wire/wire.h"

enum { WAITING_MAX = 16, RECOVERING_MAX = 64 };

enum {
    EXIT_UNAVAILABLE = 69, /* another connection of this agent took over */
    EXIT_INTERNAL = 70,
    EXIT_CANNOT_CREATE = 73,
    EXIT_IN_USE = 75,
    EXIT_NO_PERMISSION = 77, /* the hub does not take our token */
    EXIT_CONFIG = 78,
};

struct sidecar {
    const struct config *config;
    struct loop loop;
    struct loop_source signals;
    int signal_fd;
    struct hub_link *link;
    struct outbox outbox;
    struct wire *wire;
    struct wire_reader *reader;
    struct arena arena; /* of the message being read */
    struct job *jobs;
    size_t job_count;
    struct slice waiting[WAITING_MAX]; /* frames of tasks without a free place */
    size_t waiting_count;
    struct begun recovering[RECOVERING_MAX]; /* a predecessor's, not settled yet */
    size_t recovering_count;
    bool identified;
    int64_t lease_ms;           /* as the hub said; 0: not yet */
    int64_t grace_ms;           /* how long the hub waits for us */
    struct loop_timer answer;   /* the hub owes an answer to a report */
    struct loop_timer farewell; /* the end does not wait longer */
    struct loop_timer next;     /* a waiting task may start */
    struct loop_timer drain;    /* draining does not take longer */
    struct loop_timer again;    /* what was refused for its rate is said again */
    bool draining;              /* it finishes what it has and leaves */
    bool stopping;
    bool saying_last; /* the last reports are on their way */
    bool closing;
    bool over;
    int exit_status;
};

/* Runs until it is told to stop; the process's exit status. */
int sidecar_run(const struct config *config);

/* Stops the tasks, delivers what can be delivered, ends with `exit_status`. */
void sidecar_stop(struct sidecar *sidecar, int exit_status);

/* Tells the hub, while it is so, that nothing new is wanted. */
void sidecar_say_draining(struct sidecar *sidecar);

/* A job is over and gone: perhaps the last. */
void sidecar_job_over(struct sidecar *sidecar);

/* Sends a frame of its own making if there is a connection; says whether. */
bool sidecar_say(struct sidecar *sidecar, const struct buffer *frame);

/* How often a lease must be renewed. */
int64_t sidecar_renew_ms(const struct sidecar *sidecar);

/* --- tasks.c: what the hub says about tasks --- */
void tasks_text(struct sidecar *sidecar, struct slice text);
void tasks_identified(struct sidecar *sidecar,
                      const struct message_identified *identified);

/* A job is over and gone: a waiting task may start. */
void tasks_job_over(struct sidecar *sidecar);

/* --- delivery.c: reports to the hub --- */

/* Stores a report and sends it as soon as may be. */
void delivery_put(struct sidecar *sidecar, enum report_kind kind, const char *task_id,
                  int64_t generation, struct slice frame);

/* Sends the oldest report if none waits for its answer. */
void delivery_turn(struct sidecar *sidecar);
void delivery_ack(struct sidecar *sidecar, const struct message_task_ack *ack);

/* True when the error answered a report. */
bool delivery_error(struct sidecar *sidecar, const struct message_error *error);

/* The connection is gone, by `code`: what was sent counts as not sent. */
void delivery_down(struct sidecar *sidecar, uint16_t code);

#endif
