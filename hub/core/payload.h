/*
 * payload.h - payloads whose kind of task, or whose channel, has a schema are judged
 * before they are taken.
 */
#ifndef CORE_PAYLOAD_H
#define CORE_PAYLOAD_H

#include "core/task.h"

/* May this be the metadata of a new task of this kind? False: the asker is refused, or
 * the step has failed. An absent kind is bound to nothing. */
bool payload_admit(struct step *step, struct slice kind, struct slice metadata);

/* Likewise for the result of a task that its agent reports as done. */
bool result_admit(struct step *step, const struct task *task, struct slice prefix,
                  struct slice result);

/* May this be said in the channel? */
bool message_admit(struct step *step, struct slice channel, struct slice payload);

#endif
