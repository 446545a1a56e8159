#include "core/token_event.h"

#include "core/event.h"
#include "core/role.h"

static struct slice minted_prefix(const struct step *step)
{
    return slice_make(step->command->minted_prefix, TOKEN_PREFIX_BYTES);
}

void token_event_created(struct step *step, const struct token_terms *terms)
{
    struct message event = { .type = MESSAGE_EVENT_TOKEN_CREATED };
    event.as.event_token_created = (struct message_event_token_created){
        .agent_id = terms->agent_id,
        .role = role_name(terms->role),
        .prefix = minted_prefix(step),
        .scopes = scopes_words(step, terms->scopes),
        .label = terms->label,
        .has_expires_at = terms->expires_ms != 0,
        .expires_at = terms->expires_ms,
    };
    event_add(step, &event);
}

void token_event_revoked(struct step *step, struct slice agent_id, uint32_t count,
                         struct slice prefix)
{
    if (count == 0)
        return;
    struct message event = { .type = MESSAGE_EVENT_TOKEN_REVOKED };
    event.as.event_token_revoked = (struct message_event_token_revoked){
        .agent_id = agent_id,
        .count = count,
        .prefix = prefix,
    };
    event_add(step, &event);
}

void token_event_rotated(struct step *step, const struct token_terms *terms,
                         uint32_t count, int64_t until_ms)
{
    struct message event = { .type = MESSAGE_EVENT_TOKEN_ROTATED };
    event.as.event_token_rotated = (struct message_event_token_rotated){
        .agent_id = terms->agent_id,
        .role = role_name(terms->role),
        .prefix = minted_prefix(step),
        .count = count,
        .overlap_until = until_ms,
    };
    event_add(step, &event);
}

void token_event_expired(struct step *step, const struct token *token)
{
    struct message event = { .type = MESSAGE_EVENT_TOKEN_EXPIRED };
    event.as.event_token_expired = (struct message_event_token_expired){
        .agent_id = token->agent_id,
        .role = role_name(token->role),
        .prefix = slice_make(token->prefix, TOKEN_PREFIX_BYTES),
        .rotated = token->rotated,
    };
    event_add(step, &event);
}

void token_event_enrolled(struct step *step, struct slice agent_id)
{
    struct message event = { .type = MESSAGE_EVENT_ADMIN_ENROLLED };
    event.as.event_admin_enrolled = (struct message_event_admin_enrolled){
        .agent_id = agent_id,
        .prefix = minted_prefix(step),
    };
    event_add(step, &event);
}

void token_event_offered(struct step *step)
{
    struct message event = { .type = MESSAGE_EVENT_ENROLMENT_OFFERED };
    event_add(step, &event);
}
