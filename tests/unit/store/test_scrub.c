/* Goal: every record is read once, and one that rotted is named, wherever it is. */
#include "store/scrub.h"

#include "cmocka_all.h"
#include "store/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIB = 1024 * 1024, ROWS = 300 };

static struct store_fixture fixture;

static int start(void **state)
{
    (void)state;
    fixture_start(&fixture, 1 * MIB, 16 * MIB);
    struct transaction *batch = store_batch(fixture.store);
    for (unsigned i = 0; i < ROWS; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "row-%04u", i);
        assert_int_equal(
            transaction_put(batch, i % 2, slice_from_text(key), slice_from_text(key)),
            ERR_OK);
    }
    assert_int_equal(store_commit(fixture.store), ERR_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_end(&fixture);
    return 0;
}

static void every_record_is_read_once_however_few_at_a_time(void **state)
{
    (void)state;
    static const unsigned MOST[] = { 1, 7, 100, 1000 };
    for (size_t i = 0; i < sizeof MOST / sizeof MOST[0]; i++) {
        struct store_scrub scrub = { 0 };
        struct store_rot rot;
        enum err err;
        unsigned calls = 0;
        while ((err = store_scrub(fixture.store, &scrub, MOST[i], &rot)) == ERR_OK)
            assert_true(calls++ <= ROWS);
        assert_int_equal(err, ERR_NOT_FOUND);
        assert_int_equal(scrub.records, ROWS);
        assert_int_equal(store_scrub(fixture.store, &scrub, 1, &rot), ERR_NOT_FOUND);
    }
}

/* Turns a bit of the record's payload, behind LMDB's back. */
static void spoil(const char *key)
{
    char path[256];
    fixture_path(&fixture, "data.mdb", path, sizeof path);
    fixture_close(&fixture);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(file);
    char *bytes = malloc(size);
    assert_non_null(bytes);
    rewind(file);
    assert_int_equal(fread(bytes, 1, size, file), size);
    size_t length = strlen(key);
    unsigned turned = 0;
    for (size_t at = 0; at + length <= size; at++) {
        /* Key, frame's head, payload: the payload is the second of two. */
        if (memcmp(bytes + at, key, length) != 0)
            continue;
        if (at >= length + 5 && memcmp(bytes + at - length - 5, key, length) == 0) {
            bytes[at] = (char)(bytes[at] ^ 4);
            turned++;
        }
    }
    assert_true(turned > 0);
    rewind(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    free(bytes);
    assert_int_equal(fixture_open(&fixture), ERR_OK);
}

static void what_rotted_is_named_and_the_rest_is_read_all_the_same(void **state)
{
    (void)state;
    struct store_scrub scrub = { 0 };
    struct store_rot rot;
    unsigned found = 0;
    enum err err;
    spoil("row-0041");
    spoil("row-0200");
    while ((err = store_scrub(fixture.store, &scrub, 16, &rot)) != ERR_NOT_FOUND) {
        if (err == ERR_OK)
            continue;
        assert_int_equal(err, ERR_CORRUPT);
        found++;
        assert_true(rot.bytes.size > 0);
        assert_true(slice_equal_text(rot.key, "row-0041") ||
                    slice_equal_text(rot.key, "row-0200"));
        assert_string_equal(rot.table,
                            slice_equal_text(rot.key, "row-0041") ? "two" : "one");
    }
    assert_int_equal(found, 2);
    assert_int_equal(scrub.records, ROWS);
    /* It was looked at, not needed: the store goes on. */
    assert_int_equal(fixture_put(&fixture, 0, "more", SLICE_OF("1")), ERR_OK);
}

static void a_disk_that_fails_a_read_is_no_rot(void **state)
{
    (void)state;
    struct store_scrub scrub = { 0 };
    struct store_rot rot;
    fixture_fail(&fixture, STORE_CALL_SEEK, 3, 5 /* EIO */);
    enum err err;
    while ((err = store_scrub(fixture.store, &scrub, 2, &rot)) == ERR_OK)
        continue;
    assert_int_equal(err, ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_record_is_read_once_however_few_at_a_time,
                                        start, end),
        cmocka_unit_test_setup_teardown(
            what_rotted_is_named_and_the_rest_is_read_all_the_same, start, end),
        cmocka_unit_test_setup_teardown(a_disk_that_fails_a_read_is_no_rot, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
