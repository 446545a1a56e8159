/*
 * between.h - a call that runs on the engine thread between two turns: for what needs the
 * store while no batch is open.
 *
 * Threads    between_ask: any but the engine's. between_serve: the engine's.
 */
#ifndef ENGINE_BETWEEN_H
#define ENGINE_BETWEEN_H

#include "base/err.h"
#include "os/wake.h"

#include <pthread.h>

struct between {
    pthread_mutex_t lock;
    pthread_cond_t served;
    void (*call)(void *context); /* NULL: nobody asks */
    void *context;
    _Atomic bool asked;
};

enum err between_init(struct between *between);
void between_finish(struct between *between);

/* Returns once the call has returned. One asks at a time. */
void between_ask(struct between *between, struct wake *engine,
                 void (*call)(void *context), void *context);

/* Makes the call, if somebody asks. */
void between_serve(struct between *between);

#endif
