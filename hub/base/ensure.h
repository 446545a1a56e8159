/*
 * ensure.h - the assertion that stays on in production.
 *
 * ENSURE states what can only be false through a bug of ours; when it is false the
 * process writes one line to standard error and aborts. Input, disks and peers are
 * never ENSUREd: they are refused or returned as `enum err`.
 */
#ifndef BASE_ENSURE_H
#define BASE_ENSURE_H

#define ENSURE(condition)                                                                \
    ((condition) ? (void)0 : ensure_failed(#condition, __FILE__, __LINE__))

_Noreturn void ensure_failed(const char *condition, const char *file, int line);

#endif
