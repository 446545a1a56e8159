#include "app/suspect.h"

#include "os/file.h"
#include "os/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum {
    PATH_BYTES = 4200,
    NOTE_BYTES_MAX = 4096,
};

#define TRY "try\n"

static const int FAULTS[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };

enum { FAULT_COUNT = sizeof FAULTS / sizeof FAULTS[0] };

/* A signal handler has no argument: this is what it may touch. */
static struct {
    char path[PATH_BYTES];
    struct sigaction before[FAULT_COUNT]; /* whoever else wants to know of the fault */
} watched;

/* Nothing but system calls: a signal handler does this. On a disk that is full the note
 * stays empty, and says as much. */
static bool note_add(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    (void)!write(fd, text, strlen(text));
    (void)fsync(fd);
    return close(fd) == 0;
}

static bool path_make(char path[PATH_BYTES], const char *data)
{
    return path_join(path, PATH_BYTES, data, SUSPECT_FILE);
}

void suspect_note(const char *data, const char *why)
{
    char path[PATH_BYTES];
    if (!path_make(path, data) || !note_add(path, why) || !note_add(path, "\n") ||
        directory_sync(data) != ERR_OK)
        LOG_ERROR("store_not_noted_as_suspect", LOG_WORD("reason", strerror(errno)));
}

bool suspect_is_noted(const char *data)
{
    char path[PATH_BYTES];
    return path_make(path, data) && access(path, F_OK) == 0;
}

unsigned suspect_count_try(const char *data)
{
    char path[PATH_BYTES];
    struct buffer text;
    unsigned tries = 0;
    if (!path_make(path, data))
        return 0;
    (void)note_add(path, TRY);
    buffer_init(&text, NOTE_BYTES_MAX);
    if (file_read(path, NOTE_BYTES_MAX, &text) == ERR_LIMIT)
        tries = NOTE_BYTES_MAX / sizeof TRY;
    struct slice rest = buffer_slice(&text);
    while (rest.size > 0) {
        size_t size = slice_find(rest, '\n');
        tries += slice_equal(slice_make(rest.data, size), SLICE_OF("try"));
        rest = slice_skip(rest, size < rest.size ? size + 1 : size);
    }
    buffer_finish(&text);
    return tries;
}

void suspect_clear(const char *data)
{
    char path[PATH_BYTES];
    enum err err = path_make(path, data) ? file_remove(path) : ERR_LIMIT;
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        LOG_WARNING("suspicion_not_cleared", LOG_WORD("path", path), LOG_ERR(err));
}

/* An abort that another process asked for (a watchdog) says nothing of the store. */
static void fault_take(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (number != SIGABRT || info->si_pid == getpid())
        (void)note_add(watched.path, "fault\n");
    /* It happens once more, and to whom it may concern: by default the process ends. */
    for (int i = 0; i < FAULT_COUNT; i++)
        if (FAULTS[i] == number)
            (void)sigaction(number, &watched.before[i], NULL);
    if (info->si_code <= 0)
        (void)raise(number);
}

void suspect_watch(const char *data)
{
    struct sigaction action = { .sa_sigaction = fault_take,
                                .sa_flags = SA_SIGINFO | SA_NODEFER };
    if (!path_make(watched.path, data))
        return;
    for (int i = 0; i < FAULT_COUNT; i++)
        (void)sigaction(FAULTS[i], &action, &watched.before[i]);
}
