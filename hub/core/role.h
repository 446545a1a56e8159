/*
 * role.h - the words for the roles a token may have.
 */
#ifndef CORE_ROLE_H
#define CORE_ROLE_H

#include "message/envelope.h"

/* Absent for a role no token has. */
struct slice role_name(uint32_t role);

/* False for an unknown word. */
bool role_parse(struct slice word, uint32_t *ret_role);

#endif
