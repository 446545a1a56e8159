#include "ops/chain.h"

#include "base/hash.h"
#include "core/core.h"
#include "os/file.h"
#include "os/secret.h"
#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

#define MAP_BYTES_FIRST ((uint64_t)1024 * 1024)
#define MAP_BYTES_MAX ((uint64_t)1 << 46)

static enum err chain_walk(struct store *store, struct core_chain *ret_chain,
                           struct core_place *ret_place)
{
    struct store_reader *reader = store_reader_create(store);
    if (reader == NULL)
        return ERR_MEMORY;
    struct transaction *transaction = store_reader_begin(reader);
    enum err err = core_place_read(transaction, ret_place);
    if (err == ERR_OK)
        err = core_chain_verify(transaction, digest_sha256, ret_chain);
    store_reader_end(reader);
    store_reader_destroy(reader);
    return err;
}

static bool chain_tell(const struct core_chain *chain, const struct core_place *place)
{
    char hash[2 * DIGEST_BYTES];
    if (chain->broken_at != 0) {
        fprintf(stderr, "event %" PRIu64 " does not hold: %s\n", chain->broken_at,
                chain->text);
        return false;
    }
    hex_encode(hash, chain->hash, DIGEST_BYTES);
    printf("%" PRIu64 " events hold, %" PRIu64 " to %" PRIu64 ", epoch %" PRIu64
           ", last hash %.*s\n",
           chain->count, chain->first, chain->last, place->epoch, (int)sizeof hash, hash);
    return fflush(stdout) == 0;
}

/* A store is read without its lock: that of a hub that runs would change meanwhile. */
static bool is_in_use(const char *directory)
{
    char path[PATH_BYTES];
    if (!path_join(path, sizeof path, directory, "hub.lock") || access(path, F_OK) != 0)
        return false;
    struct file_lock lock = { -1 };
    bool taken = file_lock_take(path, &lock) == ERR_EXISTS;
    file_lock_release(&lock);
    return taken;
}

bool chain_errand(const char *directory)
{
    struct store_problem problem = { "" };
    const struct store_options options = {
        .directory = directory,
        .tables = CORE_TABLES,
        .table_count = CORE_TABLE_COUNT,
        .bytes_first = MAP_BYTES_FIRST,
        .bytes_max = MAP_BYTES_MAX,
        .read_only = true,
    };
    struct store *store;
    struct core_chain chain;
    struct core_place place;
    if (is_in_use(directory)) {
        fprintf(stderr, "a hub has the store open: stop it, or verify a backup\n");
        return false;
    }
    enum err err = store_open(&options, &store, &problem);
    if (err != ERR_OK) {
        fprintf(stderr, "%s\n", problem.text);
        return false;
    }
    err = chain_walk(store, &chain, &place);
    store_close(store);
    if (err == ERR_OK)
        return chain_tell(&chain, &place);
    fprintf(stderr, "the event log cannot be read: %s\n", err_name(err));
    return false;
}
