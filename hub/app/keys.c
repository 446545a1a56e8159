#include "app/keys.h"

#include "base/hash.h"
#include "os/entropy.h"
#include "os/file.h"
#include "os/log.h"
#include "os/secret.h"

#include <string.h>

#define ADMIN_ID "admin"
#define ENVELOPE_BYTES 4096

static enum err ring_fill(struct store *store, struct gate *gate, bool *ret_admin)
{
    struct store_reader *reader = store_reader_create(store);
    if (reader == NULL)
        return ERR_MEMORY;

    struct transaction *transaction = store_reader_begin(reader);
    uint8_t position[DIGEST_BYTES] = { 0 };
    struct core_key key;
    enum err err;
    *ret_admin = false;
    while ((err = core_key_next(transaction, position, &key)) == ERR_OK) {
        *ret_admin = *ret_admin || key.role == ROLE_ADMIN;
        err = gate_key_add(gate, key.digest, key.actor, key.role, key.expires_wall_ms);
        if (err != ERR_OK)
            break;
    }
    store_reader_end(reader);
    store_reader_destroy(reader);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err token_write(const char *directory, const char text[TOKEN_TEXT_BYTES])
{
    char path[4200];
    char line[TOKEN_TEXT_BYTES + 1];
    if (!path_join(path, sizeof path, directory, "admin.token"))
        return ERR_INVALID;
    memcpy(line, text, TOKEN_TEXT_BYTES);
    line[TOKEN_TEXT_BYTES] = '\n';
    enum err err = file_write(path, slice_make(line, sizeof line));
    secret_wipe(line, sizeof line);
    if (err == ERR_OK)
        LOG_NOTICE("admin_token_written", LOG_WORD("path", path));
    return err;
}

/* The file first: a crash between the two leaves a token that nothing knows, and the next
 * start writes another. */
static enum err admin_mint(struct engine *engine, const char *directory)
{
    uint8_t secret[TOKEN_BYTES];
    char text[TOKEN_TEXT_BYTES];
    struct envelope *envelope = envelope_create(ENVELOPE_BYTES);
    if (envelope == NULL)
        return ERR_MEMORY;

    entropy_fill(secret, sizeof secret);
    hex_encode(text, secret, sizeof secret);
    envelope->role = ROLE_HUB;
    envelope->message.type = MESSAGE_POST_ADMIN_TOKEN;
    envelope->message.as.post_admin_token.agent_id = SLICE_OF(ADMIN_ID);
    envelope->message.as.post_admin_token.role = SLICE_OF("admin");
    envelope->minted = true;
    digest_sha256(slice_make(text, sizeof text), envelope->minted_digest);
    memcpy(envelope->minted_prefix, text, sizeof envelope->minted_prefix);

    enum err err = token_write(directory, text);
    if (err == ERR_OK)
        err = engine_apply(engine, envelope);
    secret_wipe(secret, sizeof secret);
    secret_wipe(text, sizeof text);
    envelope_destroy(envelope);
    return err;
}

enum err keys_load(struct engine *engine, struct store *store, struct gate *gate,
                   const char *directory)
{
    bool admin;
    enum err err = ring_fill(store, gate, &admin);
    if (err != ERR_OK || admin)
        return err;
    err = admin_mint(engine, directory);
    return err == ERR_OK ? ring_fill(store, gate, &admin) : err;
}
