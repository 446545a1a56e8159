#include "cli/listing.h"

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

static const struct listing TOKENS = {
    .member = "tokens",
    .columns = { { .head = "AGENT", .field = "agent_id" },
                 { .head = "ROLE", .field = "role" },
                 { .head = "TOKEN", .field = "token_prefix" },
                 { .head = "CREATED", .field = "created_at", .kind = COLUMN_TIME } },
};

static const struct command COMMANDS[] = {
    { .name = "create",
      .route = MESSAGE_POST_ADMIN_TOKEN,
      .show = token_show,
      .arguments = { { .name = "AGENT", .field = "agent_id" } },
      .options = { { .name = "--role", .value = "ROLE", .field = "role" } } },
    { .name = "list", .route = MESSAGE_GET_ADMIN_TOKENS, .list = &TOKENS },
    { .name = "revoke",
      .route = MESSAGE_DELETE_ADMIN_TOKEN,
      .done = "revoked",
      .arguments = { { .name = "AGENT", .field = "agent_id" } } },
};

const struct command_group TOKEN_GROUP = { "token", COMMANDS,
                                           sizeof COMMANDS / sizeof COMMANDS[0] };
