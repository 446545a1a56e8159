#include "cli/screen.h"

#include "os/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TEXT_BYTES_MAX = 256 * 1024 * 1024, CELL_WIDTH_MAX = 48 };

bool screen_is_terminal(void)
{
    return isatty(STDOUT_FILENO) == 1;
}

/* The character at the start of `text` and its size; size 0 for what is not UTF-8. */
static size_t character_read(struct slice text, uint32_t *ret_code)
{
    static const uint32_t LEAST[] = { 0, 0x80, 0x800, 0x10000 };
    uint8_t first = (uint8_t)text.data[0];
    size_t more = first < 0x80             ? 0
                  : (first & 0xe0) == 0xc0 ? 1
                  : (first & 0xf0) == 0xe0 ? 2
                  : (first & 0xf8) == 0xf0 ? 3
                                           : 4;
    if (more == 4 || more >= text.size)
        return 0;
    uint32_t code = more == 0 ? first : first & (0x3fU >> more);
    for (size_t i = 1; i <= more; i++) {
        uint8_t byte = (uint8_t)text.data[i];
        if ((byte & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (byte & 0x3fU);
    }
    if (code < LEAST[more] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    *ret_code = code;
    return more + 1;
}

/* What a terminal obeys, or a reader does not see, in ascending order. */
static const struct {
    uint32_t first, last;
} HIDDEN[] = {
    { 0x00, 0x1f },       { 0x7f, 0x9f },     { 0xad, 0xad },     { 0x34f, 0x34f },
    { 0x61c, 0x61c },     { 0x115f, 0x1160 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180f },
    { 0x200b, 0x200f },   { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0x3164, 0x3164 },
    { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb },
    { 0xe0000, 0xe0fff },
};

static bool character_is_hidden(uint32_t code)
{
    for (size_t i = 0; i < sizeof HIDDEN / sizeof HIDDEN[0]; i++)
        if (code >= HIDDEN[i].first && code <= HIDDEN[i].last)
            return true;
    return false;
}

void text_escape(struct slice text, bool lines, const char *indent, struct buffer *buffer)
{
    while (text.size > 0) {
        uint32_t code = 0;
        size_t size = character_read(text, &code);
        char shown[16];
        if (size == 0) {
            (void)snprintf(shown, sizeof shown, "\\x%02x",
                           (unsigned)(uint8_t)text.data[0]);
            buffer_append_text(buffer, shown);
            size = 1;
        } else if (lines && code == '\n') {
            buffer_append_byte(buffer, '\n');
            buffer_append_text(buffer, indent);
        } else if (lines && code == '\t') {
            buffer_append_byte(buffer, '\t');
        } else if (character_is_hidden(code)) {
            (void)snprintf(shown, sizeof shown, "\\u{%x}", (unsigned)code);
            buffer_append_text(buffer, shown);
        } else {
            buffer_append(buffer, text.data, size);
        }
        text = slice_skip(text, size);
    }
}

size_t text_columns(struct slice text)
{
    size_t columns = 0;
    for (size_t i = 0; i < text.size; i++)
        columns += ((uint8_t)text.data[i] & 0xc0) != 0x80;
    return columns;
}

void table_init(struct table *table, size_t columns)
{
    *table = (struct table){ .columns = columns,
                             .width_max = screen_is_terminal() ? CELL_WIDTH_MAX : 0 };
    buffer_init(&table->text, TEXT_BYTES_MAX);
}

void table_finish(struct table *table)
{
    buffer_finish(&table->text);
    free(table->ends);
    table->ends = NULL;
}

/* Cuts the cell that starts at `start` to the greatest width. */
static void cell_cut(struct table *table, size_t start)
{
    struct slice cell = slice_skip(buffer_slice(&table->text), start);
    if (table->width_max == 0 || text_columns(cell) <= table->width_max)
        return;
    size_t columns = 0;
    size_t at = 0;
    for (; at < cell.size; at++)
        if (((uint8_t)cell.data[at] & 0xc0) != 0x80 && ++columns == table->width_max)
            break;
    table->text.size = start + at;
    buffer_append_text(&table->text, "…");
}

void table_cell(struct table *table, struct slice text)
{
    if (table->cells == table->room) {
        size_t room = table->room == 0 ? 64 : table->room * 2;
        size_t *ends = room > TABLE_ROWS_MAX * TABLE_COLUMNS_MAX
                           ? NULL
                           : realloc(table->ends, room * sizeof *ends);
        if (ends == NULL) {
            table->failed = true;
            return;
        }
        table->ends = ends;
        table->room = room;
    }
    size_t start = table->text.size;
    text_escape(text.size > 0 ? text : SLICE_OF("-"), false, "", &table->text);
    cell_cut(table, start);
    table->ends[table->cells++] = table->text.size;
}

void table_cell_text(struct table *table, const char *text)
{
    table_cell(table, slice_from_text(text));
}

void table_cell_time(struct table *table, int64_t wall_ms)
{
    char text[CLOCK_TEXT_BYTES];
    if (wall_ms > 0)
        clock_text(wall_ms, text);
    table_cell_text(table, wall_ms > 0 ? text : "-");
}

static struct slice table_at(const struct table *table, size_t cell)
{
    size_t start = cell == 0 ? 0 : table->ends[cell - 1];
    return slice_make(table->text.data + start, table->ends[cell] - start);
}

bool table_show(const struct table *table, const char *indent)
{
    size_t widths[TABLE_COLUMNS_MAX] = { 0 };
    if (table->failed || buffer_failed(&table->text))
        return false;
    for (size_t cell = 0; cell < table->cells; cell++) {
        size_t columns = text_columns(table_at(table, cell));
        size_t *width = &widths[cell % table->columns];
        *width = columns > *width ? columns : *width;
    }
    for (size_t cell = 0; cell < table->cells; cell++) {
        struct slice text = table_at(table, cell);
        size_t column = cell % table->columns;
        bool last = column + 1 == table->columns;
        size_t padding = last ? 0 : widths[column] - text_columns(text) + 2;
        (void)printf("%s%.*s%*s%s", column == 0 ? indent : "", (int)text.size, text.data,
                     (int)padding, "", last ? "\n" : "");
    }
    return ferror(stdout) == 0;
}
