/*
 * fault.h - a place to stand between the store and LMDB, for tests.
 *
 * In production `store_options.fault` is NULL. A test's hook may count, fail a call with
 * a code, or end the process, before or after any call that matters to a crash.
 *
 * Threads    The hook is called on the thread that makes the call.
 */
#ifndef STORE_FAULT_H
#define STORE_FAULT_H

enum store_call {
    STORE_CALL_OPEN,
    STORE_CALL_BEGIN_READ,
    STORE_CALL_BEGIN_WRITE,
    STORE_CALL_GET,
    STORE_CALL_PUT,
    STORE_CALL_REMOVE,
    STORE_CALL_SEEK,
    STORE_CALL_COMMIT,
    STORE_CALL_GROW,
    STORE_CALL_COPY,
    STORE_CALL_FILES, /* each step of a change of files */
    STORE_CALL_COUNT
};

struct store_fault {
    /* 0 lets the call happen; anything else (an errno or an LMDB code) is its result
     * instead, and it does not happen. */
    int (*before)(void *context, enum store_call call);
    /* The call has happened, and this was its result. May be NULL. */
    void (*after)(void *context, enum store_call call, int code);
    void *context;
};

#endif
