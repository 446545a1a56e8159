/*
 * scene.h - the fleet's messages in one line each, for stories told in tests.
 *
 * Tasks are named by number, agents by name and link. Each call is one command; what it
 * asked of the world is in the fleet until the next.
 */
#ifndef SUPPORT_CORE_SCENE_H
#define SUPPORT_CORE_SCENE_H

#include "core/agent.h"
#include "core/fleet.h"
#include "core/task.h"

enum {
    SCENE_NO_GENERATION = -1,
};

/* An agent of a story: its name and the link it speaks on. */
struct scene_agent {
    const char *name;
    uint64_t link;
};

/* A task over HTTP; the number it got. An absent description is filled in. */
uint64_t scene_submit(struct fleet *fleet, struct message_post_task submission);
uint64_t scene_submit_plain(struct fleet *fleet);

void scene_identify(struct fleet *fleet, struct scene_agent agent, int64_t slots);
void scene_accepted(struct fleet *fleet, struct scene_agent agent, uint64_t task,
                    int64_t generation);
void scene_progress(struct fleet *fleet, struct scene_agent agent, uint64_t task,
                    int64_t generation);
void scene_complete(struct fleet *fleet, struct scene_agent agent, uint64_t task,
                    int64_t generation);
void scene_failed(struct fleet *fleet, struct scene_agent agent, uint64_t task,
                  int64_t generation);
void scene_renew(struct fleet *fleet, struct scene_agent agent, uint64_t task,
                 int64_t generation);
void scene_recovering(struct fleet *fleet, struct scene_agent agent, uint64_t task);
void scene_stopped(struct fleet *fleet, struct scene_agent agent, uint64_t task,
                   int64_t generation);
void scene_blocked(struct fleet *fleet, struct scene_agent agent, uint64_t task,
                   int64_t generation, const char *reason);
void scene_unblocked(struct fleet *fleet, struct scene_agent agent, uint64_t task,
                     int64_t generation);

/* By its own word, and by an operator's. */
void scene_drain(struct fleet *fleet, struct scene_agent agent, bool on);
void scene_operate_drain(struct fleet *fleet, const char *agent, bool on);
void scene_ping(struct fleet *fleet, struct scene_agent agent);
void scene_link_closed(struct fleet *fleet, uint64_t link);
void scene_hub_started(struct fleet *fleet);
void scene_cancel(struct fleet *fleet, uint64_t task);
void scene_retry(struct fleet *fleet, uint64_t task);

/* Time goes on and everything due is done, then the tables are verified. */
void scene_wait(struct fleet *fleet, int64_t ms);

/* Rows as they stand; abort when they are not there. */
struct task scene_task(struct fleet *fleet, uint64_t number);
struct agent scene_agent_row(struct fleet *fleet, struct scene_agent agent);

/* The task_assign just sent on a link, or 0; and its generation. */
uint64_t scene_assigned(struct fleet *fleet, uint64_t link);

/* The word of the task_ack, or the code of the error, just sent on a link; "" if none. */
const char *scene_ack(const struct fleet *fleet, uint64_t link);
const char *scene_error(const struct fleet *fleet, uint64_t link);

/* The code of the HTTP error just answered, or "". */
const char *scene_http_error(const struct fleet *fleet);

/* The task's events, newest first, as words with blanks between; valid until the next
 * call. */
const char *scene_history(struct fleet *fleet, uint64_t task);

#endif
