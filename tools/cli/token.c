#include "cli/listing.h"
#include "cli/request.h"

#include <stdio.h>

static enum outcome token_show(const struct answer *answer)
{
    struct buffer token;
    buffer_init(&token, 4096);
    text_escape(member_text(answer, answer->root, "token"), false, "", &token);
    (void)printf("%.*s\n", (int)token.size, token.size > 0 ? token.data : "");
    buffer_finish(&token);
    return OUTCOME_OK;
}

/* All of an agent's tokens, or the one that is named. */
static enum outcome revoke_run(struct invocation *invocation)
{
    struct answer answer;
    const char *prefix = invocation->argument_count > 1 ? invocation->arguments[1] : NULL;
    const struct filling fillings[] = {
        { "agent_id", slice_from_text(invocation->arguments[0]) },
        { "token_prefix", slice_from_text(prefix) },
    };
    enum outcome outcome = request_call(invocation,
                                        prefix == NULL ? MESSAGE_DELETE_ADMIN_TOKEN
                                                       : MESSAGE_DELETE_ADMIN_TOKEN_ONE,
                                        fillings, prefix == NULL ? 1 : 2, &answer);
    if (outcome == OUTCOME_OK)
        outcome = answer_tell(invocation, &answer);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (invocation->json)
        return answer_print(&answer);
    (void)printf("%s%s%s revoked\n", invocation->arguments[0], prefix != NULL ? " " : "",
                 prefix != NULL ? prefix : "");
    return OUTCOME_OK;
}

static const struct listing TOKENS = {
    .member = "tokens",
    .columns = { { .head = "AGENT", .field = "agent_id" },
                 { .head = "ROLE", .field = "role" },
                 { .head = "TOKEN", .field = "token_prefix" },
                 { .head = "CREATED", .field = "created_at", .kind = COLUMN_TIME },
                 { .head = "USED", .field = "last_used_at", .kind = COLUMN_TIME },
                 { .head = "ENDS", .field = "expires_at", .kind = COLUMN_TIME },
                 { .head = "SCOPES", .field = "scopes", .kind = COLUMN_TEXTS },
                 { .head = "LABEL", .field = "label" } },
};

static const struct command COMMANDS[] = {
    { .name = "create",
      .route = MESSAGE_POST_ADMIN_TOKEN,
      .show = token_show,
      .arguments = { { .name = "AGENT", .field = "agent_id" } },
      .options = { { .name = "--role", .value = "ROLE", .field = "role" },
                   { .name = "--scope", .value = "SCOPE", .field = "scopes" },
                   { .name = "--label", .value = "TEXT", .field = "label" },
                   { .name = "--expires-in",
                     .value = "TIME",
                     .field = "expires_in_ms",
                     .form = FORM_DURATION } } },
    { .name = "list", .route = MESSAGE_GET_ADMIN_TOKENS, .list = &TOKENS },
    { .name = "rotate",
      .route = MESSAGE_POST_ADMIN_TOKEN_ROTATE,
      .show = token_show,
      .arguments = { { .name = "AGENT", .field = "agent_id" },
                     { .name = "[TOKEN]", .field = "token_prefix" } },
      .options = { { .name = "--overlap",
                     .value = "TIME",
                     .field = "overlap_ms",
                     .form = FORM_DURATION },
                   { .name = "--expires-in",
                     .value = "TIME",
                     .field = "expires_in_ms",
                     .form = FORM_DURATION } } },
    { .name = "revoke",
      .route = MESSAGE_DELETE_ADMIN_TOKEN,
      .run = revoke_run,
      .arguments = { { .name = "AGENT", .field = "agent_id" },
                     { .name = "[TOKEN]",
                       .help = "Only the one that begins so, as the list shows it." } } },
};

const struct command_group TOKEN_GROUP = { "token", COMMANDS,
                                           sizeof COMMANDS / sizeof COMMANDS[0] };
