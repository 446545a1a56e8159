/*
 * The store in use, verified: a copy of one moment is walked by a child and thrown away. To
 * walk the store itself would hold one snapshot for as long as that takes, and the file
 * would grow meanwhile.
 */
#include "ops/child.h"
#include "ops/inside.h"
#include "os/clock.h"
#include "os/log.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void fail_with(struct ops_outcome *outcome, enum err err)
{
    if (err == ERR_NO_SPACE)
        ops_fail(outcome, "storage_full", "there is no room for a copy to be walked");
    else if (err == ERR_CLOSED)
        ops_fail(outcome, "unavailable", "the hub ends");
    else if (err == ERR_CORRUPT)
        ops_fail(outcome, "store_corrupt", "its pages cannot be copied");
    else
        ops_fail(outcome, "verify_failed", "it cannot be copied: %s", err_name(err));
}

/* Broken is one thing; that it could not be looked at is another. */
static bool copy_walk(struct ops *ops, const char *directory,
                      const struct copy_result *copied, struct manifest *manifest,
                      struct ops_outcome *outcome)
{
    int ended =
        ops_walk(ops, directory, "verify_failed", "it was walked", manifest, outcome);
    if (child_found_broken(ended))
        outcome->code = "store_corrupt";
    if (ended != 0)
        return false;
    if (strcmp(manifest->sha256, copied->sha256) == 0)
        return true;
    ops_fail(outcome, "verify_failed", "what is on the disk is not what was written");
    return false;
}

static bool copy_verify(struct ops *ops, const struct ops_job *job,
                        struct manifest *manifest, struct ops_outcome *outcome)
{
    char name[MANIFEST_NAME_BYTES + 1];
    char path[VAULT_PATH_BYTES + MANIFEST_NAME_BYTES + sizeof VAULT_PARTIAL + 1];
    struct copy_result copied = { 0 };
    int data;
    vault_name_make(VAULT_BACKUP, clock_wall_ms(), 0, name);
    enum err err = vault_begin(&ops->vault, name, &data, &outcome->problem);
    if (err != ERR_OK) {
        fail_with(outcome, err);
        return false;
    }
    err = backup_data_make(ops, job, data, &copied);
    if (close(data) != 0 && err == ERR_OK)
        err = ERR_IO;
    if (err != ERR_OK)
        fail_with(outcome, err);
    (void)snprintf(path, sizeof path, "%s/%s%s", ops->vault.path, name, VAULT_PARTIAL);
    bool good = err == ERR_OK && copy_walk(ops, path, &copied, manifest, outcome);
    vault_give_up(&ops->vault, name);
    return good;
}

void verify_run(struct ops *ops, const struct ops_job *job, struct ops_outcome *outcome)
{
    struct manifest *manifest = calloc(1, sizeof *manifest);
    outcome->code = "verify_failed";
    if (manifest == NULL) {
        ops_fail(outcome, "unavailable", "out of memory");
    } else if (!ops_vault(ops, &outcome->problem)) {
        outcome->code = "verify_failed";
    } else if (!backup_has_room(ops)) {
        fail_with(outcome, ERR_NO_SPACE);
    } else if (copy_verify(ops, job, manifest, outcome)) {
        outcome->complete = true;
        outcome->bytes = manifest->bytes;
        outcome->sequence = manifest->sequence;
        outcome->tables_total = (uint32_t)manifest->table_count;
        outcome->tables_success = outcome->tables_total;
        backup_results_write(manifest, "whole", NULL, outcome);
    }
    if (!outcome->complete && strcmp(outcome->code, "store_corrupt") == 0)
        LOG_ERROR("store_corrupt", LOG_WORD("reason", outcome->problem.text));
    free(manifest);
}
