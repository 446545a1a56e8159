#include "ops/inside.h"
#include "os/clock.h"
#include "os/log.h"
#include "store/journal_read.h"

#include <stdlib.h>

enum {
    WATCH_MS = 3 * 1000,
    WANTED_MS = 10 * 60 * 1000, /* not asked for more often: it may be impossible */
};

/* The youngest backup of this line of history; 0: there is none. */
static uint64_t backup_last(struct ops *ops, const struct journal_line *line)
{
    struct vault_problem unused;
    struct vault_list *list = malloc(sizeof *list);
    struct manifest *manifest = malloc(sizeof *manifest);
    uint64_t sequence = 0;
    if (list != NULL && manifest != NULL && vault_list(&ops->vault, list) == ERR_OK) {
        for (size_t i = 0; i < list->count; i++)
            if (vault_look(&ops->vault, list->names[i], manifest, &unused) == ERR_OK &&
                manifest->instance == line->instance && manifest->epoch == line->epoch &&
                manifest->sequence > sequence)
                sequence = manifest->sequence;
    }
    free(list);
    free(manifest);
    return sequence;
}

/* A history without a backup in it, or one so long that its beginning goes before the next
 * backup by the clock. */
static bool backup_is_wanted(struct ops *ops)
{
    const char *directory = ops->options.journal_directory;
    struct vault_problem unused;
    struct journal_figures figures;
    if (journal_look(directory, 0, &figures) != ERR_OK || !ops_vault(ops, &unused))
        return false;
    uint64_t last = backup_last(ops, &figures.line);
    if (last < figures.begin)
        return true;
    return journal_look(directory, last, &figures) == ERR_OK &&
           figures.bytes_since > ops->options.journal_bytes_max / 2;
}

void journal_watch(struct ops *ops)
{
    int64_t now_ms = clock_monotonic_ms();
    if (ops->options.journal_directory == NULL ||
        (ops->journal_watched_ms != 0 && now_ms - ops->journal_watched_ms < WATCH_MS))
        return;
    ops->journal_watched_ms = now_ms;
    if ((ops->backup_wanted_ms != 0 && now_ms - ops->backup_wanted_ms < WANTED_MS) ||
        !backup_is_wanted(ops))
        return;
    ops->backup_wanted_ms = now_ms;
    LOG_NOTICE("journal_wants_backup");
    ops_tell(ops, ops_envelope(MESSAGE_BACKUP_WANTED));
}
