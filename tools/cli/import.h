/*
 * import.h - an export on its way to the hub: walked once, sent in parts of a bounded size.
 *
 * Texts of tokens stay here: the hub is told their digests.
 */
#ifndef CLI_IMPORT_H
#define CLI_IMPORT_H

#include "cli/schema_file.h"
#include "json/writer.h"

enum import_kind {
    IMPORT_TOKENS,
    IMPORT_CHANNELS,
    IMPORT_MESSAGES,
    IMPORT_MAILBOXES,
    IMPORT_TASKS,
    IMPORT_KINDS
};

struct import {
    struct invocation *invocation;
    const struct json *tape;
    bool dry_run;
    uint64_t counts[IMPORT_KINDS];
    int64_t imported;
    int64_t present;
    int64_t refused;

    /* The part being written. */
    enum import_kind kind;
    struct buffer part;
    struct json_writer writer;
    uint32_t items;
};

/* Sends, or only counts, all of a checked export. */
enum outcome import_walk(struct import *import);

/* One part. Waits where the hub says that it is asked too often. */
enum outcome import_send(struct import *import, struct slice body);

#endif
