/*
 * walk_store [--list | --rows] DIRECTORY: walks every table of a store whose hub is dead, both ways,
 * and names the first broken invariant. Exit 0: all is whole.
 *
 * --list: a line for each task, with tabs between: id, state, generation, description and
 * metadata as it was given.
 * --rows: a line for each table: name, rows, and a digest of them all.
 */
#include "base/hash.h"
#include "core/core.h"
#include "os/secret.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

#define BYTES_FIRST ((uint64_t)1024 * 1024)
#define BYTES_MAX ((uint64_t)64 * 1024 * 1024 * 1024)

#define ARENA_BYTES_MAX ((size_t)64 * 1024 * 1024)

static void cell(struct slice text, char end)
{
    printf("%.*s%c", (int)text.size, text.size > 0 ? text.data : "", end);
}

/* One page behind *cursor; absent when it was the last. */
static enum err page_list(struct transaction *transaction, struct arena *arena,
                          struct slice *cursor)
{
    static const struct core_settings SETTINGS = { .attempts_max = 1 };
    struct effects effects;
    const struct message question = {
        .type = MESSAGE_GET_TASKS,
        .as.get_tasks = { .cursor = *cursor },
    };
    const struct command command = {
        .origin = { .link = 1, .request = 1 },
        .actor = SLICE("walker"),
        .role = ROLE_ADMIN,
        .message = &question,
    };
    effects_init(&effects, arena);
    enum err err = core_query(&SETTINGS, transaction, &command, &effects);
    if (err != ERR_OK)
        return err;
    if (effects.first == NULL || effects.first->message.type != MESSAGE_GET_TASKS_ANSWER)
        return ERR_INVALID;
    const struct message_get_tasks_answer *answer =
        &effects.first->message.as.get_tasks_answer;
    const struct message_task *tasks = answer->tasks.items;
    for (size_t i = 0; i < answer->tasks.count; i++) {
        cell(tasks[i].id, '\t');
        cell(tasks[i].state, '\t');
        printf("%lld\t", (long long)tasks[i].generation);
        cell(tasks[i].description, '\t');
        cell(tasks[i].metadata, '\n');
    }
    *cursor = answer->cursor;
    return ERR_OK;
}

static enum err tasks_list(struct transaction *transaction)
{
    char kept[64];
    struct slice cursor = { 0 };
    enum err err;
    do {
        struct arena arena;
        arena_init(&arena, ARENA_BYTES_MAX);
        err = page_list(transaction, &arena, &cursor);
        if (err == ERR_OK && cursor.size > sizeof kept)
            err = ERR_LIMIT;
        if (err == ERR_OK && slice_is_present(cursor)) {
            memcpy(kept, cursor.data, cursor.size);
            cursor.data = kept;
        }
        arena_finish(&arena);
    } while (err == ERR_OK && slice_is_present(cursor));
    return err;
}

static enum err table_digest(struct transaction *transaction, unsigned table)
{
    char from[TRANSACTION_KEY_BYTES_MAX + 1];
    size_t size = 0;
    unsigned long long rows = 0;
    uint8_t bytes[SECRET_DIGEST_BYTES];
    char text[2 * SECRET_DIGEST_BYTES + 1] = "";
    struct digest *digest = digest_create();
    struct slice key;
    struct slice value;
    enum err err;
    while ((err = transaction_first_from(transaction, table, slice_make(from, size), &key,
                                         &value)) == ERR_OK) {
        uint32_t sizes[] = { (uint32_t)key.size, (uint32_t)value.size };
        digest_add(digest, slice_make(sizes, sizeof sizes));
        digest_add(digest, key);
        digest_add(digest, value);
        memcpy(from, key.data, key.size);
        from[key.size] = 0; /* the first key after it */
        size = key.size + 1;
        rows++;
    }
    digest_end(digest, bytes);
    hex_encode(text, bytes, sizeof bytes);
    printf("%s %llu %s\n", CORE_TABLES[table], rows, text);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err tables_digest(struct transaction *transaction)
{
    enum err err = ERR_OK;
    for (unsigned table = 0; table < CORE_TABLE_COUNT && err == ERR_OK; table++)
        err = table_digest(transaction, table);
    return err;
}

static enum err walk(struct store *store, bool list, bool rows)
{
    const char *text = "no memory";
    struct store_reader *reader = store_reader_create(store);
    if (reader == NULL)
        return ERR_MEMORY;
    struct transaction *transaction = store_reader_begin(reader);
    enum err err = core_verify(transaction, &text);
    if (err == ERR_OK && list) {
        text = "the tasks cannot be listed";
        err = tasks_list(transaction);
    }
    if (err == ERR_OK && rows) {
        text = "the rows cannot be read";
        err = tables_digest(transaction);
    }
    store_reader_end(reader);
    store_reader_destroy(reader);
    if (err != ERR_OK)
        fprintf(stderr, "walk_store: %s: %s\n", err_name(err), text);
    return err;
}

int main(int count, char **arguments)
{
    bool list = count == 3 && strcmp(arguments[1], "--list") == 0;
    bool rows = count == 3 && strcmp(arguments[1], "--rows") == 0;
    if (count != 2 && !list && !rows) {
        fprintf(stderr, "usage: walk_store [--list | --rows] DIRECTORY\n");
        return 2;
    }
    struct store_options options = {
        .directory = arguments[count - 1],
        .tables = CORE_TABLES,
        .table_count = CORE_TABLE_COUNT,
        .bytes_first = BYTES_FIRST,
        .bytes_max = BYTES_MAX,
        .forced_file_system = true,
    };
    struct store *store = NULL;
    struct store_problem problem = { "" };
    enum err err = store_open(&options, &store, &problem);
    if (err == ERR_OK)
        err = walk(store, list, rows);
    else
        fprintf(stderr, "walk_store: %s: %s\n", err_name(err), problem.text);
    store_close(store);
    return err == ERR_OK ? 0 : 1;
}
