#include "app/keys.h"

#include "base/hash.h"
#include "os/entropy.h"
#include "os/file.h"
#include "os/log.h"
#include "os/secret.h"

#include <string.h>

enum {
    ENVELOPE_BYTES = 4096,
    PATH_BYTES = 4200,
    LINE_BYTES = TOKEN_TEXT_BYTES + 1,
};

struct found {
    bool admin;
    bool offered; /* a secret is good */
    uint8_t digest[DIGEST_BYTES];
};

static enum err ring_fill(struct store *store, struct gate *gate, struct found *ret_found)
{
    struct store_reader *reader = store_reader_create(store);
    if (reader == NULL)
        return ERR_MEMORY;

    struct transaction *transaction = store_reader_begin(reader);
    uint8_t position[DIGEST_BYTES] = { 0 };
    struct core_key key;
    enum err err;
    *ret_found = (struct found){ 0 };
    while ((err = core_key_next(transaction, position, &key)) == ERR_OK) {
        ret_found->admin |= key.role == ROLE_ADMIN;
        if (key.role == ROLE_BOOTSTRAP) {
            ret_found->offered = true;
            memcpy(ret_found->digest, key.digest, DIGEST_BYTES);
        }
        const struct key own = {
            .actor = key.actor,
            .role = key.role,
            .scopes = key.scopes,
            .expires_wall_ms = key.expires_wall_ms,
            .used_wall_ms = key.used_wall_ms,
        };
        err = gate_key_add(gate, key.digest, &own);
        if (err != ERR_OK)
            break;
    }
    store_reader_end(reader);
    store_reader_destroy(reader);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err secret_write(const char *directory, const char text[TOKEN_TEXT_BYTES])
{
    char path[PATH_BYTES];
    char line[LINE_BYTES];
    if (!path_join(path, sizeof path, directory, ENROLMENT_FILE))
        return ERR_INVALID;
    memcpy(line, text, TOKEN_TEXT_BYTES);
    line[TOKEN_TEXT_BYTES] = '\n';
    enum err err = file_write(path, slice_make(line, sizeof line));
    secret_wipe(line, sizeof line);
    if (err == ERR_OK)
        LOG_NOTICE("enrolment_secret_written", LOG_WORD("path", path));
    return err;
}

/* True when the file holds the secret with this digest. */
static bool secret_stands(const char *directory, const uint8_t digest[DIGEST_BYTES])
{
    char path[PATH_BYTES];
    uint8_t seen[DIGEST_BYTES];
    struct buffer text;
    bool stands = false;
    buffer_init(&text, LINE_BYTES);
    if (path_join(path, sizeof path, directory, ENROLMENT_FILE) &&
        file_read(path, LINE_BYTES, &text) == ERR_OK && text.size == LINE_BYTES) {
        digest_sha256(slice_make(text.data, TOKEN_TEXT_BYTES), seen);
        stands = secret_equal(seen, digest, DIGEST_BYTES);
    }
    if (text.data != NULL)
        secret_wipe(text.data, text.room);
    buffer_finish(&text);
    return stands;
}

enum err enrolment_offer(struct engine *engine, const char *directory)
{
    uint8_t secret[TOKEN_BYTES];
    char text[TOKEN_TEXT_BYTES];
    struct envelope *envelope = envelope_create(ENVELOPE_BYTES);
    if (envelope == NULL)
        return ERR_MEMORY;

    entropy_fill(secret, sizeof secret);
    hex_encode(text, secret, sizeof secret);
    envelope->role = ROLE_HUB;
    envelope->message.type = MESSAGE_ENROLMENT_OFFERED;
    envelope->minted = true;
    digest_sha256(slice_make(text, sizeof text), envelope->minted_digest);
    /* Its first digits stand nowhere: they are a part of the secret that nobody needs. */
    memset(envelope->minted_prefix, '-', sizeof envelope->minted_prefix);

    enum err err = secret_write(directory, text);
    if (err == ERR_OK)
        err = engine_apply(engine, envelope);
    secret_wipe(secret, sizeof secret);
    secret_wipe(text, sizeof text);
    envelope_destroy(envelope);
    return err;
}

void enrolment_over(const char *directory)
{
    char path[PATH_BYTES];
    if (!path_join(path, sizeof path, directory, ENROLMENT_FILE))
        return;
    enum err err = file_remove(path);
    if (err == ERR_OK)
        LOG_NOTICE("enrolment_secret_removed", LOG_WORD("path", path));
    else if (err != ERR_NOT_FOUND)
        LOG_WARNING("enrolment_secret_not_removed", LOG_WORD("path", path), LOG_ERR(err));
}

enum err keys_load(struct engine *engine, struct store *store, struct gate *gate,
                   const char *directory)
{
    struct found found;
    enum err err = ring_fill(store, gate, &found);
    if (err != ERR_OK)
        return err;
    if (found.offered && secret_stands(directory, found.digest))
        return ERR_OK;
    if (found.admin) {
        enrolment_over(directory);
        return ERR_OK;
    }
    if (found.offered)
        gate_key_remove(gate, found.digest);
    err = enrolment_offer(engine, directory);
    return err == ERR_OK ? ring_fill(store, gate, &found) : err;
}
