/*
 * Goal: the file is written anew under those who use it, and nobody notices: nothing that
 * was committed is lost, whatever fails and wherever the process ends.
 */
#include "store/compact.h"
#include "store/replace.h"

#include "cmocka_all.h"
#include "store/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1024 * 1024, ROWS = 2000, KEPT_EVERY = 10, VALUE_BYTES = 1000 };

static struct store_fixture fixture;

static struct slice value_of(unsigned number, char *bytes)
{
    memset(bytes, 'a' + (int)(number % 26), VALUE_BYTES);
    return slice_make(bytes, VALUE_BYTES);
}

static struct slice key_of(unsigned number, char *text, size_t size)
{
    int length = snprintf(text, size, "row-%06u", number);
    return slice_make(text, (size_t)length);
}

static void rows_write(unsigned from, unsigned to)
{
    char key[32];
    char value[VALUE_BYTES];
    struct transaction *batch = store_batch(fixture.store);
    for (unsigned i = from; i < to; i++)
        assert_int_equal(
            transaction_put(batch, i % 2, key_of(i, key, sizeof key), value_of(i, value)),
            ERR_OK);
    assert_int_equal(store_commit(fixture.store), ERR_OK);
}

/* Most of what was written goes again: the file is mostly free pages. */
static int start(void **state)
{
    char key[32];
    (void)state;
    fixture_start(&fixture, 16 * MIB, 64 * MIB);
    rows_write(0, ROWS);
    struct transaction *batch = store_batch(fixture.store);
    for (unsigned i = 0; i < ROWS; i++)
        if (i % KEPT_EVERY != 0)
            assert_int_equal(transaction_remove(batch, i % 2, key_of(i, key, sizeof key)),
                             ERR_OK);
    assert_int_equal(store_commit(fixture.store), ERR_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_end(&fixture);
    return 0;
}

static bool row_is(unsigned number, bool there)
{
    char key[32];
    char value[VALUE_BYTES];
    (void)key_of(number, key, sizeof key);
    return fixture_has(&fixture, number % 2, key,
                       there ? value_of(number, value) : (struct slice){ 0 });
}

static void rows_check(unsigned more)
{
    for (unsigned i = 0; i < ROWS; i++)
        assert_true(row_is(i, i % KEPT_EVERY == 0));
    for (unsigned i = ROWS; i < ROWS + more; i++)
        assert_true(row_is(i, true));
    assert_true(row_is(ROWS + more, false));
}

static uint64_t file_bytes(void)
{
    struct store_usage usage;
    assert_int_equal(store_measure(fixture.store, &usage), ERR_OK);
    return usage.file_bytes;
}

static bool is_there(const char *name)
{
    char path[256];
    fixture_path(&fixture, name, path, sizeof path);
    return access(path, F_OK) == 0;
}

static struct store_compaction *begin(void)
{
    struct store_compaction *compaction;
    int fd = -1;
    assert_int_equal(store_compaction_begin(fixture.store, &compaction, &fd), ERR_OK);
    assert_int_equal(store_copy(fixture.store, fd, false), ERR_OK);
    assert_int_equal(fsync(fd), 0);
    assert_int_equal(close(fd), 0);
    return compaction;
}

static void the_file_shrinks_and_holds_what_it_held(void **state)
{
    (void)state;
    uint64_t before = file_bytes();
    struct store_compaction *compaction = begin();
    assert_int_equal(store_compaction_open(compaction), ERR_OK);
    assert_int_equal(store_compaction_swap(compaction), ERR_OK);
    store_compaction_end(compaction);
    assert_true(file_bytes() < before / 3);
    rows_check(0);
    assert_false(is_there("data.prev"));
    assert_false(is_there("compacting"));

    rows_write(ROWS, ROWS + 100);
    rows_check(100);
    fixture_close(&fixture);
    assert_int_equal(fixture_open(&fixture), ERR_OK);
    rows_check(100);
}

static void what_changes_meanwhile_comes_after_it(void **state)
{
    char key[32];
    char value[VALUE_BYTES];
    uint64_t rows;
    (void)state;
    struct store_compaction *compaction = begin();
    rows_write(ROWS, ROWS + 50);
    assert_int_equal(store_compaction_open(compaction), ERR_OK);
    assert_int_equal(store_compaction_follow(compaction, &rows), ERR_OK);
    assert_int_equal(rows, 50);
    assert_int_equal(store_compaction_follow(compaction, &rows), ERR_OK);
    assert_int_equal(rows, 0);

    /* Put, put again, removed, and a batch that never happens. */
    rows_write(ROWS + 50, ROWS + 80);
    rows_write(ROWS + 70, ROWS + 81);
    assert_int_equal(fixture_remove(&fixture, (ROWS + 80) % 2,
                                    key_of(ROWS + 80, key, sizeof key).data),
                     ERR_OK);
    struct transaction *batch = store_batch(fixture.store);
    assert_int_equal(transaction_put(batch, 0, SLICE_OF("never"), value_of(1, value)),
                     ERR_OK);
    store_abort(fixture.store);
    assert_int_equal(store_compaction_swap(compaction), ERR_OK);
    store_compaction_end(compaction);
    rows_check(80);
    assert_true(fixture_has(&fixture, 0, "never", (struct slice){ 0 }));
}

static void readers_go_on_over_the_change_of_files(void **state)
{
    char key[32];
    struct slice found;
    (void)state;
    struct store_reader *reader = store_reader_create(fixture.store);
    struct transaction *snapshot = store_reader_begin(reader);
    assert_int_equal(transaction_get(snapshot, 0, key_of(0, key, sizeof key), &found),
                     ERR_OK);
    store_reader_end(reader);
    for (int round = 0; round < 3; round++) {
        struct store_compaction *compaction = begin();
        assert_int_equal(store_compaction_open(compaction), ERR_OK);
        assert_int_equal(store_compaction_swap(compaction), ERR_OK);
        store_compaction_end(compaction);
        snapshot = store_reader_begin(reader);
        assert_int_equal(transaction_get(snapshot, 0, key_of(0, key, sizeof key), &found),
                         ERR_OK);
        assert_int_equal(found.size, VALUE_BYTES);
        store_reader_end(reader);
    }
    store_reader_destroy(reader);
}

/* Another thread follows while the writer writes, until it is told to stop. */
struct follower {
    struct store_compaction *compaction;
    _Atomic bool stop;
    enum err err;
};

static void *follow(void *argument)
{
    struct follower *follower = argument;
    uint64_t rows;
    do
        follower->err = store_compaction_follow(follower->compaction, &rows);
    while (follower->err == ERR_OK && !follower->stop);
    return NULL;
}

static void writer_and_follower_run_side_by_side(void **state)
{
    (void)state;
    pthread_t thread;
    struct follower follower = { .compaction = begin() };
    assert_int_equal(store_compaction_open(follower.compaction), ERR_OK);
    assert_int_equal(pthread_create(&thread, NULL, follow, &follower), 0);
    for (unsigned i = 0; i < 300; i++)
        rows_write(ROWS + i, ROWS + i + 1);
    follower.stop = true;
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(follower.err, ERR_OK);
    assert_int_equal(store_compaction_swap(follower.compaction), ERR_OK);
    store_compaction_end(follower.compaction);
    rows_check(300);
}

static void only_one_is_under_way_and_one_given_up_leaves_nothing(void **state)
{
    (void)state;
    struct store_compaction *other;
    int fd;
    struct store_compaction *compaction = begin();
    assert_int_equal(store_compaction_begin(fixture.store, &other, &fd), ERR_EXISTS);
    assert_true(is_there("compacting"));
    store_compaction_end(compaction);
    assert_false(is_there("compacting"));
    rows_write(ROWS, ROWS + 1);
    rows_check(1);
    store_compaction_end(begin());
}

static void a_step_that_fails_leaves_the_old_file_in_use(void **state)
{
    (void)state;
    for (unsigned nth = 1; nth <= 4; nth++) {
        struct store_compaction *compaction = begin();
        rows_write(ROWS + nth - 1, ROWS + nth);
        assert_int_equal(store_compaction_open(compaction), ERR_OK);
        fixture_fail(&fixture, STORE_CALL_FILES, nth, ENOSPC);
        assert_int_equal(store_compaction_swap(compaction), ERR_NO_SPACE);
        fixture_fail(&fixture, STORE_CALL_FILES, 0, 0);
        store_compaction_end(compaction);
        rows_check(nth);
    }
    fixture_close(&fixture);
    assert_int_equal(fixture_open(&fixture), ERR_OK);
    rows_check(4);
}

static void a_new_file_that_cannot_be_opened_makes_way_for_the_old_one(void **state)
{
    (void)state;
    struct store_compaction *compaction = begin();
    assert_int_equal(store_compaction_open(compaction), ERR_OK);
    fixture_fail(&fixture, STORE_CALL_OPEN, 1, EIO);
    assert_int_not_equal(store_compaction_swap(compaction), ERR_OK);
    fixture_fail(&fixture, STORE_CALL_OPEN, 0, 0);
    store_compaction_end(compaction);
    rows_check(0);
    fixture_close(&fixture);
    assert_int_equal(fixture_open(&fixture), ERR_OK);
    rows_check(0);
}

static int kill_at(void *context, enum store_call call)
{
    unsigned *left = context;
    if (call == STORE_CALL_FILES && --*left == 0)
        (void)raise(SIGKILL);
    return 0;
}

static void compact_in_child(unsigned point)
{
    struct store_fault fault = { kill_at, NULL, &point };
    fixture.options.fault = &fault;
    if (store_open(&fixture.options, &fixture.store, &fixture.problem) != ERR_OK)
        _exit(1);
    struct store_compaction *compaction = begin();
    if (store_compaction_open(compaction) != ERR_OK ||
        store_compaction_swap(compaction) != ERR_OK)
        _exit(2);
    store_compaction_end(compaction);
    _exit(0);
}

static void killed_at_any_step_there_is_one_whole_store(void **state)
{
    (void)state;
    for (unsigned point = 1; point <= 4; point++) {
        int code;
        fixture_close(&fixture);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            compact_in_child(point);
        assert_int_equal(waitpid(child, &code, 0), child);
        assert_true(WIFSIGNALED(code) && WTERMSIG(code) == SIGKILL);
        /* As a start does, which has walked the store by then. */
        assert_int_equal(replace_is_pending(fixture.directory), point > 1);
        assert_int_equal(replace_settle(fixture.directory, true), ERR_OK);
        assert_int_equal(fixture_open(&fixture), ERR_OK);
        rows_check(0);
        assert_false(is_there("data.prev"));
        assert_false(is_there("compacting"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_file_shrinks_and_holds_what_it_held, start,
                                        end),
        cmocka_unit_test_setup_teardown(what_changes_meanwhile_comes_after_it, start,
                                        end),
        cmocka_unit_test_setup_teardown(readers_go_on_over_the_change_of_files, start,
                                        end),
        cmocka_unit_test_setup_teardown(writer_and_follower_run_side_by_side, start, end),
        cmocka_unit_test_setup_teardown(
            only_one_is_under_way_and_one_given_up_leaves_nothing, start, end),
        cmocka_unit_test_setup_teardown(a_step_that_fails_leaves_the_old_file_in_use,
                                        start, end),
        cmocka_unit_test_setup_teardown(
            a_new_file_that_cannot_be_opened_makes_way_for_the_old_one, start, end),
        cmocka_unit_test_setup_teardown(killed_at_any_step_there_is_one_whole_store,
                                        start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
