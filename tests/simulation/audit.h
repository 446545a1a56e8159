/*
 * audit.h - the promises, held against every row that a command changes.
 *
 * What a command did is noted as it is applied and judged when its batch is committed;
 * what was aborted never happened. The audit knows tasks and agents by the rows the core
 * writes and keeps the last committed one of each.
 *
 *   P3   core_verify() walks all tables both ways, every so many commits and restarts
 *   P6   one completion for a task, taken from its holder with the current generation;
 *        a hand-out raises the generation by one; a stale report changes no task
 *   P7   one holder for a task, and never more tasks for an agent than it has slots
 *   P8   nothing is held without a timer; nothing ready lies beside a free agent for it
 *   P9   attempts are bounded, and a dead letter has used all of them
 *   P10  in one lane no task overtakes an older one that the same agent could have done
 *   P12  events are numbered without a gap, no number is used twice, and the chain holds
 *   P16  nobody loses a task before its time, whatever the wall clock says
 */
#ifndef SIMULATION_AUDIT_H
#define SIMULATION_AUDIT_H

#include "base/arena.h"
#include "base/map.h"
#include "core/agent.h"
#include "core/task.h"

struct sim;

/* A command that was applied, until its batch is committed. */
struct audit_note {
    enum message_type type;
    int64_t now_ms;
    int64_t wall_ms;
    char actor[32];
    uint64_t named; /* the task it speaks of; 0 none */
    int64_t generation;
    bool has_generation;
    uint32_t capabilities; /* of a submit's needs, of an identify's abilities */
    int64_t promised_ms;   /* a lease_renewed was answered: it lasts until then */
    size_t change_from;    /* its changes, among the disk's */
    size_t change_to;
};

struct audit_task {
    struct task row;
    bool completed;
    uint32_t needs;
    int64_t promised_ms;  /* fleet clock: nobody takes it from its holder before */
    uint64_t ready_since; /* the number of the note that made it ready */
    uint64_t judged_in;   /* the number of the last note that changed it */
    size_t ready_index;   /* its place among the ready; SIZE_MAX: it is none */
};

struct audit_agent {
    struct agent row;
    char id[32];
    uint32_t held; /* counted from the tasks' rows */
    uint32_t abilities;
};

struct audit {
    struct sim *sim;
    struct arena arena;
    struct map *tasks;  /* by number: struct audit_task */
    struct map *agents; /* likewise: struct audit_agent */
    struct map *gone;   /* numbers of tasks that a restore took away */
    struct audit_task **ready;
    size_t ready_count;
    size_t ready_room;
    struct audit_note *notes;
    size_t note_count;
    size_t note_room;
    uint64_t judged;      /* notes so far */
    uint32_t open;        /* tasks not in an end state */
    uint32_t dead;        /* dead letters */
    uint64_t event_first; /* the oldest event kept */
    uint64_t event_last;
    uint64_t commits;
    uint64_t hand_outs;
    uint64_t completions;
};

/* All that a map of the audit owns. */
void audit_map_destroy(struct map *map);
struct map *audit_map_create(void);

void audit_init(struct audit *audit, struct sim *sim);
void audit_finish(struct audit *audit);

void audit_before(struct audit *audit, const struct command *command);
void audit_after(struct audit *audit, const struct command *command,
                 const struct effects *effects);
void audit_commit(struct audit *audit);
void audit_abort(struct audit *audit);

/* Walks all tables. Only between two turns. */
void audit_verify(struct audit *audit);

/* Nothing that could be handed out lies still. Only when no deadline is due. */
void audit_idle_work(struct audit *audit);

/* The liveness phase is over: every task has come to its end. */
void audit_all_ended(struct audit *audit);

/* Until when, on the wall clock, the last open task waits; 0: none does. */
int64_t audit_not_before_ms(const struct audit *audit);

const struct audit_task *audit_task(const struct audit *audit, uint64_t number);

#endif
