#include "ops/chain.h"

#include "base/hash.h"
#include "core/core.h"
#include "ops/reading.h"
#include "os/secret.h"

#include <inttypes.h>
#include <stdio.h>

struct walk {
    struct core_chain chain;
    struct core_place place;
};

static enum err chain_walk(struct transaction *snapshot, void *context)
{
    struct walk *walk = context;
    enum err err = core_place_read(snapshot, &walk->place);
    return err == ERR_OK ? core_chain_verify(snapshot, digest_sha256, &walk->chain) : err;
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

bool chain_errand(const char *directory)
{
    struct vault_problem problem = { "" };
    struct store *store;
    struct walk walk;
    if (reading_is_refused(directory, &problem) ||
        reading_open(directory, &store, &problem) != ERR_OK) {
        fprintf(stderr, "%s\n", problem.text);
        return false;
    }
    enum err err = reading_look(store, chain_walk, &walk);
    store_close(store);
    if (err == ERR_OK)
        return chain_tell(&walk.chain, &walk.place);
    fprintf(stderr, "the event log cannot be read: %s\n", err_name(err));
    return false;
}
