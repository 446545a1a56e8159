/*
 * secret.h - the little cryptography the hub needs around tokens.
 */
#ifndef OS_SECRET_H
#define OS_SECRET_H

#include "base/slice.h"

enum { SECRET_DIGEST_BYTES = 32 };

void digest_sha256(struct slice bytes, uint8_t ret_digest[SECRET_DIGEST_BYTES]);

/* The same for bytes that come in pieces. digest_create() never gives NULL. */
struct digest;

struct digest *digest_create(void);
void digest_add(struct digest *digest, struct slice bytes);
/* Frees it. */
void digest_end(struct digest *digest, uint8_t ret_digest[SECRET_DIGEST_BYTES]);

/* Takes the same time wherever the two differ. */
bool secret_equal(const void *one, const void *other, size_t size);

/* Zeroes memory in a way no compiler leaves out. */
void secret_wipe(void *target, size_t size);

#endif
