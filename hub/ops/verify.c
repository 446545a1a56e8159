#include "ops/verify.h"

#include "base/hash.h"
#include "core/core.h"
#include "os/file.h"
#include "os/secret.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CHUNK_BYTES = 1024 * 1024,
    NICENESS = 10,
};

#define MAP_BYTES_FIRST ((uint64_t)1024 * 1024)
#define MAP_BYTES_MAX ((uint64_t)1 << 46)

/* Before the store is open: the file is closed again. */
static enum err file_digest(const char *directory, struct manifest *manifest,
                            struct vault_problem *problem)
{
    static char chunk[CHUNK_BYTES];
    char path[VAULT_PATH_BYTES];
    uint8_t digest[SECRET_DIGEST_BYTES];
    int fd = path_join(path, sizeof path, directory, VAULT_DATA)
                 ? open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
                 : -1;
    if (fd < 0) {
        vault_say(problem, "%s cannot be opened: %s", VAULT_DATA, strerror(errno));
        return ERR_IO;
    }
    struct digest *state = digest_create();
    ssize_t taken;
    manifest->bytes = 0;
    while ((taken = read(fd, chunk, sizeof chunk)) > 0) {
        digest_add(state, slice_make(chunk, (size_t)taken));
        manifest->bytes += (uint64_t)taken;
    }
    if (taken < 0)
        vault_say(problem, "%s cannot be read: %s", VAULT_DATA, strerror(errno));
    digest_end(state, digest);
    (void)close(fd);
    hex_encode(manifest->sha256, digest, sizeof digest);
    manifest->sha256[MANIFEST_DIGEST_BYTES] = '\0';
    return taken < 0 ? ERR_IO : ERR_OK;
}

static enum err tables_walk(struct store *store, struct manifest *manifest,
                            struct vault_problem *problem)
{
    const char *text = "it cannot be read";
    struct core_figures figures = { 0 };
    struct store_reader *reader = store_reader_create(store);
    if (reader == NULL)
        return ERR_MEMORY;
    struct transaction *transaction = store_reader_begin(reader);
    enum err err = core_verify(transaction, &text);
    if (err == ERR_OK)
        err = core_figures_read(transaction, &figures);
    store_reader_end(reader);
    store_reader_destroy(reader);
    if (err != ERR_OK)
        vault_say(problem, "the store is not whole: %s (%s)", text, err_name(err));
    manifest->instance = figures.instance;
    manifest->epoch = figures.place.epoch;
    manifest->sequence = figures.place.sequence;
    manifest->now_ms = figures.place.now_ms;
    manifest->task_last = figures.task_last;
    manifest->event_last = figures.place.event_last;
    return err;
}

static enum err tables_count(struct store *store, struct manifest *manifest)
{
    struct store_table_usage tables[MANIFEST_TABLES_MAX];
    if (CORE_TABLE_COUNT > MANIFEST_TABLES_MAX)
        return ERR_LIMIT;
    enum err err = store_measure_tables(store, tables);
    if (err != ERR_OK)
        return err;
    manifest->table_count = CORE_TABLE_COUNT;
    manifest->records = 0;
    for (unsigned i = 0; i < CORE_TABLE_COUNT; i++) {
        struct manifest_table *table = &manifest->tables[i];
        (void)snprintf(table->name, sizeof table->name, "%s", CORE_TABLES[i]);
        table->records = tables[i].records;
        table->bytes = tables[i].bytes;
        manifest->records += tables[i].records;
    }
    return ERR_OK;
}

/* What a manifest beside the data says must be so. */
static enum err manifest_compare(const char *directory, const struct manifest *found,
                                 struct vault_problem *problem)
{
    char path[VAULT_PATH_BYTES];
    struct buffer text;
    buffer_init(&text, MANIFEST_BYTES_MAX);
    struct manifest *told = malloc(sizeof *told);
    enum err err = told == NULL || !path_join(path, sizeof path, directory, MANIFEST_FILE)
                       ? ERR_MEMORY
                       : file_read(path, MANIFEST_BYTES_MAX, &text);
    bool absent = err == ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = manifest_read(buffer_slice(&text), told);
    if (err == ERR_OK &&
        (strcmp(told->sha256, found->sha256) != 0 || told->bytes != found->bytes)) {
        vault_say(problem, "the data is not what the manifest says: its digest differs");
        err = ERR_CORRUPT;
    } else if (err == ERR_OK &&
               (told->sequence != found->sequence || told->epoch != found->epoch ||
                told->instance != found->instance || told->records != found->records)) {
        vault_say(problem, "the manifest says other figures than the data");
        err = ERR_CORRUPT;
    } else if (err != ERR_OK && !absent) {
        vault_say(problem, "the manifest cannot be read: %s", err_name(err));
    }
    buffer_finish(&text);
    free(told);
    return absent ? ERR_OK : err;
}

static enum err store_walk(const char *directory, struct manifest *manifest,
                           struct vault_problem *problem)
{
    struct store_problem reason = { "" };
    struct store_options options = {
        .directory = directory,
        .tables = CORE_TABLES,
        .table_count = CORE_TABLE_COUNT,
        .bytes_first = MAP_BYTES_FIRST,
        .bytes_max = MAP_BYTES_MAX,
        .read_only = true,
    };
    struct store *store;
    enum err err = store_open(&options, &store, &reason);
    if (err != ERR_OK) {
        vault_say(problem, "%.250s", reason.text);
        return err;
    }
    err = tables_walk(store, manifest, problem);
    if (err == ERR_OK)
        err = tables_count(store, manifest);
    store_close(store);
    return err;
}

enum err verify_store(const char *directory, struct manifest *ret_manifest,
                      struct vault_problem *ret_problem)
{
    memset(ret_manifest, 0, sizeof *ret_manifest);
    ret_problem->text[0] = '\0';
    enum err err = file_digest(directory, ret_manifest, ret_problem);
    if (err == ERR_OK)
        err = store_walk(directory, ret_manifest, ret_problem);
    if (err == ERR_OK)
        err = manifest_compare(directory, ret_manifest, ret_problem);
    if (err != ERR_OK && ret_problem->text[0] == '\0')
        vault_say(ret_problem, "it cannot be read: %s", err_name(err));
    return err;
}

bool verify_errand(const char *directory)
{
    static struct manifest manifest;
    struct vault_problem problem;
    struct buffer text;
    /* A hub beside it has the first call on the processor. */
    (void)!nice(NICENESS);
    enum err err = verify_store(directory, &manifest, &problem);
    if (err != ERR_OK) {
        fprintf(stderr, "%s\n", problem.text);
        return false;
    }
    (void)snprintf(manifest.hub_version, sizeof manifest.hub_version, "%s",
                   DROVER_VERSION);
    buffer_init(&text, MANIFEST_BYTES_MAX);
    manifest_write(&manifest, &text);
    bool written = !buffer_failed(&text) &&
                   fwrite(text.data, 1, text.size, stdout) == text.size &&
                   fflush(stdout) == 0;
    buffer_finish(&text);
    return written;
}
