#include "store/store.h"

#include "cmocka_all.h"
#include "os/thread.h"
#include "store/store_fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MIB = 1024 * 1024, ROWS = 256 };

static struct store_fixture fixture;

static int end(void **state)
{
    (void)state;
    fixture_end(&fixture);
    return 0;
}

/* A batch of ROWS rows of 1000 bytes: a little over a quarter of a megabyte. */
static enum err put_many(unsigned number)
{
    static char bytes[1000];
    memset(bytes, 'v', sizeof bytes);
    struct transaction *batch = store_batch(fixture.store);
    enum err err = ERR_OK;

    for (unsigned i = 0; i < ROWS && err == ERR_OK; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "%06u-%04u", number, i);
        err = transaction_put(batch, 0, slice_from_text(key),
                              slice_make(bytes, sizeof bytes));
    }
    if (err == ERR_OK)
        return store_commit(fixture.store);
    /* Sticky: nothing else is possible in this batch. */
    struct slice value;
    assert_int_equal(transaction_get(batch, 0, SLICE_OF("x"), &value), err);
    assert_int_equal(store_commit(fixture.store), err);
    return err;
}

static unsigned count_rows(void)
{
    struct store_reader *reader = store_reader_create(fixture.store);
    struct transaction *snapshot = store_reader_begin(reader);
    struct slice key = { NULL, 0 };
    struct slice value;
    unsigned count = 0;
    char next[64] = "";
    while (transaction_first_from(snapshot, 0, slice_from_text(next), &key, &value) ==
           ERR_OK) {
        (void)snprintf(next, sizeof next, "%.*s~", (int)key.size, key.data);
        count++;
    }
    store_reader_end(reader);
    store_reader_destroy(reader);
    return count;
}

static struct store_usage usage(void)
{
    struct store_usage now;
    assert_int_equal(store_measure(fixture.store, &now), ERR_OK);
    return now;
}

static void a_full_map_is_grown_and_the_same_batch_applied_again(void **state)
{
    (void)state;
    fixture_start(&fixture, 1 * MIB, 64 * MIB);
    assert_int_equal(usage().map_bytes, 1 * MIB);
    unsigned grown = 0;

    for (unsigned i = 0; i < 40; i++) {
        enum err err = put_many(i);
        while (err == ERR_MAP_FULL) {
            assert_int_equal(count_rows(), i * ROWS); /* nothing of it is there */
            assert_int_equal(store_grow(fixture.store), ERR_OK);
            grown++;
            err = put_many(i);
        }
        assert_int_equal(err, ERR_OK);
    }
    assert_in_range(grown, 4, 5);
    assert_int_equal(count_rows(), 40 * ROWS);
    assert_true(usage().map_bytes > 10 * MIB);

    fixture_close(&fixture);
    assert_int_equal(fixture_open(&fixture), ERR_OK);
    assert_int_equal(count_rows(), 40 * ROWS);
}

static void at_its_largest_a_store_refuses_but_stays_usable(void **state)
{
    (void)state;
    fixture_start(&fixture, 1 * MIB, 2 * MIB);
    unsigned stored = 0;
    enum err err = ERR_OK;
    while (err == ERR_OK) {
        err = put_many(stored);
        if (err == ERR_OK)
            stored++;
        else if (err == ERR_MAP_FULL)
            err = store_grow(fixture.store);
    }
    assert_int_equal(err, ERR_NO_SPACE);
    assert_in_range(stored, 3, 7);
    assert_int_equal(usage().map_bytes, 2 * MIB);
    assert_int_equal(put_many(stored), ERR_MAP_FULL);
    assert_int_equal(store_grow(fixture.store), ERR_NO_SPACE);

    /* Reads, small writes and deletions go on; what they free takes a batch again. */
    assert_int_equal(count_rows(), stored * ROWS);
    assert_int_equal(fixture_put(&fixture, 1, "small", SLICE_OF("row")), ERR_OK);
    for (unsigned i = 0; i < 2 * ROWS; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "%06u-%04u", i / ROWS, i % ROWS);
        assert_int_equal(fixture_remove(&fixture, 0, key), ERR_OK);
    }
    assert_int_equal(put_many(stored), ERR_OK);
    assert_int_equal(count_rows(), (stored - 1) * ROWS);
}

/* As on a full disk: the system gives no more, at any point of a commit. */
static void a_file_that_may_not_grow_refuses_and_recovers(void **state)
{
    (void)state;
    fixture_start(&fixture, 64 * MIB, 64 * MIB);
    assert_int_equal(put_many(0), ERR_OK);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);

    rlim_t size = usage().file_bytes; /* a write that is cut off makes it longer */
    for (rlim_t more = 0; more < 300 * 1024; more += 37 * 1024 + 512) {
        struct rlimit limit = { size + more, before.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        assert_int_equal(put_many(1), ERR_NO_SPACE);
        assert_int_equal(count_rows(), ROWS);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        fixture_close(&fixture);
        assert_int_equal(fixture_open(&fixture), ERR_OK);
        assert_int_equal(count_rows(), ROWS);
    }

    struct rlimit limit = { usage().file_bytes, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    unsigned small = 0;
    enum err err = ERR_OK;
    for (; err == ERR_OK && small < 1000; small++) {
        char key[32];
        (void)snprintf(key, sizeof key, "small-%u", small);
        err = fixture_put(&fixture, 1, key, slice_make(fixture.problem.text, 200));
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(put_many(1), ERR_OK); /* without a restart */
    assert_int_equal(count_rows(), 2 * ROWS);
}

/* A disk of its own for this process, where that is allowed. */
static bool mount_small_disk(const char *directory)
{
    return unshare(CLONE_NEWNS) == 0 &&
           mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", directory, "tmpfs", 0, "size=6m,mode=0700") == 0;
}

static void fill_disk(const char *path)
{
    static char bytes[64 * 1024];
    memset(bytes, 'x', sizeof bytes);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_true(fd >= 0);
    for (size_t size = sizeof bytes; size >= 1024; size /= 2) {
        while (write(fd, bytes, size) == (ssize_t)size)
            continue;
    }
    assert_int_equal(close(fd), 0);
}

static void a_full_disk_refuses_and_recovers(void **state)
{
    (void)state;
    char ballast[256];
    fixture_start(&fixture, 64 * MIB, 64 * MIB);
    fixture_close(&fixture);
    if (!mount_small_disk(fixture.directory))
        skip();
    assert_int_equal(fixture_open(&fixture), ERR_OK);
    assert_int_equal(put_many(0), ERR_OK);
    fixture_path(&fixture, "ballast", ballast, sizeof ballast);

    /* All of the disk gone, and then all but more and more of what a batch needs. */
    for (off_t room = 0; room < 200 * 1024; room += 40 * 1024) {
        fill_disk(ballast);
        struct stat status;
        assert_int_equal(stat(ballast, &status), 0);
        assert_int_equal(truncate(ballast, status.st_size - room), 0);
        for (int i = 0; i < 3; i++)
            assert_int_equal(put_many(1), ERR_NO_SPACE);
        assert_int_equal(count_rows(), ROWS);
        assert_int_equal(unlink(ballast), 0);
        assert_int_equal(fixture_put(&fixture, 1, "small", SLICE_OF("row")), ERR_OK);
    }
    assert_int_equal(put_many(1), ERR_OK); /* without a restart */
    assert_int_equal(count_rows(), 2 * ROWS);
    fixture_close(&fixture);
    assert_int_equal(umount2(fixture.directory, MNT_DETACH), 0);
}

static void the_map_grows_no_further_than_the_disk(void **state)
{
    (void)state;
    /* No disk has so much; and the bound is the disk's, not LMDB's. */
    fixture_start(&fixture, 1 * MIB, UINT64_C(1) << 60);
    enum err err = ERR_OK;
    unsigned times = 0;
    while (err == ERR_OK && times++ < 60)
        err = store_grow(fixture.store);
    assert_int_equal(err, ERR_NO_SPACE);
    assert_true(usage().map_bytes < UINT64_C(1) << 50);
    assert_int_equal(fixture_put(&fixture, 0, "a", SLICE_OF("1")), ERR_OK);
}

/* Reads the same two rows for as long as it is told, each time in a new snapshot. */
struct reading {
    struct thread thread;
    _Atomic bool stop;
    unsigned snapshots;
    unsigned wrong;
};

static void read_on(void *argument)
{
    struct reading *reading = argument;
    struct store_reader *reader = store_reader_create(fixture.store);

    while (!reading->stop) {
        struct transaction *snapshot = store_reader_begin(reader);
        for (unsigned i = 0; i < 50; i++) {
            struct slice key;
            struct slice value;
            if (transaction_first_from(snapshot, 0, slice_from_text(NULL), &key,
                                       &value) != ERR_OK ||
                value.size != 1000 || value.data[999] != 'v' ||
                transaction_last_before(snapshot, 0, slice_from_text(NULL), &key,
                                        &value) != ERR_OK ||
                value.size != 1000 || value.data[999] != 'v')
                reading->wrong++;
        }
        store_reader_end(reader);
        reading->snapshots++;
    }
    store_reader_destroy(reader);
}

static void the_map_moves_under_readers_without_harm(void **state)
{
    (void)state;
    fixture_start(&fixture, 1 * MIB, 256 * MIB);
    assert_int_equal(put_many(0), ERR_OK);
    static struct reading readings[3];
    memset(readings, 0, sizeof readings);
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            thread_start(&readings[i].thread, "reader", read_on, &readings[i]), ERR_OK);

    for (unsigned i = 1; i < 120; i++) {
        enum err err;
        while ((err = put_many(i)) == ERR_MAP_FULL)
            assert_int_equal(store_grow(fixture.store), ERR_OK);
        assert_int_equal(err, ERR_OK);
    }
    for (int i = 0; i < 3; i++) {
        readings[i].stop = true;
        thread_join(&readings[i].thread);
        assert_int_equal(readings[i].wrong, 0);
        assert_true(readings[i].snapshots > 10);
    }
    assert_true(usage().map_bytes > 16 * MIB);
}

static void used_bytes_fall_when_rows_go_while_the_file_stays(void **state)
{
    (void)state;
    fixture_start(&fixture, 64 * MIB, 64 * MIB);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(put_many(i), ERR_OK);
    struct store_usage full = usage();
    assert_true(full.used_bytes > 20 * ROWS * 1000);
    assert_true(full.used_bytes <= full.file_bytes);
    assert_int_equal(full.commits, 20);
    assert_int_equal(full.bytes_max, 64 * MIB);

    for (unsigned i = 0; i < 20; i++) {
        struct transaction *batch = store_batch(fixture.store);
        for (unsigned row = 0; row < ROWS; row++) {
            char key[32];
            (void)snprintf(key, sizeof key, "%06u-%04u", i, row);
            assert_int_equal(transaction_remove(batch, 0, slice_from_text(key)), ERR_OK);
        }
        assert_int_equal(store_commit(fixture.store), ERR_OK);
    }
    struct store_usage empty = usage();
    assert_true(empty.used_bytes < full.used_bytes / 10);
    assert_true(empty.file_bytes >= full.file_bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_full_map_is_grown_and_the_same_batch_applied_again,
                                  end),
        cmocka_unit_test_teardown(at_its_largest_a_store_refuses_but_stays_usable, end),
        cmocka_unit_test_teardown(a_file_that_may_not_grow_refuses_and_recovers, end),
        cmocka_unit_test_teardown(a_full_disk_refuses_and_recovers, end),
        cmocka_unit_test_teardown(the_map_grows_no_further_than_the_disk, end),
        cmocka_unit_test_teardown(the_map_moves_under_readers_without_harm, end),
        cmocka_unit_test_teardown(used_bytes_fall_when_rows_go_while_the_file_stays, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
