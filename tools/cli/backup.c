#include "cli/listing.h"

#include <stdio.h>

static enum outcome create_show(const struct answer *answer)
{
    struct slice name = member_text(answer, answer->root, "backup");
    long long bytes = (long long)member_number(answer, answer->root, "bytes");
    long long job = (long long)member_number(answer, answer->root, "job_id");
    struct buffer shown;
    if (name.size == 0) {
        (void)printf("job %lld goes on\n", job);
        return OUTCOME_OK;
    }
    buffer_init(&shown, 4096);
    text_escape(name, false, "", &shown);
    (void)printf("%.*s, %lld bytes\n", (int)shown.size, shown.data, bytes);
    buffer_finish(&shown);
    return OUTCOME_OK;
}

static const struct listing BACKUPS = {
    .member = "backups",
    .columns = { { .head = "BACKUP", .field = "name" },
                 { .head = "CREATED", .field = "created_at", .kind = COLUMN_TIME },
                 { .head = "BYTES", .field = "bytes", .kind = COLUMN_NUMBER },
                 { .head = "RECORDS", .field = "records", .kind = COLUMN_NUMBER } },
};

static const struct command COMMANDS[] = {
    { .name = "create", .route = MESSAGE_POST_ADMIN_BACKUP, .show = create_show },
    { .name = "list", .route = MESSAGE_GET_ADMIN_BACKUPS, .list = &BACKUPS },
};

const struct command_group BACKUP_GROUP = { "backup", COMMANDS,
                                            sizeof COMMANDS / sizeof COMMANDS[0] };
