#include "cli/command.h"
#include "cli/screen.h"

#include <stdio.h>

static enum outcome health_show(const struct answer *answer)
{
    struct buffer status;
    buffer_init(&status, 4096);
    text_escape(member_text(answer, answer->root, "status"), false, "", &status);
    (void)printf("%.*s, %lld agents connected\n", (int)status.size,
                 status.size > 0 ? status.data : "",
                 (long long)member_number(answer, answer->root, "agents_connected"));
    buffer_finish(&status);
    return OUTCOME_OK;
}

static const struct command COMMANDS[] = {
    { .name = "health", .route = MESSAGE_GET_HEALTH, .show = health_show },
};

const struct command_group HUB_GROUP = { "hub", COMMANDS,
                                         sizeof COMMANDS / sizeof COMMANDS[0] };
