/*
 * Goal: settings come from file, environment and flags in their order, and a wrong one is
 * refused with its place and the reason.
 */
#include "app/arguments.h"
#include "json/json.h"

#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct trial {
    struct config config;
    enum errand errand;
    struct errand_subject subject;
    char *complaints;
    size_t complaints_size;
    char file[32];
    enum err err;
};

static void file_make(struct trial *trial, const char *text)
{
    snprintf(trial->file, sizeof trial->file, "/tmp/test_settings_XXXXXX");
    int fd = mkstemp(trial->file);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

/* Runs with one flag list and one environment; `file` is the JSON file's text or NULL. */
static void trial_run(struct trial *trial, const char *file, char *const *environment,
                      char *const *flags)
{
    char *arguments[16] = { "drover-hub" };
    int count = 1;
    if (file != NULL) {
        file_make(trial, file);
        arguments[count++] = "--config";
        arguments[count++] = trial->file;
    }
    while (*flags != NULL)
        arguments[count++] = *flags++;

    FILE *complaints = open_memstream(&trial->complaints, &trial->complaints_size);
    assert_non_null(complaints);
    assert_int_equal(config_init(&trial->config, complaints), ERR_OK);
    trial->err = arguments_read(&trial->config, count, arguments, environment,
                                &trial->errand, &trial->subject);
    fclose(complaints);
}

static void trial_finish(struct trial *trial)
{
    config_finish(&trial->config);
    free(trial->complaints);
    if (trial->file[0] != '\0')
        unlink(trial->file);
}

#define NONE ((char *const[]){ NULL })
#define LIST(...) ((char *const[]){ __VA_ARGS__, NULL })

static void without_anything_the_defaults_hold(void **state)
{
    (void)state;
    struct trial trial = { 0 };
    trial_run(&trial, NULL, NONE, NONE);
    assert_int_equal(trial.err, ERR_OK);
    assert_int_equal(trial.errand, ERRAND_RUN);
    assert_string_equal(config_path(&trial.config, SETTING_LISTEN), "127.0.0.1:4000");
    assert_int_equal(config_number(&trial.config, SETTING_LEASE_MS), 300000);
    assert_false(config_bool(&trial.config, SETTING_INSECURE_LISTEN));
    trial_finish(&trial);
}

static void a_flag_wins_over_the_environment_and_that_over_the_file(void **state)
{
    (void)state;
    struct trial trial = { 0 };
    trial_run(&trial,
              "{\"lease_ms\":1001,\"acceptance_ms\":1001,\"idle_timeout_ms\":1001}",
              LIST("DROVER_LEASE_MS=1002", "DROVER_ACCEPTANCE_MS=1002"),
              LIST("--lease-ms", "1003"));
    assert_int_equal(trial.err, ERR_OK);
    assert_int_equal(config_number(&trial.config, SETTING_LEASE_MS), 1003);
    assert_int_equal(config_number(&trial.config, SETTING_ACCEPTANCE_MS), 1002);
    assert_int_equal(config_number(&trial.config, SETTING_IDLE_TIMEOUT_MS), 1001);
    trial_finish(&trial);
}

static void flags_take_both_forms_and_bare_booleans(void **state)
{
    (void)state;
    struct trial trial = { 0 };
    trial_run(&trial, NULL, NONE,
              LIST("--lease-ms=7", "--insecure-listen", "--open-registration=false",
                   "--hosts", "a.example,b.example"));
    assert_int_equal(trial.err, ERR_OK);
    assert_int_equal(config_number(&trial.config, SETTING_LEASE_MS), 7);
    assert_true(config_bool(&trial.config, SETTING_INSECURE_LISTEN));
    assert_false(config_bool(&trial.config, SETTING_OPEN_REGISTRATION));
    struct slice_list hosts = config_texts(&trial.config, SETTING_HOSTS);
    assert_int_equal(hosts.count, 2);
    assert_true(slice_equal_text(hosts.items[1], "b.example"));
    trial_finish(&trial);
}

static void refused_because(const char *file, char *const *environment,
                            char *const *flags, const char *reason)
{
    struct trial trial = { 0 };
    trial_run(&trial, file, environment, flags);
    assert_int_equal(trial.err, ERR_INVALID);
    if (strstr(trial.complaints, reason) == NULL)
        fail_msg("\"%s\" is not in: %s", reason, trial.complaints);
    trial_finish(&trial);
}

static void a_wrong_setting_is_refused_with_place_and_reason(void **state)
{
    (void)state;
    refused_because(NULL, NONE, LIST("--lease-ms", "0"),
                    "--lease-ms: 0 is not between 1");
    refused_because(NULL, NONE, LIST("--lease-ms", "ten"), "is not a whole number");
    refused_because(NULL, NONE, LIST("--lease-ms"), "wants a value");
    refused_because(NULL, NONE, LIST("--leese-ms", "5"), "--leese-ms: there is no such");
    refused_because(NULL, NONE, LIST("stray"), "stray: there is no such");
    refused_because(NULL, NONE, LIST("--log-level", "loud"), "--log-level: \"loud\"");
    refused_because(NULL, LIST("DROVER_LEASE_MS=-5"), NONE, "DROVER_LEASE_MS: -5");
    refused_because(NULL, LIST("DROVER_LEESE_MS=5"), NONE, "DROVER_LEESE_MS");
    refused_because("{\n\"leese_ms\": 5}", NONE, NONE, ":2: /leese_ms");
    refused_because("{\n\n\"lease_ms\": 0}", NONE, NONE, ":3: /lease_ms");
    refused_because("{\n\"lease_ms\": 5,\n}", NONE, NONE, ":3: ");
    refused_because(NULL, NONE, LIST("--config", "/nonexistent/file"), "cannot be read");
}

static void errands_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        char *flag;
        enum errand errand;
    } ERRANDS[] = {
        { "--help", ERRAND_HELP },
        { "--version", ERRAND_VERSION },
        { "--check-config", ERRAND_CHECK },
    };
    for (size_t i = 0; i < sizeof ERRANDS / sizeof *ERRANDS; i++) {
        struct trial trial = { 0 };
        trial_run(&trial, NULL, NONE, LIST(ERRANDS[i].flag));
        assert_int_equal(trial.err, ERR_OK);
        assert_int_equal(trial.errand, ERRANDS[i].errand);
        trial_finish(&trial);
    }
}

/* Else a text that the setting lets in would be called bad JSON. */
static void no_text_is_let_in_that_the_reader_refuses(void **state)
{
    (void)state;
    static const enum setting settings[] = { SETTING_FRAME_BYTES_MAX,
                                             SETTING_BODY_BYTES_MAX };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        assert_in_range(SETTING_ROWS[settings[i]].maximum, 1,
                        JSON_LIMITS_DEFAULT.bytes_max);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_anything_the_defaults_hold),
        cmocka_unit_test(a_flag_wins_over_the_environment_and_that_over_the_file),
        cmocka_unit_test(flags_take_both_forms_and_bare_booleans),
        cmocka_unit_test(a_wrong_setting_is_refused_with_place_and_reason),
        cmocka_unit_test(errands_are_told_apart),
        cmocka_unit_test(no_text_is_let_in_that_the_reader_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
