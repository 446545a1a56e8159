/*
 * Any bytes as a backup's manifest: refused, or taken, and then what is written of it is
 * taken for the same.
 */
#include "base/ensure.h"
#include "ops/vault.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct manifest taken;
    static struct manifest again;
    struct buffer text;
    enum err err = manifest_read(slice_make(data, size), &taken);
    if (err != ERR_OK) {
        ENSURE(err == ERR_INVALID || err == ERR_UNSUPPORTED);
        return 0;
    }
    ENSURE(taken.table_count <= MANIFEST_TABLES_MAX);
    ENSURE(strlen(taken.name) <= MANIFEST_NAME_BYTES);
    (void)vault_name_valid(slice_from_text(taken.name));
    buffer_init(&text, MANIFEST_BYTES_MAX);
    manifest_write(&taken, &text);
    ENSURE(!buffer_failed(&text));
    ENSURE(manifest_read(buffer_slice(&text), &again) == ERR_OK);
    ENSURE(memcmp(&taken, &again, sizeof taken) == 0);
    buffer_finish(&text);
    return 0;
}
