#include "os/secret.h"

#include "base/ensure.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

void digest_sha256(struct slice bytes, uint8_t ret_digest[SECRET_DIGEST_BYTES])
{
    unsigned size = 0;
    const char *data = bytes.data == NULL ? "" : bytes.data;

    /* Fails only without memory, and no caller can go on without a digest. */
    ENSURE(EVP_Digest(data, bytes.size, ret_digest, &size, EVP_sha256(), NULL) == 1);
    ENSURE(size == SECRET_DIGEST_BYTES);
}

bool secret_equal(const void *one, const void *other, size_t size)
{
    return CRYPTO_memcmp(one, other, size) == 0;
}

void secret_wipe(void *target, size_t size)
{
    OPENSSL_cleanse(target, size);
}
