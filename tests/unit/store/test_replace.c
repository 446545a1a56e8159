/*
 * Goal: a new file becomes the store whole or not at all, and a start can tell which.
 */
#include "store/replace.h"

#include "cmocka_all.h"
#include "os/file.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MARKS = 4 };

static char directory[64];

static const char *path_of(const char *name)
{
    static char path[256];
    assert_true(path_join(path, sizeof path, directory, name));
    return path;
}

static void write_at(const char *name, const char *text)
{
    assert_int_equal(file_write(path_of(name), slice_from_text(text)), ERR_OK);
}

static bool is_at(const char *name, const char *text)
{
    struct buffer found;
    buffer_init(&found, 64);
    bool same = file_read(path_of(name), 64, &found) == ERR_OK &&
                slice_equal(buffer_slice(&found), slice_from_text(text));
    buffer_finish(&found);
    return same;
}

static bool is_there(const char *name)
{
    return access(path_of(name), F_OK) == 0;
}

static void new_make(void)
{
    assert_int_equal(directory_make(path_of(REPLACE_RESTORING)), ERR_OK);
    write_at(REPLACE_RESTORING "/data.mdb", "new");
}

static int start(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "/tmp/drover-replace-XXXXXX");
    assert_non_null(mkdtemp(directory));
    write_at("data.mdb", "old");
    new_make();
    return 0;
}

static int end(void **state)
{
    (void)state;
    replace_forget(directory, REPLACE_RESTORING);
    (void)unlink(path_of("data.mdb"));
    (void)unlink(path_of(REPLACE_PREVIOUS));
    assert_int_equal(rmdir(directory), 0);
    return 0;
}

static int run(int (*mark)(void *), void *context)
{
    char file[256];
    (void)snprintf(file, sizeof file, "%s", path_of(REPLACE_RESTORING "/data.mdb"));
    return replace_run(directory, file, mark, context);
}

static void the_old_one_is_kept_until_the_new_one_is_good(void **state)
{
    (void)state;
    assert_false(replace_is_pending(directory));
    assert_int_equal(run(NULL, NULL), 0);
    assert_true(is_at("data.mdb", "new"));
    assert_true(is_at(REPLACE_PREVIOUS, "old"));
    assert_true(replace_is_pending(directory));
    assert_int_equal(replace_settle(directory, true), ERR_OK);
    assert_true(is_at("data.mdb", "new"));
    assert_false(replace_is_pending(directory));
}

static void the_old_one_comes_back_when_the_new_one_is_not(void **state)
{
    (void)state;
    assert_int_equal(run(NULL, NULL), 0);
    assert_int_equal(replace_settle(directory, false), ERR_OK);
    assert_true(is_at("data.mdb", "old"));
    assert_false(replace_is_pending(directory));
    replace_forget(directory, REPLACE_RESTORING);
    assert_false(is_there(REPLACE_RESTORING));
}

static void the_first_store_of_a_directory_has_none_before_it(void **state)
{
    (void)state;
    assert_int_equal(unlink(path_of("data.mdb")), 0);
    assert_int_equal(run(NULL, NULL), 0);
    assert_true(is_at("data.mdb", "new"));
    assert_false(replace_is_pending(directory));
    assert_int_equal(replace_settle(directory, true), ERR_OK);
}

struct plan {
    unsigned at;
    bool killed;
};

static int plan_mark(void *context)
{
    struct plan *plan = context;
    if (--plan->at > 0)
        return 0;
    if (plan->killed)
        (void)raise(SIGKILL);
    return EDQUOT;
}

static void ended_between_any_two_steps_one_of_them_is_whole(void **state)
{
    (void)state;
    for (unsigned at = 1; at <= MARKS; at++) {
        for (int good = 0; good < 2; good++) {
            struct plan plan = { at, true };
            int code;
            pid_t child = fork();
            assert_true(child >= 0);
            if (child == 0)
                _exit(run(plan_mark, &plan) == 0 ? 0 : 1);
            assert_int_equal(waitpid(child, &code, 0), child);
            assert_true(WIFSIGNALED(code));

            bool is_new = is_at("data.mdb", "new");
            assert_true(is_new || is_at("data.mdb", "old"));
            assert_int_equal(is_new, at > 2);
            assert_int_equal(replace_is_pending(directory), at > 1);
            /* The same settling, whatever it finds; twice does no harm. */
            for (int i = 0; i < 2 && replace_is_pending(directory); i++)
                assert_int_equal(replace_settle(directory, good == 1), ERR_OK);
            assert_true(is_at("data.mdb", is_new && good == 1 ? "new" : "old"));
            assert_false(replace_is_pending(directory));
            (void)end(NULL);
            (void)start(NULL);
        }
    }
    struct plan plan = { MARKS + 1, true };
    assert_int_equal(run(plan_mark, &plan), 0);
}

static void a_step_that_fails_is_told(void **state)
{
    (void)state;
    for (unsigned at = 1; at <= MARKS; at++) {
        struct plan plan = { at, false };
        assert_int_equal(run(plan_mark, &plan), EDQUOT);
        assert_int_equal(replace_settle(directory, false), ERR_OK);
        assert_true(is_at("data.mdb", "old"));
        assert_false(replace_is_pending(directory));
        replace_forget(directory, REPLACE_RESTORING);
        new_make();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_old_one_is_kept_until_the_new_one_is_good,
                                        start, end),
        cmocka_unit_test_setup_teardown(the_old_one_comes_back_when_the_new_one_is_not,
                                        start, end),
        cmocka_unit_test_setup_teardown(the_first_store_of_a_directory_has_none_before_it,
                                        start, end),
        cmocka_unit_test_setup_teardown(ended_between_any_two_steps_one_of_them_is_whole,
                                        start, end),
        cmocka_unit_test_setup_teardown(a_step_that_fails_is_told, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
