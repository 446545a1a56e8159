/*
 * schema_cases.h - what validators are measured on: messages of ours as they come over
 * the wire, and one large document against a large schema.
 */
#ifndef BENCHMARK_SCHEMA_CASES_H
#define BENCHMARK_SCHEMA_CASES_H

#include "base/buffer.h"
#include "base/err.h"

enum { SCHEMA_CASES_MAX = 8 };

struct schema_case {
    const char *name;
    struct buffer schema;
    struct buffer instance;
    struct buffer broken; /* as `instance`, but not valid */
};

struct schema_cases {
    struct schema_case items[SCHEMA_CASES_MAX];
    size_t count;
};

/* Finish it also after a failure, which is said on standard error. */
enum err schema_cases_init(struct schema_cases *cases);
void schema_cases_finish(struct schema_cases *cases);

#endif
