/*
 * Goal: what a manifest says is read back as it was written, and nothing else passes.
 * Method: one manifest, and every member of its text left out, of another kind, too long
 * or out of range.
 */
#include "ops/manifest.h"

#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* Too large for a stack. */
static struct manifest made;
static struct manifest taken;

static int begin(void **state)
{
    (void)state;
    made = (struct manifest){
        .name = "backup-20260102T030405Z-0000000000000041",
        .hub_version = "0.1.0",
        .instance = 1,
        .epoch = 2,
        .sequence = 65,
        .now_ms = 4,
        .created_ms = 1767323045000,
        .task_last = 6,
        .store_version = 2,
        .event_last = 11,
        .bytes = 7,
        .records = INT64_MAX,
        .sha256 = DIGEST,
        .tables = { { "task", 8, 9 }, { "blob", 10, INT64_MAX } },
        .table_count = 2,
    };
    return 0;
}

static char *text_of_made(void)
{
    struct buffer text;
    size_t size;
    buffer_init(&text, MANIFEST_BYTES_MAX);
    manifest_write(&made, &text);
    buffer_append_byte(&text, '\0');
    assert_false(buffer_failed(&text));
    return buffer_release(&text, &size);
}

static enum err read_text(const char *text)
{
    return manifest_read(slice_from_text(text), &taken);
}

/* `text` with the one place that says `was` saying `is`. */
static enum err read_changed(const char *was, const char *is)
{
    char *text = text_of_made();
    const char *at = strstr(text, was);
    assert_non_null(at);
    size_t size = strlen(text) + strlen(is) + 1;
    char *changed = malloc(size);
    assert_non_null(changed);
    (void)snprintf(changed, size, "%.*s%s%s", (int)(at - text), text, is,
                   at + strlen(was));
    enum err err = read_text(changed);
    free(changed);
    free(text);
    return err;
}

static void what_was_written_is_read_back(void **state)
{
    (void)state;
    char *text = text_of_made();
    assert_int_equal(read_text(text), ERR_OK);
    assert_memory_equal(&taken, &made, sizeof made);
    free(text);
}

static void one_from_before_it_told_of_events_is_taken(void **state)
{
    (void)state;
    assert_int_equal(read_changed("\"event_last\":11", "\"other\":11"), ERR_OK);
    assert_int_equal(taken.event_last, 0);
    assert_int_equal(read_changed("\"event_last\":11", "\"event_last\":-1"), ERR_INVALID);
    assert_int_equal(read_changed("\"event_last\":11", "\"event_last\":null"),
                     ERR_INVALID);
}

static void the_most_tables_fit_and_one_more_does_not(void **state)
{
    (void)state;
    made.table_count = MANIFEST_TABLES_MAX;
    for (size_t i = 0; i < made.table_count; i++)
        (void)snprintf(made.tables[i].name, sizeof made.tables[i].name, "%s%026zu",
                       "table_", i);
    char *text = text_of_made();
    assert_int_equal(read_text(text), ERR_OK);
    assert_int_equal(taken.table_count, MANIFEST_TABLES_MAX);
    assert_string_equal(taken.tables[MANIFEST_TABLES_MAX - 1].name,
                        made.tables[MANIFEST_TABLES_MAX - 1].name);
    free(text);
    assert_int_equal(
        read_changed("\"tables\":[",
                     "\"tables\":[{\"table\":\"x\",\"records\":1,\"bytes\":1},"),
        ERR_INVALID);
}

static void a_newer_format_is_told_from_none(void **state)
{
    (void)state;
    assert_int_equal(read_changed("\"format\":1", "\"format\":2"), ERR_UNSUPPORTED);
    /* Whatever else it says by then. */
    assert_int_equal(read_changed("\"format\":1,\"instance\":1", "\"format\":2"),
                     ERR_UNSUPPORTED);
    assert_int_equal(read_changed("\"format\":1", "\"format\":\"2\""), ERR_INVALID);
}

static void every_member_must_be_there_and_of_its_kind(void **state)
{
    (void)state;
    static const char *const NUMBERS[] = {
        "\"format\":1",    "\"instance\":1", "\"epoch\":2",
        "\"sequence\":65", "\"now_ms\":4",   "\"created_at\":1767323045000",
        "\"task_last\":6", "\"bytes\":7",    "\"records\":92233",
        "\"records\":8",   "\"bytes\":9",
    };
    static const char *const TEXTS[] = { "\"name\":\"", "\"hub_version\":\"",
                                         "\"sha256\":\"", "\"table\":\"" };
    static const char *const VALUES[] = { "-1,",   "1.5,",  "1e300,",
                                          "null,", "true,", "\"1\",",
                                          "[1],",  "{},",   "99999999999999999999," };
    char is[128];
    for (size_t i = 0; i < sizeof NUMBERS / sizeof NUMBERS[0]; i++) {
        int name = (int)(strchr(NUMBERS[i], ':') - NUMBERS[i]) + 1;
        (void)snprintf(is, sizeof is, "\"other\":%s", NUMBERS[i] + name);
        assert_int_equal(read_changed(NUMBERS[i], is), ERR_INVALID);
        for (size_t v = 0; v < sizeof VALUES / sizeof VALUES[0]; v++) {
            /* The member twice would be refused for that: the old one gets a new name. */
            (void)snprintf(is, sizeof is, "%.*s%s\"other\":%s", name, NUMBERS[i],
                           VALUES[v], NUMBERS[i] + name);
            assert_int_equal(read_changed(NUMBERS[i], is), ERR_INVALID);
        }
    }
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        int name = (int)strlen(TEXTS[i]) - 1;
        (void)snprintf(is, sizeof is, "\"other\":\"");
        assert_int_equal(read_changed(TEXTS[i], is), ERR_INVALID);
        (void)snprintf(is, sizeof is, "%.*s7,\"other\":\"", name, TEXTS[i]);
        assert_int_equal(read_changed(TEXTS[i], is), ERR_INVALID);
        (void)snprintf(is, sizeof is, "%s\\u0000", TEXTS[i]);
        assert_int_equal(read_changed(TEXTS[i], is), ERR_INVALID);
    }
    assert_int_equal(read_changed("\"tables\":[", "\"tables\":{},\"other\":["),
                     ERR_INVALID);
    assert_int_equal(read_changed("\"tables\":[", "\"other\":["), ERR_INVALID);
    assert_int_equal(read_changed("\"tables\":[", "\"tables\":[7,"), ERR_INVALID);
}

static void a_text_longer_than_its_room_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        size_t most;
    } TEXTS[] = {
        { "\"name\":\"", MANIFEST_NAME_BYTES },
        { "\"hub_version\":\"", MANIFEST_VERSION_BYTES },
        { "\"table\":\"", MANIFEST_TABLE_BYTES },
        { "\"sha256\":\"", MANIFEST_DIGEST_BYTES },
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        char is[128];
        (void)snprintf(is, sizeof is, "%s%0*d\",\"other\":\"", TEXTS[i].before,
                       (int)TEXTS[i].most, 0);
        assert_int_equal(read_changed(TEXTS[i].before, is), ERR_OK);
        (void)snprintf(is, sizeof is, "%s%0*d\",\"other\":\"", TEXTS[i].before,
                       (int)TEXTS[i].most + 1, 0);
        assert_int_equal(read_changed(TEXTS[i].before, is), ERR_INVALID);
    }
}

static void a_digest_is_so_many_hexadecimal_digits(void **state)
{
    (void)state;
    assert_int_equal(read_changed(DIGEST, ""), ERR_INVALID);
    assert_int_equal(read_changed("\"e3b0", "\"g3b0"), ERR_INVALID);
    assert_int_equal(read_changed("\"e3b0", "\"3b0"), ERR_INVALID);
}

static void what_is_cut_short_or_no_object_is_refused(void **state)
{
    (void)state;
    static const char *const OTHERS[] = { "", " ", "7", "[]", "\"x\"", "{}", "null" };
    char *text = text_of_made();
    for (size_t size = 0; size < strlen(text) - 1; size++)
        assert_int_equal(manifest_read(slice_make(text, size), &taken), ERR_INVALID);
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++)
        assert_int_equal(read_text(OTHERS[i]), ERR_INVALID);
    free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, begin)
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_is_read_back),
        TEST(one_from_before_it_told_of_events_is_taken),
        TEST(the_most_tables_fit_and_one_more_does_not),
        TEST(a_newer_format_is_told_from_none),
        TEST(every_member_must_be_there_and_of_its_kind),
        TEST(a_text_longer_than_its_room_is_refused),
        TEST(a_digest_is_so_many_hexadecimal_digits),
        TEST(what_is_cut_short_or_no_object_is_refused),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
