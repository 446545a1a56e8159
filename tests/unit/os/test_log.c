#include "os/counter.h"
#include "os/log.h"
#include "os/thread.h"

#include "cmocka_all.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/drover-log-XXXXXX";
static char text[1 << 20];

/* What the log holds now; the log starts anew. */
static const char *take_log(void)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    text[size] = '\0';
    assert_int_equal(fclose(file), 0);
    assert_int_equal(truncate(path, 0), 0);
    return text;
}

/* The line behind its time. */
static const char *take_line(void)
{
    const char *line = take_log();
    static const char START[] = "{\"time\":\"2026-01-01T00:00:00.000Z\",";
    assert_true(strlen(line) > sizeof START);
    assert_memory_equal(line, START, sizeof "{\"time\":\"" - 1);
    for (size_t i = sizeof "{\"time\":\"" - 1; START[i] != '\0'; i++) {
        if (START[i] >= '0' && START[i] <= '9')
            assert_in_range(line[i], '0', '9');
        else
            assert_int_equal(line[i], START[i]);
    }
    assert_int_equal(line[strlen(line) - 1], '\n');
    return line + sizeof START - 1;
}

static void a_line_is_json_with_its_fields_in_order(void **state)
{
    (void)state;
    LOG_INFO("agent_connected", LOG_TEXT("agent_id", SLICE_OF("a \"b\" \\")),
             LOG_NUMBER("tasks", -3), LOG_BOOL("again", true), LOG_ERR(ERR_IO),
             LOG_WORD("nothing", NULL));
    assert_string_equal(take_line(),
                        "\"severity\":\"info\",\"message\":\"agent_connected\","
                        "\"agent_id\":\"a \\\"b\\\" \\\\\",\"tasks\":-3,\"again\":true,"
                        "\"error\":\"io\",\"nothing\":null}\n");
    LOG_WARNING("alone");
    assert_string_equal(take_line(), "\"severity\":\"warning\",\"message\":\"alone\"}\n");
}

static void expect_escaped(const char *bytes, size_t size, const char *expected)
{
    char wanted[256];
    (void)snprintf(wanted, sizeof wanted,
                   "\"severity\":\"error\",\"message\":\"e\",\"text\":\"%s\"}\n",
                   expected);
    LOG_ERROR("e", LOG_TEXT("text", slice_make(bytes, size)));
    assert_string_equal(take_line(), wanted);
}

#define EXPECT_ESCAPED(literal, expected)                                                \
    expect_escaped((literal), sizeof(literal) - 1, (expected))

static void no_hostile_character_gets_through(void **state)
{
    (void)state;
    EXPECT_ESCAPED("a\r\nb\tc", "a\\u000d\\u000ab\\u0009c");
    EXPECT_ESCAPED("\x1b[31m", "\\u001b[31m");
    EXPECT_ESCAPED("a\0b\x7f", "a\\u0000b\\u007f");
    EXPECT_ESCAPED("\xc2\x85", "\\u0085");                /* next line */
    EXPECT_ESCAPED("\xe2\x80\xa8", "\\u2028");            /* line separator */
    EXPECT_ESCAPED("\xe2\x80\xae", "\\u202e");            /* right to left override */
    EXPECT_ESCAPED("\xe2\x81\xa6", "\\u2066");            /* isolate */
    EXPECT_ESCAPED("\xe2\x80\x8b", "\\u200b");            /* zero width */
    EXPECT_ESCAPED("\xf3\xa0\x81\x81", "\\udb40\\udc41"); /* a tag character */
    EXPECT_ESCAPED("gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\x82",
                   "gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\x82");
}

static void what_is_not_utf8_is_replaced(void **state)
{
    (void)state;
    EXPECT_ESCAPED("\xff", "\\ufffd");
    EXPECT_ESCAPED("a\xc3", "a\\ufffd");
    EXPECT_ESCAPED("\xc0\xaf", "\\ufffd\\ufffd");            /* overlong */
    EXPECT_ESCAPED("\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"); /* surrogate */
    EXPECT_ESCAPED("\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd");
}

static void a_long_text_is_cut_between_characters(void **state)
{
    (void)state;
    char bytes[LOG_TEXT_BYTES_MAX + 2];
    memset(bytes, 'x', sizeof bytes);
    bytes[LOG_TEXT_BYTES_MAX - 1] = (char)0xc3;
    bytes[LOG_TEXT_BYTES_MAX] = (char)0xbc;
    LOG_INFO("cut", LOG_TEXT("text", slice_make(bytes, sizeof bytes)));

    const char *line = take_line();
    const char *value = strstr(line, "\"text\":\"");
    assert_non_null(value);
    value += strlen("\"text\":\"");
    assert_int_equal(strspn(value, "x"), LOG_TEXT_BYTES_MAX - 1);
    assert_string_equal(value + LOG_TEXT_BYTES_MAX - 1, "...\"}\n");
}

static void a_line_that_would_be_too_long_loses_whole_fields(void **state)
{
    (void)state;
    char bytes[LOG_TEXT_BYTES_MAX];
    memset(bytes, 1, sizeof bytes);
    struct slice worst = slice_make(bytes, sizeof bytes);
    LOG_INFO("long", LOG_TEXT("first", worst), LOG_TEXT("second", worst),
             LOG_NUMBER("third", 3));

    const char *line = take_line();
    assert_true(strlen(line) < 4096);
    assert_non_null(strstr(line, "\"first\":"));
    assert_null(strstr(line, "\"second\":"));
    assert_null(strstr(line, "\"third\":"));
    assert_string_equal(line + strlen(line) - strlen("\",\"truncated\":true}\n"),
                        "\",\"truncated\":true}\n");
}

static void secrets_are_never_shown(void **state)
{
    (void)state;
    struct slice canary = SLICE_OF("canary");
    LOG_ERROR("e", LOG_TEXT("token", canary), LOG_TEXT("auth_token", canary),
              LOG_TEXT("secret", canary));
    const char *line = take_line();
    assert_null(strstr(line, "canary"));
    assert_non_null(strstr(line, "\"auth_token\":\"[redacted]\""));
}

static int evaluated;

static int64_t evaluate(void)
{
    return ++evaluated;
}

static void a_level_that_is_not_shown_costs_nothing(void **state)
{
    (void)state;
    evaluated = 0;
    LOG_DEBUG("hidden", LOG_NUMBER("n", evaluate()));
    assert_string_equal(take_log(), "");
    assert_int_equal(evaluated, 0);

    enum log_level level;
    assert_true(log_level_parse(SLICE_OF("debug"), &level));
    log_set_level(level);
    LOG_DEBUG("shown", LOG_NUMBER("n", evaluate()));
    assert_non_null(strstr(take_log(), "\"shown\",\"n\":1}"));
    assert_false(log_level_parse(SLICE_OF("loud"), &level));
    log_set_level(LOG_LEVEL_INFO);
}

enum { THREADS = 4, LINES = 500 };

static void write_lines(void *argument)
{
    char bytes[200];
    memset(bytes, *(char *)argument, sizeof bytes);
    for (int i = 0; i < LINES; i++)
        LOG_INFO("line", LOG_TEXT("text", slice_make(bytes, sizeof bytes)));
}

static void lines_of_many_threads_do_not_mix(void **state)
{
    (void)state;
    struct thread threads[THREADS];
    char letters[THREADS] = { 'a', 'b', 'c', 'd' };
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(thread_start(&threads[i], "log", write_lines, &letters[i]),
                         ERR_OK);
    for (int i = 0; i < THREADS; i++)
        thread_join(&threads[i]);

    int lines = 0;
    for (const char *at = take_log(); *at != '\0'; lines++) {
        const char *value = strstr(at, "\"text\":\"") + strlen("\"text\":\"");
        char same[2] = { *value, '\0' };
        assert_int_equal(strspn(value, same), 200);
        assert_memory_equal(value + 200, "\"}\n", 3);
        at = value + 203;
    }
    assert_int_equal(lines, THREADS * LINES);
}

static void a_reader_that_stands_still_costs_lines_and_no_time(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    char name[64];
    (void)snprintf(name, sizeof name, "/dev/fd/%d", ends[1]);
    assert_int_equal(log_open(name), ERR_OK);

    uint64_t dropped = counter_read(COUNTER_LOG_DROPPED);
    for (int i = 0; i < 2000; i++)
        LOG_INFO("into_a_full_pipe", LOG_NUMBER("i", i));
    assert_true(counter_read(COUNTER_LOG_DROPPED) > dropped);

    assert_int_equal(log_open(path), ERR_OK);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
}

static void the_file_is_the_owners_alone(void **state)
{
    (void)state;
    char fresh[sizeof path + 8];
    (void)snprintf(fresh, sizeof fresh, "%s.fresh", path);
    assert_int_equal(log_open(fresh), ERR_OK);
    struct stat status;
    assert_int_equal(stat(fresh, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(log_open("/tmp/no/such/folder/log"), ERR_NOT_FOUND);
    assert_int_equal(log_open(path), ERR_OK);
    assert_int_equal(unlink(fresh), 0);
}

static int start_log(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    if (fd < 0 || close(fd) != 0)
        return -1;
    return log_open(path) == ERR_OK ? 0 : -1;
}

static int end_log(void **state)
{
    (void)state;
    return log_open(NULL) == ERR_OK ? unlink(path) : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_json_with_its_fields_in_order),
        cmocka_unit_test(no_hostile_character_gets_through),
        cmocka_unit_test(what_is_not_utf8_is_replaced),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
        cmocka_unit_test(a_line_that_would_be_too_long_loses_whole_fields),
        cmocka_unit_test(secrets_are_never_shown),
        cmocka_unit_test(a_level_that_is_not_shown_costs_nothing),
        cmocka_unit_test(lines_of_many_threads_do_not_mix),
        cmocka_unit_test(a_reader_that_stands_still_costs_lines_and_no_time),
        cmocka_unit_test(the_file_is_the_owners_alone),
    };
    return cmocka_run_group_tests(tests, start_log, end_log);
}
