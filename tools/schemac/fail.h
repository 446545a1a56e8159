/*
 * fail.h - how the schema compiler says no: one line, and the build stops.
 */
#ifndef SCHEMAC_FAIL_H
#define SCHEMAC_FAIL_H

#include <stddef.h>

/* Prints "schemac: where: what" and ends the process with 1. */
_Noreturn void fail(const char *where, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Writes "a<separator>b" into `target`, failing when it does not fit. */
void join(char *target, size_t room, const char *one, const char *separator,
          const char *other);

#endif
