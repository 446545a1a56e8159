#include "cli/job.h"
#include "cli/listing.h"
#include "cli/screen.h"

#include <stdio.h>

static void made_show(const struct answer *job)
{
    struct slice name = member_text(job, job->root, "outcome");
    long long bytes = (long long)member_number(job, job->root, "bytes");
    struct buffer shown;
    buffer_init(&shown, 4096);
    text_escape(name, false, "", &shown);
    (void)printf("%.*s, %lld bytes\n", (int)shown.size, shown.size > 0 ? shown.data : "",
                 bytes);
    buffer_finish(&shown);
}

/* People are shown how far it is; programs get the hub's own answer. */
static enum outcome create_run(struct invocation *invocation)
{
    const struct filling filling = { "wait", SLICE_OF("false") };
    struct answer answer;
    enum outcome outcome =
        command_call(invocation, &filling, invocation->json ? 0 : 1, &answer);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (invocation->json)
        return answer_print(&answer);
    outcome =
        job_follow(invocation, member_number(&answer, answer.root, "job_id"), &answer);
    if (outcome == OUTCOME_OK)
        made_show(&answer);
    return outcome;
}

static const struct listing BACKUPS = {
    .member = "backups",
    .columns = { { .head = "BACKUP", .field = "name" },
                 { .head = "CREATED", .field = "created_at", .kind = COLUMN_TIME },
                 { .head = "BYTES", .field = "bytes", .kind = COLUMN_NUMBER },
                 { .head = "RECORDS", .field = "records", .kind = COLUMN_NUMBER } },
};

static const struct command COMMANDS[] = {
    { .name = "create", .route = MESSAGE_POST_ADMIN_BACKUP, .run = create_run },
    { .name = "list", .route = MESSAGE_GET_ADMIN_BACKUPS, .list = &BACKUPS },
};

const struct command_group BACKUP_GROUP = { "backup", COMMANDS,
                                            sizeof COMMANDS / sizeof COMMANDS[0] };
