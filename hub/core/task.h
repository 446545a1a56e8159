/*
 * task.h - a task: its head, its body, its states and its history.
 *
 * The head is small, of nearly fixed size, and the only part that changes often. The
 * body (description, metadata, needs) never changes; result, error and note stand in
 * blobs of their own.
 */
#ifndef CORE_TASK_H
#define CORE_TASK_H

#include "core/step.h"

enum lane { LANE_URGENT, LANE_HIGH, LANE_NORMAL, LANE_LOW, LANE_COUNT };

/* Stored: never renumber. */
enum task_state {
    TASK_QUEUED,
    TASK_ASSIGNED,
    TASK_WORKING,
    TASK_COMPLETED,
    TASK_SCHEDULED,
    TASK_BLOCKED,
    TASK_CANCELLED,
    TASK_DEAD_LETTER,
    TASK_STATE_COUNT
};

enum report_kind {
    REPORT_NONE,
    REPORT_COMPLETE,
    REPORT_FAILED,
};

enum report_outcome {
    OUTCOME_NONE,
    OUTCOME_COMPLETE,
    OUTCOME_RETRIED,
    OUTCOME_DEAD_LETTER,
};

/* The last terminal report that was taken, so that a repeat gets the same answer. */
struct task_report {
    uint64_t agent;
    uint64_t generation;
    enum report_kind kind;
    enum report_outcome outcome;
};

enum {
    PROGRESS_UNKNOWN = 255,
    TASK_ID_BYTES = 21, /* "task-" and 16 hex digits */
    TASK_DEPENDS_MAX = 100,
    TASK_HISTORY_MAX = 1000, /* the most that history_max may be */
};

struct task {
    uint64_t number;
    enum task_state state; /* written by task_move() alone */
    enum lane lane;
    uint64_t generation;
    uint32_t attempts;
    uint32_t attempts_max;
    uint32_t blocked_on;    /* dependencies not completed */
    uint32_t history_first; /* events kept: [history_first, history_next) */
    uint32_t history_next;
    uint8_t progress;        /* percent, or PROGRESS_UNKNOWN */
    bool held;               /* `agent` has a slot taken by this task */
    bool complete_by_passed; /* the deadline has done its work */
    bool has_tokens_used;
    bool has_kind; /* the body says which */
    bool blocked;  /* its holder cannot go on; BLOB_TASK_BLOCKED says why */
    int64_t tokens_used;
    uint64_t agent;         /* assignee's number; 0 none; stays after completion */
    uint64_t set;           /* capability set needed; 0 once in an end state */
    uint64_t pin;           /* the one agent it is for; 0: any that covers `set` */
    int64_t created_ms;     /* wall, like all that people see */
    int64_t updated_ms;     /* wall */
    int64_t assigned_ms;    /* wall; 0 never */
    int64_t not_before_ms;  /* wall; 0 none */
    int64_t complete_by_ms; /* wall; 0 none */
    int64_t finished_ms;    /* wall: when it came to its end state; 0: it is in none */
    int64_t lease_until_ms; /* fleet clock: when the current state runs out */
    int64_t timer_ms;       /* fleet clock: due time of the deadline row; 0 no row */
    int64_t wall_timer_ms;  /* wall clock: likewise */
    struct task_report report;
};

/* What never changes. */
struct task_body {
    struct slice description;
    struct slice metadata; /* original JSON text; absent when none was given */
    struct slice submitted_by;
    struct slice kind;                     /* absent when none was given */
    struct slice_list needed_capabilities; /* as given */
    uint64_t *depends_on;                  /* task numbers */
    size_t depends_on_count;
};

struct slice task_state_name(enum task_state state);  /* Drover's own word */
struct slice task_status_word(enum task_state state); /* v1.1's: working is assigned */
bool task_state_is_end(enum task_state state);
bool task_state_parse(struct slice word, enum task_state *ret_state);
struct slice lane_name(enum lane lane);
bool lane_parse(struct slice word, enum lane *ret_lane);

/*
 * Numbers below this one are imported tasks': they come before all others, in line and in
 * lists. The id of such a task shows the number it had where it came from, and no new task
 * gets that one.
 */
#define TASK_NUMBER_FIRST ((uint64_t)1 << 40)

/* The task an id shows; false when it cannot be one's. */
bool task_number(struct step *step, struct slice id, uint64_t *ret_number);

/* An imported task's number, for the one its id shows; 0 when that is taken. */
uint64_t task_number_import(struct step *step, uint64_t shown);

/* The task is gone, and with it what led to and from its id. */
void task_number_forget(struct step *step, uint64_t number);

/* "task-" and 16 lower-case hex digits, in the arena. */
struct slice task_id(struct step *step, uint64_t number);
bool task_id_parse(struct slice id, uint64_t *ret_number);

/* False: no such task (or the step has failed). */
bool task_load(struct step *step, uint64_t number, struct task *ret_task);
bool task_load_id(struct step *step, struct slice id, struct task *ret_task);

/* Where a queued task stands: TABLE_READY by what it needs, or, when it is for one agent,
 * TABLE_READY_PIN. */
struct slice task_ready_key(const struct task *task, struct number_key *key,
                            enum table *ret_table);

/* Writes the head and sets updated_ms; rows and indexes moved by task_move() stand
 * already. */
void task_save(struct step *step, struct task *task);

/* The same with updated_ms as it stands. */
void task_write(struct step *step, const struct task *task);

/* A head's row, read without the transaction: for walks over TABLE_TASK. */
bool task_unpack(struct step *step, uint64_t number, struct slice value,
                 struct task *ret_task);

/* Writes a new task's head, body and indexes. */
void task_create(struct step *step, struct task *task, const struct task_body *body);

/* The only way from state to state: the table of moves, the index by state, the ready
 * index and the counts. ERR_CORRUPT for a move the table does not have. The head itself is
 * written by task_save(). */
void task_move(struct step *step, struct task *task, enum task_state to);

/* Sets the assignee (0: none) and moves the index by assignee. */
void task_set_agent(struct step *step, struct task *task, uint64_t agent);

bool task_body_load(struct step *step, uint64_t number, struct task_body *ret_body);

/* The numbers of the tasks it depends on, in the arena; none is fine. */
bool task_waits_load(struct step *step, uint64_t number, uint64_t **ret_tasks,
                     size_t *ret_count);

/* Stored: never renumber. */
enum task_event {
    EVENT_QUEUED = 1,
    EVENT_ASSIGNED,
    EVENT_COMPLETED,
    EVENT_RETRY,
    EVENT_DEAD_LETTER,
    EVENT_RECLAIMED,
    EVENT_ACCEPTED,
    EVENT_CANCELLED,
    EVENT_SCHEDULED,
    EVENT_BLOCKED,
    EVENT_AGENT_BLOCKED,
    EVENT_AGENT_UNBLOCKED,
    EVENT_COUNT
};

struct task_history {
    uint32_t index;
    enum task_event event;
    int64_t wall_ms;
    uint64_t agent; /* 0 none */
    uint64_t generation;
    struct slice details; /* short text; absent when there is none */
};

struct slice task_event_name(enum task_event event);

/* Appends to the task's history and drops the oldest past settings->history_max, and tells
 * the event log. The caller saves the head. Long details are cut. */
void task_history_add(struct step *step, struct task *task, enum task_event event,
                      uint64_t agent, struct slice details);

/* The history alone, where the event log is told something else. */
void task_history_put(struct step *step, struct task *task, enum task_event event,
                      uint64_t agent, struct slice details);

/* Walks from the newest: start with *position = task->history_next. False at the end. */
bool task_history_walk(struct step *step, const struct task *task, uint32_t *position,
                       struct task_history *ret_history);

#endif
