/*
 * manifest.h - what a backup says of itself: one JSON file beside its data.
 *
 * It is written last, once the data has been synced, read back and walked. Reading one is
 * reading a stranger's file: everything in it is checked.
 */
#ifndef OPS_MANIFEST_H
#define OPS_MANIFEST_H

#include "base/buffer.h"
#include "base/err.h"

#define MANIFEST_FILE "manifest.json"

enum {
    MANIFEST_FORMAT = 1,
    MANIFEST_BYTES_MAX = 256 * 1024,
    MANIFEST_TABLES_MAX = 256,
    MANIFEST_NAME_BYTES = 64,
    MANIFEST_VERSION_BYTES = 32,
    MANIFEST_TABLE_BYTES = 32,
    MANIFEST_DIGEST_BYTES = 64, /* hexadecimal */
};

struct manifest_table {
    char name[MANIFEST_TABLE_BYTES + 1];
    uint64_t records;
    uint64_t bytes;
};

struct manifest {
    char name[MANIFEST_NAME_BYTES + 1];
    char hub_version[MANIFEST_VERSION_BYTES + 1];
    uint64_t instance;
    uint64_t epoch;
    uint64_t sequence;
    uint64_t event_last;    /* the highest event; 0: made before manifests told */
    int64_t now_ms;         /* the fleet's clock */
    int64_t created_ms;     /* wall */
    uint64_t task_last;     /* the highest task number given out */
    uint64_t bytes;         /* of the data file */
    uint64_t records;       /* of all tables together */
    uint32_t store_version; /* of what lies in the tables */
    char sha256[MANIFEST_DIGEST_BYTES + 1];
    struct manifest_table tables[MANIFEST_TABLES_MAX];
    size_t table_count;
};

void manifest_write(const struct manifest *manifest, struct buffer *buffer);

/* ERR_INVALID: this is no manifest; ERR_UNSUPPORTED: one of a newer format. */
enum err manifest_read(struct slice text, struct manifest *ret_manifest);

#endif
