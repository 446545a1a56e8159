#include "ops/reading.h"

#include "ops/shape.h"
#include "os/file.h"

#include <unistd.h>

#define HUB_LOCK "hub.lock"
#define MAP_BYTES_FIRST ((uint64_t)1024 * 1024)
#define MAP_BYTES_MAX ((uint64_t)1 << 46)

bool reading_is_refused(const char *directory, struct vault_problem *ret_problem)
{
    char path[VAULT_PATH_BYTES];
    if (!path_join(path, sizeof path, directory, HUB_LOCK) || access(path, F_OK) != 0)
        return false;
    struct file_lock lock = { -1 };
    bool taken = file_lock_take(path, &lock) == ERR_EXISTS;
    file_lock_release(&lock);
    if (taken)
        vault_say(ret_problem,
                  "a hub has the store open: stop it, or let it verify the store itself");
    return taken;
}

enum err reading_open(const char *directory, struct store **ret_store,
                      struct vault_problem *ret_problem)
{
    struct store_problem reason = { "" };
    struct store_options options = shape_options(directory);
    options.bytes_first = MAP_BYTES_FIRST;
    options.bytes_max = MAP_BYTES_MAX;
    options.read_only = true;
    enum err err = store_open(&options, ret_store, &reason);
    if (err != ERR_OK)
        vault_say(ret_problem, "%.250s", reason.text);
    return err;
}

enum err reading_look(struct store *store,
                      enum err (*look)(struct transaction *snapshot, void *context),
                      void *context)
{
    struct store_reader *reader = store_reader_create(store);
    if (reader == NULL)
        return ERR_MEMORY;
    enum err err = look(store_reader_begin(reader), context);
    store_reader_end(reader);
    store_reader_destroy(reader);
    return err;
}
