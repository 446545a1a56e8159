/*
 * Goal: whatever goes wrong, and in whatever order, the hub keeps its promises
 * (audit.h, ledger.h).
 * Method: the hub as it ships on virtual time, a network, clocks and a disk that fail as
 * the seed says, and after that a quiet time in which everything must come to its end.
 *
 *   drover-simulate [--seeds N] [--first SEED] [--minutes M] [--jobs J]
 *                   [--store model|lmdb] [--points all|tell] [--shrink no]
 *   drover-simulate --replay SEED[:STEPS] [--trace FILE]
 */
#include "base/ensure.h"
#include "os/log.h"
#include "simulation/run.h"
#include "simulation/shrink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LIST_BYTES = 4096 };

static const char *option(int argc, char **argv, const char *name, const char *otherwise)
{
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    }
    return otherwise;
}

static uint64_t option_number(int argc, char **argv, const char *name, uint64_t otherwise)
{
    const char *text = option(argc, argv, name, NULL);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static const char *store_name(enum plan_store store)
{
    return store == PLAN_STORE_LMDB ? "lmdb" : "model";
}

static void plan_tell(uint64_t seed, enum plan_store store)
{
    struct plan plan;
    plan_make(&plan, seed, store);
    fprintf(stderr, "%u agents, %u capabilities, faults:", plan.agents,
            plan.capabilities);
    for (int i = 0; i < POINT_COUNT; i++) {
        if (plan.rate[i] > 0)
            fprintf(stderr, " %s", POINTS[i].name);
    }
    fprintf(stderr, "\n");
}

static int replay(const char *what, enum plan_store store, const struct wire *wire,
                  const char *trace_path)
{
    uint64_t reached[POINT_COUNT] = { 0 };
    struct sim_options options = {
        .seed = strtoull(what, NULL, 10),
        .store = store,
        .wire = wire,
        .reached = reached,
        .trace_path = trace_path,
        .tell = trace_path == NULL,
    };
    bool *left_out = NULL;
    const char *steps = strchr(what, ':');
    if (steps != NULL && !shrink_parse(steps + 1, &left_out, &options.choice.count)) {
        fprintf(stderr, "drover-simulate: STEPS are numbers and ranges: 3-7,9\n");
        return 2;
    }
    options.choice.left_out = left_out;
    if (options.tell)
        plan_tell(options.seed, store);
    struct sim_outcome outcome;
    sim_run(&options, &outcome);
    free(left_out);
    if (outcome.broken[0] != 0) {
        printf("seed %" PRIu64 ": %s: %s\n", options.seed, outcome.broken, outcome.about);
        return 1;
    }
    printf("seed %" PRIu64 ": every promise held, %" PRIu64 " steps, hash %016" PRIx64
           "\n",
           options.seed, outcome.operations, outcome.hash);
    return 0;
}

static void failure_tell(const struct run_options *run, const struct run_failure *failure,
                         bool shrinks)
{
    char list[LIST_BYTES];
    uint64_t reached[POINT_COUNT] = { 0 };
    struct sim_options options = {
        .seed = failure->seed, .store = run->store, .wire = run->wire, .reached = reached
    };
    printf("seed %" PRIu64 ", version %s: %s: %s\n", failure->seed, DROVER_VERSION,
           failure->outcome.broken, failure->outcome.about);
    if (!shrinks)
        return;
    plan_tell(failure->seed, run->store);
    bool *left_out = calloc(failure->steps, 1);
    ENSURE(left_out != NULL);
    uint64_t left = shrink(&options, &failure->outcome, left_out, failure->steps);
    shrink_text(left_out, failure->steps, list, sizeof list);
    printf("%" PRIu64 " of %" PRIu64 " steps are enough:\n", left, failure->steps);
    (void)fflush(NULL);
    options.choice = (struct choice){ failure->steps, left_out };
    options.tell = true;
    struct sim_outcome outcome;
    uint64_t unused;
    run_apart(&options, &outcome, &unused);
    free(left_out);
    printf("%s\nagain: tools/simulate --store %s --replay %" PRIu64 ":%s\n",
           outcome.about, store_name(run->store), failure->seed, list);
}

/* Only LMDB has a file; for all the rest its seeds are too few. */
static bool is_wanted(enum point point, enum plan_store store)
{
    bool of_file = point == POINT_STORE_FILE_FLIP || point == POINT_STORE_FILE_ROT;
    return of_file == (store == PLAN_STORE_LMDB);
}

/* A point that no seed has reached was not tested at all. */
static bool points_tell(const struct run_totals *totals, enum plan_store store, bool all)
{
    bool whole = true;
    for (int i = 0; i < POINT_COUNT; i++) {
        if (totals->reached[i] > 0 || !is_wanted((enum point)i, store))
            continue;
        if (all)
            printf("never reached: %s\n", POINTS[i].name);
        whole = false;
    }
    return whole || !all;
}

static double now_s(void)
{
    struct timespec now;
    ENSURE(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int run(const struct run_options *options, const char *points, bool shrinks)
{
    struct run_totals totals;
    struct run_failure failure;
    double start_s = now_s();
    bool whole = run_all(options, &totals, &failure);
    double seconds = now_s() - start_s;
    printf("%" PRIu64 " seeds on %s (%" PRIu64 " of them twice), %.2f years, %.1f s: "
           "%.1f seeds a second of one processor at the median\n",
           totals.seeds, store_name(options->store), totals.again, totals.years, seconds,
           totals.seconds_median > 0 ? 1 / totals.seconds_median : 0);
    printf("%" PRIu64 " messages, %" PRIu64 " commits, %" PRIu64 " hand-outs, %" PRIu64
           " completions, %" PRIu64 " starts of the hub, %" PRIu64
           " commits played back\n",
           totals.messages, totals.commits, totals.hand_outs, totals.completions,
           totals.restarts + totals.seeds, totals.replayed);
    bool verbose = strcmp(points, "tell") == 0;
    for (int i = 0; i < POINT_COUNT && verbose; i++)
        printf("%12" PRIu64 " %s\n", totals.reached[i], POINTS[i].name);
    if (!whole) {
        failure_tell(options, &failure, shrinks);
        return 1;
    }
    return points_tell(&totals, options->store, strcmp(points, "all") == 0) ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct wire *wire;
    const char *again = option(argc, argv, "--replay", NULL);
    const char *store = option(argc, argv, "--store", "model");
    const char *points = option(argc, argv, "--points", "");
    uint64_t minutes = option_number(argc, argv, "--minutes", 0);
    struct run_options options = {
        .first = option_number(argc, argv, "--first", 1),
        .seeds = option_number(argc, argv, "--seeds", minutes > 0 ? UINT64_MAX : 200),
        .seconds = minutes * 60,
        .jobs = (unsigned)option_number(argc, argv, "--jobs", 1),
        .store = strcmp(store, "lmdb") == 0 ? PLAN_STORE_LMDB : PLAN_STORE_MODEL,
    };
    /* What the hub logs in its troubles is of no interest here. */
    ENSURE(log_open("/dev/null") == ERR_OK);
    ENSURE(wire_create(&wire) == ERR_OK);
    options.wire = wire;
    bool shrinks = strcmp(option(argc, argv, "--shrink", ""), "no") != 0;
    int code = again == NULL ? run(&options, points, shrinks)
                             : replay(again, options.store, wire,
                                      option(argc, argv, "--trace", NULL));
    wire_destroy(wire);
    return code;
}
