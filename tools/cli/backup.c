#include "cli/job.h"
#include "cli/listing.h"

static enum outcome backup_run(struct invocation *invocation)
{
    return job_make(invocation, NULL, 0);
}

static const struct listing BACKUPS = {
    .member = "backups",
    .columns = { { .head = "BACKUP", .field = "name" },
                 { .head = "CREATED", .field = "created_at", .kind = COLUMN_TIME },
                 { .head = "BYTES", .field = "bytes", .kind = COLUMN_NUMBER },
                 { .head = "RECORDS", .field = "records", .kind = COLUMN_NUMBER } },
};

static const struct command COMMANDS[] = {
    { .name = "create", .route = MESSAGE_POST_ADMIN_BACKUP, .run = backup_run },
    { .name = "list", .route = MESSAGE_GET_ADMIN_BACKUPS, .list = &BACKUPS },
};

const struct command_group BACKUP_GROUP = { "backup", COMMANDS,
                                            sizeof COMMANDS / sizeof COMMANDS[0] };
