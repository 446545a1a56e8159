#include "benchmark/bench.h"

#include "base/slice.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static const struct {
    const char *name;
    enum err (*run)(const struct bench_options *options);
    const char *summary;
} BENCHES[] = {
    { "lifecycle", bench_lifecycle,
      "durable task lifecycles a second, over WebSockets; then idle" },
    { "idle", bench_idle, "memory of the hub per idle connection" },
    { "presence", bench_presence, "what a change of status costs a large fleet" },
    { "schema", bench_schema, "validations a second, beside ajv and python3-jsonschema" },
};

enum { BENCH_COUNT = sizeof BENCHES / sizeof *BENCHES };

static int usage(FILE *file, int status)
{
    fprintf(file, "usage: tools/bench COMMAND [--directory DIR] [--seconds N] [--runs N] "
                  "[--connections N]\n");
    for (int i = 0; i < BENCH_COUNT; i++)
        fprintf(file, "  %-10s %s\n", BENCHES[i].name, BENCHES[i].summary);
    return status;
}

static bool number_parse(const char *text, uint64_t max, uint32_t *ret_number)
{
    uint64_t number;
    if (!slice_parse_u64(slice_from_text(text), &number) || number == 0 || number > max)
        return false;
    *ret_number = (uint32_t)number;
    return true;
}

static bool option_take(struct bench_options *options, int option, const char *text)
{
    uint32_t seconds;
    switch (option) {
    case 'd':
        options->directory = text;
        return true;
    case 's':
        if (!number_parse(text, 3600, &seconds))
            return false;
        options->measure_ms = seconds * 1000;
        return true;
    case 'r':
        return number_parse(text, 100, &options->runs);
    case 'c':
        return number_parse(text, 50000, &options->connections);
    default:
        return false;
    }
}

int main(int count, char **arguments)
{
    static const struct option OPTIONS[] = {
        { "directory", required_argument, NULL, 'd' },
        { "seconds", required_argument, NULL, 's' },
        { "runs", required_argument, NULL, 'r' },
        { "connections", required_argument, NULL, 'c' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct bench_options options = { ".", 1000, 5000, 3, 10000 };
    int option;

    while ((option = getopt_long(count, arguments, "", OPTIONS, NULL)) != -1) {
        if (option == 'h')
            return usage(stdout, 0);
        if (!option_take(&options, option, optarg))
            return usage(stderr, 2);
    }
    if (optind + 1 != count)
        return usage(stderr, 2);

    /* Ten thousand connections are ten thousand descriptors. */
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < BENCH_COUNT; i++)
        if (strcmp(BENCHES[i].name, arguments[optind]) == 0)
            return BENCHES[i].run(&options) == ERR_OK ? 0 : 1;
    return usage(stderr, 2);
}
