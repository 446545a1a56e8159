#include "cli/listing.h"

#include "cli/request.h"

#include <stdio.h>

enum { PAGES_MAX = 100000, CURSOR_BYTES_MAX = 4096, TEXTS_BYTES_MAX = 65536 };

static void texts_cell(const struct answer *answer, const struct json_node *list,
                       struct table *table)
{
    struct buffer text;
    buffer_init(&text, TEXTS_BYTES_MAX);
    for (const struct json_node *item = json_child(answer->tape, list); item != NULL;
         item = json_after(answer->tape, list, item)) {
        if (text.size > 0)
            buffer_append_text(&text, ", ");
        if (item->kind == JSON_STRING)
            buffer_append_slice(&text, item->value.text);
    }
    table_cell(table, buffer_slice(&text));
    buffer_finish(&text);
}

/* A member by its path: id, message.from. */
static const struct json_node *node_at(const struct answer *answer,
                                       const struct json_node *item, const char *path)
{
    struct slice rest = slice_from_text(path);
    while (item != NULL && rest.size > 0) {
        size_t dot = slice_find(rest, '.');
        item = json_member(answer->tape, item, slice_make(rest.data, dot));
        rest = slice_skip(rest, dot + 1);
    }
    return item;
}

static void column_cell(const struct answer *answer, const struct json_node *item,
                        const struct column *column, struct table *table)
{
    const struct json_node *node = node_at(answer, item, column->field);
    if (node == NULL || node->kind == JSON_NULL) {
        table_cell_text(table, "-");
        return;
    }
    bool is_number = node->kind == JSON_NUMBER && node->integer;
    switch (column->kind) {
    case COLUMN_TEXT:
        table_cell(table,
                   node->kind == JSON_STRING ? node->value.text : slice_from_text(NULL));
        break;
    case COLUMN_NUMBER:
    case COLUMN_JSON:
        table_cell(table, node->raw);
        break;
    case COLUMN_TIME:
        table_cell_time(table, is_number ? node->value.number : 0);
        break;
    case COLUMN_TEXTS:
        texts_cell(answer, node, table);
        break;
    case COLUMN_YES:
        table_cell_text(table, node->kind == JSON_TRUE ? "yes" : "no");
        break;
    case COLUMN_LANE:
        table_cell_text(table, priority_name(is_number ? node->value.number : -1));
        break;
    }
}

static void head_add(const struct listing *listing, struct table *table)
{
    size_t count = 0;
    while (count < TABLE_COLUMNS_MAX && listing->columns[count].head != NULL)
        count++;
    table_init(table, count);
    for (size_t i = 0; i < count; i++)
        table_cell_text(table, listing->columns[i].head);
}

static void items_add(const struct answer *answer, const struct listing *listing,
                      struct table *table)
{
    const struct json_node *list = member_of(answer, answer->root, listing->member);
    if (list == NULL || list->kind != JSON_ARRAY)
        return;
    for (const struct json_node *item = json_child(answer->tape, list); item != NULL;
         item = json_after(answer->tape, list, item))
        for (size_t i = 0; i < table->columns; i++) {
            const struct column *column = &listing->columns[i];
            if (column->field == NULL)
                column->cell(answer, item, table);
            else
                column_cell(answer, item, column, table);
        }
}

static enum outcome table_end(struct table *table)
{
    bool shown = table_show(table, "");
    table_finish(table);
    return shown ? OUTCOME_OK : complain(OUTCOME_FAILED, "the list cannot be shown");
}

enum outcome listing_show(const struct answer *answer, const struct listing *listing)
{
    struct table table;
    head_add(listing, &table);
    items_add(answer, listing, &table);
    return table_end(&table);
}

/* One page, into the table or out as it is; *cursor is where the next one begins. */
static enum outcome page_show(struct invocation *invocation, struct table *table,
                              struct buffer *cursor)
{
    const struct listing *listing = invocation->command->list;
    struct filling fillings[2];
    struct answer answer;
    size_t count = 0;
    if (cursor->size > 0)
        fillings[count++] = (struct filling){ "cursor", buffer_slice(cursor) };
    if (listing->page != NULL && given_has(invocation, "--all") &&
        !given_has(invocation, "--limit"))
        fillings[count++] = (struct filling){ "limit", slice_from_text(listing->page) };
    enum outcome outcome = command_call(invocation, fillings, count, &answer);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (invocation->json)
        (void)answer_print(&answer);
    else
        items_add(&answer, listing, table);
    buffer_clear(cursor);
    const struct json_node *next = member_of(&answer, answer.root, "cursor");
    if (next != NULL && next->kind != JSON_NULL)
        buffer_append_slice(cursor,
                            next->kind == JSON_STRING ? next->value.text : next->raw);
    return OUTCOME_OK;
}

static enum outcome pages_show(struct invocation *invocation, struct table *table,
                               struct buffer *cursor)
{
    bool all = given_has(invocation, "--all");
    enum outcome outcome = OUTCOME_OK;
    for (int page = 0; page < PAGES_MAX && outcome == OUTCOME_OK; page++) {
        outcome = page_show(invocation, table, cursor);
        if (cursor->size == 0 || !all)
            break;
    }
    return outcome;
}

static void rest_tell(struct slice cursor)
{
    struct buffer shown;
    buffer_init(&shown, (size_t)CURSOR_BYTES_MAX * 8);
    text_escape(cursor, false, "", &shown);
    (void)fprintf(stderr, "drover: there is more: --cursor %.*s, or --all\n",
                  (int)shown.size, shown.size > 0 ? shown.data : "");
    buffer_finish(&shown);
}

enum outcome listing_run(struct invocation *invocation)
{
    struct table table;
    struct buffer cursor;
    buffer_init(&cursor, CURSOR_BYTES_MAX);
    head_add(invocation->command->list, &table);
    enum outcome outcome = pages_show(invocation, &table, &cursor);
    if (outcome != OUTCOME_OK || invocation->json)
        table_finish(&table);
    else
        outcome = table_end(&table);
    if (outcome == OUTCOME_OK && !invocation->json && cursor.size > 0)
        rest_tell(buffer_slice(&cursor));
    buffer_finish(&cursor);
    return outcome;
}
