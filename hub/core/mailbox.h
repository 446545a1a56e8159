/*
 * mailbox.h - a mailbox given to its owner's socket.
 */
#ifndef CORE_MAILBOX_H
#define CORE_MAILBOX_H

#include "core/step.h"

/* One frame of what came after `since`; of everything, when the sequences are not those
 * of the epoch the owner knows. */
void mailbox_push(struct step *step, uint64_t since, bool has_epoch, uint64_t epoch);

#endif
