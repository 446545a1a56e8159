/*
 * submit.h - a task enters the fleet, from either door.
 */
#ifndef CORE_SUBMIT_H
#define CORE_SUBMIT_H

#include "core/task.h"

struct submission {
    struct slice description;
    struct slice priority; /* a lane's word; absent: normal */
    struct slice metadata;
    struct slice kind; /* absent: none */
    bool has_max_retries;
    int64_t max_retries;
    bool has_complete_by;
    int64_t complete_by;
    bool has_not_before;
    int64_t not_before;
    struct slice_list needed_capabilities;
    struct slice_list depends_on; /* task ids */
    uint64_t pin;                 /* the one agent it is for; 0: any that can do it */
};

/*
 * Adds the task, moves it to where it belongs (queued, scheduled, blocked) and looks for
 * an agent. False: the asker has been refused through step_refuse and nothing is changed,
 * or the step has failed. *ret_task is as it stands afterwards (it may be assigned).
 */
bool task_submit(struct step *step, const struct submission *submission,
                 struct task *ret_task);

#endif
