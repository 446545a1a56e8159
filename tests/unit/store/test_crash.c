#include "store/store.h"

#include "cmocka_all.h"
#include "store/store_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1024 * 1024, BATCHES = 6, ROWS = 4 };

static struct store_fixture fixture;

static int start(void **state)
{
    (void)state;
    fixture_start(&fixture, 1 * MIB, 16 * MIB);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_end(&fixture);
    return 0;
}

/* Kills the process at the nth point: before or after any call. */
struct killer {
    unsigned left;
};

static void reach_point(struct killer *killer)
{
    if (--killer->left == 0)
        (void)raise(SIGKILL);
}

static int kill_before(void *context, enum store_call call)
{
    (void)call;
    reach_point(context);
    return 0;
}

static void kill_after(void *context, enum store_call call, int code)
{
    (void)call;
    (void)code;
    reach_point(context);
}

static void name_row(char key[32], unsigned batch, unsigned row)
{
    (void)snprintf(key, 32, "%02u-%u", batch, row);
}

/* Each batch writes its rows, takes away those of the batch before the last, and tells
 * its number after the commit: as the hub answers. */
static void write_batches(struct store *store, int acknowledged)
{
    for (uint8_t number = 1; number <= BATCHES; number++) {
        char key[32];
        struct transaction *batch = store_batch(store);
        for (unsigned row = 0; row < ROWS; row++) {
            name_row(key, number, row);
            if (transaction_put(batch, row % 2, slice_from_text(key),
                                slice_from_text(key)) != ERR_OK)
                _exit(1);
            name_row(key, number - 2u, row);
            if (number > 2 &&
                transaction_remove(batch, row % 2, slice_from_text(key)) != ERR_OK)
                _exit(2);
        }
        if (store_commit(store) != ERR_OK)
            _exit(3);
        if (number == 3 && store_grow(store) != ERR_OK)
            _exit(4);
        if (write(acknowledged, &number, 1) != 1)
            _exit(5);
    }
}

/* False when the child came to its end before the point. */
static bool run_until(unsigned point, uint8_t *ret_acknowledged)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct killer killer = { point };
        struct store_fault fault = { kill_before, kill_after, &killer };
        struct store *store = NULL;
        fixture.options.fault = &fault;
        if (store_open(&fixture.options, &store, &fixture.problem) != ERR_OK)
            _exit(6);
        write_batches(store, ends[1]);
        _exit(0);
    }
    assert_int_equal(close(ends[1]), 0);
    uint8_t number = 0;
    *ret_acknowledged = 0;
    while (read(ends[0], &number, 1) == 1)
        *ret_acknowledged = number;
    assert_int_equal(close(ends[0]), 0);

    int code = 0;
    assert_int_equal(waitpid(child, &code, 0), child);
    if (WIFEXITED(code)) {
        assert_int_equal(WEXITSTATUS(code), 0);
        return false;
    }
    assert_int_equal(WTERMSIG(code), SIGKILL);
    return true;
}

/* The number of the last batch, if what is there is just what it left. */
static unsigned read_state(void)
{
    unsigned last = 0;
    bool found[BATCHES + 1] = { false };

    for (unsigned number = 1; number <= BATCHES; number++) {
        for (unsigned row = 0; row < ROWS; row++) {
            char key[32];
            name_row(key, number, row);
            bool here = fixture_has(&fixture, row % 2, key, slice_from_text(key));
            if (row == 0)
                found[number] = here;
            assert_int_equal(here, found[number]);
        }
        if (found[number])
            last = number;
    }
    for (unsigned number = 1; number <= BATCHES; number++)
        assert_int_equal(found[number], number == last || number + 1 == last);
    return last;
}

static void killed_at_any_call_it_keeps_what_was_acknowledged(void **state)
{
    (void)state;
    unsigned point = 1;
    unsigned committed_unanswered = 0;

    for (bool killed = true; killed; point++) {
        uint8_t acknowledged = 0;
        fixture_end(&fixture);
        fixture_start(&fixture, 1 * MIB, 16 * MIB);
        fixture_close(&fixture);
        killed = run_until(point, &acknowledged);
        assert_int_equal(fixture_open(&fixture), ERR_OK);
        unsigned last = read_state();
        assert_true(last == acknowledged || last == acknowledged + 1u);
        committed_unanswered += last != acknowledged;
    }
    assert_in_range(point, 2 * 6 * BATCHES, 1000);
    assert_true(committed_unanswered >= BATCHES);
}

/* The same, from the very first call in an empty directory. */
static void killed_while_it_is_made_a_store_is_made_again(void **state)
{
    (void)state;
    for (unsigned point = 1; point <= 16; point++) {
        char path[256];
        uint8_t acknowledged = 0;
        fixture_close(&fixture);
        fixture_path(&fixture, "data.mdb", path, sizeof path);
        assert_int_equal(unlink(path), 0);
        fixture_path(&fixture, "lock.mdb", path, sizeof path);
        assert_int_equal(unlink(path), 0);
        assert_true(run_until(point, &acknowledged));
        assert_int_equal(fixture_open(&fixture), ERR_OK);
        assert_true(read_state() <= acknowledged + 1u);
        assert_int_equal(fixture_put(&fixture, 0, "a", SLICE_OF("1")), ERR_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(killed_at_any_call_it_keeps_what_was_acknowledged,
                                        start, end),
        cmocka_unit_test_setup_teardown(killed_while_it_is_made_a_store_is_made_again,
                                        start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
