/*
 * walk_store DIRECTORY: walks every table of a store whose hub is dead, both ways, and
 * names the first broken invariant. Exit 0: all is whole.
 */
#include "core/core.h"
#include "store/store.h"

#include <stdio.h>

#define BYTES_FIRST ((uint64_t)1024 * 1024)
#define BYTES_MAX ((uint64_t)64 * 1024 * 1024 * 1024)

static enum err walk(struct store *store)
{
    const char *text = "no memory";
    struct store_reader *reader = store_reader_create(store);
    if (reader == NULL)
        return ERR_MEMORY;
    enum err err = core_verify(store_reader_begin(reader), &text);
    store_reader_end(reader);
    store_reader_destroy(reader);
    if (err != ERR_OK)
        fprintf(stderr, "walk_store: %s: %s\n", err_name(err), text);
    return err;
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: walk_store DIRECTORY\n");
        return 2;
    }
    struct store_options options = {
        .directory = arguments[1],
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
        err = walk(store);
    else
        fprintf(stderr, "walk_store: %s: %s\n", err_name(err), problem.text);
    store_close(store);
    return err == ERR_OK ? 0 : 1;
}
