/*
 * thread.h - named threads that take no signals.
 *
 * Ownership  `struct thread` is the caller's and stays in place until it is joined.
 */
#ifndef OS_THREAD_H
#define OS_THREAD_H

#include "base/err.h"

#include <pthread.h>

struct thread {
    pthread_t handle;
    void (*run)(void *argument);
    void *argument;
    char name[16]; /* what the kernel keeps, NUL included */
};

/* Every signal is blocked in the new thread: the main thread takes them. ERR_LIMIT when
 * the system gives no more threads. A longer name is cut. */
enum err thread_start(struct thread *thread, const char *name,
                      void (*run)(void *argument), void *argument);

void thread_join(struct thread *thread);

#endif
