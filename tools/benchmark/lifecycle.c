/*
 * Whole task lifecycles: submit, assign, accept, complete, each acknowledged after sync.
 * A submitter has one task under way and submits the next when it is done.
 */
#include "benchmark/bench.h"
#include "benchmark/client.h"
#include "benchmark/disk.h"
#include "benchmark/hub_process.h"

#include "base/ensure.h"
#include "os/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES_MAX ((size_t)4 * 1024 * 1024)
#define FRAME_BYTES 1024

struct run;

struct party {
    struct client client;
    struct run *run;
    uint32_t number;
    bool submitter;
    char token[65];
};

struct run {
    struct clients clients;
    struct hub_process hub;
    struct party *parties; /* submitters, then as many agents */
    uint32_t submitters;
    uint32_t identified;
    int64_t *submitted_us; /* per submitter: its task's time */
    int64_t stop_us;
    uint64_t completed;
    uint32_t *samples_us; /* submit to assign */
    size_t sample_count;
    bool measuring;
};

static void party_send(struct party *party, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void party_send(struct party *party, const char *format, ...)
{
    char text[FRAME_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ENSURE(size > 0 && size < FRAME_BYTES);
    client_send(&party->client, slice_make(text, (size_t)size));
}

static void party_submit(struct party *party)
{
    party->run->submitted_us[party->number] = clock_monotonic_us();
    party_send(party,
               "{\"type\":\"task_submit\",\"description\":\"review the change\","
               "\"metadata\":{\"submitter\":%u,\"repository\":\"https://example.org/r\"},"
               "\"needed_capabilities\":[\"review\"]}",
               party->number);
}

static uint32_t assign_submitter(const struct json *json)
{
    const struct json_node *metadata =
        json_member(json, json_root(json), SLICE_OF("metadata"));
    ENSURE(metadata != NULL);
    const struct json_node *number = json_member(json, metadata, SLICE_OF("submitter"));
    ENSURE(number != NULL && number->integer);
    return (uint32_t)number->value.number;
}

static void agent_assigned(struct party *party, const struct json *json)
{
    struct run *run = party->run;
    struct slice id = json_text_of(json, "task_id");
    long long generation = json_number_of(json, "generation");
    uint32_t submitter = assign_submitter(json);
    int64_t waited_us = clock_monotonic_us() - run->submitted_us[submitter];

    if (run->measuring && run->sample_count < SAMPLES_MAX)
        run->samples_us[run->sample_count++] = (uint32_t)waited_us;
    party_send(party, "{\"type\":\"task_accepted\",\"task_id\":\"%.*s\"}", (int)id.size,
               id.data);
    party_send(party,
               "{\"type\":\"task_complete\",\"task_id\":\"%.*s\",\"generation\":%lld,"
               "\"result\":{\"status\":\"success\",\"submitter\":%u}}",
               (int)id.size, id.data, generation, submitter);
    party->client.context = &run->parties[submitter];
}

static void agent_acknowledged(struct party *party, const struct json *json)
{
    struct run *run = party->run;
    if (!slice_equal_text(json_text_of(json, "status"), "complete"))
        return;
    if (run->measuring)
        run->completed++;
    struct party *submitter = party->client.context;
    if (clock_monotonic_us() < run->stop_us)
        party_submit(submitter);
}

static void party_text(struct client *client, const struct json *json)
{
    struct party *party = (struct party *)client;
    struct slice type = json_text_of(json, "type");

    if (slice_equal_text(type, "identified"))
        party->run->identified++;
    else if (slice_equal_text(type, "task_assign"))
        agent_assigned(party, json);
    else if (slice_equal_text(type, "task_ack"))
        agent_acknowledged(party, json);
    else if (slice_equal_text(type, "error")) {
        struct slice text = json_root(json)->raw;
        fprintf(stderr, "the hub refused: %.*s\n", (int)text.size, text.data);
        exit(1);
    }
}

static enum err parties_connect(struct run *run)
{
    for (uint32_t i = 0; i < 2 * run->submitters; i++) {
        struct party *party = &run->parties[i];
        char name[32];
        party->run = run;
        party->submitter = i < run->submitters;
        party->number = i % run->submitters;
        snprintf(name, sizeof name, "%s-%u", party->submitter ? "submitter" : "agent",
                 party->number);
        enum err err = hub_register(&run->hub, name, party->token);
        if (err == ERR_OK)
            err = client_open(&party->client, &run->clients, run->hub.port, 0);
        if (err != ERR_OK)
            return err;
        party_send(party,
                   "{\"type\":\"identify\",\"agent_id\":\"%s\",\"token\":\"%s\","
                   "\"capabilities\":[\"review\"],\"max_concurrent\":%d}",
                   name, party->token, party->submitter ? 0 : 1);
        uint32_t wanted = i + 1;
        while (run->identified < wanted)
            if (clients_poll(&run->clients, 1000) != ERR_OK)
                return ERR_IO;
    }
    return ERR_OK;
}

static int sample_compare(const void *one, const void *other)
{
    uint32_t a = *(const uint32_t *)one;
    uint32_t b = *(const uint32_t *)other;
    return (a > b) - (a < b);
}

static double percentile_ms(const struct run *run, size_t percent)
{
    if (run->sample_count == 0)
        return 0;
    size_t place = (run->sample_count - 1) * percent / 100;
    return (double)run->samples_us[place] / 1000;
}

static enum err run_measure(struct run *run, uint32_t warm_ms, uint32_t measure_ms)
{
    int64_t start_us = clock_monotonic_us() + (int64_t)warm_ms * 1000;
    run->stop_us = start_us + (int64_t)measure_ms * 1000;
    for (uint32_t i = 0; i < run->submitters; i++)
        party_submit(&run->parties[i]);
    while (clock_monotonic_us() < run->stop_us) {
        run->measuring = clock_monotonic_us() >= start_us;
        if (clients_poll(&run->clients, 10) != ERR_OK)
            return ERR_IO;
    }
    return ERR_OK;
}

static void run_report(struct run *run, const struct bench_options *options,
                       const struct hub_counts *counts, double syncs)
{
    double seconds = (double)options->measure_ms / 1000;
    double rate = (double)run->completed / seconds;
    /* Three commands a lifecycle, of all that the hub counted. */
    double lifecycles = (double)counts->commands / 3;
    double each = counts->commits > 0 ? lifecycles / (double)counts->commits : 0;
    double commit_us =
        counts->commits > 0 ? (double)counts->commit_us / (double)counts->commits : 0;

    qsort(run->samples_us, run->sample_count, sizeof *run->samples_us, sample_compare);
    printf("%10u %14.0f %12.2f %12.2f %18.1f %14.0f %14.0f %10.2f\n", run->submitters,
           rate, percentile_ms(run, 50), percentile_ms(run, 99), each, commit_us, syncs,
           rate / syncs);
    fflush(stdout);
}

static enum err lifecycle_once(const struct bench_options *options, uint32_t submitters)
{
    struct run run = { .submitters = submitters };
    struct hub_counts counts = { 0 };
    double syncs = disk_syncs_per_second(options->directory);

    run.parties = calloc(2 * (size_t)submitters, sizeof *run.parties);
    run.submitted_us = calloc(submitters, sizeof *run.submitted_us);
    run.samples_us = calloc(SAMPLES_MAX, sizeof *run.samples_us);
    enum err err = clients_init(&run.clients);
    ENSURE(err == ERR_OK && run.parties != NULL && run.submitted_us != NULL &&
           run.samples_us != NULL);
    run.clients.text = party_text;

    err = hub_start(&run.hub, options->directory);
    if (err == ERR_OK)
        err = parties_connect(&run);
    if (err == ERR_OK)
        err = run_measure(&run, options->warm_ms, options->measure_ms);
    for (uint32_t i = 0; i < 2 * submitters; i++)
        client_close(&run.parties[i].client);
    if (err == ERR_OK)
        err = hub_stop(&run.hub, &counts);
    if (err == ERR_OK)
        run_report(&run, options, &counts, syncs);
    clients_finish(&run.clients);
    free(run.parties);
    free(run.submitted_us);
    free(run.samples_us);
    return err;
}

enum err bench_lifecycle(const struct bench_options *options)
{
    static const uint32_t SUBMITTERS[] = { 1, 16, 256 };

    printf("%10s %14s %12s %12s %18s %14s %14s %10s\n", "submitters", "lifecycles/s",
           "assign p50", "assign p99", "lifecycles/commit", "us/commit", "disk syncs/s",
           "ratio");
    for (size_t i = 0; i < sizeof SUBMITTERS / sizeof *SUBMITTERS; i++)
        for (uint32_t run = 0; run < options->runs; run++) {
            enum err err = lifecycle_once(options, SUBMITTERS[i]);
            if (err != ERR_OK)
                return err;
        }
    return bench_idle(options);
}
