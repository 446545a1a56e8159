#include "store/migrate.h"

#include "base/ensure.h"
#include "store/inside.h"
#include "store/place.h"
#include "store/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static enum err fail(enum err err, struct store_problem *problem, const char *doing)
{
    if (problem->text[0] == '\0')
        problem_set(problem, "the store cannot be brought to this version (%s)", doing);
    return err;
}

/* A copy beside the store, synced. */
static enum err copy_make(struct store *store, const char *directory, const char *file)
{
    replace_forget(store->directory, REPLACE_COMPACTING);
    enum err err = directory_make(directory);
    if (err != ERR_OK)
        return err;
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return code_to_err(errno);
    err = store_copy(store, fd, false);
    if (err == ERR_UNSUPPORTED && lseek(fd, 0, SEEK_SET) == 0)
        err = store_copy(store, fd, true);
    if (err == ERR_OK && fsync(fd) != 0)
        err = code_to_err(errno);
    (void)close(fd);
    return err;
}

/* One batch of a step; *place moves on when it is committed. */
static enum err batch_run(struct store *copy, const struct store_migration *migration,
                          struct store_migration_place *place, bool *ret_done)
{
    struct store_migration_place next = *place;
    enum err err = migration->run(store_batch(copy), &next, ret_done);
    if (err == ERR_OK)
        err = store_commit(copy);
    else
        store_abort(copy);
    if (err == ERR_OK)
        *place = next;
    return err;
}

/* One step, to its end. A batch for which there is no room is run again with more. */
static enum err step_run(struct store *copy, const struct store_migration *migration)
{
    struct store_migration_place place = { .size = 0 };
    for (;;) {
        bool done = false;
        enum err err = batch_run(copy, migration, &place, &done);
        if (err == ERR_MAP_FULL)
            err = store_grow(copy);
        else if (done)
            return err;
        if (err != ERR_OK)
            return err;
    }
}

static enum err copy_bring(const struct store *store, const char *directory,
                           uint32_t version, struct store_problem *problem)
{
    const struct store_options *options = &store->options;
    struct store_options inner = *options;
    struct store *copy = NULL;
    inner.directory = directory;
    inner.before_migration = NULL;
    enum err err = store_open_copy(&inner, &copy, problem);
    for (uint32_t i = version; i <= options->migration_count && err == ERR_OK; i++) {
        err = step_run(copy, &options->migrations[i - 1]);
        if (err != ERR_OK)
            problem_set(problem, "the step from version %u of the store to %u failed: %s",
                        (unsigned)i, (unsigned)i + 1, err_name(err));
    }
    if (err == ERR_OK)
        err = format_version_put(copy, problem);
    store_close(copy);
    return err;
}

enum err migrate_run(struct store *store, uint32_t version,
                     struct store_problem *ret_problem)
{
    const struct store_options *options = &store->options;
    uint32_t wanted = options->migration_count + 1;
    char directory[PLACE_PATH_BYTES];
    char file[PLACE_PATH_BYTES];
    ENSURE(version >= 1 && version < wanted);
    if (!path_join(directory, sizeof directory, store->directory, REPLACE_COMPACTING) ||
        !path_join(file, sizeof file, directory, PLACE_DATA))
        return fail(ERR_LIMIT, ret_problem, "its path is too long");

    enum err err = ERR_OK;
    if (options->before_migration != NULL)
        err = options->before_migration(options->migration_context, store, version,
                                        ret_problem);
    if (err != ERR_OK)
        return fail(err, ret_problem, "it cannot be backed up first");
    err = copy_make(store, directory, file);
    if (err == ERR_OK)
        err = copy_bring(store, directory, version, ret_problem);
    store_env_close(store);
    if (err == ERR_OK)
        err = code_to_err(call_files(store, file));
    return err == ERR_OK ? ERR_OK : fail(err, ret_problem, err_name(err));
}
