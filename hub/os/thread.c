#include "os/thread.h"

#include "base/ensure.h"

#include <signal.h>
#include <stdio.h>

static void *thread_main(void *argument)
{
    struct thread *thread = argument;

    (void)pthread_setname_np(pthread_self(), thread->name);
    thread->run(thread->argument);
    return NULL;
}

enum err thread_start(struct thread *thread, const char *name,
                      void (*run)(void *argument), void *argument)
{
    (void)snprintf(thread->name, sizeof thread->name, "%.*s",
                   (int)sizeof thread->name - 1, name);
    thread->run = run;
    thread->argument = argument;

    /* The mask is inherited, so that no signal finds the thread unprepared. */
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    ENSURE(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    int code = pthread_create(&thread->handle, NULL, thread_main, thread);
    ENSURE(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return code == 0 ? ERR_OK : ERR_LIMIT;
}

void thread_join(struct thread *thread)
{
    ENSURE(pthread_join(thread->handle, NULL) == 0);
}
