#include "cli/hub_program.h"
#include "cli/job.h"
#include "cli/listing.h"
#include "cli/request.h"
#include "cli/store_verify.h"

#include <stdio.h>

static enum outcome compact_show(const struct answer *answer)
{
    long long before = (long long)member_number(answer, answer->root, "bytes_before");
    long long after = (long long)member_number(answer, answer->root, "bytes_after");
    long long done = (long long)member_number(answer, answer->root, "tables_compacted");
    long long job = (long long)member_number(answer, answer->root, "job_id");
    if (before == 0)
        (void)printf("job %lld goes on\n", job);
    else if (done == 0)
        (void)printf("nothing changed: %lld bytes could become %lld\n", before, after);
    else
        (void)printf("%lld bytes became %lld\n", before, after);
    return OUTCOME_OK;
}

static bool is_unconfirmed(const struct answer *answer)
{
    return answer->root != NULL &&
           slice_equal_text(member_text(answer, answer->root, "status"),
                            "confirmation_needed");
}

static void losses_tell(const struct answer *answer)
{
    bool more = member_of(answer, answer->root, "tasks_lost_more") != NULL &&
                member_of(answer, answer->root, "tasks_lost_more")->kind == JSON_TRUE;
    const struct json_node *events = member_of(answer, answer->root, "events_lost");
    char told[48] = "";
    if (events != NULL && events->kind == JSON_NUMBER)
        (void)snprintf(told, sizeof told, "%lld events, ",
                       (long long)member_number(answer, answer->root, "events_lost"));
    (void)fprintf(
        stderr,
        "drover: what was done since that backup will be undone: %lld commands, "
        "%s%lld%s tasks submitted since; --yes restores it\n",
        (long long)member_number(answer, answer->root, "commands_lost"), told,
        (long long)member_number(answer, answer->root, "tasks_lost"),
        more ? " or more" : "");
}

/* Asked once to learn what would be lost, and once more to lose it. */
static enum outcome restore_run(struct invocation *invocation)
{
    char confirm[32];
    struct answer answer;
    enum outcome outcome =
        request_call(invocation, MESSAGE_POST_ADMIN_RESTORE, NULL, 0, &answer);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (is_unconfirmed(&answer)) {
        if (!given_has(invocation, "--yes")) {
            losses_tell(&answer);
            return OUTCOME_CONFLICT;
        }
        (void)snprintf(confirm, sizeof confirm, "%lld",
                       (long long)member_number(&answer, answer.root, "confirm"));
        const struct filling filling = { "confirm", slice_from_text(confirm) };
        outcome =
            request_call(invocation, MESSAGE_POST_ADMIN_RESTORE, &filling, 1, &answer);
        if (outcome != OUTCOME_OK)
            return outcome;
    }
    if (answer.outcome != OUTCOME_OK)
        return answer_tell(invocation, &answer);
    if (invocation->json)
        return answer_print(&answer);
    (void)printf("the hub goes on with %s\n", invocation->arguments[0]);
    return OUTCOME_OK;
}

/* Without a hub: the program that opens stores does it by itself. */
static enum outcome at_run_beside(const struct invocation *invocation, const char *to)
{
    const char *epoch = given_value(invocation, "--epoch");
    const char *data = given_value(invocation, "--data");
    const char *arguments[9] = { "--store-at", invocation->arguments[0], "--to", to };
    size_t count = 4;
    if (epoch != NULL) {
        arguments[count++] = "--epoch";
        arguments[count++] = epoch;
    }
    if (data != NULL) {
        arguments[count++] = "--data";
        arguments[count++] = data;
    }
    return hub_program_become(arguments);
}

static enum outcome at_run(struct invocation *invocation)
{
    const char *to = given_value(invocation, "--to");
    if (to != NULL)
        return at_run_beside(invocation, to);
    struct slice event = slice_from_text(invocation->arguments[0]);
    const struct filling filling = { "event", event };
    return job_make(invocation, &filling, slice_equal_text(event, "last") ? 0 : 1);
}

static const struct listing JOBS = {
    .member = "jobs",
    .columns = { { .head = "JOB", .field = "id", .kind = COLUMN_NUMBER },
                 { .head = "KIND", .field = "kind" },
                 { .head = "STATUS", .field = "status" },
                 { .head = "DONE", .field = "done", .kind = COLUMN_NUMBER },
                 { .head = "OF", .field = "total", .kind = COLUMN_NUMBER },
                 { .head = "CREATED", .field = "created_at", .kind = COLUMN_TIME },
                 { .head = "RESULT", .field = "outcome" },
                 { .head = "REASON", .field = "reason" } },
};

static const struct command COMMANDS[] = {
    { .name = "restore",
      .route = MESSAGE_POST_ADMIN_RESTORE,
      .run = restore_run,
      .arguments = { { .name = "BACKUP", .field = "backup" } },
      .options = { { .name = "--yes",
                     .help = "Restore it, whatever is lost; without it that is told." },
                   { .name = "--force", .field = "force" } } },
    { .name = "at",
      .route = MESSAGE_POST_ADMIN_STORE_AT,
      .run = at_run,
      .arguments = { { .name = "EVENT", .help = "The number of an event, or last." } },
      .options = { { .name = "--epoch", .value = "NUMBER", .field = "epoch" },
                   { .name = "--to",
                     .value = "DIRECTORY",
                     .help = "Make it there, without a hub." },
                   { .name = "--data",
                     .value = "DIRECTORY",
                     .help = "With --to, the hub's data; else $DROVER_DATA, or "
                             "./drover-data." } } },
    { .name = "verify",
      .route = MESSAGE_POST_ADMIN_VERIFY,
      .run = store_verify_run,
      .arguments = { { .name = "[DIRECTORY]",
                       .help =
                           "A data directory that no hub has open, or a backup: it is "
                           "read without a hub." } },
      .options = { { .name = "--offline",
                     .help = "The directory is $DROVER_DATA, else ./drover-data." } } },
    { .name = "jobs", .route = MESSAGE_GET_ADMIN_JOBS, .list = &JOBS },
    { .name = "compact",
      .route = MESSAGE_POST_ADMIN_COMPACT,
      .show = compact_show,
      .options = { { .name = "--dry-run", .field = "dry_run" } } },
};

const struct command_group STORE_GROUP = { "store", COMMANDS,
                                           sizeof COMMANDS / sizeof COMMANDS[0] };
