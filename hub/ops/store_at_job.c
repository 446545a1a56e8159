#include "ops/inside.h"
#include "os/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NUMBER_BYTES = sizeof "18446744073709551615",
    ARGUMENTS_MAX = 16,
    SAID_BYTES_MAX = 64 * 1024,
    EXIT_CONFIG = 78, /* of the errand: what was asked for cannot be had */
};

/* "EVENT" or "EVENT@EPOCH", as on_post_admin_store_at() writes it. */
static void subject_split(const struct ops_job *job, char event[NUMBER_BYTES],
                          char epoch[NUMBER_BYTES])
{
    struct slice subject = slice_from_text(job->subject);
    size_t at = slice_find(subject, '@');
    (void)snprintf(event, NUMBER_BYTES, "%.*s", (int)at, subject.data);
    (void)snprintf(epoch, NUMBER_BYTES, "%s",
                   at < subject.size ? subject.data + at + 1 : "");
}

/* Why it could not be done stands last, behind what was logged on the way. */
static struct slice reason_of(struct slice said)
{
    static const struct slice SPEAKER = SLICE("drover-hub: ");
    while (said.size > 0 && said.data[said.size - 1] == '\n')
        said.size--;
    size_t end;
    while ((end = slice_find(said, '\n')) < said.size)
        said = slice_skip(said, end + 1);
    return slice_starts_with(said, SPEAKER) ? slice_skip(said, SPEAKER.size) : said;
}

/* A child does it: commands that do not fit the tables end the process they are in. */
static bool made_by_child(struct ops *ops, const struct ops_job *job, const char *target,
                          struct ops_outcome *outcome)
{
    char event[NUMBER_BYTES];
    char epoch[NUMBER_BYTES];
    char bytes_max[NUMBER_BYTES];
    const char *arguments[ARGUMENTS_MAX] = { "--store-at",
                                             event,
                                             "--to",
                                             target,
                                             "--backup-directory",
                                             ops->options.backup_directory,
                                             "--journal-directory",
                                             ops->options.journal_directory,
                                             "--map-bytes-max",
                                             bytes_max };
    size_t count = 10;
    struct buffer said;
    subject_split(job, event, epoch);
    (void)snprintf(bytes_max, sizeof bytes_max, "%" PRIu64, ops->options.store_bytes_max);
    if (epoch[0] != '\0') {
        arguments[count++] = "--epoch";
        arguments[count++] = epoch;
    }
    if (ops->options.forced_file_system)
        arguments[count++] = "--forced-file-system";
    buffer_init(&said, SAID_BYTES_MAX);
    int code = ops_run_child(ops, arguments, &said);
    struct slice reason = reason_of(buffer_slice(&said));
    if (code < 0)
        ops_fail(outcome, "unavailable", "the hub ends");
    else if (code != 0)
        ops_fail(outcome, code == EXIT_CONFIG ? "history_missing" : "backup_failed",
                 "%.*s", (int)reason.size, reason.data);
    buffer_finish(&said);
    return code == 0;
}

static bool store_at_make(struct ops *ops, const struct ops_job *job,
                          struct manifest *manifest, struct ops_outcome *outcome)
{
    char name[MANIFEST_NAME_BYTES + 1];
    char target[VAULT_PATH_BYTES + MANIFEST_NAME_BYTES + sizeof VAULT_PARTIAL + 1];
    vault_name_make(VAULT_STORE_AT, clock_wall_ms(), job->number, name);
    enum err err = vault_begin(&ops->vault, name, NULL, &outcome->problem);
    if (err != ERR_OK) {
        outcome->code = err == ERR_NO_SPACE ? "storage_full" : "backup_failed";
        return false;
    }
    (void)snprintf(target, sizeof target, "%s/%s%s", ops->vault.path, name,
                   VAULT_PARTIAL);
    if (!made_by_child(ops, job, target, outcome) ||
        !backup_verify(ops, name, NULL, manifest, outcome)) {
        vault_give_up(&ops->vault, name);
        return false;
    }
    return backup_finish(ops, VAULT_STORE_AT, name, manifest, outcome);
}

void store_at_run(struct ops *ops, const struct ops_job *job, struct ops_outcome *outcome)
{
    struct manifest *manifest = calloc(1, sizeof *manifest);
    outcome->code = "backup_failed";
    if (manifest == NULL)
        ops_fail(outcome, "unavailable", "out of memory");
    else if (ops->options.journal_directory == NULL)
        ops_fail(outcome, "history_missing",
                 "this hub keeps no command journal (the setting journal)");
    else if (ops_vault(ops, &outcome->problem) &&
             store_at_make(ops, job, manifest, outcome))
        backup_tell(manifest, outcome);
    free(manifest);
    ops_tell_backups(ops);
}
