/*
 * token_event.h - what the event log hears of tokens: who got what, never a secret.
 */
#ifndef CORE_TOKEN_EVENT_H
#define CORE_TOKEN_EVENT_H

#include "core/token.h"

/* The token this command has minted. */
void token_event_created(struct step *step, const struct token_terms *terms);

/* `prefix` absent: all that the asker reached. Nothing when there was none. */
void token_event_revoked(struct step *step, struct slice agent_id, uint32_t count,
                         struct slice prefix);

/* The token this command has minted takes the place of `count` others. */
void token_event_rotated(struct step *step, const struct token_terms *terms,
                         uint32_t count, int64_t until_ms);

void token_event_expired(struct step *step, const struct token *token);

/* The token this command has minted is an administrator's, by the secret. */
void token_event_enrolled(struct step *step, struct slice agent_id);

void token_event_offered(struct step *step);

#endif
