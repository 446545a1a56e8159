/*
 * trace.h - what a run did: a hash of all of it and, when asked for, a line of JSON for
 * every command that was committed, for oracle.py and for people.
 *
 *   {"settings": {...}}                       at each start of the hub
 *   {"seq", "now", "wall", "actor", "link", "request", "role", "type", "path": {...},
 *    "in": {...}, "out": [{"kind", "link", "request", "status", "type", "body"}]}
 */
#ifndef SIMULATION_TRACE_H
#define SIMULATION_TRACE_H

#include "base/buffer.h"
#include "core/core.h"

#include <stdio.h>

struct trace {
    uint64_t hash;
    FILE *file;            /* NULL: no lines are written */
    struct buffer pending; /* lines of the batch that is open */
};

void trace_init(struct trace *trace, const char *path);
void trace_finish(struct trace *trace);

/* Into the hash alone. */
void trace_bytes(struct trace *trace, struct slice bytes);
void trace_number(struct trace *trace, uint64_t number);

void trace_settings(struct trace *trace, const struct core_settings *settings);
void trace_command(struct trace *trace, const struct command *command,
                   const struct effects *effects);
/* The oracle keeps what it knows, and goes back to it; from here on it is told the
 * generations. */
struct audit;
void trace_backup(struct trace *trace);
void trace_restored(struct trace *trace, const struct audit *audit);

void trace_keep(struct trace *trace);
void trace_drop(struct trace *trace);

#endif
