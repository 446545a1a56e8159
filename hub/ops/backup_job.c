#include "json/writer.h"
#include "ops/inside.h"
#include "os/clock.h"
#include "os/log.h"
#include "store/journal_read.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    TRIES_MAX = 5,
    NAMES_MAX = 60,
    ROOM_BYTES = 1024 * 1024, /* for what the estimate leaves out */
};

#define WAY_BACK_MS ((int64_t)7 * 24 * 60 * 60 * 1000)

bool ops_vault(struct ops *ops, struct vault_problem *ret_problem)
{
    /* Taken away while it was open, it may have come back as another one. */
    if (ops->vault.fd >= 0 && vault_is_gone(&ops->vault))
        vault_close(&ops->vault);
    if (ops->vault.fd >= 0)
        return true;
    if (vault_open(ops->options.backup_directory, &ops->vault, ret_problem) != ERR_OK)
        return false;
    if (vault_lock(&ops->vault, ret_problem) != ERR_OK) {
        vault_close(&ops->vault);
        return false;
    }
    vault_sweep(&ops->vault);
    return true;
}

static void seen_add(const struct manifest *manifest, struct envelope *envelope)
{
    struct message_list *list = &envelope->message.as.backups_seen.backups;
    struct message_backup_seen *seen = list->items;
    struct arena *arena = &envelope->arena;
    seen[list->count++] = (struct message_backup_seen){
        .name = arena_copy(arena, slice_from_text(manifest->name)),
        .created_at = manifest->created_ms,
        .bytes = (int64_t)manifest->bytes,
        .sequence = (int64_t)manifest->sequence,
        .epoch = (int64_t)manifest->epoch,
        .records = (int64_t)manifest->records,
        .task_last = (int64_t)manifest->task_last,
        .event_last = (int64_t)manifest->event_last,
        .instance = (int64_t)manifest->instance,
        .sha256 = arena_copy(arena, slice_from_text(manifest->sha256)),
        .hub_version = arena_copy(arena, slice_from_text(manifest->hub_version)),
    };
}

static void spoilt_add(const char *name, const char *reason, struct envelope *envelope)
{
    struct message_list *list = &envelope->message.as.backups_seen.spoilt;
    struct message_backup_spoilt *spoilt = list->items;
    LOG_WARNING("backup_not_usable", LOG_WORD("backup", name),
                LOG_WORD("reason", reason));
    spoilt[list->count++] = (struct message_backup_spoilt){
        .name = arena_copy(&envelope->arena, slice_from_text(name)),
        .reason = arena_copy(&envelope->arena, slice_from_text(reason)),
    };
}

/* All that the directory holds. */
static enum err seen_fill(struct ops *ops, struct envelope *envelope)
{
    struct vault_problem problem;
    struct message_backups_seen *seen = &envelope->message.as.backups_seen;
    struct vault_list *list = malloc(sizeof *list);
    struct manifest *manifest = malloc(sizeof *manifest);
    enum err err =
        list == NULL || manifest == NULL ? ERR_MEMORY : vault_list(&ops->vault, list);
    seen->kept = ops->options.backups_kept;
    seen->backups.items = arena_take_many(&envelope->arena, VAULT_LISTED_MAX,
                                          sizeof(struct message_backup_seen));
    seen->spoilt.items = arena_take_many(&envelope->arena, VAULT_LISTED_MAX,
                                         sizeof(struct message_backup_spoilt));
    for (size_t i = 0; err == ERR_OK && i < list->count; i++) {
        if (arena_failed(&envelope->arena))
            err = ERR_MEMORY;
        else if (vault_look(&ops->vault, list->names[i], manifest, &problem) == ERR_OK)
            seen_add(manifest, envelope);
        else
            spoilt_add(list->names[i], problem.text, envelope);
    }
    free(list);
    free(manifest);
    return arena_failed(&envelope->arena) ? ERR_MEMORY : err;
}

void ops_tell_backups(struct ops *ops)
{
    struct envelope *envelope = ops_envelope(MESSAGE_BACKUPS_SEEN);
    int64_t changed_ns = vault_changed_ns(&ops->vault);
    if (envelope == NULL || seen_fill(ops, envelope) != ERR_OK) {
        envelope_destroy(envelope);
        return;
    }
    if (ops_tell_and_hear(ops, envelope))
        ops->vault_changed_ns = changed_ns; /* else it is told again */
}

bool backup_has_room(struct ops *ops)
{
    struct statvfs status;
    struct store_usage usage;
    if (fstatvfs(ops->vault.fd, &status) != 0 ||
        store_measure(ops->options.store, &usage) != ERR_OK)
        return true;
    return (uint64_t)status.f_bavail * status.f_frsize > usage.used_bytes + ROOM_BYTES;
}

static void fail_with(struct ops_outcome *outcome, enum err err, const char *doing)
{
    switch ((int)err) {
    case ERR_NO_SPACE:
        ops_fail(outcome, "storage_full", "the disk of the backups is full");
        return;
    case ERR_CLOSED:
        ops_fail(outcome, "unavailable", "the hub ends");
        return;
    case ERR_LIMIT:
        ops_fail(outcome, "backup_failed",
                 "the store grew too much while it was copied: let it be copied faster "
                 "(backup_bytes_per_second)");
        return;
    default:
        ops_fail(outcome, "backup_failed", "%s: %s", doing, err_name(err));
    }
}

enum err backup_data_make(struct ops *ops, const struct ops_job *job, int data,
                          struct copy_result *ret_result)
{
    enum err err = ERR_OK;
    bool whole = false;
    for (int i = 0; i < TRIES_MAX; i++) {
        if (ftruncate(data, 0) != 0 || lseek(data, 0, SEEK_SET) != 0)
            return ERR_IO;
        err = copy_store(ops, job, data, whole, ret_result);
        if (err == ERR_UNSUPPORTED && !whole) {
            LOG_ERROR("store_has_leaked_pages");
            whole = true;
        } else if (err != ERR_MAP_FULL) {
            break;
        }
    }
    return err;
}

bool backup_verify(struct ops *ops, const char *name, const struct copy_result *copied,
                   struct manifest *manifest, struct ops_outcome *outcome)
{
    char path[VAULT_PATH_BYTES + MANIFEST_NAME_BYTES + sizeof VAULT_PARTIAL + 1];
    (void)snprintf(path, sizeof path, "%s/%s%s", ops->vault.path, name, VAULT_PARTIAL);
    int code = ops_walk(ops, path, "backup_failed", "it was read back and is not good",
                        manifest, outcome);
    if (code != 0 || copied == NULL ||
        (manifest->bytes == copied->bytes &&
         strcmp(manifest->sha256, copied->sha256) == 0))
        return code == 0;
    ops_fail(outcome, "backup_failed", "what is on the disk is not what was written");
    return false;
}

/* The youngest of an older version is the way back to it: it stays until this version has
 * run well, that is, for days, and until it has made as many good backups as are kept. */
static bool is_way_back(const struct ops *ops, const struct manifest *made,
                        const struct manifest *older, uint32_t younger)
{
    return older->store_version < made->store_version &&
           (younger < ops->options.backups_kept ||
            made->created_ms - older->created_ms < WAY_BACK_MS);
}

/* The oldest backup that the command journal can be played back onto: without it what the
 * journal keeps from before the next one would be kept for nothing. Empty: there is none. */
static void journal_base_find(struct ops *ops, const struct vault_list *list,
                              struct manifest *manifest,
                              char ret_name[MANIFEST_NAME_BYTES + 1])
{
    struct vault_problem unused;
    struct journal_figures figures;
    uint64_t oldest = UINT64_MAX;
    ret_name[0] = '\0';
    if (ops->options.journal_directory == NULL ||
        journal_look(ops->options.journal_directory, 0, &figures) != ERR_OK)
        return;
    for (size_t i = 0; i < list->count; i++) {
        if (!vault_name_is_of(list->names[i], VAULT_BACKUP) ||
            vault_look(&ops->vault, list->names[i], manifest, &unused) != ERR_OK ||
            manifest->instance != figures.line.instance ||
            manifest->epoch != figures.line.epoch || manifest->sequence < figures.begin ||
            manifest->sequence >= oldest)
            continue;
        oldest = manifest->sequence;
        (void)snprintf(ret_name, MANIFEST_NAME_BYTES + 1, "%s", list->names[i]);
    }
}

/* Never the one just made, none that the journal starts from, and none of another store or
 * kind. */
static void prune(struct ops *ops, const struct manifest *made)
{
    struct vault_problem unused;
    struct vault_list *list = malloc(sizeof *list);
    struct manifest *manifest = malloc(sizeof *manifest);
    uint32_t kept = 1;
    uint32_t version = made->store_version; /* the oldest seen so far */
    char base[MANIFEST_NAME_BYTES + 1];
    if (list != NULL && manifest != NULL && vault_list(&ops->vault, list) == ERR_OK) {
        journal_base_find(ops, list, manifest, base);
        for (size_t i = list->count; i-- > 0;) {
            const char *name = list->names[i];
            if (strcmp(name, made->name) == 0 || !vault_name_is_of(name, VAULT_BACKUP) ||
                vault_look(&ops->vault, name, manifest, &unused) != ERR_OK ||
                manifest->instance != made->instance)
                continue;
            bool first = manifest->store_version < version;
            version = first ? manifest->store_version : version;
            if (first && is_way_back(ops, made, manifest, kept))
                continue;
            if (kept < ops->options.backups_kept)
                kept++;
            else if (strcmp(name, base) == 0)
                continue;
            else if (vault_remove(&ops->vault, name) == ERR_OK)
                LOG_INFO("backup_removed", LOG_WORD("backup", name));
            else
                LOG_WARNING("backup_not_removed", LOG_WORD("backup", name));
        }
    }
    free(list);
    free(manifest);
}

void backup_results_write(const struct manifest *manifest, const char *status,
                          const char *path, struct ops_outcome *outcome)
{
    struct json_writer writer;
    json_writer_init(&writer, &outcome->results);
    json_array_begin(&writer);
    for (size_t i = 0; i < manifest->table_count; i++) {
        json_object_begin(&writer);
        json_key_text(&writer, "table");
        json_string_text(&writer, manifest->tables[i].name);
        json_key_text(&writer, "status");
        json_string_text(&writer, status);
        if (path != NULL) {
            json_key_text(&writer, "path");
            json_string_text(&writer, path);
        }
        json_key_text(&writer, "size");
        json_u64(&writer, manifest->tables[i].bytes);
        json_key_text(&writer, "records");
        json_u64(&writer, manifest->tables[i].records);
        json_object_end(&writer);
    }
    json_array_end(&writer);
}

static void results_write(const struct ops *ops, const struct manifest *manifest,
                          struct ops_outcome *outcome)
{
    char path[VAULT_PATH_BYTES + MANIFEST_NAME_BYTES + sizeof VAULT_DATA + 2];
    (void)snprintf(path, sizeof path, "%s/%s/%s", ops->vault.path, manifest->name,
                   VAULT_DATA);
    backup_results_write(manifest, "success", path, outcome);
}

/* The same state may be wanted twice within a second, which is all that names tell. */
static void name_find(struct ops *ops, const char *kind, struct manifest *manifest)
{
    struct manifest *other = malloc(sizeof *other);
    struct vault_problem unused;
    manifest->created_ms = clock_wall_ms();
    for (int i = 0; i < NAMES_MAX; i++, manifest->created_ms += 1000) {
        vault_name_make(kind, manifest->created_ms, manifest->sequence, manifest->name);
        if (other == NULL ||
            vault_look(&ops->vault, manifest->name, other, &unused) == ERR_NOT_FOUND)
            break;
    }
    free(other);
}

bool backup_finish(struct ops *ops, const char *kind, const char *name,
                   struct manifest *manifest, struct ops_outcome *outcome)
{
    name_find(ops, kind, manifest);
    if (vault_rename_partial(&ops->vault, name, manifest->name) != ERR_OK) {
        ops_fail(outcome, "backup_failed", "the backup cannot be given its name");
        vault_give_up(&ops->vault, name);
        return false;
    }
    enum err err = vault_finish(&ops->vault, manifest->name, manifest, &outcome->problem);
    if (err == ERR_OK)
        return true;
    outcome->code = err == ERR_NO_SPACE ? "storage_full" : "backup_failed";
    vault_give_up(&ops->vault, manifest->name);
    return false;
}

static bool backup_make(struct ops *ops, const struct ops_job *job,
                        struct manifest *manifest, struct ops_outcome *outcome)
{
    char name[MANIFEST_NAME_BYTES + 1];
    struct copy_result copied = { 0 };
    int data;
    vault_name_make(VAULT_BACKUP, clock_wall_ms(), 0, name);
    enum err err = vault_begin(&ops->vault, name, &data, &outcome->problem);
    if (err != ERR_OK) {
        outcome->code = err == ERR_NO_SPACE ? "storage_full" : "backup_failed";
        return false;
    }
    err = backup_data_make(ops, job, data, &copied);
    if (close(data) != 0 && err == ERR_OK)
        err = ERR_IO;
    if (err != ERR_OK)
        fail_with(outcome, err, "the store cannot be copied");
    if (err != ERR_OK || !backup_verify(ops, name, &copied, manifest, outcome)) {
        vault_give_up(&ops->vault, name);
        return false;
    }
    return backup_finish(ops, VAULT_BACKUP, name, manifest, outcome);
}

void backup_tell(const struct manifest *manifest, struct ops_outcome *outcome)
{
    outcome->complete = true;
    outcome->bytes = manifest->bytes;
    outcome->sequence = manifest->sequence;
    outcome->tables_total = (uint32_t)manifest->table_count;
    outcome->tables_success = outcome->tables_total;
    (void)snprintf(outcome->made, sizeof outcome->made, "%s", manifest->name);
}

void backup_run(struct ops *ops, const struct ops_job *job, struct ops_outcome *outcome)
{
    struct manifest *manifest = calloc(1, sizeof *manifest);
    if (manifest == NULL) {
        ops_fail(outcome, "unavailable", "out of memory");
        return;
    }
    outcome->code = "backup_failed";
    if (!ops_vault(ops, &outcome->problem)) {
        free(manifest);
        return;
    }
    if (!backup_has_room(ops)) {
        fail_with(outcome, ERR_NO_SPACE, "");
    } else if (backup_make(ops, job, manifest, outcome)) {
        prune(ops, manifest);
        results_write(ops, manifest, outcome);
        backup_tell(manifest, outcome);
    }
    free(manifest);
    ops_tell_backups(ops);
}
