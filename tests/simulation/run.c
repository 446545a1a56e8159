#include "simulation/run.h"

#include "base/ensure.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    JOBS_AT_MOST = 64,
    TWICE_EVERY = 100,     /* one seed in so many is run twice */
    HANGS_S = 120,         /* processor time no seed ever needs */
    SECONDS_KEPT = 100000, /* for the median */
};

/* What the processes share. */
struct board {
    struct {
        uint64_t seed;
        uint64_t step;
        bool broke;
        struct sim_outcome outcome;
        uint64_t reached[POINT_COUNT];
        uint64_t again;
        uint64_t seeds;
        uint64_t span_ms;
        struct sim_outcome sum;
    } jobs[JOBS_AT_MOST];
    volatile bool stop;
    uint32_t second_count[JOBS_AT_MOST];
    float seconds[JOBS_AT_MOST][SECONDS_KEPT / JOBS_AT_MOST];
};

static void *shared(size_t bytes)
{
    void *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ENSURE(memory != MAP_FAILED);
    return memory;
}

static double clock_s(clockid_t id)
{
    struct timespec now;
    ENSURE(clock_gettime(id, &now) == 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool outcome_is_good(const struct sim_outcome *outcome)
{
    return outcome->broken[0] == 0;
}

/* The same seed gives the same run, to the byte. */
static void run_twice(const struct sim_options *options, struct sim_outcome *outcome)
{
    struct sim_outcome again;
    sim_run(options, &again);
    if (again.hash == outcome->hash && strcmp(again.broken, outcome->broken) == 0)
        return;
    (void)snprintf(outcome->broken, sizeof outcome->broken,
                   "the same seed gave another run");
}

static void seed_run(struct board *board, unsigned job, const struct run_options *options,
                     uint64_t seed)
{
    struct sim_options one = {
        .seed = seed,
        .store = options->store,
        .wire = options->wire,
        .reached = board->jobs[job].reached,
        .progress = &board->jobs[job].step,
    };
    double start = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    struct sim_outcome outcome;
    (void)alarm(HANGS_S * 5);
    sim_run(&one, &outcome);
    double seconds = clock_s(CLOCK_PROCESS_CPUTIME_ID) - start;
    uint32_t *count = &board->second_count[job];
    if (*count < SECONDS_KEPT / JOBS_AT_MOST)
        board->seconds[job][(*count)++] = (float)seconds;
    if (seed % TWICE_EVERY == 0 && outcome_is_good(&outcome)) {
        run_twice(&one, &outcome);
        board->jobs[job].again++;
    }
    board->jobs[job].seeds++;
    board->jobs[job].span_ms += (uint64_t)outcome.span_ms;
    struct sim_outcome *sum = &board->jobs[job].sum;
    sum->messages += outcome.messages;
    sum->commits += outcome.commits;
    sum->hand_outs += outcome.hand_outs;
    sum->completions += outcome.completions;
    sum->restarts += outcome.restarts;
    sum->replayed += outcome.replayed;
    board->jobs[job].outcome = outcome;
    board->jobs[job].broke = !outcome_is_good(&outcome);
}

static void job_run(struct board *board, unsigned job, const struct run_options *options)
{
    double end = clock_s(CLOCK_MONOTONIC) + (double)options->seconds;
    for (uint64_t i = job; i < options->seeds && !board->stop; i += options->jobs) {
        if (options->seconds > 0 && clock_s(CLOCK_MONOTONIC) >= end)
            break;
        board->jobs[job].seed = options->first + i;
        seed_run(board, job, options, options->first + i);
        if (board->jobs[job].broke) {
            board->stop = true;
            exit(1);
        }
    }
    exit(0);
}

static void death_tell(int status, struct sim_outcome *outcome)
{
    if (WIFSIGNALED(status))
        (void)snprintf(outcome->broken, sizeof outcome->broken, "the process died: %s",
                       strsignal(WTERMSIG(status)));
    else
        (void)snprintf(outcome->broken, sizeof outcome->broken,
                       "the process ended with %d", WEXITSTATUS(status));
}

static int by_size(const void *one, const void *other)
{
    float difference = *(const float *)one - *(const float *)other;
    return difference < 0 ? -1 : difference > 0;
}

static double median_of(struct board *board)
{
    static float all[SECONDS_KEPT];
    size_t count = 0;
    for (unsigned job = 0; job < JOBS_AT_MOST; job++) {
        for (uint32_t i = 0; i < board->second_count[job]; i++)
            all[count++] = board->seconds[job][i];
    }
    qsort(all, count, sizeof *all, by_size);
    return count == 0 ? 0 : (double)all[count / 2];
}

static void totals_add(const struct board *board, unsigned job, struct run_totals *totals)
{
    totals->seeds += board->jobs[job].seeds;
    totals->again += board->jobs[job].again;
    totals->years += (double)board->jobs[job].span_ms / (365.0 * 86400000);
    totals->messages += board->jobs[job].sum.messages;
    totals->commits += board->jobs[job].sum.commits;
    totals->hand_outs += board->jobs[job].sum.hand_outs;
    totals->completions += board->jobs[job].sum.completions;
    totals->restarts += board->jobs[job].sum.restarts;
    totals->replayed += board->jobs[job].sum.replayed;
    for (int point = 0; point < POINT_COUNT; point++)
        totals->reached[point] += board->jobs[job].reached[point];
}

bool run_all(const struct run_options *options, struct run_totals *ret_totals,
             struct run_failure *ret_failure)
{
    struct board *board = shared(sizeof *board);
    pid_t children[JOBS_AT_MOST];
    bool whole = true;
    ENSURE(options->jobs > 0 && options->jobs <= JOBS_AT_MOST);
    (void)fflush(NULL);
    for (unsigned job = 0; job < options->jobs; job++) {
        children[job] = fork();
        ENSURE(children[job] >= 0);
        if (children[job] == 0)
            job_run(board, job, options);
    }
    *ret_totals = (struct run_totals){ 0 };
    for (unsigned job = 0; job < options->jobs; job++) {
        int status;
        ENSURE(waitpid(children[job], &status, 0) == children[job]);
        totals_add(board, job, ret_totals);
        if (status == 0)
            continue;
        board->stop = true;
        if (!whole)
            continue;
        whole = false;
        *ret_failure = (struct run_failure){ .seed = board->jobs[job].seed,
                                             .steps = board->jobs[job].step + 1 };
        if (board->jobs[job].broke)
            ret_failure->outcome = board->jobs[job].outcome;
        else
            death_tell(status, &ret_failure->outcome);
    }
    ret_totals->seconds_median = median_of(board);
    munmap(board, sizeof *board);
    return whole;
}

void run_apart(const struct sim_options *options, struct sim_outcome *ret_outcome,
               uint64_t *ret_steps)
{
    struct {
        struct sim_outcome outcome;
        uint64_t step;
    } *result = shared(sizeof *result);
    (void)fflush(NULL);
    pid_t child = fork();
    ENSURE(child >= 0);
    if (child == 0) {
        struct sim_options own = *options;
        own.progress = &result->step;
        (void)alarm(HANGS_S);
        sim_run(&own, &result->outcome);
        exit(0);
    }
    int status;
    ENSURE(waitpid(child, &status, 0) == child);
    *ret_outcome = result->outcome;
    if (status != 0)
        death_tell(status, ret_outcome);
    *ret_steps = result->step + 1;
    munmap(result, sizeof *result);
}
