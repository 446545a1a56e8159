#include "cli/command.h"

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

static const struct command COMMANDS[] = {
    { .name = "compact",
      .route = MESSAGE_POST_ADMIN_COMPACT,
      .show = compact_show,
      .options = { { .name = "--dry-run", .field = "dry_run" } } },
};

const struct command_group STORE_GROUP = { "store", COMMANDS,
                                           sizeof COMMANDS / sizeof COMMANDS[0] };
