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

static EVP_MD_CTX *context_of(struct digest *digest)
{
    return (EVP_MD_CTX *)digest;
}

struct digest *digest_create(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ENSURE(context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1);
    return (struct digest *)context;
}

void digest_add(struct digest *digest, struct slice bytes)
{
    if (bytes.size > 0)
        ENSURE(EVP_DigestUpdate(context_of(digest), bytes.data, bytes.size) == 1);
}

void digest_end(struct digest *digest, uint8_t ret_digest[SECRET_DIGEST_BYTES])
{
    unsigned size = 0;
    ENSURE(EVP_DigestFinal_ex(context_of(digest), ret_digest, &size) == 1);
    ENSURE(size == SECRET_DIGEST_BYTES);
    EVP_MD_CTX_free(context_of(digest));
}

bool secret_equal(const void *one, const void *other, size_t size)
{
    return CRYPTO_memcmp(one, other, size) == 0;
}

void secret_wipe(void *target, size_t size)
{
    OPENSSL_cleanse(target, size);
}
