/*
 * entropy.h - random bytes of the kernel's generator, good for secrets.
 *
 * Failure    None: a kernel that cannot give them aborts the process.
 */
#ifndef OS_ENTROPY_H
#define OS_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

void entropy_fill(void *target, size_t size);
uint64_t entropy_u64(void);

#endif
