/*
 * Goal: what was appended is read back, in order and whole, wherever the writer ended; what
 * was taken back or torn is not there; a gap is a new history that says where it begins.
 */
#include "store/journal.h"
#include "store/journal_read.h"

#include "cmocka_all.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

enum { KIB = 1024, DAY_S = 24 * 3600 };

static char directory[64];
static char path[80];
static struct journal *journal;
static struct store_problem problem;
static const struct journal_line LINE = { 7, 1000 };

static const struct journal_options ROOMY = {
    .directory = path,
    .segment_bytes = 1 << 20,
    .segment_ms = INT64_MAX,
    .bytes_max = UINT64_MAX,
};

static int begin(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "/tmp/test_journal_XXXXXX");
    assert_non_null(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/journal", directory);
    journal = NULL;
    return 0;
}

static int remove_one(const char *name, const struct stat *status, int kind,
                      struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(name);
}

static int end(void **state)
{
    (void)state;
    journal_destroy(journal);
    nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}

static struct segment_head head_at(uint64_t position)
{
    return (struct segment_head){
        .instance = LINE.instance,
        .epoch = LINE.epoch,
        .position = position,
        .program = SLICE("hub 1"),
        .settings = SLICE("settings"),
    };
}

/* A writer starts (again) on a store that stands there. */
static void start(const struct journal_options *options, uint64_t position)
{
    struct segment_head head = head_at(position);
    journal_destroy(journal);
    assert_int_equal(journal_create(options, &journal, &problem), ERR_OK);
    assert_int_equal(journal_begin(journal, &head), ERR_OK);
}

static enum err append(uint64_t before, uint64_t after, struct slice commands)
{
    struct segment_record record = {
        .before = before,
        .after = after,
        .event_last = after * 2,
        .now_ms = (int64_t)after,
        .wall_ms = 1767225600000 + (int64_t)after,
        .commands = commands,
    };
    return journal_append(journal, &record);
}

static void append_all(uint64_t from, uint64_t to)
{
    char text[32];
    for (uint64_t i = from; i < to; i++) {
        int size = snprintf(text, sizeof text, "command %llu", (unsigned long long)i);
        assert_int_equal(append(i, i + 1, slice_make(text, (size_t)size)), ERR_OK);
    }
}

/* Reads it all: [first, after) without a gap. */
static void read_span(uint64_t *ret_first, uint64_t *ret_after)
{
    struct journal_reader *reader;
    const struct segment_head *head;
    struct segment_record record;
    char text[32];
    *ret_first = UINT64_MAX;
    *ret_after = UINT64_MAX;
    assert_int_equal(journal_reader_create(path, &LINE, &reader), ERR_OK);
    while (journal_reader_next(reader, &head, &record) == ERR_OK) {
        if (*ret_first == UINT64_MAX)
            *ret_first = record.before;
        else
            assert_int_equal(record.before, *ret_after);
        *ret_after = record.after;
        int size = snprintf(text, sizeof text, "command %llu",
                            (unsigned long long)record.before);
        assert_true(slice_equal(record.commands, slice_make(text, (size_t)size)));
        assert_int_equal(record.event_last, record.after * 2);
        assert_int_equal(record.now_ms, record.after);
        assert_int_equal(record.wall_ms, 1767225600000 + (int64_t)record.after);
        assert_true(slice_equal_text(head->program, "hub 1"));
        assert_true(slice_equal_text(head->settings, "settings"));
    }
    journal_reader_destroy(reader);
}

static void expect_span(uint64_t first, uint64_t after)
{
    uint64_t found_first;
    uint64_t found_after;
    read_span(&found_first, &found_after);
    assert_int_equal(found_first, first);
    assert_int_equal(found_after, after);
}

static uint64_t begin_now(void)
{
    struct journal_figures figures;
    assert_int_equal(journal_look(path, 0, &figures), ERR_OK);
    return figures.begin;
}

static size_t segments_now(void)
{
    struct journal_figures figures;
    assert_int_equal(journal_look(path, 0, &figures), ERR_OK);
    return figures.segments;
}

static void what_was_appended_is_read_while_it_is_written(void **state)
{
    (void)state;
    start(&ROOMY, 10);
    append_all(10, 20);
    expect_span(10, 20);
    append_all(20, 30);
    expect_span(10, 30);
    assert_int_equal(begin_now(), 10);
}

static void the_files_are_for_their_owner_alone(void **state)
{
    (void)state;
    char name[128];
    struct stat status;
    start(&ROOMY, 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    (void)snprintf(name, sizeof name, "%s/%016d.journal", path, 1);
    assert_int_equal(stat(name, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
}

static void two_writers_of_one_journal_are_one_too_many(void **state)
{
    (void)state;
    struct journal *second;
    start(&ROOMY, 0);
    assert_int_equal(journal_create(&ROOMY, &second, &problem), ERR_EXISTS);
    assert_non_null(strstr(problem.text, "another hub"));
}

static void a_restart_goes_on_where_the_store_stands(void **state)
{
    (void)state;
    start(&ROOMY, 10);
    append_all(10, 20);
    start(&ROOMY, 20);
    append_all(20, 25);
    start(&ROOMY, 25); /* nothing happens in this run */
    start(&ROOMY, 25);
    append_all(25, 30);
    expect_span(10, 30);
    assert_int_equal(begin_now(), 10);
    assert_int_equal(segments_now(), 3);
}

static void a_record_whose_batch_was_not_committed_is_left_out(void **state)
{
    (void)state;
    start(&ROOMY, 10);
    append_all(10, 20);
    assert_int_equal(append(20, 25, SLICE_OF("died before the commit")), ERR_OK);
    start(&ROOMY, 20);
    append_all(20, 23);
    expect_span(10, 23);
    assert_int_equal(begin_now(), 10);
}

static void a_record_taken_back_is_gone(void **state)
{
    (void)state;
    start(&ROOMY, 10);
    append_all(10, 20);
    assert_int_equal(append(20, 21, SLICE_OF("in vain")), ERR_OK);
    journal_undo(journal);
    expect_span(10, 20);
    append_all(20, 22);
    expect_span(10, 22);
    assert_int_equal(begin_now(), 10);
    assert_int_equal(segments_now(), 1);
}

static void a_torn_end_takes_nothing_but_itself(void **state)
{
    (void)state;
    char name[128];
    struct stat whole;
    start(&ROOMY, 0);
    append_all(0, 3);
    (void)snprintf(name, sizeof name, "%s/%016d.journal", path, 1);
    assert_int_equal(stat(name, &whole), 0);
    off_t before = whole.st_size;
    append_all(3, 4);
    assert_int_equal(stat(name, &whole), 0);
    for (off_t size = whole.st_size - 1; size >= before; size--) {
        assert_int_equal(truncate(name, size), 0);
        expect_span(0, 3);
    }
    start(&ROOMY, 3);
    append_all(3, 6);
    expect_span(0, 6);
    assert_int_equal(begin_now(), 0);
}

static void a_bit_that_turned_ends_the_segment_before_it(void **state)
{
    (void)state;
    char name[128];
    struct stat status;
    start(&ROOMY, 0);
    append_all(0, 3);
    (void)snprintf(name, sizeof name, "%s/%016d.journal", path, 1);
    assert_int_equal(stat(name, &status), 0);
    append_all(3, 4);
    int fd = open(name, O_RDWR);
    struct stat whole;
    assert_int_equal(fstat(fd, &whole), 0);
    for (off_t at = status.st_size; at < whole.st_size; at++) {
        char byte;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        expect_span(0, 3);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    expect_span(0, 4);
    (void)close(fd);
}

static void a_store_that_stands_elsewhere_begins_a_new_history(void **state)
{
    (void)state;
    start(&ROOMY, 10);
    append_all(10, 20);
    start(&ROOMY, 25);
    append_all(25, 30);
    assert_int_equal(begin_now(), 25);
    struct segment_head other = head_at(30);
    other.program = SLICE_OF("hub 2");
    assert_int_equal(journal_begin(journal, &other), ERR_OK);
    assert_int_equal(begin_now(), 30);
}

static void the_last_record_before_a_gap_is_in_doubt(void **state)
{
    (void)state;
    struct journal_reader *reader;
    struct segment_record record;
    const struct segment_head *head;
    uint64_t after = 0;
    start(&ROOMY, 10);
    append_all(10, 20);
    assert_int_equal(append(20, 22, SLICE_OF("died before the commit")), ERR_OK);
    start(&ROOMY, 30); /* the runs between kept no journal */
    append_all(30, 32);
    assert_int_equal(journal_reader_create(path, &LINE, &reader), ERR_OK);
    while (journal_reader_next(reader, &head, &record) == ERR_OK) {
        assert_int_not_equal(record.before, 20);
        after = record.after;
    }
    journal_reader_destroy(reader);
    assert_int_equal(after, 32);
}

static void a_store_that_went_back_goes_on_from_there(void **state)
{
    (void)state;
    start(&ROOMY, 10);
    append_all(10, 20);
    start(&ROOMY, 20);
    append_all(20, 30);
    start(&ROOMY, 15); /* an older file was put in its place */
    append_all(15, 18);
    expect_span(10, 18);
    assert_int_equal(begin_now(), 10);
}

static void another_line_of_history_is_not_mixed_in(void **state)
{
    (void)state;
    start(&ROOMY, 10);
    append_all(10, 20);
    struct segment_head restored = head_at(12);
    restored.epoch = LINE.epoch + 1;
    assert_int_equal(journal_begin(journal, &restored), ERR_OK);
    append_all(12, 14);
    expect_span(10, 20);
    struct journal_figures figures;
    assert_int_equal(journal_look(path, 0, &figures), ERR_OK);
    assert_int_equal(figures.line.epoch, LINE.epoch + 1);
    assert_int_equal(figures.begin, 12);
}

static void segments_are_bounded_and_the_oldest_go(void **state)
{
    (void)state;
    static char large[10 * KIB];
    struct journal_options tight = ROOMY;
    struct journal_figures figures;
    tight.segment_bytes = (uint64_t)32 * KIB;
    tight.bytes_max = (uint64_t)100 * KIB;
    start(&tight, 0);
    for (uint64_t i = 0; i < 50; i++)
        assert_int_equal(append(i, i + 1, slice_make(large, sizeof large)), ERR_OK);
    assert_int_equal(journal_look(path, 45, &figures), ERR_OK);
    assert_true(figures.segments >= 3);
    assert_true(figures.bytes <= (uint64_t)140 * KIB);
    assert_true(figures.begin > 30 && figures.begin < 45);
    assert_true(figures.bytes_since < figures.bytes);
    assert_true(figures.bytes_since >= (uint64_t)50 * KIB);
}

static void what_is_older_than_its_time_goes(void **state)
{
    (void)state;
    char name[128];
    struct journal_options kept = ROOMY;
    kept.ttl_ms = (int64_t)DAY_S * 1000;
    start(&kept, 0);
    append_all(0, 5);
    start(&kept, 5);
    append_all(5, 9);
    (void)snprintf(name, sizeof name, "%s/%016d.journal", path, 1);
    time_t long_ago = time(NULL) - 2 * DAY_S;
    struct timeval times[2] = { { .tv_sec = long_ago }, { .tv_sec = long_ago } };
    assert_int_equal(utimes(name, times), 0);
    start(&kept, 9);
    expect_span(5, 9);
    assert_int_equal(begin_now(), 5);
}

static void a_disk_that_is_full_ends_the_history_and_no_more(void **state)
{
    (void)state;
    static char large[64 * KIB];
    struct rlimit before;
    (void)signal(SIGXFSZ, SIG_IGN);
    start(&ROOMY, 0);
    append_all(0, 3);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit tight = { (rlim_t)32 * KIB, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    assert_int_equal(append(3, 4, slice_make(large, sizeof large)), ERR_NO_SPACE);
    assert_int_equal(append(4, 5, SLICE_OF("too early to try again")), ERR_CLOSED);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    expect_span(0, 3);
    start(&ROOMY, 5); /* as it is once the time to wait is over */
    append_all(5, 7);
    assert_int_equal(begin_now(), 5);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_was_appended_is_read_while_it_is_written),
        CASE(the_files_are_for_their_owner_alone),
        CASE(two_writers_of_one_journal_are_one_too_many),
        CASE(a_restart_goes_on_where_the_store_stands),
        CASE(a_record_whose_batch_was_not_committed_is_left_out),
        CASE(a_record_taken_back_is_gone),
        CASE(a_torn_end_takes_nothing_but_itself),
        CASE(a_bit_that_turned_ends_the_segment_before_it),
        CASE(a_store_that_stands_elsewhere_begins_a_new_history),
        CASE(the_last_record_before_a_gap_is_in_doubt),
        CASE(a_store_that_went_back_goes_on_from_there),
        CASE(another_line_of_history_is_not_mixed_in),
        CASE(segments_are_bounded_and_the_oldest_go),
        CASE(what_is_older_than_its_time_goes),
        CASE(a_disk_that_is_full_ends_the_history_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
