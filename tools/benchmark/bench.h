/*
 * bench.h - one entry a measurement.
 */
#ifndef BENCHMARK_BENCH_H
#define BENCHMARK_BENCH_H

#include "base/err.h"

#include <stdint.h>

struct bench_options {
    const char *directory; /* on the disk to be measured */
    uint32_t warm_ms;
    uint32_t measure_ms;
    uint32_t runs;
    uint32_t connections;
};

enum err bench_lifecycle(const struct bench_options *options);
enum err bench_idle(const struct bench_options *options);
enum err bench_presence(const struct bench_options *options);
enum err bench_schema(const struct bench_options *options);

#endif
