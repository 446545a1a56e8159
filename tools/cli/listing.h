/*
 * listing.h - a command that lists, as data: one row a column.
 */
#ifndef CLI_LISTING_H
#define CLI_LISTING_H

#include "cli/command.h"
#include "cli/screen.h"

enum column_kind {
    COLUMN_TEXT,
    COLUMN_NUMBER,
    COLUMN_TIME,  /* Unix milliseconds */
    COLUMN_TEXTS, /* separated by commas */
    COLUMN_YES,   /* yes or no */
    COLUMN_LANE,
    COLUMN_JSON, /* as it came */
};

struct column {
    const char *head;
    const char *field; /* of an item: id, message.from; NULL: `cell` knows */
    enum column_kind kind;
    void (*cell)(const struct answer *answer, const struct json_node *item,
                 struct table *table);
};

struct listing {
    const char *member; /* of the answer: the list */
    struct column columns[TABLE_COLUMNS_MAX];
    const char *page; /* items asked for at a time by --all; NULL: as many as come */
};

/* Lists by the command's row. When the answer has a cursor the rest is told of, and with
 * --all asked for. */
enum outcome listing_run(struct invocation *invocation);

/* The answer's items as a table. */
enum outcome listing_show(const struct answer *answer, const struct listing *listing);

#endif
