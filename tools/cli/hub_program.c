#include "cli/hub_program.h"

#include "base/ensure.h"
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "drover-hub"

enum { SIGNALLED = 128, HUB_ARGUMENTS_MAX = 16 };

static bool path_find(char path[PATH_MAX])
{
    ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - sizeof PROGRAM);
    if (size <= 0)
        return false;
    path[size] = '\0';
    char *name = strrchr(path, '/');
    if (name == NULL)
        return false;
    memcpy(name + 1, PROGRAM, sizeof PROGRAM);
    return access(path, X_OK) == 0;
}

enum outcome hub_program_become(const char *const *arguments)
{
    char path[PATH_MAX];
    char *all[HUB_ARGUMENTS_MAX + 2] = { (char *)(uintptr_t)PROGRAM };
    size_t count = 0;
    for (; arguments[count] != NULL; count++) {
        ENSURE(count < HUB_ARGUMENTS_MAX);
        all[count + 1] = (char *)(uintptr_t)arguments[count];
    }
    if (path_find(path))
        (void)execv(path, all);
    return complain(OUTCOME_FAILED,
                    "drover-hub, which reads the store, is not beside drover");
}

static bool spawn(const char *path, char *const *arguments, const int ends[2],
                  pid_t *ret_pid)
{
    posix_spawn_file_actions_t files;
    if (posix_spawn_file_actions_init(&files) != 0)
        return false;
    bool spawned =
        posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO) == 0 &&
        posix_spawn(ret_pid, path, &files, NULL, arguments, environ) == 0;
    (void)posix_spawn_file_actions_destroy(&files);
    return spawned;
}

int hub_program_run(const char *flag, const char *subject, struct buffer *said)
{
    char path[PATH_MAX];
    char *const arguments[] = { (char *)(uintptr_t)PROGRAM, (char *)(uintptr_t)flag,
                                (char *)(uintptr_t)subject, NULL };
    int ends[2];
    pid_t pid;
    if (!path_find(path) || pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    bool spawned = spawn(path, arguments, ends, &pid);
    (void)close(ends[1]);
    char chunk[4096];
    ssize_t taken = spawned ? 1 : 0;
    while (taken > 0 || (taken < 0 && errno == EINTR)) {
        taken = read(ends[0], chunk, sizeof chunk);
        if (taken > 0)
            buffer_append(said, chunk, (size_t)taken);
    }
    (void)close(ends[0]);
    int status = 0;
    while (spawned && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return !spawned              ? -1
           : WIFSIGNALED(status) ? SIGNALLED + WTERMSIG(status)
                                 : WEXITSTATUS(status);
}
