#include "base/hash.h"
#include "core/handlers.h"
#include "core/token.h"

/* One that has been revoked meanwhile is none of them. */
void on_tokens_used(struct step *step, const struct message_tokens_used *message)
{
    const struct slice *digests = message->digests.items;
    for (size_t i = 0; i < message->digests.count && !step_failed(step); i++) {
        uint8_t digest[DIGEST_BYTES];
        struct token token;
        if (!hex_decode(digest, sizeof digest, digests[i]) ||
            !token_load(step, digest, &token))
            continue;
        token.used_ms = step->command->wall_ms;
        token_save(step, &token);
    }
}
