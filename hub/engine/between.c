#include "engine/between.h"

#include "base/ensure.h"

enum err between_init(struct between *between)
{
    if (pthread_mutex_init(&between->lock, NULL) != 0)
        return ERR_MEMORY;
    if (pthread_cond_init(&between->served, NULL) != 0) {
        (void)pthread_mutex_destroy(&between->lock);
        return ERR_MEMORY;
    }
    return ERR_OK;
}

void between_finish(struct between *between)
{
    (void)pthread_cond_destroy(&between->served);
    (void)pthread_mutex_destroy(&between->lock);
}

void between_ask(struct between *between, struct wake *engine,
                 void (*call)(void *context), void *context)
{
    ENSURE(pthread_mutex_lock(&between->lock) == 0);
    ENSURE(between->call == NULL);
    between->call = call;
    between->context = context;
    atomic_store(&between->asked, true);
    wake_signal(engine);
    while (between->call != NULL)
        ENSURE(pthread_cond_wait(&between->served, &between->lock) == 0);
    ENSURE(pthread_mutex_unlock(&between->lock) == 0);
}

void between_serve(struct between *between)
{
    if (!atomic_load(&between->asked))
        return;
    ENSURE(pthread_mutex_lock(&between->lock) == 0);
    atomic_store(&between->asked, false);
    between->call(between->context);
    between->call = NULL;
    ENSURE(pthread_cond_signal(&between->served) == 0);
    ENSURE(pthread_mutex_unlock(&between->lock) == 0);
}
