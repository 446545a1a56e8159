#include "ops/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    ARGUMENTS_MAX = 16,
    SIGNALLED = 128,
};

/* No signal is blocked in it, and it takes only its own end of the pipe along. */
static enum err spawn(char **arguments, int out, pid_t *ret_pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGTERM);
    sigaddset(&usual, SIGINT);
    if (posix_spawn_file_actions_init(&files) != 0)
        return ERR_MEMORY;
    if (posix_spawnattr_init(&attributes) != 0) {
        (void)posix_spawn_file_actions_destroy(&files);
        return ERR_MEMORY;
    }
    bool prepared =
        posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0) == 0 &&
        posix_spawn_file_actions_adddup2(&files, out, 1) == 0 &&
        posix_spawn_file_actions_adddup2(&files, out, 2) == 0 &&
        posix_spawnattr_setsigmask(&attributes, &none) == 0 &&
        posix_spawnattr_setsigdefault(&attributes, &usual) == 0 &&
        posix_spawnattr_setflags(
            &attributes, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)) == 0;
    int code = !prepared ? ENOMEM
                         : posix_spawn(ret_pid, "/proc/self/exe", &files, &attributes,
                                       arguments, environ);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&files);
    return code == 0 ? ERR_OK : code == ENOMEM ? ERR_MEMORY : ERR_LIMIT;
}

enum err child_begin(const char *const *arguments, struct child *ret_child)
{
    char *all[ARGUMENTS_MAX] = { (char *)(uintptr_t) "drover-hub" };
    size_t count = 1;
    for (; *arguments != NULL; arguments++) {
        if (count + 1 == ARGUMENTS_MAX)
            return ERR_LIMIT;
        all[count++] = (char *)(uintptr_t)*arguments;
    }
    int pipe_ends[2];
    if (pipe2(pipe_ends, O_CLOEXEC) != 0)
        return ERR_LIMIT;
    pid_t pid = 0;
    enum err err = spawn(all, pipe_ends[1], &pid);
    (void)close(pipe_ends[1]);
    if (err != ERR_OK) {
        (void)close(pipe_ends[0]);
        return err;
    }
    ret_child->pid = pid;
    ret_child->out = pipe_ends[0];
    return ERR_OK;
}

bool child_read(struct child *child, struct buffer *text)
{
    char chunk[4096];
    ssize_t taken;
    do
        taken = read(child->out, chunk, sizeof chunk);
    while (taken < 0 && errno == EINTR);
    if (taken > 0)
        buffer_append(text, chunk, (size_t)taken);
    return taken > 0;
}

int child_end(struct child *child, bool stop)
{
    int status = 0;
    if (child->pid == 0)
        return 0;
    if (stop)
        (void)kill(child->pid, SIGKILL);
    pid_t ended;
    do
        ended = waitpid(child->pid, &status, 0);
    while (ended < 0 && errno == EINTR);
    (void)close(child->out);
    child->pid = 0;
    if (ended < 0)
        return SIGNALLED;
    return WIFSIGNALED(status) ? SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
}

bool child_found_broken(int code)
{
    switch (code) {
    case EX_IOERR:
    case SIGNALLED + SIGSEGV:
    case SIGNALLED + SIGBUS:
    case SIGNALLED + SIGABRT:
    case SIGNALLED + SIGFPE:
    case SIGNALLED + SIGILL:
        return true;
    default:
        return false;
    }
}
