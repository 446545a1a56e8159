/*
 * precondition.h - If-Match and If-None-Match (RFC 9110, section 13.1): a change is made
 * only to what the asker knows.
 */
#ifndef CORE_PRECONDITION_H
#define CORE_PRECONDITION_H

#include "core/step.h"

/* `tag` names what is there; 0: nothing is. Headers that were not sent are absent.
 * False: the asker is refused with precondition_failed. */
bool precondition_holds(struct step *step, struct slice if_match,
                        struct slice if_none_match, uint64_t tag);

#endif
