/*
 * role.h - the words for what a token may do: its role, and the scopes that narrow it.
 */
#ifndef CORE_ROLE_H
#define CORE_ROLE_H

#include "core/step.h"

/* Absent for a role no token has. */
struct slice role_name(uint32_t role);

/* False for an unknown word. */
bool role_parse(struct slice word, uint32_t *ret_role);

/* Every scope that a row open to the role names. */
uint64_t role_scopes(uint32_t role);

/* The bits of these words, SCOPES_ALL for an absent list. False for an unknown word:
 * *ret_word is it. */
bool scopes_parse(struct slice_list words, uint64_t *ret_scopes, struct slice *ret_word);

/* The words, in the arena; an absent list for SCOPES_ALL. */
struct slice_list scopes_words(struct step *step, uint64_t scopes);

/* True when all that `inner` allows is allowed by `outer`. */
static inline bool scopes_within(uint64_t inner, uint64_t outer)
{
    return (inner & ~outer) == 0;
}

#endif
