/*
 * queue_check.h - the core and the model side by side: every command goes to both, and
 * what comes out must be the same.
 *
 * The first difference is kept as text; after it nothing more is applied.
 */
#ifndef SUPPORT_CORE_QUEUE_CHECK_H
#define SUPPORT_CORE_QUEUE_CHECK_H

#include "core/fleet.h"
#include "core/queue_model.h"

enum {
    CHECK_CAPABILITIES = 4,
    CHECK_CLIENT_KEYS = 6,
};

/* What was said to the asker of the last command. */
struct check_reply {
    bool there;
    enum message_type type;
    uint64_t generation; /* of task_continue */
    uint16_t status;     /* of an HTTP error */
    char word[32];       /* task_ack's status, or an error's code */
};

/* A keyed submit that may be sent again. */
struct check_key {
    bool used;
    uint64_t number;
};

struct queue_check {
    struct fleet fleet;
    struct model model;
    struct check_reply reply;
    struct check_key keys[CHECK_CLIENT_KEYS];
    bool ready[MODEL_TASKS_MAX];
    bool resends[MODEL_TASKS_MAX]; /* task_assign must be said again */
    const struct effect *looked;   /* effects up to this one have been seen */
    bool ticking;
    bool was_well[MODEL_AGENTS_MAX];
    uint64_t handed_out;
    uint64_t settled; /* ticks */
    uint64_t refused;
    uint64_t taken;
    bool trace;       /* every command to standard error */
    char broken[256]; /* empty: nothing is */
};

void check_init(struct queue_check *check, struct model_settings settings);
void check_finish(struct queue_check *check);
bool check_is_broken(const struct queue_check *check);

/* Time goes on from deadline to deadline, or (late) in one leap. */
void check_pass(struct queue_check *check, int64_t ms);
void check_pass_late(struct queue_check *check, int64_t ms);
void check_wall_jump(struct queue_check *check, int64_t ms);

/* The task's index. `link` 0: over HTTP; else that agent's socket. */
void check_submit(struct queue_check *check, const struct model_submit *submit, int agent,
                  int key);

/* The same key again: `same` with the same body, else with another. */
void check_submit_again(struct queue_check *check, int key, bool same);

void check_identify(struct queue_check *check, int agent, uint64_t link,
                    unsigned capabilities, unsigned slots_max);
void check_link_closed(struct queue_check *check, uint64_t link);
void check_hub_started(struct queue_check *check);

/* One of the agent's reports about a task, on `link`: current or not. */
void check_report(struct queue_check *check, enum message_type type, int agent,
                  uint64_t link, int task, uint64_t generation);
void check_cancel(struct queue_check *check, int task);
void check_retry(struct queue_check *check, int task);

/* Drops what has ended from the model. */
void check_compact(struct queue_check *check);

/* All tables, and every task the model knows. */
void check_everything(struct queue_check *check);

#endif
