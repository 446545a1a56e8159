#include "ops/verify.h"

#include "base/hash.h"
#include "core/core.h"
#include "ops/reading.h"
#include "ops/shape.h"
#include "os/file.h"
#include "os/secret.h"
#include "store/scrub.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CHUNK_BYTES = 1024 * 1024,
    NICENESS = 10,
    RECORDS_AT_ONCE = 512,
};

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
    if (taken < 0)
        return ERR_IO;
    if (manifest->bytes > 0)
        return ERR_OK;
    vault_say(problem, "%s is empty", VAULT_DATA);
    return ERR_CORRUPT;
}

/* What the tables say, and what is wrong with them. */
struct tables {
    struct core_figures figures;
    struct core_chain chain;
    const char *text;
};

static enum err tables_walk(struct transaction *snapshot, void *context)
{
    struct tables *tables = context;
    tables->text = "it cannot be read";
    enum err err = core_verify(snapshot, &tables->text);
    if (err == ERR_OK)
        err = core_figures_read(snapshot, &tables->figures);
    if (err == ERR_OK)
        err = core_chain_verify(snapshot, digest_sha256, &tables->chain);
    if (err == ERR_OK && tables->chain.broken_at != 0) {
        tables->text = tables->chain.text;
        err = ERR_CORRUPT;
    }
    return err;
}

static void figures_take(const struct core_figures *figures, struct manifest *manifest)
{
    manifest->instance = figures->instance;
    manifest->epoch = figures->place.epoch;
    manifest->sequence = figures->place.sequence;
    manifest->now_ms = figures->place.now_ms;
    manifest->task_last = figures->task_last;
    manifest->event_last = figures->place.event_last;
}

static enum err tables_verify(struct store *store, struct manifest *manifest,
                              struct vault_problem *problem)
{
    struct tables tables = { .text = "out of memory" };
    enum err err = reading_look(store, tables_walk, &tables);
    if (err != ERR_OK && tables.chain.broken_at != 0)
        vault_say(problem, "event %" PRIu64 " does not hold: %s", tables.chain.broken_at,
                  tables.text);
    else if (err != ERR_OK)
        vault_say(problem, "the store is not whole: %s (%s)", tables.text, err_name(err));
    figures_take(&tables.figures, manifest);
    return err;
}

static enum err figures_look(struct transaction *snapshot, void *context)
{
    return core_figures_read(snapshot, context);
}

/* What lies in an older store is another hub's to judge: the checksums of its records are
 * the same in all, and its figures are taken when they can be read. */
static enum err records_verify(struct store *store, struct manifest *manifest,
                               struct vault_problem *problem)
{
    struct core_figures figures = { 0 };
    struct store_scrub scrub = { 0 };
    struct store_rot *rot = malloc(sizeof *rot);
    enum err err = rot == NULL ? ERR_MEMORY : ERR_OK;
    while (err == ERR_OK)
        err = store_scrub(store, &scrub, RECORDS_AT_ONCE, rot);
    if (err == ERR_CORRUPT)
        vault_say(problem, "a record of %s is not what was written", rot->table);
    free(rot);
    if (reading_look(store, figures_look, &figures) == ERR_OK)
        figures_take(&figures, manifest);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
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
    struct store *store;
    enum err err = reading_open(directory, &store, problem);
    if (err != ERR_OK)
        return err;
    err = store_version(store, &manifest->store_version);
    if (err == ERR_OK)
        err = manifest->store_version < shape_version()
                  ? records_verify(store, manifest, problem)
                  : tables_verify(store, manifest, problem);
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

static bool manifest_print(struct manifest *manifest)
{
    struct buffer text;
    (void)snprintf(manifest->hub_version, sizeof manifest->hub_version, "%s",
                   DROVER_VERSION);
    buffer_init(&text, MANIFEST_BYTES_MAX);
    manifest_write(manifest, &text);
    bool written = !buffer_failed(&text) &&
                   fwrite(text.data, 1, text.size, stdout) == text.size &&
                   fflush(stdout) == 0;
    buffer_finish(&text);
    return written;
}

enum err verify_errand(const char *directory, bool in_use)
{
    static struct manifest manifest;
    struct vault_problem problem = { "" };
    /* A hub beside it has the first call on the processor. */
    (void)!nice(NICENESS);
    enum err err = !in_use && reading_is_refused(directory, &problem)
                       ? ERR_EXISTS
                       : verify_store(directory, &manifest, &problem);
    if (err == ERR_OK)
        return manifest_print(&manifest) ? ERR_OK : ERR_IO;
    fprintf(stderr, "%s\n", problem.text);
    return err;
}

enum err verify_figures_errand(const char *directory)
{
    static struct manifest manifest;
    struct core_figures figures = { 0 };
    struct vault_problem problem = { "" };
    struct store *store;
    enum err err = reading_open(directory, &store, &problem);
    if (err == ERR_OK) {
        err = reading_look(store, figures_look, &figures);
        store_close(store);
    }
    figures_take(&figures, &manifest);
    memset(manifest.sha256, '0', MANIFEST_DIGEST_BYTES);
    return err == ERR_OK && !manifest_print(&manifest) ? ERR_IO : err;
}
