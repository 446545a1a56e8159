#include "store_fixture.h"

#include "base/ensure.h"
#include "os/file.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const TABLES[] = { "one", "two" };

static int plan_before(void *context, enum store_call call)
{
    struct fault_plan *plan = context;
    unsigned count = atomic_fetch_add(&plan->counts[call], 1) + 1;

    if (plan->nth == 0 || call != plan->call)
        return 0;
    return count == plan->nth || (plan->for_ever && count > plan->nth) ? plan->code : 0;
}

void fixture_fail(struct store_fixture *fixture, enum store_call call, unsigned nth,
                  int code)
{
    struct fault_plan *plan = &fixture->plan;
    *plan = (struct fault_plan){ .call = call, .nth = nth, .code = code };
    plan->hook = (struct store_fault){ .before = plan_before, .context = plan };
}

void fixture_start(struct store_fixture *fixture, uint64_t bytes_first,
                   uint64_t bytes_max)
{
    memset(fixture, 0, sizeof *fixture);
    (void)snprintf(fixture->directory, sizeof fixture->directory,
                   "/tmp/drover-store-XXXXXX");
    ENSURE(mkdtemp(fixture->directory) != NULL);
    fixture_fail(fixture, STORE_CALL_OPEN, 0, 0);
    fixture->options = (struct store_options){
        .directory = fixture->directory,
        .tables = TABLES,
        .table_count = sizeof TABLES / sizeof TABLES[0],
        .bytes_first = bytes_first,
        .bytes_max = bytes_max,
        .forced_file_system = true,
        .fault = &fixture->plan.hook,
    };
    enum err err = fixture_open(fixture);
    if (err != ERR_OK)
        fprintf(stderr, "%s: %s\n", err_name(err), fixture->problem.text);
    ENSURE(err == ERR_OK);
}

enum err fixture_open(struct store_fixture *fixture)
{
    ENSURE(fixture->store == NULL);
    return store_open(&fixture->options, &fixture->store, &fixture->problem);
}

void fixture_close(struct store_fixture *fixture)
{
    store_close(fixture->store);
    fixture->store = NULL;
}

void fixture_path(const struct store_fixture *fixture, const char *name, char *target,
                  size_t size)
{
    ENSURE(path_join(target, size, fixture->directory, name));
}

void fixture_end(struct store_fixture *fixture)
{
    fixture_close(fixture);
    DIR *directory = opendir(fixture->directory);
    ENSURE(directory != NULL);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char path[512];
        if (entry->d_name[0] == '.')
            continue;
        fixture_path(fixture, entry->d_name, path, sizeof path);
        ENSURE(unlink(path) == 0);
    }
    (void)closedir(directory);
    ENSURE(rmdir(fixture->directory) == 0);
}

static enum err finish_batch(struct store_fixture *fixture, enum err err)
{
    if (err == ERR_OK)
        return store_commit(fixture->store);
    store_abort(fixture->store);
    return err;
}

enum err fixture_put(struct store_fixture *fixture, unsigned table, const char *key,
                     struct slice value)
{
    struct transaction *batch = store_batch(fixture->store);
    return finish_batch(fixture,
                        transaction_put(batch, table, slice_from_text(key), value));
}

enum err fixture_remove(struct store_fixture *fixture, unsigned table, const char *key)
{
    struct transaction *batch = store_batch(fixture->store);
    return finish_batch(fixture, transaction_remove(batch, table, slice_from_text(key)));
}

bool fixture_has(struct store_fixture *fixture, unsigned table, const char *key,
                 struct slice expected)
{
    struct store_reader *reader = store_reader_create(fixture->store);
    ENSURE(reader != NULL);
    struct transaction *snapshot = store_reader_begin(reader);
    struct slice value = { NULL, 0 };
    enum err err = transaction_get(snapshot, table, slice_from_text(key), &value);
    bool has = slice_is_present(expected) ? err == ERR_OK && slice_equal(value, expected)
                                          : err == ERR_NOT_FOUND;
    store_reader_end(reader);
    store_reader_destroy(reader);
    return has;
}
