#include "store/store.h"

#include "cmocka_all.h"
#include "os/file.h"
#include "store/frame.h"
#include "store/store_fixture.h"

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIB = 1024 * 1024 };

static struct store_fixture fixture;

static int start(void **state)
{
    (void)state;
    fixture_start(&fixture, 4 * MIB, 16 * MIB);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_end(&fixture);
    return 0;
}

static void a_frame_belongs_to_its_table_its_key_and_its_bytes(void **state)
{
    (void)state;
    char frame[FRAME_HEAD_BYTES + 7];
    struct slice payload;
    frame_write(frame, 3, SLICE_OF("key"), SLICE_OF("payload"));
    assert_true(
        frame_read(slice_make(frame, sizeof frame), 3, SLICE_OF("key"), &payload));
    assert_true(slice_equal_text(payload, "payload"));

    struct slice whole = slice_make(frame, sizeof frame);
    assert_false(frame_read(whole, 4, SLICE_OF("key"), &payload));
    assert_false(frame_read(whole, 3, SLICE_OF("kez"), &payload));
    assert_false(
        frame_read(slice_make(frame, sizeof frame - 1), 3, SLICE_OF("key"), &payload));
    for (size_t bytes = 0; bytes < FRAME_HEAD_BYTES; bytes++)
        assert_false(frame_read(slice_make(frame, bytes), 3, SLICE_OF("key"), &payload));
    for (size_t bit = 0; bit < sizeof frame * 8; bit++) {
        frame[bit / 8] = (char)(frame[bit / 8] ^ 1 << bit % 8);
        assert_false(frame_read(whole, 3, SLICE_OF("key"), &payload));
        frame[bit / 8] = (char)(frame[bit / 8] ^ 1 << bit % 8);
    }
    assert_true(frame_read(whole, 3, SLICE_OF("key"), &payload));
}

/* Changes the byte `offset` from each `needle` in the closed store's file: pages that are
 * out of use hold older copies. */
static void flip(const char *needle, long offset)
{
    char path[256];
    struct buffer bytes;
    fixture_path(&fixture, "data.mdb", path, sizeof path);
    buffer_init(&bytes, 16 * MIB);
    assert_int_equal(file_read(path, 16 * MIB, &bytes), ERR_OK);

    unsigned flipped = 0;
    char *found = bytes.data;
    char *end_of_file = bytes.data + bytes.size;
    while ((found = memmem(found, (size_t)(end_of_file - found), needle,
                           strlen(needle))) != NULL) {
        char *target = found + offset;
        found += strlen(needle);
        *target = (char)(*target ^ 0x10);
        flipped++;
    }
    assert_true(flipped > 0);
    assert_int_equal(file_write(path, buffer_slice(&bytes)), ERR_OK);
    buffer_finish(&bytes);
}

#define PAYLOAD "the payload of the row whose bytes are changed on disk"

static enum err read_key(struct transaction *transaction, const char *key)
{
    struct slice value;
    return transaction_get(transaction, 0, slice_from_text(key), &value);
}

/* Every part of a record: version, checksum, payload's first, middle and last byte. */
static void a_changed_byte_is_never_read_as_right(void **state)
{
    (void)state;
    static const long OFFSETS[] = { -5, -4, -3, -2, -1, 0, 20, sizeof PAYLOAD - 2 };
    for (size_t i = 0; i < sizeof OFFSETS / sizeof OFFSETS[0]; i++) {
        assert_int_equal(fixture_put(&fixture, 0, "row", SLICE_OF(PAYLOAD)), ERR_OK);
        assert_int_equal(fixture_put(&fixture, 0, "sane", SLICE_OF("1")), ERR_OK);
        fixture_close(&fixture);
        flip(PAYLOAD, OFFSETS[i]);
        assert_int_equal(fixture_open(&fixture), ERR_OK);

        struct slice key;
        struct slice value;
        struct store_reader *reader = store_reader_create(fixture.store);
        struct transaction *snapshot = store_reader_begin(reader);
        assert_int_equal(read_key(snapshot, "sane"), ERR_OK);
        assert_int_equal(read_key(snapshot, "row"), ERR_CORRUPT);
        assert_int_equal(read_key(snapshot, "sane"), ERR_CORRUPT); /* sticky */
        store_reader_end(reader);
        snapshot = store_reader_begin(reader);
        assert_int_equal(
            transaction_first_from(snapshot, 0, slice_from_text(NULL), &key, &value),
            ERR_CORRUPT);
        store_reader_end(reader);
        snapshot = store_reader_begin(reader);
        assert_int_equal(
            transaction_last_before(snapshot, 0, SLICE_OF("s"), &key, &value),
            ERR_CORRUPT);
        store_reader_end(reader);
        store_reader_destroy(reader);

        /* The writer hears of it even when it has nothing to write. */
        (void)store_batch(fixture.store);
        assert_int_equal(store_commit(fixture.store), ERR_CORRUPT);
        /* No more is written over a disk that changes what it was given. */
        assert_int_equal(fixture_put(&fixture, 0, "sane", SLICE_OF("2")), ERR_CORRUPT);
        assert_true(fixture_has(&fixture, 0, "sane", SLICE_OF("1")));
        fixture_end(&fixture);
        fixture_start(&fixture, 4 * MIB, 16 * MIB);
    }
}

static void a_key_that_changed_is_found_out_by_a_walk(void **state)
{
    (void)state;
    assert_int_equal(fixture_put(&fixture, 0, "quiteuniquekey", SLICE_OF("1")), ERR_OK);
    fixture_close(&fixture);
    flip("quiteuniquekey", 3);
    assert_int_equal(fixture_open(&fixture), ERR_OK);
    struct slice key;
    struct slice value;
    struct transaction *batch = store_batch(fixture.store);
    assert_int_equal(
        transaction_first_from(batch, 0, slice_from_text(NULL), &key, &value),
        ERR_CORRUPT);
    assert_int_equal(store_commit(fixture.store), ERR_CORRUPT);
}

static void a_format_that_changed_is_refused(void **state)
{
    (void)state;
    fixture_close(&fixture);
    flip("table/two", 10);
    assert_int_equal(fixture_open(&fixture), ERR_CORRUPT);
    assert_true(strlen(fixture.problem.text) > 0);
}

/* What each code of the system or of LMDB means to a batch, and to those after it. */
static void every_failure_has_its_meaning(void **state)
{
    (void)state;
    static const struct {
        enum store_call call;
        int code;
        enum err err;
        enum err later;
    } CASES[] = {
        { STORE_CALL_PUT, MDB_MAP_FULL, ERR_MAP_FULL, ERR_OK },
        { STORE_CALL_PUT, MDB_TXN_FULL, ERR_LIMIT, ERR_OK },
        { STORE_CALL_PUT, ENOMEM, ERR_MEMORY, ERR_OK },
        { STORE_CALL_PUT, EIO, ERR_IO, ERR_IO },
        { STORE_CALL_PUT, MDB_CORRUPTED, ERR_CORRUPT, ERR_CORRUPT },
        { STORE_CALL_PUT, MDB_PAGE_NOTFOUND, ERR_CORRUPT, ERR_CORRUPT },
        { STORE_CALL_BEGIN_WRITE, MDB_PANIC, ERR_IO, ERR_IO },
        { STORE_CALL_BEGIN_WRITE, ENOMEM, ERR_MEMORY, ERR_OK },
        { STORE_CALL_COMMIT, MDB_MAP_FULL, ERR_MAP_FULL, ERR_OK },
        { STORE_CALL_COMMIT, ENOSPC, ERR_NO_SPACE, ERR_OK },
        { STORE_CALL_COMMIT, EDQUOT, ERR_NO_SPACE, ERR_OK },
        { STORE_CALL_COMMIT, EFBIG, ERR_NO_SPACE, ERR_OK },
        { STORE_CALL_COMMIT, EIO, ERR_IO, ERR_IO },
        { STORE_CALL_COMMIT, EROFS, ERR_IO, ERR_IO },
        { STORE_CALL_COMMIT, MDB_BAD_TXN, ERR_CORRUPT, ERR_CORRUPT },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        fixture_end(&fixture);
        fixture_start(&fixture, 4 * MIB, 16 * MIB);
        assert_int_equal(fixture_put(&fixture, 0, "a", SLICE_OF("1")), ERR_OK);
        fixture_fail(&fixture, CASES[i].call, 1, CASES[i].code);
        assert_int_equal(fixture_put(&fixture, 0, "a", SLICE_OF("2")), CASES[i].err);
        assert_true(fixture_has(&fixture, 0, "a", SLICE_OF("1")));
        assert_int_equal(fixture_put(&fixture, 0, "a", SLICE_OF("3")), CASES[i].later);
        struct slice now = CASES[i].later == ERR_OK ? SLICE_OF("3") : SLICE_OF("1");
        assert_true(fixture_has(&fixture, 0, "a", now));
        fixture_close(&fixture);
        assert_int_equal(fixture_open(&fixture), ERR_OK);
        assert_true(fixture_has(&fixture, 0, "a", now));
    }
}

static void a_broken_store_refuses_every_kind_of_write_and_is_still_read(void **state)
{
    (void)state;
    assert_int_equal(fixture_put(&fixture, 0, "a", SLICE_OF("1")), ERR_OK);
    fixture_fail(&fixture, STORE_CALL_COMMIT, 1, EIO);
    assert_int_equal(fixture_remove(&fixture, 0, "a"), ERR_IO);
    fixture_fail(&fixture, STORE_CALL_COMMIT, 0, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fixture_put(&fixture, 0, "a", SLICE_OF("2")), ERR_IO);
        assert_int_equal(fixture_remove(&fixture, 0, "a"), ERR_IO);
        assert_true(fixture_has(&fixture, 0, "a", SLICE_OF("1")));
        (void)store_batch(fixture.store);
        assert_int_equal(store_commit(fixture.store), ERR_IO);
    }
    assert_int_equal(fixture.plan.counts[STORE_CALL_COMMIT], 0);
    assert_int_equal(fixture.plan.counts[STORE_CALL_PUT], 0);
}

static void the_first_failure_is_the_last_word_of_its_batch(void **state)
{
    (void)state;
    struct slice key;
    struct slice value;
    assert_int_equal(fixture_put(&fixture, 0, "a", SLICE_OF("1")), ERR_OK);
    fixture_fail(&fixture, STORE_CALL_PUT, 2, MDB_MAP_FULL);
    struct transaction *batch = store_batch(fixture.store);
    assert_int_equal(transaction_put(batch, 0, SLICE_OF("b"), SLICE_OF("1")), ERR_OK);
    assert_int_equal(transaction_put(batch, 0, SLICE_OF("c"), SLICE_OF("1")),
                     ERR_MAP_FULL);
    assert_int_equal(transaction_get(batch, 0, SLICE_OF("a"), &value), ERR_MAP_FULL);
    assert_int_equal(transaction_put(batch, 0, SLICE_OF("d"), SLICE_OF("1")),
                     ERR_MAP_FULL);
    assert_int_equal(transaction_remove(batch, 0, SLICE_OF("a")), ERR_MAP_FULL);
    assert_int_equal(transaction_first_from(batch, 0, SLICE_OF("a"), &key, &value),
                     ERR_MAP_FULL);
    assert_int_equal(transaction_last_before(batch, 0, SLICE_OF("z"), &key, &value),
                     ERR_MAP_FULL);
    assert_int_equal(store_commit(fixture.store), ERR_MAP_FULL);
    assert_true(fixture_has(&fixture, 0, "b", (struct slice){ NULL, 0 }));
    assert_int_equal(fixture.plan.counts[STORE_CALL_COMMIT], 0);
}

static void a_reader_that_finds_no_slot_says_so(void **state)
{
    (void)state;
    struct slice value;
    struct store_reader *reader = store_reader_create(fixture.store);
    fixture_fail(&fixture, STORE_CALL_BEGIN_READ, 1, MDB_READERS_FULL);
    struct transaction *snapshot = store_reader_begin(reader);
    assert_int_equal(transaction_get(snapshot, 0, SLICE_OF("a"), &value), ERR_LIMIT);
    store_reader_end(reader);
    snapshot = store_reader_begin(reader);
    assert_int_equal(transaction_get(snapshot, 0, SLICE_OF("a"), &value), ERR_NOT_FOUND);
    store_reader_end(reader);
    fixture_fail(&fixture, STORE_CALL_BEGIN_READ, 1, MDB_READERS_FULL);
    snapshot = store_reader_begin(reader);
    assert_int_equal(transaction_get(snapshot, 0, SLICE_OF("a"), &value), ERR_LIMIT);
    store_reader_end(reader);
    store_reader_destroy(reader);
    assert_int_equal(fixture_put(&fixture, 0, "a", SLICE_OF("1")), ERR_OK);
}

static void growing_that_fails_changes_nothing(void **state)
{
    (void)state;
    fixture_fail(&fixture, STORE_CALL_GROW, 1, ENOMEM);
    assert_int_equal(store_grow(fixture.store), ERR_MEMORY);
    assert_int_equal(fixture_put(&fixture, 0, "a", SLICE_OF("1")), ERR_OK);
    assert_int_equal(store_grow(fixture.store), ERR_OK);
    assert_true(fixture_has(&fixture, 0, "a", SLICE_OF("1")));
}

static void a_start_that_fails_leaves_nothing_locked(void **state)
{
    (void)state;
    static const struct {
        enum store_call call;
        int code;
        enum err err;
    } CASES[] = {
        { STORE_CALL_OPEN, MDB_VERSION_MISMATCH, ERR_UNSUPPORTED },
        { STORE_CALL_OPEN, ENOMEM, ERR_MEMORY },
        { STORE_CALL_OPEN, EACCES, ERR_IO },
        { STORE_CALL_BEGIN_WRITE, ENOMEM, ERR_MEMORY },
        { STORE_CALL_GET, MDB_CORRUPTED, ERR_CORRUPT },
        { STORE_CALL_COMMIT, ENOSPC, ERR_NO_SPACE },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        fixture_close(&fixture);
        fixture_fail(&fixture, CASES[i].call, 1, CASES[i].code);
        assert_int_equal(fixture_open(&fixture), CASES[i].err);
        assert_true(strlen(fixture.problem.text) > 0);
        assert_int_equal(fixture_open(&fixture), ERR_OK);
    }
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_belongs_to_its_table_its_key_and_its_bytes),
        EACH(a_changed_byte_is_never_read_as_right),
        EACH(a_key_that_changed_is_found_out_by_a_walk),
        EACH(a_format_that_changed_is_refused),
        EACH(every_failure_has_its_meaning),
        EACH(a_broken_store_refuses_every_kind_of_write_and_is_still_read),
        EACH(the_first_failure_is_the_last_word_of_its_batch),
        EACH(a_reader_that_finds_no_slot_says_so),
        EACH(growing_that_fails_changes_nothing),
        EACH(a_start_that_fails_leaves_nothing_locked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
