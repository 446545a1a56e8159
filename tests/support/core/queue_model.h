/*
 * queue_model.h - the queue's promises, written a second time and without tables.
 *
 * A flat array of tasks and one of agents, walked from end to end for every question. It
 * does not choose which agent gets a task: it is told what the core handed out, and says
 * whether that was allowed (model_assign) and whether anything was left lying that
 * should have been handed out (model_idle_work).
 *
 * Failure    A broken promise is fixed text in model->broken, the first one only.
 */
#ifndef SUPPORT_CORE_QUEUE_MODEL_H
#define SUPPORT_CORE_QUEUE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MODEL_TASKS_MAX = 400,
    MODEL_AGENTS_MAX = 6,
    MODEL_DEPENDS_MAX = 3,
    MODEL_NOBODY = -1,
};

#define MODEL_NEVER INT64_MAX

enum model_state {
    MODEL_UNUSED,
    MODEL_QUEUED,
    MODEL_SCHEDULED, /* waits for not_before or for its retry delay */
    MODEL_BLOCKED,
    MODEL_ASSIGNED,
    MODEL_WORKING,
    MODEL_COMPLETED,
    MODEL_CANCELLED,
    MODEL_DEAD,
};

enum model_report {
    MODEL_REPORT_NONE,
    MODEL_REPORT_COMPLETE,
    MODEL_REPORT_FAILED,
};

/* What an agent is told about its report. */
enum model_answer {
    MODEL_ACCEPTED,
    MODEL_COMPLETE,
    MODEL_RETRIED,
    MODEL_DEAD_LETTER,
    MODEL_CANCEL_SEEN,
    MODEL_RENEWED,
    MODEL_CONTINUE,
    MODEL_REASSIGN,
    MODEL_SILENCE, /* taken, and nothing is said */
    MODEL_REFUSED,
};

struct model_settings {
    int64_t acceptance_ms;
    int64_t lease_ms;
    int64_t grace_ms;
    int64_t retry_delay_ms;
};

struct model_task {
    enum model_state state;
    uint64_t number;
    unsigned lane;
    unsigned needs; /* bits of capabilities */
    int depends[MODEL_DEPENDS_MAX];
    size_t depend_count;
    int64_t not_before_wall_ms; /* 0: none */
    int64_t overdue_wall_ms;    /* MODEL_NEVER: none, or fired already */
    int64_t retry_at_ms;        /* 0: none */
    int64_t accept_by_ms;
    int64_t lease_until_ms;
    uint32_t attempts;
    uint32_t attempts_max;
    uint64_t generation;
    int holder;          /* who may report */
    int slot_holder;     /* whose capacity it takes: outlives a cancel */
    int cancelled_under; /* who held it when it was cancelled */
    int last_reporter;
    uint64_t last_generation;
    enum model_report last_report;
    enum model_answer last_answer;
};

struct model_agent {
    bool known;
    uint64_t link; /* 0: away */
    unsigned capabilities;
    unsigned slots_max;
    bool unresponsive;
    bool leaving; /* away, and its grace is running */
    int64_t grace_until_ms;
};

struct model {
    struct model_settings settings;
    int64_t now_ms;
    int64_t wall_ms;
    struct model_task tasks[MODEL_TASKS_MAX];
    size_t task_count;
    struct model_agent agents[MODEL_AGENTS_MAX];
    const char *broken;
};

struct model_submit {
    uint64_t number;
    unsigned lane;
    unsigned needs;
    int depends[MODEL_DEPENDS_MAX];
    size_t depend_count;
    int64_t not_before_wall_ms;
    int64_t complete_by_wall_ms;
    uint32_t attempts_max;
};

void model_init(struct model *model, struct model_settings settings);

/* Time passes; nothing that falls due happens before model_tick. */
void model_time(struct model *model, int64_t now_ms, int64_t wall_ms);

/* Every deadline that has come. */
void model_tick(struct model *model);

/* The next instant of the fleet's clock at which a tick has work, while the wall clock
 * runs beside it. */
int64_t model_next_ms(const struct model *model);

/* The task's index; the caller keeps below MODEL_TASKS_MAX. */
int model_submit(struct model *model, const struct model_submit *submit);

/* Forgets tasks that ended and that nothing refers to; indexes change. Fills
 * moved[old index] with the new one or MODEL_NOBODY. */
void model_compact(struct model *model, int moved[MODEL_TASKS_MAX]);

void model_identify(struct model *model, int agent, uint64_t link, unsigned capabilities,
                    unsigned slots_max);
void model_link_closed(struct model *model, uint64_t link);
void model_hub_started(struct model *model);

/* Any frame of the agent's on `link`. False: the link is an old one, ignore the frame. */
bool model_heard(struct model *model, int agent, uint64_t link);

/* `generation` 0: not said. */
enum model_answer model_accepted(struct model *model, int agent, int task,
                                 uint64_t generation);
enum model_answer model_progress(struct model *model, int agent, int task,
                                 uint64_t generation);
enum model_answer model_renew(struct model *model, int agent, int task,
                              uint64_t generation);
enum model_answer model_complete(struct model *model, int agent, int task,
                                 uint64_t generation);
enum model_answer model_failed(struct model *model, int agent, int task,
                               uint64_t generation);
enum model_answer model_recovering(struct model *model, int agent, int task,
                                   uint64_t *ret_generation);
enum model_answer model_killed(struct model *model, int agent, int task,
                               uint64_t generation);

/* False: refused, it is in a state that cannot be left this way. */
bool model_cancel(struct model *model, int task);
bool model_retry(struct model *model, int task);

/* The core handed the task to the agent. `ready` are the tasks that stood ready before
 * the command: none of them may be overtaken. */
void model_assign(struct model *model, int agent, int task, uint64_t generation,
                  const bool ready[MODEL_TASKS_MAX]);
void model_ready(const struct model *model, bool ready[MODEL_TASKS_MAX]);

/* Breaks when a ready task and a free agent that covers it are left side by side. */
void model_idle_work(struct model *model);

unsigned model_slots_taken(const struct model *model, int agent);
bool model_is_held(const struct model_task *task);
bool model_is_open(const struct model_task *task);

#endif
