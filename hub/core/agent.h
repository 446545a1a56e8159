/*
 * agent.h - an agent: its row, its presence and the tasks it holds.
 *
 * An agent gets a number at its first identify and keeps its row for ever. The row is
 * small; name, status and capabilities stand in a blob (the profile).
 */
#ifndef CORE_AGENT_H
#define CORE_AGENT_H

#include "core/task.h"

enum {
    AGENT_ID_BYTES_MAX = 480, /* its id is a key */
};

/* Who wants it drained. Stored: never renumber. */
enum drain {
    DRAIN_AGENT = 1,    /* it said so itself; ends with its connection */
    DRAIN_OPERATOR = 2, /* stays until an operator resumes it */
};

struct agent {
    uint64_t number;
    uint64_t link;  /* 0: not connected */
    uint64_t set;   /* its capability set while connected; else 0 */
    uint32_t slots; /* max_concurrent */
    uint32_t held;
    bool unresponsive; /* out of matching until it says anything */
    uint8_t drains;    /* bits of enum drain: it finishes what it holds, no more */
    bool idle;         /* has a row in TABLE_IDLE, under `idle_set` and `idle_order` */
    uint64_t idle_set;
    uint64_t idle_order;
    int64_t connected_ms;   /* wall, of the last identify */
    int64_t changed_ms;     /* wall, of the last change of its shown state */
    int64_t grace_until_ms; /* fleet clock: its tasks wait for it until then; 0 none */
    int64_t
        limited_until_ms; /* fleet clock: it went past its rate, and gets no task until
                                 then; 0 none */
};

struct agent_profile {
    struct slice id;
    struct slice name;
    struct slice status;
    struct slice_list capabilities; /* as given */
};

bool agent_load(struct step *step, uint64_t number, struct agent *ret_agent);
bool agent_number(struct step *step, struct slice id, uint64_t *ret_number);
bool agent_load_id(struct step *step, struct slice id, struct agent *ret_agent);
bool agent_unpack(struct step *step, uint64_t number, struct slice value,
                  struct agent *ret_agent);

/* Writes the row and keeps TABLE_IDLE in step with it: an agent that gets room goes to
 * the end of its line. */
void agent_save(struct step *step, struct agent *agent);

/* Out of the line; agent_save() puts it back at the end when it has room. */
void agent_leave_line(struct step *step, struct agent *agent);

/* A row for an id never seen before, not connected, without slots. Not saved. */
void agent_create(struct step *step, struct slice id, struct agent *ret_agent);

bool agent_profile_load(struct step *step, uint64_t number,
                        struct agent_profile *ret_profile);
void agent_profile_save(struct step *step, uint64_t number,
                        const struct agent_profile *profile);

/* The id alone; absent for number 0. */
struct slice agent_id(struct step *step, uint64_t number);

/* May it be handed one more task? */
bool agent_has_room(const struct agent *agent);

/* Its current task: of those it holds the one with the lowest number; false when it holds
 * none. */
bool agent_current(struct step *step, const struct agent *agent, struct task *ret_task);

/* The task it holds with the lowest number; false when it holds none. */
bool agent_first_held(struct step *step, const struct agent *agent, uint64_t *ret_task);

/* The first task it holds whose number is not less than `from`. */
bool agent_next_held(struct step *step, uint64_t agent, uint64_t from,
                     uint64_t *ret_task);

/* Walks connected agents by number: start with *position = 0. False at the end. */
bool agent_next_connected(struct step *step, uint64_t *position, struct agent *ret_agent);

uint64_t agents_connected(struct step *step);

#endif
