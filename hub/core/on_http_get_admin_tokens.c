#include "core/handlers.h"
#include "core/role.h"
#include "core/token_view.h"

#include <string.h>

enum {
    TOKENS_LISTED_MAX = 20000,
    TOKENS_CHUNK = 64,
};

/* A list that doubles: the arena takes back nothing, so at most twice what is needed. */
struct growing {
    struct message_token_listed *items;
    size_t count;
    size_t room;
};

static bool grow(struct step *step, struct growing *list)
{
    size_t room = list->room == 0 ? TOKENS_CHUNK : list->room * 2;
    struct message_token_listed *items = step_take_many(step, room, sizeof *items);
    if (items == NULL)
        return false;
    if (list->count > 0)
        memcpy(items, list->items, list->count * sizeof *items);
    list->items = items;
    list->room = room;
    return true;
}

void on_get_admin_tokens(struct step *step,
                         const struct message_get_admin_tokens *message)
{
    (void)message;
    struct growing list = { 0 };
    struct token_walk walk = { 0 };
    struct token token;

    if (!grow(step, &list))
        return;
    while (list.count < TOKENS_LISTED_MAX && token_next(step, &walk, &token)) {
        if (token.role == ROLE_BOOTSTRAP)
            continue;
        if (list.count == list.room && !grow(step, &list))
            return;
        list.items[list.count++] = (struct message_token_listed){
            .agent_id = step_copy(step, token.agent_id),
            .token_prefix = token_prefix_view(step, token.prefix),
            .role = role_name(token.role),
            .scopes = scopes_words(step, token.scopes),
            .label = step_copy(step, token.label),
            .created_at = token.created_ms,
            .has_expires_at = token.expires_ms != 0,
            .expires_at = token.expires_ms,
            .has_last_used_at = token.used_ms != 0,
            .last_used_at = token.used_ms,
            .rotated = token.rotated,
        };
    }

    struct message answer = { .type = MESSAGE_GET_ADMIN_TOKENS_ANSWER };
    answer.as.get_admin_tokens_answer.tokens =
        (struct message_list){ .items = list.items, .count = list.count };
    step_answer(step, &answer, 0);
}
