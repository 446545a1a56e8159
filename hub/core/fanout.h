/*
 * fanout.h - one letter for many: a bounded number of them per command, the rest at the
 * following ticks, one letter after the other.
 *
 * A letter of a channel goes to each subscriber but its sender once: on the socket when
 * it is connected at that moment, into its mailbox otherwise. A broadcast has reached
 * everybody connected already: here it goes into the mailboxes of those who hold a token
 * and were away.
 */
#ifndef CORE_FANOUT_H
#define CORE_FANOUT_H

#include "core/letter.h"

/* Begins at once, unless others wait. */
void fanout_start(struct step *step, const struct letter *letter);

/* Goes on with the oldest. */
void fanout_go_on(struct step *step);

/* A row's value; ERR_CORRUPT when it is misshapen. `after` is borrowed from it. */
bool fanout_unpack(struct step *step, struct slice value, uint64_t *ret_box,
                   struct slice *ret_after);

/* True when this command may give to no more. */
bool fanout_is_spent(const struct step *step);

#endif
