/*
 * Validations a second, parsing included: ours, beside ajv's compiled validators and
 * Debian's python3-jsonschema, on the same bytes and in turns.
 */
#include "benchmark/bench.h"
#include "benchmark/schema_cases.h"

#include "os/clock.h"
#include "os/file.h"
#include "schema/schema.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PEERS "tools/benchmark/peers/"
#define ANSWER_BYTES_MAX ((size_t)64 * 1024)

enum { RUNS_MAX = 100, BATCH_MAX = 4096 };

/* The columns of the table. */
enum rate { RATE_DROVER, RATE_AJV_BYTES, RATE_AJV_TEXT, RATE_JSONSCHEMA, RATE_COUNT };

/* A program that answers with its name, and for each case its name and its rates. */
static const struct {
    const char *program;
    const char *script;
    enum rate first;
    size_t rates;
} PEER_ROWS[] = {
    { "node", PEERS "validate.mjs", RATE_AJV_BYTES, 2 },
    { "/usr/bin/python3", PEERS "validate.py", RATE_JSONSCHEMA, 1 },
};

enum { PEER_COUNT = sizeof PEER_ROWS / sizeof PEER_ROWS[0] };

struct bout {
    struct schema_cases cases;
    char folder[300];
    char answer[320];
    char about[PEER_COUNT][128];
    uint32_t case_ms;
    uint32_t run;
    double rates[SCHEMA_CASES_MAX][RATE_COUNT][RUNS_MAX];
};

static const char *const FILES[] = { "schema.json", "json", "broken.json" };

static enum err folder_write(struct bout *bout, const char *under)
{
    struct buffer names;
    char path[400];
    snprintf(bout->folder, sizeof bout->folder, "%s/bench-schema-%d", under, getpid());
    snprintf(bout->answer, sizeof bout->answer, "%s/answer", bout->folder);
    enum err err = directory_make(bout->folder);
    buffer_init(&names, ANSWER_BYTES_MAX);
    for (size_t i = 0; i < bout->cases.count && err == ERR_OK; i++) {
        struct schema_case *item = &bout->cases.items[i];
        const struct buffer *const texts[] = { &item->schema, &item->instance,
                                               &item->broken };
        for (size_t k = 0; k < 3 && err == ERR_OK; k++) {
            snprintf(path, sizeof path, "%s/%s.%s", bout->folder, item->name, FILES[k]);
            err = file_write(path, buffer_slice(texts[k]));
        }
        buffer_append_text(&names, item->name);
        buffer_append_byte(&names, '\n');
    }
    snprintf(path, sizeof path, "%s/cases", bout->folder);
    if (err == ERR_OK)
        err = file_write(path, buffer_slice(&names));
    buffer_finish(&names);
    return err;
}

static void folder_remove(const struct bout *bout)
{
    char path[400];
    for (size_t i = 0; i < bout->cases.count; i++)
        for (size_t k = 0; k < 3; k++) {
            snprintf(path, sizeof path, "%s/%s.%s", bout->folder,
                     bout->cases.items[i].name, FILES[k]);
            (void)unlink(path);
        }
    snprintf(path, sizeof path, "%s/cases", bout->folder);
    (void)unlink(path);
    (void)unlink(bout->answer);
    (void)rmdir(bout->folder);
}

/* --- ours --- */

struct validator {
    struct schema *schema;
    struct schema_run *run;
    struct json *json;
};

static bool text_validate(struct validator *validator, struct slice text)
{
    struct json_problem problem;
    bool valid = false;
    return json_parse(validator->json, text, &problem) == ERR_OK &&
           schema_validate(validator->schema, validator->run, validator->json,
                           json_root(validator->json), false, &valid) == ERR_OK &&
           valid;
}

/* Validations a second over a span; 0 when one is not valid. */
static double rate_measure(struct validator *validator, struct slice text, uint32_t ms)
{
    uint64_t done = 0;
    uint64_t batch = 1;
    int64_t start_us = clock_monotonic_us();
    for (;;) {
        for (uint64_t i = 0; i < batch; i++)
            if (!text_validate(validator, text))
                return 0;
        done += batch;
        int64_t passed_us = clock_monotonic_us() - start_us;
        if (passed_us >= (int64_t)ms * 1000)
            return (double)done * 1e6 / (double)passed_us;
        /* So short that it ends near the end of the span. */
        uint64_t most = done * (uint64_t)ms * 50 / (uint64_t)(passed_us + 1);
        batch = batch * 2 < most ? batch * 2 : most;
        batch = batch == 0 ? 1 : batch < BATCH_MAX ? batch : BATCH_MAX;
    }
}

static enum err case_measure(const struct schema_case *item, uint32_t ms,
                             double *ret_rate)
{
    struct validator validator = { NULL, schema_run_create(),
                                   json_create(&JSON_LIMITS_DEFAULT) };
    struct schema_problem problem = { "", "out of memory" };
    struct slice text = buffer_slice(&item->instance);
    enum err err = ERR_INVALID;
    if (validator.run != NULL && validator.json != NULL &&
        schema_compile(NULL, buffer_slice(&item->schema), SCHEMA_FORMATS,
                       &validator.schema, &problem) != ERR_OK)
        fprintf(stderr, "%s: %s: %s\n", item->name, problem.pointer, problem.reason);
    else if (validator.schema == NULL || !text_validate(&validator, text))
        fprintf(stderr, "%s: what is whole is found not valid\n", item->name);
    else if (text_validate(&validator, buffer_slice(&item->broken)))
        fprintf(stderr, "%s: what is broken is found valid\n", item->name);
    else
        err = ERR_OK;
    if (err == ERR_OK) {
        (void)rate_measure(&validator, text, ms / 2);
        *ret_rate = rate_measure(&validator, text, ms);
    }
    json_destroy(validator.json);
    schema_run_destroy(validator.run);
    schema_destroy(validator.schema);
    return err;
}

/* --- theirs --- */

static enum err peer_spawn(const struct bout *bout, size_t peer)
{
    char ms[16];
    int status = 1;
    pid_t pid;
    char *arguments[] = { (char *)PEER_ROWS[peer].program, (char *)PEER_ROWS[peer].script,
                          (char *)bout->folder, ms, NULL };
    posix_spawn_file_actions_t actions;
    snprintf(ms, sizeof ms, "%u", bout->case_ms);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, bout->answer,
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int failed = posix_spawnp(&pid, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed == 0 && waitpid(pid, &status, 0) == pid && status == 0)
        return ERR_OK;
    fprintf(stderr, "%s %s failed\n", arguments[0], arguments[1]);
    return ERR_IO;
}

/* "NAME RATE..." of the case whose turn it is. */
static bool line_take(struct bout *bout, size_t peer, size_t at, const char *line)
{
    const char *name = bout->cases.items[at].name;
    if (strncmp(line, name, strlen(name)) != 0 || line[strlen(name)] != ' ')
        return false;
    line += strlen(name);
    for (size_t i = 0; i < PEER_ROWS[peer].rates; i++) {
        char *end;
        double rate = strtod(line, &end);
        if (end == line || !(rate > 0))
            return false;
        bout->rates[at][PEER_ROWS[peer].first + i][bout->run] = rate;
        line = end;
    }
    return true;
}

static enum err peer_measure(struct bout *bout, size_t peer)
{
    struct buffer text;
    char *rest;
    size_t at = 0;
    enum err err = peer_spawn(bout, peer);
    if (err != ERR_OK)
        return err;
    buffer_init(&text, ANSWER_BYTES_MAX);
    err = file_read(bout->answer, ANSWER_BYTES_MAX - 1, &text);
    buffer_append_byte(&text, '\0');
    if (err != ERR_OK || buffer_failed(&text)) {
        buffer_finish(&text);
        return ERR_IO;
    }
    char *line = strtok_r(text.data, "\n", &rest);
    if (line != NULL)
        snprintf(bout->about[peer], sizeof bout->about[peer], "%s", line);
    while ((line = strtok_r(NULL, "\n", &rest)) != NULL && at < bout->cases.count)
        if (!line_take(bout, peer, at++, line))
            err = ERR_INVALID;
    if (err != ERR_OK || at != bout->cases.count)
        fprintf(stderr, "%s answers something else\n", PEER_ROWS[peer].script);
    buffer_finish(&text);
    return at == bout->cases.count ? err : ERR_INVALID;
}

/* --- the table --- */

static int rate_compare(const void *one, const void *other)
{
    double difference = *(const double *)one - *(const double *)other;
    return difference < 0 ? -1 : difference > 0;
}

static void table_print(struct bout *bout)
{
    printf("validations a second, parsing included; medians of %u runs\n", bout->run);
    for (size_t i = 0; i < PEER_COUNT; i++)
        printf("  beside %s\n", bout->about[i]);
    printf("%-14s %8s %11s %11s %11s %11s %8s %9s\n", "", "bytes", "drover", "ajv bytes",
           "ajv text", "jsonschema", "to ajv", "to python");
    for (size_t i = 0; i < bout->cases.count; i++) {
        double medians[RATE_COUNT];
        for (size_t rate = 0; rate < RATE_COUNT; rate++) {
            double *rates = bout->rates[i][rate];
            qsort(rates, bout->run, sizeof *rates, rate_compare);
            medians[rate] = (rates[(bout->run - 1) / 2] + rates[bout->run / 2]) / 2;
        }
        /* Beside the faster of the two: a text is not what comes over a socket. */
        double ajv = medians[RATE_AJV_BYTES] > medians[RATE_AJV_TEXT]
                         ? medians[RATE_AJV_BYTES]
                         : medians[RATE_AJV_TEXT];
        printf("%-14s %8zu %11.0f %11.0f %11.0f %11.1f %7.2fx %8.0fx\n",
               bout->cases.items[i].name, bout->cases.items[i].instance.size,
               medians[RATE_DROVER], medians[RATE_AJV_BYTES], medians[RATE_AJV_TEXT],
               medians[RATE_JSONSCHEMA], medians[RATE_DROVER] / ajv,
               medians[RATE_DROVER] / medians[RATE_JSONSCHEMA]);
    }
}

enum err bench_schema(const struct bench_options *options)
{
    struct bout *bout = calloc(1, sizeof *bout);
    if (bout == NULL)
        return ERR_MEMORY;
    enum err err = schema_cases_init(&bout->cases);
    if (err == ERR_OK) {
        bout->case_ms = options->measure_ms / (uint32_t)bout->cases.count;
        err = folder_write(bout, options->directory);
    }
    for (; err == ERR_OK && bout->run < options->runs && bout->run < RUNS_MAX;) {
        for (size_t i = 0; i < bout->cases.count && err == ERR_OK; i++)
            err = case_measure(&bout->cases.items[i], bout->case_ms,
                               &bout->rates[i][RATE_DROVER][bout->run]);
        for (size_t i = 0; i < PEER_COUNT && err == ERR_OK; i++)
            err = peer_measure(bout, i);
        if (err == ERR_OK)
            bout->run++;
    }
    if (err == ERR_OK)
        table_print(bout);
    if (bout->folder[0] != '\0')
        folder_remove(bout);
    schema_cases_finish(&bout->cases);
    free(bout);
    return err;
}
