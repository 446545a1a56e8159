/*
 * Goal: a copy is the store as it was at one moment, made no faster than allowed, and
 * given up in time when the disk, the store or the hub wants it.
 * Method: a real store in a directory of its own; what happens meanwhile, on a thread of
 * the test's. Where the store should have grown a lot, its file is made longer: no bytes
 * are needed for that.
 */
#include "base/hash.h"
#include "ops/inside.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/secret.h"
#include "support/store/store_fixture.h"

#include "cmocka_all.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((uint64_t)1024 * 1024)

enum {
    ROWS = 300,
    ROW_BYTES = 1800,
    MEANWHILE_MS = 200,
    FAST = 1024 * 1024 * 1024,
};

static struct store_fixture fixture;
static struct ops ops;
static const struct ops_job JOB = { .number = 1, .kind = JOB_BACKUP };
static struct copy_result copied;
static char target[128];
static int data;

static int begin(void **state)
{
    (void)state;
    char value[ROW_BYTES];
    char key[16];
    fixture_start(&fixture, 8 * MIB, 64 * MIB);
    memset(value, 'v', sizeof value);
    struct transaction *batch = store_batch(fixture.store);
    for (int i = 0; i < ROWS; i++) {
        (void)snprintf(key, sizeof key, "row %d", i);
        assert_int_equal(transaction_put(batch, 0, slice_from_text(key),
                                         slice_make(value, sizeof value)),
                         ERR_OK);
    }
    assert_int_equal(store_commit(fixture.store), ERR_OK);

    memset(&ops, 0, sizeof ops);
    ops.options.store = fixture.store;
    ops.options.backup_bytes_per_second = FAST;
    ops.told_ms = INT64_MAX / 2; /* there is no order to tell anything */
    assert_int_equal(wake_init(&ops.wake), ERR_OK);
    (void)snprintf(target, sizeof target, "%s/copy", fixture.directory);
    data = open(target, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(data >= 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    (void)close(data);
    wake_finish(&ops.wake);
    fixture_end(&fixture);
    return 0;
}

static uint64_t store_bytes(void)
{
    struct store_usage usage;
    assert_int_equal(store_measure(fixture.store, &usage), ERR_OK);
    return usage.used_bytes;
}

/* So that a copy takes that long. */
static void slow_down(uint64_t ms)
{
    ops.options.backup_bytes_per_second = store_bytes() * 1000 / ms;
}

static int64_t copy_in_ms(enum err expected)
{
    int64_t start_ms = clock_monotonic_ms();
    assert_int_equal(copy_store(&ops, &JOB, data, false, &copied), expected);
    return clock_monotonic_ms() - start_ms;
}

static void a_copy_is_the_store_and_says_what_it_is(void **state)
{
    (void)state;
    struct buffer bytes;
    uint8_t digest[SECRET_DIGEST_BYTES];
    char text[MANIFEST_DIGEST_BYTES + 1] = "";
    (void)copy_in_ms(ERR_OK);
    buffer_init(&bytes, (size_t)(64 * MIB));
    assert_int_equal(file_read(target, (size_t)(64 * MIB), &bytes), ERR_OK);
    assert_int_equal(bytes.size, copied.bytes);
    assert_true(copied.bytes > (uint64_t)ROWS * ROW_BYTES);
    digest_sha256(buffer_slice(&bytes), digest);
    hex_encode(text, digest, sizeof digest);
    assert_string_equal(text, copied.sha256);
    buffer_finish(&bytes);

    /* It takes the store's place, and every row is in it. */
    char live[128];
    char value[ROW_BYTES];
    char key[16];
    memset(value, 'v', sizeof value);
    fixture_close(&fixture);
    fixture_path(&fixture, "data.mdb", live, sizeof live);
    assert_int_equal(rename(target, live), 0);
    assert_int_equal(fixture_open(&fixture), ERR_OK);
    for (int i = 0; i < ROWS; i++) {
        (void)snprintf(key, sizeof key, "row %d", i);
        assert_true(fixture_has(&fixture, 0, key, slice_make(value, sizeof value)));
    }
}

static void a_copy_is_no_faster_than_it_may_be(void **state)
{
    (void)state;
    int64_t fast_ms = copy_in_ms(ERR_OK);
    slow_down(600);
    assert_int_equal(ftruncate(data, 0), 0);
    assert_int_equal(lseek(data, 0, SEEK_SET), 0);
    int64_t slow_ms = copy_in_ms(ERR_OK);
    assert_true(slow_ms >= 550);
    assert_true(fast_ms < slow_ms);
}

static void a_disk_that_takes_no_more_is_told_from_one_that_fails(void **state)
{
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit less = { store_bytes() / 2, before.rlim_max };
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
    enum err err = copy_store(&ops, &JOB, data, false, &copied);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(err, ERR_NO_SPACE);

    int other = data;
    data = open(target, O_RDONLY);
    (void)copy_in_ms(ERR_IO);
    (void)close(other);
    /* The store has noticed nothing of it. */
    assert_int_equal(fixture_put(&fixture, 1, "after", SLICE_OF("1")), ERR_OK);
}

/* Runs `act` while the copy is under way. */
static void *meanwhile(void *argument)
{
    void (*const *act)(void) = argument;
    (void)usleep(MEANWHILE_MS * 1000);
    (*act)();
    return NULL;
}

static int64_t copy_while(void (*act)(void), enum err expected)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, meanwhile, &act), 0);
    int64_t took_ms = copy_in_ms(expected);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return took_ms;
}

static void grow_map(void)
{
    (void)store_grow(fixture.store);
}

static void a_store_that_must_grow_does_not_wait_for_a_copy(void **state)
{
    (void)state;
    slow_down(20 * 1000);
    assert_true(copy_while(grow_map, ERR_MAP_FULL) < 2000);
    assert_int_equal(fixture_put(&fixture, 1, "after", SLICE_OF("1")), ERR_OK);
}

static void lengthen(uint64_t by)
{
    char path[128];
    struct stat status;
    fixture_path(&fixture, "data.mdb", path, sizeof path);
    /* What goes wrong here shows in how the copy ends. */
    if (stat(path, &status) != 0 || truncate(path, status.st_size + (off_t)by) != 0)
        perror(path);
}

static void grow_by_half_of_what_is_allowed(void)
{
    lengthen(128 * MIB);
}

static void grow_by_more_than_is_allowed(void)
{
    lengthen(300 * MIB);
}

static void a_file_that_grows_under_a_copy_makes_it_hurry(void **state)
{
    (void)state;
    slow_down(20 * 1000);
    assert_true(copy_while(grow_by_half_of_what_is_allowed, ERR_OK) < 3000);
}

static void a_file_that_grows_too_much_ends_it(void **state)
{
    (void)state;
    slow_down(20 * 1000);
    assert_true(copy_while(grow_by_more_than_is_allowed, ERR_LIMIT) < 3000);
}

static void stop(void)
{
    atomic_store(&ops.stopping, true);
}

static void a_hub_that_ends_does_not_wait_for_a_copy(void **state)
{
    (void)state;
    slow_down(20 * 1000);
    assert_true(copy_while(stop, ERR_CLOSED) < 2000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_copy_is_the_store_and_says_what_it_is),
        TEST(a_copy_is_no_faster_than_it_may_be),
        TEST(a_disk_that_takes_no_more_is_told_from_one_that_fails),
        TEST(a_store_that_must_grow_does_not_wait_for_a_copy),
        TEST(a_file_that_grows_under_a_copy_makes_it_hurry),
        TEST(a_file_that_grows_too_much_ends_it),
        TEST(a_hub_that_ends_does_not_wait_for_a_copy),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
