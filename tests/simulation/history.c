#include "simulation/history.h"

#include "base/ensure.h"
#include "engine/replay.h"
#include "os/secret.h"
#include "simulation/sim.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ONE_SEED_OF = 4,
    SEGMENT_BYTES = 64 * 1024,
    SEGMENT_MS = 60 * 60 * 1000,
};

/* Nothing is to survive this machine: in memory, where there is such a place. */
static const char *place(void)
{
    return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

void history_init(struct history *history, struct sim *sim)
{
    *history = (struct history){ .sim = sim };
    history->on =
        sim->plan.store == PLAN_STORE_MODEL && sim->plan.seed % ONE_SEED_OF == 0;
    if (!history->on)
        return;
    (void)snprintf(history->directory, sizeof history->directory, "%s/drover-sim-XXXXXX",
                   place());
    ENSURE(mkdtemp(history->directory) != NULL);
}

static int remove_one(const char *path, const struct stat *status, int kind,
                      struct FTW *at)
{
    (void)status;
    (void)kind;
    (void)at;
    return remove(path);
}

static void marks_forget(struct history *history)
{
    memory_store_destroy(history->base.rows);
    for (unsigned i = 0; i < history->mark_count; i++)
        memory_store_destroy(history->marks[i].rows);
    history->base.rows = NULL;
    history->mark_count = 0;
}

void history_finish(struct history *history)
{
    history_close(history);
    marks_forget(history);
    if (history->on)
        (void)nftw(history->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

struct journal *history_open(struct history *history)
{
    struct store_problem problem;
    struct journal_options options = {
        .directory = history->directory,
        .segment_bytes = SEGMENT_BYTES,
        .segment_ms = SEGMENT_MS,
        .bytes_max = UINT64_MAX,
    };
    if (!history->on)
        return NULL;
    ENSURE(journal_create(&options, &history->journal, &problem) == ERR_OK);
    return history->journal;
}

void history_close(struct history *history)
{
    journal_destroy(history->journal);
    history->journal = NULL;
}

static struct history_mark mark_now(struct history *history)
{
    struct disk *disk = &history->sim->disk;
    struct core_place where;
    ENSURE(core_place_read(disk_look(disk), &where) == ERR_OK);
    disk_look_end(disk);
    return (struct history_mark){ memory_store_copy(disk->rows), where.sequence };
}

void history_started(struct history *history)
{
    struct journal_figures figures;
    if (!history->on || journal_look(history->directory, 0, &figures) != ERR_OK)
        return;
    bool same = figures.line.instance == history->line.instance &&
                figures.line.epoch == history->line.epoch;
    if (history->base.rows != NULL && same && figures.begin <= history->base.sequence)
        return;
    marks_forget(history);
    history->line = figures.line;
    history->base = mark_now(history);
}

void history_mark(struct history *history)
{
    if (history->base.rows == NULL || history->mark_count == HISTORY_MARKS_MAX ||
        history->sim->disk.flip_count > 0)
        return;
    history->marks[history->mark_count++] = mark_now(history);
}

static bool mark_is_the_same(struct history *history, const struct history_mark *mark)
{
    int table = memory_store_difference(history->base.rows, mark->rows);
    if (table >= 0)
        sim_break(history->sim, "the journal gives back another store",
                  CORE_TABLES[table]);
    return table < 0;
}

/* All marks up to where the base stands now. */
static bool marks_look(struct history *history, unsigned *next)
{
    for (; *next < history->mark_count &&
           history->marks[*next].sequence <= history->base.sequence;
         (*next)++)
        if (history->marks[*next].sequence == history->base.sequence &&
            !mark_is_the_same(history, &history->marks[*next]))
            return false;
    return true;
}

static enum err records_apply(struct history *history, struct replayer *replayer,
                              struct journal_reader *reader)
{
    struct store_problem problem = { "" };
    const struct segment_head *head;
    struct segment_record record;
    unsigned next = 0;
    enum err err;
    while ((err = journal_reader_next(reader, &head, &record)) == ERR_OK) {
        if (record.after <= history->base.sequence)
            continue;
        if (record.before != history->base.sequence) {
            sim_break(history->sim, "the journal has a gap it does not tell of", NULL);
            return ERR_NOT_FOUND;
        }
        err = replayer_apply(replayer, memory_transaction(history->base.rows), head,
                             &record, &problem);
        if (err != ERR_OK) {
            sim_break(history->sim, "the journal cannot be played back", problem.text);
            return err;
        }
        memory_commit(history->base.rows);
        history->base.sequence = record.after;
        history->replayed++;
        if (!marks_look(history, &next))
            return ERR_CORRUPT;
    }
    return err;
}

static void play_back(struct history *history)
{
    struct journal_reader *reader;
    struct replayer *replayer = replayer_create(digest_sha256);
    struct history_mark last = mark_now(history);
    ENSURE(replayer != NULL);
    ENSURE(journal_reader_create(history->directory, &history->line, &reader) == ERR_OK);
    if (records_apply(history, replayer, reader) == ERR_NOT_FOUND &&
        !sim_is_broken(history->sim)) {
        if (history->base.sequence != last.sequence)
            sim_break(history->sim, "the journal does not reach the last commit", NULL);
        else
            (void)mark_is_the_same(history, &last);
    }
    memory_store_destroy(last.rows);
    journal_reader_destroy(reader);
    replayer_destroy(replayer);
}

void history_check(struct history *history)
{
    struct journal_figures figures;
    if (history->base.rows == NULL ||
        journal_look(history->directory, 0, &figures) != ERR_OK)
        return;
    /* It says so itself: nobody can play it back from here. */
    if (figures.begin > history->base.sequence)
        return;
    history->replaying = true;
    play_back(history);
    history->replaying = false;
}
