#include "ops/restore.h"

#include "ops/fetch.h"
#include "os/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIRECTORY "restoring"
#define DATA_FILE "data.mdb"
#define LOCK_FILE "lock.mdb"
#define HUB_LOCK_FILE "hub.lock"
#define PREVIOUS_FILE "data.mdb.prev"
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

void restore_forget(const char *data)
{
    static const char *const FILES[] = { DIRECTORY "/" DATA_FILE, DIRECTORY "/" LOCK_FILE,
                                         DIRECTORY "/" HUB_LOCK_FILE };
    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++)
        (void)unlink(path_of(data, FILES[i]).text);
    (void)rmdir(path_of(data, DIRECTORY).text);
}

static enum err data_copy(const struct restore_options *options,
                          const struct manifest *manifest, struct vault_problem *problem)
{
    const struct fetching fetching = { options->vault, manifest, options->go_on,
                                       options->context };
    return fetch_data(&fetching, path_of(options->data, DIRECTORY "/" DATA_FILE).text,
                      problem);
}

static enum err new_store_open(const struct restore_options *options,
                               struct store **ret_store, struct vault_problem *problem)
{
    struct store_problem reason = { "" };
    struct path directory = path_of(options->data, DIRECTORY);
    struct store_options opened = {
        .directory = directory.text,
        .tables = CORE_TABLES,
        .table_count = CORE_TABLE_COUNT,
        .bytes_first = MAP_BYTES_FIRST,
        .bytes_max = options->bytes_max,
        .forced_file_system = options->forced_file_system,
    };
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

/* Steps until all is done: `live` NULL those of the tasks, else those of the tokens. */
static enum err steps_run(const struct restore_options *options, struct store *store,
                          struct transaction *live)
{
    struct core_restore restore = restore_begin(options);
    struct core_restore before = restore;
    bool done = false;
    enum err err = ERR_OK;
    while (!done && err == ERR_OK) {
        if (options->go_on != NULL && !options->go_on(options->context))
            return ERR_CLOSED;
        struct transaction *batch = store_batch(store);
        bool last = false;
        err = live == NULL
                  ? core_restore_step(options->settings, batch, &restore, &last)
                  : core_restore_tokens(options->settings, batch, live, &restore, &last);
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

enum err restore_prepare(const struct restore_options *options,
                         struct vault_problem *ret_problem)
{
    struct store *store = NULL;
    struct manifest *manifest = malloc(sizeof *manifest);
    if (manifest == NULL)
        return ERR_MEMORY;
    restore_forget(options->data);
    enum err err = vault_look(options->vault, options->name, manifest, ret_problem);
    if (err == ERR_OK && mkdir(path_of(options->data, DIRECTORY).text, 0700) != 0)
        err = say_errno(ret_problem, "a place for the new store cannot be made");
    if (err == ERR_OK)
        err = data_copy(options, manifest, ret_problem);
    free(manifest);
    if (err == ERR_OK)
        err = new_store_open(options, &store, ret_problem);
    if (err == ERR_OK) {
        err = steps_run(options, store, NULL);
        store_close(store);
        if (err != ERR_OK)
            vault_say(ret_problem, "the backup cannot be made fit: %s", err_name(err));
    }
    if (err != ERR_OK)
        restore_forget(options->data);
    return err;
}

enum err restore_merge(const struct restore_options *options, struct store *live,
                       struct vault_problem *ret_problem)
{
    struct store *store = NULL;
    enum err err = new_store_open(options, &store, ret_problem);
    if (err != ERR_OK)
        return err;
    struct store_reader *reader = store_reader_create(live);
    if (reader == NULL) {
        store_close(store);
        return ERR_MEMORY;
    }
    err = steps_run(options, store, store_reader_begin(reader));
    store_reader_end(reader);
    store_reader_destroy(reader);
    store_close(store);
    if (err != ERR_OK)
        vault_say(ret_problem, "what was revoked cannot be taken over: %s",
                  err_name(err));
    return err;
}

/* The old store gets a second name, then the new one takes the first. */
enum err restore_swap(const char *data, void (*step)(void *context), void *context,
                      struct vault_problem *ret_problem)
{
    struct path live = path_of(data, DATA_FILE);
    struct path previous = path_of(data, PREVIOUS_FILE);
    struct path made = path_of(data, DIRECTORY "/" DATA_FILE);
    (void)unlink(previous.text);
    if (step != NULL)
        step(context);
    if (link(live.text, previous.text) != 0 && errno != ENOENT)
        return say_errno(ret_problem, "the old store cannot be kept");
    if (step != NULL)
        step(context);
    if (directory_sync(data) != ERR_OK)
        return say_errno(ret_problem, "the data directory cannot be synced");
    if (step != NULL)
        step(context);
    if (rename(made.text, live.text) != 0)
        return say_errno(ret_problem, "the new store cannot take its place");
    if (step != NULL)
        step(context);
    if (directory_sync(data) != ERR_OK)
        return say_errno(ret_problem, "the data directory cannot be synced");
    /* Nobody has the store open: what is in there is of the old one. */
    (void)unlink(path_of(data, LOCK_FILE).text);
    if (step != NULL)
        step(context);
    restore_forget(data);
    return ERR_OK;
}

bool restore_is_pending(const char *data)
{
    struct stat status;
    return lstat(path_of(data, PREVIOUS_FILE).text, &status) == 0;
}

enum err restore_settle(const char *data, bool good, struct vault_problem *ret_problem)
{
    struct path previous = path_of(data, PREVIOUS_FILE);
    restore_forget(data);
    if (good) {
        if (unlink(previous.text) != 0 && errno != ENOENT)
            return say_errno(ret_problem, "the old store cannot be removed");
    } else if (rename(previous.text, path_of(data, DATA_FILE).text) != 0) {
        return say_errno(ret_problem, "the old store cannot be put back");
    } else {
        /* Not swapped yet, both are names of one file, and stay so by a rename. */
        (void)unlink(previous.text);
        (void)unlink(path_of(data, LOCK_FILE).text);
    }
    return directory_sync(data);
}
