#include "core/restore.h"
#include "ops/inside.h"
#include "ops/reading.h"
#include "ops/restore.h"
#include "os/clock.h"
#include "os/log.h"
#include "store/replace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool go_on(void *context)
{
    return ops_attend(context, -1, 0);
}

static bool walked_by_child(struct ops *ops, const char *directory,
                            struct ops_outcome *outcome)
{
    return ops_walk(ops, directory, "restore_failed", "it was walked and is not good",
                    NULL, outcome) == 0;
}

static enum err figures_look(struct transaction *snapshot, void *context)
{
    return core_figures_read(snapshot, context);
}

static uint64_t epoch_next(struct ops *ops)
{
    struct core_figures figures = { 0 };
    (void)reading_look(ops->options.store, figures_look, &figures);
    return core_restore_epoch(figures.place.epoch, clock_wall_ms());
}

static struct restore_options options_of(struct ops *ops)
{
    return (struct restore_options){
        .data = ops->options.data_directory,
        .vault = &ops->vault,
        .name = ops->restored,
        .requested_by = "an administrator",
        .settings = ops->options.settings,
        .bytes_max = ops->options.store_bytes_max,
        .forced_file_system = ops->options.forced_file_system,
        .wall_ms = clock_wall_ms(),
    };
}

void restore_run(struct ops *ops, const struct ops_job *job, struct ops_outcome *outcome)
{
    char path[2 * VAULT_PATH_BYTES];
    outcome->code = "restore_failed";
    if (!ops_vault(ops, &outcome->problem))
        return;
    (void)snprintf(ops->restored, sizeof ops->restored, "%.*s", MANIFEST_NAME_BYTES,
                   job->subject);
    (void)snprintf(path, sizeof path, "%s/%s", ops->vault.path, ops->restored);
    if (!vault_name_valid(slice_from_text(job->subject)) ||
        !walked_by_child(ops, path, outcome))
        return;

    struct restore_options options = options_of(ops);
    options.epoch = epoch_next(ops);
    options.go_on = go_on;
    options.context = ops;
    if (restore_prepare(&options, &outcome->problem) != ERR_OK)
        return;
    (void)snprintf(path, sizeof path, "%s/" REPLACE_RESTORING, options.data);
    if (!walked_by_child(ops, path, outcome)) {
        replace_forget(options.data, REPLACE_RESTORING);
        return;
    }
    LOG_NOTICE("restore_prepared", LOG_WORD("backup", ops->restored));
    outcome->complete = true;
    outcome->silent = true; /* the store that this job is in is given up */
    atomic_store(&ops->restore_ready, true);
    ops->options.restart(ops->options.context);
}

/* Of another store's backup nobody can tell. */
static enum err commands_lost(struct ops *ops, struct core_restore_story *story,
                              struct vault_problem *problem)
{
    struct core_figures figures = { 0 };
    struct manifest *backup = malloc(sizeof *backup);
    enum err err = backup == NULL
                       ? ERR_MEMORY
                       : vault_look(&ops->vault, ops->restored, backup, problem);
    if (err == ERR_OK)
        err = reading_look(ops->options.store, figures_look, &figures);
    if (err == ERR_OK && figures.instance == backup->instance) {
        story->lost_known = true;
        story->commands_lost = figures.place.sequence > backup->sequence
                                   ? figures.place.sequence - backup->sequence
                                   : 0;
    }
    free(backup);
    return err;
}

bool ops_restore_is_ready(const struct ops *ops)
{
    return atomic_load(&ops->restore_ready);
}

enum err ops_restore_merge(struct ops *ops)
{
    struct vault_problem problem = { "" };
    struct restore_options options = options_of(ops);
    struct core_restore_story story = { .revocations_kept = true };
    enum err err = restore_merge(&options, ops->options.store, &problem);
    if (err == ERR_OK)
        err = commands_lost(ops, &story, &problem);
    if (err == ERR_OK)
        err = restore_tell(&options, &story, &problem);
    if (err != ERR_OK)
        LOG_ERROR("restore_failed", LOG_ERR(err), LOG_WORD("reason", problem.text));
    return err;
}
