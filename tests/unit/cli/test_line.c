#include "cmocka_all.h"

#include "cli/command.h"
#include "os/clock.h"

#include <string.h>

enum { LINE_WORDS_MAX = 16 };

static enum outcome read_line(struct invocation *invocation, const char *const *words)
{
    char *argv[LINE_WORDS_MAX] = { "drover" };
    int argc = 1;
    for (; words[argc - 1] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    *invocation = (struct invocation){ 0 };
    return line_read(argc, argv, invocation);
}

#define READ(invocation, ...)                                                            \
    read_line((invocation), (const char *const[]){ __VA_ARGS__, NULL })

static void options_stand_anywhere(void **state)
{
    (void)state;
    struct invocation line;
    assert_int_equal(READ(&line, "--json", "task", "--hub=http://x", "submit", "--needs",
                          "a", "what", "--needs=b"),
                     OUTCOME_OK);
    assert_string_equal(line.command->name, "submit");
    assert_string_equal(line.arguments[0], "what");
    assert_string_equal(given_value(&line, "--hub"), "http://x");
    assert_true(line.json);
    size_t at = 0;
    assert_string_equal(given_next(&line, "--needs", &at), "a");
    assert_string_equal(given_next(&line, "--needs", &at), "b");
    assert_null(given_next(&line, "--needs", &at));
}

static void the_version_is_an_option_too(void **state)
{
    (void)state;
    struct invocation line;
    assert_int_equal(READ(&line, "--version"), OUTCOME_OK);
    assert_string_equal(line.command->name, "version");
    assert_int_equal(READ(&line, "task", "list", "--version"), OUTCOME_USAGE);
}

static void words_behind_two_dashes_are_no_options(void **state)
{
    (void)state;
    struct invocation line;
    assert_int_equal(READ(&line, "task", "submit", "--", "--wait"), OUTCOME_OK);
    assert_string_equal(line.arguments[0], "--wait");
    assert_false(given_has(&line, "--wait"));
    assert_int_equal(READ(&line, "task", "submit", "-"), OUTCOME_OK);
    assert_string_equal(line.arguments[0], "-");
}

static void an_option_belongs_to_its_command(void **state)
{
    (void)state;
    struct invocation line;
    assert_int_equal(READ(&line, "task", "list", "--wait"), OUTCOME_USAGE);
    assert_int_equal(READ(&line, "task", "submit", "x", "--priority"), OUTCOME_USAGE);
    assert_int_equal(READ(&line, "task", "submit", "x", "--wait=yes"), OUTCOME_USAGE);
    assert_int_equal(READ(&line, "task", "submit"), OUTCOME_USAGE);
    assert_int_equal(READ(&line, "task", "show", "a", "b"), OUTCOME_USAGE);
    assert_int_equal(READ(&line, "submit"), OUTCOME_USAGE);
}

static void durations_have_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } GOOD[] = { { "30", 30000 },   { "500ms", 500 },  { "2s", 2000 },
                 { "10m", 600000 }, { "2h", 7200000 }, { "1d", 86400000 } };
    static const char *const BAD[] = {
        "", "m", "-1", "1w", "1.5s", "1 s", "9999999999999999d", "1ms2"
    };
    int64_t ms;
    for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++) {
        assert_true(duration_read(GOOD[i].text, &ms));
        assert_int_equal(ms, GOOD[i].ms);
    }
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_false(duration_read(BAD[i], &ms));
}

static void moments_are_told_in_three_ways(void **state)
{
    (void)state;
    int64_t ms;
    int64_t now_ms = clock_wall_ms();
    assert_true(moment_read("+10m", &ms));
    assert_in_range(ms, now_ms + 600000, now_ms + 660000);
    assert_true(moment_read("1767225600000", &ms));
    assert_int_equal(ms, 1767225600000);
    assert_true(moment_read("2026-01-01T00:00:00Z", &ms));
    assert_int_equal(ms, 1767225600000);
    assert_false(moment_read("tomorrow", &ms));
    assert_false(moment_read("2026-01-01T00:00:00", &ms));
    assert_false(moment_read("2026-01-01T00:00:00Zx", &ms));
    assert_false(moment_read("-1", &ms));
    assert_false(moment_read("+", &ms));
}

static void answers_become_exit_statuses(void **state)
{
    (void)state;
    assert_int_equal(outcome_of(201, SLICE_OF("")), OUTCOME_OK);
    assert_int_equal(outcome_of(401, SLICE_OF("unauthorized")), OUTCOME_AUTH);
    assert_int_equal(outcome_of(403, SLICE_OF("forbidden")), OUTCOME_AUTH);
    assert_int_equal(outcome_of(404, SLICE_OF("task_not_found")), OUTCOME_NOT_FOUND);
    assert_int_equal(outcome_of(409, SLICE_OF("invalid_state")), OUTCOME_CONFLICT);
    assert_int_equal(outcome_of(422, SLICE_OF("validation_failed")), OUTCOME_USAGE);
    assert_int_equal(outcome_of(422, SLICE_OF("unknown_dependency")), OUTCOME_FAILED);
    assert_int_equal(outcome_of(429, SLICE_OF("rate_limited")), OUTCOME_UNAVAILABLE);
    assert_int_equal(outcome_of(503, SLICE_OF("unavailable")), OUTCOME_UNAVAILABLE);
    assert_int_equal(outcome_of(507, SLICE_OF("storage_full")), OUTCOME_UNAVAILABLE);
    assert_int_equal(outcome_of(500, SLICE_OF("internal")), OUTCOME_FAILED);
    assert_int_equal(outcome_of(302, SLICE_OF("")), OUTCOME_FAILED);
}

static void only_loopback_is_here(void **state)
{
    (void)state;
    assert_true(hub_is_here("http://127.0.0.1:4000"));
    assert_true(hub_is_here("http://localhost"));
    assert_true(hub_is_here("https://[::1]:4000"));
    assert_false(hub_is_here("http://127.0.0.1.example.org"));
    assert_false(hub_is_here("http://localhost.example.org:80"));
    assert_false(hub_is_here("http://10.0.0.1"));
    assert_false(hub_is_here("http://127.example.org"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_anywhere),
        cmocka_unit_test(the_version_is_an_option_too),
        cmocka_unit_test(words_behind_two_dashes_are_no_options),
        cmocka_unit_test(an_option_belongs_to_its_command),
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(moments_are_told_in_three_ways),
        cmocka_unit_test(answers_become_exit_statuses),
        cmocka_unit_test(only_loopback_is_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
