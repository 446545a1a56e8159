#include "ops/fetch.h"

#include "base/hash.h"
#include "os/file.h"
#include "os/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK_BYTES = 256 * 1024 };

static enum err bytes_copy(const struct fetching *fetching, int from, int to,
                           struct digest *digest, struct vault_problem *problem)
{
    char *bytes = malloc(CHUNK_BYTES);
    enum err err = bytes == NULL ? ERR_MEMORY : ERR_OK;
    ssize_t taken = 1;
    while (err == ERR_OK && taken != 0) {
        if (fetching->go_on != NULL && !fetching->go_on(fetching->context)) {
            vault_say(problem, "the hub ends");
            err = ERR_CLOSED;
            break;
        }
        taken = read(from, bytes, CHUNK_BYTES);
        if (taken < 0 && errno != EINTR)
            err = vault_say_errno(problem, "the backup cannot be read");
        if (taken <= 0)
            continue;
        struct slice chunk = slice_make(bytes, (size_t)taken);
        digest_add(digest, chunk);
        if (file_put(to, chunk) != ERR_OK)
            err = vault_say_errno(problem, "the new store cannot be written");
    }
    free(bytes);
    if (err == ERR_OK && file_sync(to) != ERR_OK)
        err = vault_say_errno(problem, "it cannot be synced");
    return err;
}

enum err fetch_data(const struct fetching *fetching, const char *path,
                    struct vault_problem *ret_problem)
{
    char text[MANIFEST_DIGEST_BYTES + 1] = "";
    uint8_t bytes[SECRET_DIGEST_BYTES];
    int from = -1;
    if (vault_open_data(fetching->vault, fetching->manifest->name, &from) != ERR_OK) {
        vault_say(ret_problem, "the backup's data cannot be opened");
        return ERR_IO;
    }
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    struct digest *digest = digest_create();
    enum err err = to < 0 ? vault_say_errno(ret_problem, "the new store cannot be made")
                          : bytes_copy(fetching, from, to, digest, ret_problem);
    digest_end(digest, bytes);
    hex_encode(text, bytes, sizeof bytes);
    (void)close(from);
    if (to >= 0)
        (void)close(to);
    if (err == ERR_OK && strcmp(text, fetching->manifest->sha256) != 0) {
        vault_say(ret_problem, "the backup is not what its manifest says");
        err = ERR_CORRUPT;
    }
    return err;
}
