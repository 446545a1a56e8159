/*
 * Goal: a store of an older version becomes one of this, whole or not at all.
 */
#include "store/store.h"

#include "cmocka_all.h"
#include "store/store_fixture.h"

#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1024 * 1024, ROWS = 100, ROWS_PER_BATCH = 7 };

static struct store_fixture fixture;
static enum err step_err;
static unsigned steps_run;

static const char *key_of(unsigned number)
{
    static char key[32];
    (void)snprintf(key, sizeof key, "row-%03u", number);
    return key;
}

/* Every value of the first table gets a mark at its end, some rows a batch. */
static enum err values_mark(struct transaction *batch,
                            struct store_migration_place *place, bool *ret_done)
{
    char key[TRANSACTION_KEY_BYTES_MAX];
    char value[256];
    struct slice found;
    struct slice old;
    size_t size = place->size;
    steps_run++;
    memcpy(key, place->bytes, size);
    for (int i = 0; i < ROWS_PER_BATCH; i++) {
        enum err err =
            transaction_first_from(batch, 0, slice_make(key, size), &found, &old);
        if (err == ERR_NOT_FOUND) {
            *ret_done = true;
            return step_err;
        }
        if (err != ERR_OK)
            return err;
        size = found.size;
        memcpy(key, found.data, size);
        memcpy(value, old.data, old.size);
        value[old.size] = '!';
        err = transaction_put(batch, 0, slice_make(key, size),
                              slice_make(value, old.size + 1));
        if (err != ERR_OK)
            return err;
        key[size++] = '\0';
    }
    memcpy(place->bytes, key, size);
    place->size = size;
    return ERR_OK;
}

/* A row that says that the second step has run. */
static enum err sign(struct transaction *batch, struct store_migration_place *place,
                     bool *ret_done)
{
    (void)place;
    *ret_done = true;
    return transaction_put(batch, 1, SLICE_OF("signed"), SLICE_OF("yes"));
}

static const struct store_migration STEPS[] = { { values_mark }, { sign } };

static int start(void **state)
{
    (void)state;
    step_err = ERR_OK;
    steps_run = 0;
    fixture_start(&fixture, 1 * MIB, 16 * MIB);
    struct transaction *batch = store_batch(fixture.store);
    for (unsigned i = 0; i < ROWS; i++)
        assert_int_equal(
            transaction_put(batch, 0, slice_from_text(key_of(i)), SLICE_OF("old")),
            ERR_OK);
    assert_int_equal(store_commit(fixture.store), ERR_OK);
    fixture_close(&fixture);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_end(&fixture);
    return 0;
}

static enum err open_with(unsigned steps)
{
    fixture.options.migrations = steps > 0 ? STEPS : NULL;
    fixture.options.migration_count = steps;
    return fixture_open(&fixture);
}

static void values_check(const char *wanted, bool signed_by_second)
{
    for (unsigned i = 0; i < ROWS; i++)
        assert_true(fixture_has(&fixture, 0, key_of(i), slice_from_text(wanted)));
    assert_true(fixture_has(&fixture, 1, "signed",
                            signed_by_second ? SLICE_OF("yes") : (struct slice){ 0 }));
}

static bool is_there(const char *name)
{
    char path[256];
    fixture_path(&fixture, name, path, sizeof path);
    return access(path, F_OK) == 0;
}

static void every_step_runs_once_and_in_order(void **state)
{
    (void)state;
    assert_int_equal(open_with(1), ERR_OK);
    values_check("old!", false);
    assert_true(steps_run > ROWS / ROWS_PER_BATCH);
    fixture_close(&fixture);
    unsigned run = steps_run;
    assert_int_equal(open_with(1), ERR_OK);
    assert_int_equal(steps_run, run);
    fixture_close(&fixture);

    assert_int_equal(open_with(2), ERR_OK);
    assert_int_equal(steps_run, run);
    values_check("old!", true);
    assert_false(is_there("data.prev"));
    assert_false(is_there("compacting"));
}

static void several_versions_are_made_up_for_at_once(void **state)
{
    (void)state;
    assert_int_equal(open_with(2), ERR_OK);
    values_check("old!", true);
}

static void a_new_store_is_of_this_version(void **state)
{
    char path[256];
    (void)state;
    fixture_path(&fixture, "data.mdb", path, sizeof path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(open_with(2), ERR_OK);
    assert_int_equal(steps_run, 0);
    assert_true(fixture_has(&fixture, 1, "signed", (struct slice){ 0 }));
}

static void a_newer_store_is_refused_in_words(void **state)
{
    (void)state;
    assert_int_equal(open_with(2), ERR_OK);
    fixture_close(&fixture);
    for (unsigned steps = 0; steps < 2; steps++) {
        assert_int_equal(open_with(steps), ERR_UNSUPPORTED);
        assert_non_null(strstr(fixture.problem.text, "newer version (format 3"));
    }
    assert_int_equal(open_with(2), ERR_OK);
    values_check("old!", true);
}

static void a_step_that_fails_leaves_the_store_as_it_was(void **state)
{
    (void)state;
    step_err = ERR_CORRUPT;
    assert_int_equal(open_with(2), ERR_CORRUPT);
    assert_non_null(strstr(fixture.problem.text, "from version 1 of the store to 2"));
    assert_int_equal(open_with(0), ERR_OK);
    values_check("old", false);
}

static void a_step_that_needs_more_room_gets_it(void **state)
{
    (void)state;
    static const enum store_call CALLS[] = { STORE_CALL_PUT, STORE_CALL_COMMIT };
    for (size_t i = 0; i < sizeof CALLS / sizeof CALLS[0]; i++) {
        for (unsigned nth = 2; nth < 8; nth++) {
            (void)end(NULL);
            (void)start(NULL);
            fixture_fail(&fixture, CALLS[i], nth, MDB_MAP_FULL);
            assert_int_equal(open_with(1), ERR_OK);
            values_check("old!", false);
        }
    }
}

/* What before_migration() was told, and what it does. */
struct before {
    uint32_t version;
    enum err err;
    off_t bytes;
};

static enum err copy_first(void *context, struct store *store, uint32_t version,
                           struct store_problem *problem)
{
    struct before *before = context;
    struct stat status;
    char path[256];
    before->version = version;
    if (before->err != ERR_OK) {
        (void)snprintf(problem->text, sizeof problem->text, "no room for a backup");
        return before->err;
    }
    fixture_path(&fixture, "copy", path, sizeof path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(store_copy(store, fd, false), ERR_OK);
    assert_int_equal(fstat(fd, &status), 0);
    before->bytes = status.st_size;
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(path), 0);
    return ERR_OK;
}

static void it_is_backed_up_first_or_left_alone(void **state)
{
    (void)state;
    struct before before = { .err = ERR_NO_SPACE };
    fixture.options.before_migration = copy_first;
    fixture.options.migration_context = &before;
    assert_int_equal(open_with(2), ERR_NO_SPACE);
    assert_string_equal(fixture.problem.text, "no room for a backup");
    assert_int_equal(steps_run, 0);
    before.err = ERR_OK;
    assert_int_equal(open_with(2), ERR_OK);
    assert_int_equal(before.version, 1);
    assert_true(before.bytes > 0);
    values_check("old!", true);
    before.version = 0;
    fixture_close(&fixture);
    assert_int_equal(open_with(2), ERR_OK);
    assert_int_equal(before.version, 0);
    fixture.options.before_migration = NULL;
}

static int kill_at(void *context, enum store_call call)
{
    unsigned *left = context;
    (void)call;
    if (--*left == 0)
        (void)raise(SIGKILL);
    return 0;
}

static bool killed_at(unsigned point)
{
    int code;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct store_fault fault = { kill_at, NULL, &point };
        fixture.options.fault = &fault;
        _exit(open_with(2) == ERR_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &code, 0), child);
    if (WIFSIGNALED(code))
        return true;
    assert_int_equal(WEXITSTATUS(code), 0);
    return false;
}

static void killed_at_any_call_it_is_whole_and_is_brought_on_again(void **state)
{
    (void)state;
    unsigned point = 1;
    while (killed_at(point)) {
        assert_int_equal(open_with(2), ERR_OK);
        values_check("old!", true);
        (void)end(NULL);
        (void)start(NULL);
        point += 1 + point / 20;
    }
    assert_in_range(point, 100, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_step_runs_once_and_in_order, start, end),
        cmocka_unit_test_setup_teardown(several_versions_are_made_up_for_at_once, start,
                                        end),
        cmocka_unit_test_setup_teardown(a_new_store_is_of_this_version, start, end),
        cmocka_unit_test_setup_teardown(a_newer_store_is_refused_in_words, start, end),
        cmocka_unit_test_setup_teardown(a_step_that_fails_leaves_the_store_as_it_was,
                                        start, end),
        cmocka_unit_test_setup_teardown(a_step_that_needs_more_room_gets_it, start, end),
        cmocka_unit_test_setup_teardown(it_is_backed_up_first_or_left_alone, start, end),
        cmocka_unit_test_setup_teardown(
            killed_at_any_call_it_is_whole_and_is_brought_on_again, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
