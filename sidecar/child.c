#include "sidecar/child.h"

#include "base/ensure.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_CANNOT_START = 127 };

/* --- In the child: nothing here may allocate or lock. --- */

static void signals_default(void)
{
    static const int CHANGED[] = { SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGUSR1 };
    for (size_t i = 0; i < sizeof CHANGED / sizeof CHANGED[0]; i++)
        (void)signal(CHANGED[i], SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

_Noreturn static void command_become(const struct child_plan *plan)
{
    signals_default();
    const char *what = plan->directory;
    if (chdir(plan->directory) == 0) {
        what = plan->argv[0];
        (void)execve(plan->argv[0], plan->argv, plan->environment);
    }
    (void)dprintf(STDERR_FILENO, "drover-sidecar: %s: %s\n", what, strerror(errno));
    _exit(EXIT_CANNOT_START);
}

/* The command's number once it is there: also of the group it makes of its own, as
 * timeout(1) does. Our group's signals do not reach that one. */
static volatile sig_atomic_t command_group;

static void on_end_asked(int signal_number)
{
    if (command_group > 0)
        (void)kill(-(pid_t)command_group, signal_number);
    else
        _exit(EXIT_CANNOT_START);
}

/* From the sidecar, or because it has died. */
static void on_kill(int signal_number)
{
    (void)signal_number;
    if (command_group > 0)
        (void)kill(-(pid_t)command_group, SIGKILL);
    (void)kill(0, SIGKILL);
}

static void guardian_listen(void)
{
    struct sigaction kill_all = { .sa_handler = on_kill };
    struct sigaction end = { .sa_handler = on_end_asked };
    (void)sigaction(SIGUSR1, &kill_all, NULL);
    (void)sigaction(SIGTERM, &end, NULL);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* No signal may come between the fork and the note of its number. */
static void command_start(const struct child_plan *plan)
{
    sigset_t all;
    sigset_t none;
    sigfillset(&all);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    pid_t command = fork();
    if (command == 0)
        command_become(plan);
    if (command < 0)
        _exit(EXIT_CANNOT_START);
    command_group = command;
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Waits; what is left of the command's own group goes while its number is still its. */
static int command_await(void)
{
    pid_t command = command_group;
    siginfo_t info;
    while (waitid(P_PID, (id_t)command, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR)
        ;
    (void)signal(SIGTERM, SIG_IGN);
    (void)kill(-command, SIGKILL);
    command_group = 0;
    int status = 0;
    while (waitpid(command, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* Ends as the command did, so that whoever waits for us sees the command's status. */
_Noreturn static void end_like(int status)
{
    if (WIFSIGNALED(status)) {
        struct rlimit none = { 0, 0 };
        (void)setrlimit(RLIMIT_CORE, &none);
        signals_default();
        (void)raise(WTERMSIG(status));
        _exit(128 + WTERMSIG(status));
    }
    _exit(WEXITSTATUS(status));
}

_Noreturn static void guardian_run(const struct child_plan *plan, pid_t sidecar)
{
    (void)setpgid(0, 0);
    guardian_listen();
    (void)prctl(PR_SET_PDEATHSIG, SIGUSR1);
    if (getppid() != sidecar)
        _exit(EXIT_CANNOT_START);
    command_start(plan);
    /* The pipes are the command's: their end must not depend on this process. */
    (void)close(STDIN_FILENO);
    (void)close(STDOUT_FILENO);
    (void)close(STDERR_FILENO);
    end_like(command_await());
}

_Noreturn static void guardian_start(const struct child_plan *plan, const int ends[3],
                                     pid_t sidecar)
{
    /* Copies above the standard three first: an end may be one of them. */
    int copies[3];
    for (int i = 0; i < 3; i++) {
        copies[i] = fcntl(ends[i], F_DUPFD, 3);
        if (copies[i] < 0)
            _exit(EXIT_CANNOT_START);
    }
    for (int i = 0; i < 3; i++)
        if (dup2(copies[i], i) < 0)
            _exit(EXIT_CANNOT_START);
    (void)syscall(SYS_close_range, 3U, ~0U, 0U);
    guardian_run(plan, sidecar);
}

/* --- In the sidecar. --- */

static void pair_close(int pair[2])
{
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
}

static bool descriptor_unblock(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static enum err guardian_fork(const struct child_plan *plan, int pipes[3][2],
                              struct child *child)
{
    pid_t sidecar = getpid();
    pid_t pid = fork();
    if (pid < 0)
        return ERR_IO;
    if (pid == 0)
        guardian_start(plan, (const int[3]){ pipes[0][0], pipes[1][1], pipes[2][1] },
                       sidecar);
    /* Done on both sides, so that the group exists before anybody signals it. */
    (void)setpgid(pid, pid);
    child->pid_fd = (int)syscall(SYS_pidfd_open, pid, 0U);
    if (child->pid_fd < 0) {
        (void)kill(-pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
        return ERR_IO;
    }
    child->pid = pid;
    return ERR_OK;
}

enum err child_start(const struct child_plan *plan, struct child *ret_child)
{
    int pipes[3][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
    struct child child = { .pid_fd = -1, .in = -1, .out = -1, .err = -1 };
    enum err err = ERR_OK;

    for (int i = 0; i < 3 && err == ERR_OK; i++)
        if (pipe2(pipes[i], O_CLOEXEC) != 0)
            err = ERR_IO;
    if (err == ERR_OK &&
        !(descriptor_unblock(pipes[0][1]) && descriptor_unblock(pipes[1][0]) &&
          descriptor_unblock(pipes[2][0])))
        err = ERR_IO;
    if (err == ERR_OK)
        err = guardian_fork(plan, pipes, &child);
    if (err != ERR_OK) {
        for (int i = 0; i < 3; i++)
            pair_close(pipes[i]);
        return err;
    }
    close(pipes[0][0]);
    close(pipes[1][1]);
    close(pipes[2][1]);
    child.in = pipes[0][1];
    child.out = pipes[1][0];
    child.err = pipes[2][0];
    *ret_child = child;
    return ERR_OK;
}

void child_signal(const struct child *child, int signal_number)
{
    if (child->pid <= 0)
        return;
    if (signal_number == SIGKILL) {
        /* The guardian kills, since it alone knows a group of the command's own. */
        (void)kill(child->pid, SIGUSR1);
        (void)kill(child->pid, SIGCONT);
    } else {
        (void)kill(-child->pid, signal_number);
    }
}

int child_reap(struct child *child)
{
    ENSURE(child->pid > 0);
    /* Before the wait: until then the group's number cannot become somebody else's. */
    (void)kill(-child->pid, SIGKILL);
    int status = 0;
    pid_t pid;
    do
        pid = waitpid(child->pid, &status, 0);
    while (pid < 0 && errno == EINTR);
    ENSURE(pid == child->pid);
    child->pid = 0;
    return status;
}

static void end_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void child_close(struct child *child)
{
    ENSURE(child->pid == 0);
    end_close(&child->pid_fd);
    end_close(&child->in);
    end_close(&child->out);
    end_close(&child->err);
}

static bool file_runs(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

bool program_find(const char *name, const char *directory, char *target, size_t size)
{
    if (strchr(name, '/') != NULL) {
        int length = name[0] == '/' ? snprintf(target, size, "%s", name)
                                    : snprintf(target, size, "%s/%s", directory, name);
        return length > 0 && (size_t)length < size && file_runs(target);
    }
    const char *path = getenv("PATH");
    if (path == NULL)
        path = "/usr/local/bin:/usr/bin:/bin";
    for (;;) {
        size_t length = strcspn(path, ":");
        int written = snprintf(target, size, "%.*s/%s", (int)length, path, name);
        if (length > 0 && written > 0 && (size_t)written < size && file_runs(target))
            return true;
        if (path[length] == '\0')
            return false;
        path += length + 1;
    }
}
