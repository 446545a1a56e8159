#include "ops/restore.h"

#include "ops/fetch.h"
#include "ops/shape.h"
#include "store/replace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAP_BYTES_FIRST ((uint64_t)1024 * 1024)

struct path {
    char text[VAULT_PATH_BYTES + 64];
};

static struct path path_of(const char *data, const char *name)
{
    struct path path;
    (void)snprintf(path.text, sizeof path.text, "%s/%s", data, name);
    return path;
}

static enum err say_errno(struct vault_problem *problem, const char *doing)
{
    int code = errno;
    vault_say(problem, "%s: %s", doing, strerror(code));
    return code == ENOSPC || code == EDQUOT || code == EFBIG ? ERR_NO_SPACE : ERR_IO;
}

static enum err data_copy(const struct restore_options *options,
                          const struct manifest *manifest, struct vault_problem *problem)
{
    const struct fetching fetching = { options->vault, manifest, options->go_on,
                                       options->context };
    return fetch_data(&fetching,
                      path_of(options->data, REPLACE_RESTORING "/" VAULT_DATA).text,
                      problem);
}

static enum err new_store_open(const struct restore_options *options,
                               struct store **ret_store, struct vault_problem *problem)
{
    struct store_problem reason = { "" };
    struct path directory = path_of(options->data, REPLACE_RESTORING);
    struct store_options opened = shape_options(directory.text);
    opened.bytes_first = MAP_BYTES_FIRST;
    opened.bytes_max = options->bytes_max;
    opened.forced_file_system = options->forced_file_system;
    enum err err = store_open(&opened, ret_store, &reason);
    if (err != ERR_OK)
        vault_say(problem, "%.240s", reason.text);
    return err;
}

static struct core_restore restore_begin(const struct restore_options *options)
{
    return (struct core_restore){
        .backup = slice_from_text(options->name),
        .requested_by = slice_from_text(options->requested_by),
        .epoch = options->epoch,
        .wall_ms = options->wall_ms,
    };
}

/* What makes a backup fit, a batch at a time. */
struct work {
    const struct restore_options *options;
    struct transaction *live;               /* for the tokens */
    const struct core_restore_story *story; /* for the telling */
    enum err (*step)(const struct work *work, struct transaction *batch,
                     struct core_restore *restore, bool *ret_last);
};

static enum err tasks_step(const struct work *work, struct transaction *batch,
                           struct core_restore *restore, bool *ret_last)
{
    return core_restore_step(work->options->settings, batch, restore, ret_last);
}

static enum err tokens_step(const struct work *work, struct transaction *batch,
                            struct core_restore *restore, bool *ret_last)
{
    return core_restore_tokens(work->options->settings, batch, work->live, restore,
                               ret_last);
}

static enum err tell_step(const struct work *work, struct transaction *batch,
                          struct core_restore *restore, bool *ret_last)
{
    *ret_last = true;
    return core_restore_tell(work->options->settings, batch, restore, work->story);
}

static enum err work_do(const struct work *work, struct store *store)
{
    const struct restore_options *options = work->options;
    struct core_restore restore = restore_begin(options);
    struct core_restore before = restore;
    bool done = false;
    enum err err = ERR_OK;
    while (!done && err == ERR_OK) {
        if (options->go_on != NULL && !options->go_on(options->context))
            return ERR_CLOSED;
        bool last = false;
        err = work->step(work, store_batch(store), &restore, &last);
        if (err == ERR_OK)
            err = store_commit(store);
        else
            store_abort(store);
        if (err == ERR_MAP_FULL) {
            restore = before;
            err = store_grow(store);
        } else if (err == ERR_OK) {
            before = restore;
            done = last;
        }
    }
    return err;
}

/* On the prepared store, which is closed again. */
static enum err work_do_prepared(const struct work *work, const char *doing,
                                 struct vault_problem *problem)
{
    struct store *store = NULL;
    enum err err = new_store_open(work->options, &store, problem);
    if (err != ERR_OK)
        return err;
    err = work_do(work, store);
    store_close(store);
    if (err != ERR_OK)
        vault_say(problem, "%s: %s", doing, err_name(err));
    return err;
}

enum err restore_prepare(const struct restore_options *options,
                         struct vault_problem *ret_problem)
{
    struct manifest *manifest = malloc(sizeof *manifest);
    if (manifest == NULL)
        return ERR_MEMORY;
    replace_forget(options->data, REPLACE_RESTORING);
    enum err err = vault_look(options->vault, options->name, manifest, ret_problem);
    if (err == ERR_OK && mkdir(path_of(options->data, REPLACE_RESTORING).text, 0700) != 0)
        err = say_errno(ret_problem, "a place for the new store cannot be made");
    if (err == ERR_OK)
        err = data_copy(options, manifest, ret_problem);
    free(manifest);
    const struct work work = { .options = options, .step = tasks_step };
    if (err == ERR_OK)
        err = work_do_prepared(&work, "the backup cannot be made fit", ret_problem);
    if (err != ERR_OK)
        replace_forget(options->data, REPLACE_RESTORING);
    return err;
}

enum err restore_merge(const struct restore_options *options, struct store *live,
                       struct vault_problem *ret_problem)
{
    struct store_reader *reader = store_reader_create(live);
    if (reader == NULL)
        return ERR_MEMORY;
    const struct work work = {
        .options = options,
        .live = store_reader_begin(reader),
        .step = tokens_step,
    };
    enum err err =
        work_do_prepared(&work, "what was revoked cannot be taken over", ret_problem);
    store_reader_end(reader);
    store_reader_destroy(reader);
    return err;
}

enum err restore_tell(const struct restore_options *options,
                      const struct core_restore_story *story,
                      struct vault_problem *ret_problem)
{
    const struct work work = { .options = options, .story = story, .step = tell_step };
    return work_do_prepared(&work, "its log cannot be told", ret_problem);
}

enum err restore_swap(const char *data, struct vault_problem *ret_problem)
{
    int code = replace_run(data, path_of(data, REPLACE_RESTORING "/" VAULT_DATA).text,
                           NULL, NULL);
    if (code != 0) {
        errno = code;
        return say_errno(ret_problem, "the new store cannot take its place");
    }
    replace_forget(data, REPLACE_RESTORING);
    return ERR_OK;
}
