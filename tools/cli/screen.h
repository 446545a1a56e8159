/*
 * screen.h - text for people: harmless, and in columns.
 *
 * Whatever comes from the hub may have been written by anybody. Before it is shown,
 * control characters, invisible ones and those that change the direction of text become
 * visible escapes.
 */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include "base/buffer.h"

enum { TABLE_COLUMNS_MAX = 12, TABLE_ROWS_MAX = 100000 };

/* True when standard output is a terminal. */
bool screen_is_terminal(void);

/* Appends the text made harmless; `lines`: line breaks stay, each followed by `indent`. */
void text_escape(struct slice text, bool lines, const char *indent,
                 struct buffer *buffer);

/* Columns a harmless text takes, counted in characters. */
size_t text_columns(struct slice text);

/* A table being filled: cells are copied and made harmless. */
struct table {
    size_t columns;
    size_t width_max; /* of one cell but the last; 0: no bound */
    struct buffer text;
    size_t *ends; /* of each cell, in text */
    size_t cells;
    size_t room;
    bool failed;
};

void table_init(struct table *table, size_t columns);
void table_finish(struct table *table);
void table_cell(struct table *table, struct slice text);
void table_cell_text(struct table *table, const char *text);

/* Unix milliseconds as a time; 0 or less: "-". */
void table_cell_time(struct table *table, int64_t wall_ms);

/* To standard output, each line after `indent`. False when that fails. */
bool table_show(const struct table *table, const char *indent);

#endif
