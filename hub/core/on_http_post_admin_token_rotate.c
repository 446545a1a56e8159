#include "core/handlers.h"
#include "core/role.h"
#include "core/token_event.h"
#include "core/token_view.h"

#include <string.h>

/* The tokens of one name that a new one takes the place of. */
struct rotation {
    struct step *step;
    const struct message_post_admin_token_rotate *message;
    enum token_reach reach;
    uint8_t digests[TOKENS_PER_AGENT_MAX][DIGEST_BYTES];
    uint32_t count;
    struct token newest; /* the new one is made after it */
    bool alike;
};

/* One that has been rotated out is no model: its end came nearer. */
static bool is_better_model(const struct token *one, const struct token *other)
{
    if (one->rotated != other->rotated)
        return !one->rotated;
    return one->created_ms > other->created_ms;
}

static void rotation_collect(struct rotation *rotation)
{
    struct step *step = rotation->step;
    struct token token;
    struct token_walk walk = token_walk_of(rotation->message->agent_id);
    rotation->alike = true;
    while (rotation->count < TOKENS_PER_AGENT_MAX && token_next(step, &walk, &token)) {
        if (!token_is_reached(step, rotation->reach, &token) ||
            !token_has_prefix(&token, rotation->message->token_prefix))
            continue;
        rotation->alike &=
            rotation->count == 0 || (token.role == rotation->newest.role &&
                                     token.scopes == rotation->newest.scopes);
        if (rotation->count == 0 || is_better_model(&token, &rotation->newest))
            rotation->newest = token;
        memcpy(rotation->digests[rotation->count++], token.digest, DIGEST_BYTES);
    }
    rotation->newest.label = step_copy(step, rotation->newest.label);
}

/* False: the asker has been refused. */
static bool rotation_check(const struct rotation *rotation)
{
    struct step *step = rotation->step;
    if (rotation->count == 0) {
        step_refuse(step, ERROR_TOKEN_NOT_FOUND);
    } else if (!rotation->alike) {
        step_refuse_field(step, SLICE_OF("token_prefix"), SLICE_OF("required"),
                          SLICE_OF("its tokens differ in role or scopes: name one"));
    } else if (!scopes_within(rotation->newest.scopes, step->command->scopes)) {
        step_refuse(step, ERROR_FORBIDDEN);
    } else {
        return true;
    }
    return false;
}

/* Who rotates its own token does not prolong it. */
static struct token_terms rotation_terms(const struct rotation *rotation)
{
    const struct message_post_admin_token_rotate *message = rotation->message;
    const struct token *model = &rotation->newest;
    int64_t now_ms = rotation->step->command->wall_ms;
    struct token_terms terms = {
        .agent_id = message->agent_id,
        .role = model->role,
        .scopes = model->scopes,
        .label = model->label,
        .lifetime_ms =
            message->has_expires_in_ms ? message->expires_in_ms : model->lifetime_ms,
    };
    if (terms.lifetime_ms != 0)
        terms.expires_ms = now_ms + terms.lifetime_ms;
    if (rotation->reach == TOKEN_REACH_OWN && model->expires_ms != 0 &&
        (terms.expires_ms == 0 || terms.expires_ms > model->expires_ms))
        terms.expires_ms = model->expires_ms;
    return terms;
}

static void rotation_end_old(const struct rotation *rotation, int64_t until_ms)
{
    struct step *step = rotation->step;
    for (uint32_t i = 0; i < rotation->count && !step_failed(step); i++) {
        struct token token;
        if (!token_load(step, rotation->digests[i], &token)) {
            step_fail(step, ERR_CORRUPT);
            return;
        }
        if (until_ms <= step->command->wall_ms) {
            token_remove(step, &token);
            continue;
        }
        token.rotated = true;
        token_end_at(step, &token,
                     token.expires_ms != 0 && token.expires_ms < until_ms
                         ? token.expires_ms
                         : until_ms);
    }
}

void on_post_admin_token_rotate(struct step *step,
                                const struct message_post_admin_token_rotate *message)
{
    struct rotation rotation = { .step = step, .message = message };
    rotation.reach = token_reach(step, message->agent_id);
    if (rotation.reach == TOKEN_REACH_NONE) {
        step_refuse(step, ERROR_FORBIDDEN);
        return;
    }
    if (!token_agent_id_valid(message->agent_id)) {
        step_refuse(step, ERROR_TOKEN_NOT_FOUND);
        return;
    }
    rotation_collect(&rotation);
    if (step_failed(step) || !rotation_check(&rotation))
        return;
    struct token_terms terms = rotation_terms(&rotation);
    if (!token_mint(step, &terms))
        return;
    int64_t until_ms = step->command->wall_ms + message->overlap_ms;
    rotation_end_old(&rotation, until_ms);
    token_event_rotated(step, &terms, rotation.count, until_ms);

    struct message answer = { .type = MESSAGE_POST_ADMIN_TOKEN_ROTATE_ANSWER };
    answer.as.post_admin_token_rotate_answer =
        (struct message_post_admin_token_rotate_answer){
            .agent_id = terms.agent_id,
            .role = role_name(terms.role),
            .token_prefix = token_prefix_view(step, step->command->minted_prefix),
            .scopes = scopes_words(step, terms.scopes),
            .label = terms.label,
            .has_expires_at = terms.expires_ms != 0,
            .expires_at = terms.expires_ms,
            .rotated = rotation.count,
            .overlap_until = until_ms,
        };
    step_answer(step, &answer, 0);
}
