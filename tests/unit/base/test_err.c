/*
 * Goal: every error has a name of its own, and a broken invariant ends the process.
 * Method: all names against each other; the abort in a child.
 */
#include "base/ensure.h"
#include "base/err.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmocka_all.h"

static void every_error_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < ERR_COUNT; i++) {
        assert_true(strlen(err_name((enum err)i)) > 0);
        assert_int_equal(strspn(err_name((enum err)i), "abcdefghijklmnopqrstuvwxyz_"),
                         strlen(err_name((enum err)i)));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(err_name((enum err)i), err_name((enum err)j));
    }
    assert_string_equal(err_name(ERR_OK), "ok");
}

static void a_true_invariant_costs_nothing(void **state)
{
    (void)state;
    int calls = 0;
    ENSURE(++calls == 1);
    assert_int_equal(calls, 1);
}

static void a_broken_invariant_aborts_and_says_where(void **state)
{
    (void)state;
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(pipes[1], STDERR_FILENO);
        ENSURE(child != 0);
        _exit(0);
    }
    close(pipes[1]);
    char line[512] = "";
    size_t size = 0;
    for (ssize_t got = 1; got > 0 && size < sizeof line - 1; size += (size_t)got) {
        got = read(pipes[0], line + size, sizeof line - 1 - size);
        if (got <= 0)
            break;
    }
    close(pipes[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(line, "child != 0"));
    assert_non_null(strstr(line, "test_err.c:"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_a_name_of_its_own),
        cmocka_unit_test(a_true_invariant_costs_nothing),
        cmocka_unit_test(a_broken_invariant_aborts_and_says_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
