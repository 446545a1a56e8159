/*
 * hub_process.h - a hub of our own to measure: started on a fresh directory, on a free
 * port of loopback, and stopped again.
 */
#ifndef BENCHMARK_HUB_PROCESS_H
#define BENCHMARK_HUB_PROCESS_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct hub_process {
    pid_t pid;
    uint16_t port;
    char directory[256];
    char log[300];
};

/* `under` is the directory whose disk is measured. */
enum err hub_start(struct hub_process *hub, const char *under);

/* With more flags, at most HUB_FLAGS_MAX; NULL ends them. */
enum { HUB_FLAGS_MAX = 8 };

enum err hub_start_with(struct hub_process *hub, const char *under,
                        const char *const *flags);

/* SIGTERM, then waits. The counters are those of its last log line. */
struct hub_counts {
    int64_t commits;
    int64_t commit_us;
    int64_t commands;
};

enum err hub_stop(struct hub_process *hub, struct hub_counts *ret_counts);

/* Processor time used so far. */
int64_t hub_cpu_ms(const struct hub_process *hub);

/* Resident bytes now. */
uint64_t hub_resident_bytes(const struct hub_process *hub);

/* Registers an agent; its token (64 hex and a NUL). */
enum err hub_register(const struct hub_process *hub, const char *agent_id,
                      char token[65]);

#endif
