/*
 * log_check.h - the event log beside the tables it tells of.
 */
#ifndef SUPPORT_CORE_LOG_CHECK_H
#define SUPPORT_CORE_LOG_CHECK_H

#include "core/fleet.h"

/* NULL when every event follows the one before, each link of the chain holds, and each
 * task's history is told event by event; else what is not so, until the next call. The
 * log must be whole: nothing taken by retention, every class kept. */
const char *log_check(struct fleet *fleet);

/* The names of events (after, ...], oldest first, with blanks between; until the next
 * call. */
const char *log_words(struct fleet *fleet, uint64_t after);

#endif
