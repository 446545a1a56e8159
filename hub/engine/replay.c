#include "engine/replay.h"

#include "engine/command_pack.h"
#include "engine/judge.h"
#include "engine/recorder.h"
#include "store/place.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    COMMITS_PER_COMMIT = 256, /* of the journal, into one of the copy */
};

#define ARENA_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct replayer {
    struct core_settings settings;
    struct arena arena;
};

struct replay {
    const struct replay_options *options;
    struct store_problem *problem;
    struct journal_reader *reader;
    struct replayer *replayer;
    struct replay_result result;
    bool pending; /* `record` is read and not applied yet */
    struct segment_record record;
    const struct segment_head *head;
};

struct replayer *replayer_create(event_digest *digest)
{
    struct replayer *replayer = calloc(1, sizeof *replayer);
    if (replayer == NULL)
        return NULL;
    replayer->settings.digest = digest;
    arena_init(&replayer->arena, ARENA_BYTES_MAX);
    return replayer;
}

void replayer_destroy(struct replayer *replayer)
{
    if (replayer == NULL)
        return;
    judge_destroy(replayer->settings.judge);
    arena_finish(&replayer->arena);
    free(replayer);
}

void replayer_forget(struct replayer *replayer)
{
    judge_forget(replayer->settings.judge);
}

static enum err problem_corrupt(struct store_problem *problem,
                                const struct segment_record *record, const char *what)
{
    problem_set(problem, "the journal after command %" PRIu64 ": %s", record->before,
                what);
    return ERR_CORRUPT;
}

/* Those the record's commands were applied with. */
static enum err settings_take(struct replayer *replayer, const struct segment_head *head,
                              const struct segment_record *record,
                              struct store_problem *problem)
{
    struct core_settings settings = replayer->settings;
    if (!slice_equal(head->program, RECORDER_PROGRAM)) {
        problem_set(problem,
                    "the commands after %" PRIu64
                    " were written by %.*s: that version has to do this",
                    record->before, (int)head->program.size, head->program.data);
        return ERR_UNSUPPORTED;
    }
    if (!core_settings_unpack(head->settings, &settings))
        return problem_corrupt(problem, record, "its settings cannot be read");
    if (settings.judge == NULL ||
        settings.schema_steps_max != replayer->settings.schema_steps_max) {
        judge_destroy(settings.judge);
        settings.judge = judge_create(settings.schema_steps_max);
    }
    replayer->settings = settings;
    return settings.judge == NULL ? ERR_MEMORY : ERR_OK;
}

static enum err command_replay(struct replayer *replayer, struct transaction *transaction,
                               const struct command *command)
{
    struct effects effects;
    effects_init(&effects, &replayer->arena);
    enum err err = core_apply(&replayer->settings, transaction, command, &effects);
    for (const struct effect *effect = effects.first; effect != NULL;
         effect = effect->next)
        if (effect->kind == EFFECT_RESET)
            judge_forget(replayer->settings.judge);
    return err;
}

enum err replayer_apply(struct replayer *replayer, struct transaction *transaction,
                        const struct segment_head *head,
                        const struct segment_record *record,
                        struct store_problem *ret_problem)
{
    struct unpack unpack = unpack_start(record->commands);
    enum err err = settings_take(replayer, head, record, ret_problem);
    while (err == ERR_OK && unpack.rest.size > 0) {
        struct message message;
        struct command command;
        arena_clear(&replayer->arena);
        if (!command_unpack(&unpack, &replayer->arena, &message, &command))
            return problem_corrupt(ret_problem, record, "a command cannot be read");
        err = command_replay(replayer, transaction, &command);
    }
    if (err == ERR_OK)
        err = core_seal(transaction, record->after, record->now_ms);
    return err == ERR_CORRUPT
               ? problem_corrupt(ret_problem, record, "it does not fit the store")
               : err;
}

/* The next record that follows upon where the store stands; ERR_NOT_FOUND: that was all. */
static enum err record_wait(struct replay *replay)
{
    uint64_t at = replay->result.place.sequence;
    while (!replay->pending) {
        enum err err =
            journal_reader_next(replay->reader, &replay->head, &replay->record);
        if (err != ERR_OK)
            return err;
        replay->pending = replay->record.after > at;
    }
    if (replay->record.after > replay->options->sequence)
        return ERR_NOT_FOUND;
    if (replay->record.before == at)
        return ERR_OK;
    problem_set(replay->problem,
                "the journal has nothing between the commands %" PRIu64 " and %" PRIu64,
                at, replay->record.before);
    return ERR_LIMIT;
}

static enum err record_replay(struct replay *replay, struct transaction *transaction)
{
    enum err err = replayer_apply(replay->replayer, transaction, replay->head,
                                  &replay->record, replay->problem);
    if (err != ERR_OK)
        return err;
    replay->pending = false;
    replay->result.commits++;
    replay->result.wall_ms = replay->record.wall_ms;
    replay->result.place.sequence = replay->record.after;
    return ERR_OK;
}

/* Some records, in one transaction. */
static enum err group_replay(struct replay *replay, bool *ret_done)
{
    struct transaction *transaction = store_batch(replay->options->store);
    enum err err = ERR_OK;
    *ret_done = false;
    for (int i = 0; i < COMMITS_PER_COMMIT && err == ERR_OK; i++) {
        err = record_wait(replay);
        if (err == ERR_NOT_FOUND) {
            *ret_done = true;
            break;
        }
        if (err == ERR_OK)
            err = record_replay(replay, transaction);
    }
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        return store_commit(replay->options->store);
    store_abort(replay->options->store);
    return err;
}

static enum err reader_begin(struct replay *replay)
{
    journal_reader_destroy(replay->reader);
    replay->reader = NULL;
    replay->pending = false;
    return journal_reader_create(replay->options->journal, &replay->options->line,
                                 &replay->reader);
}

static enum err groups_replay(struct replay *replay)
{
    bool done = false;
    enum err err = reader_begin(replay);
    while (!done && err == ERR_OK) {
        struct replay_result before = replay->result;
        if (replay->options->go_on != NULL &&
            !replay->options->go_on(replay->options->context))
            return ERR_CLOSED;
        err = group_replay(replay, &done);
        if (err != ERR_MAP_FULL)
            continue;
        /* Read again from where the last commit was. */
        replay->result = before;
        replayer_forget(replay->replayer);
        err = store_grow(replay->options->store);
        if (err == ERR_OK)
            err = reader_begin(replay);
        done = false;
    }
    return err;
}

static enum err place_of(struct store *store, struct core_place *ret_place)
{
    enum err err = core_place_read(store_batch(store), ret_place);
    store_abort(store);
    return err;
}

/* All records up to the one wanted, or all there are. */
static enum err replay_do(struct replay *replay)
{
    const struct replay_options *options = replay->options;
    uint64_t wanted = options->sequence;
    enum err err = place_of(options->store, &replay->result.place);
    if (err == ERR_OK && replay->result.place.sequence != wanted)
        err = groups_replay(replay);
    if (err == ERR_OK)
        err = place_of(options->store, &replay->result.place);
    if (err != ERR_OK || wanted == UINT64_MAX || replay->result.place.sequence == wanted)
        return err;
    problem_set(replay->problem,
                "the journal ends with command %" PRIu64 ", before %" PRIu64,
                replay->result.place.sequence, wanted);
    return ERR_LIMIT;
}

enum err replay_run(const struct replay_options *options,
                    struct replay_result *ret_result, struct store_problem *ret_problem)
{
    struct replay replay = {
        .options = options,
        .problem = ret_problem,
        .replayer = replayer_create(options->digest),
    };
    ret_problem->text[0] = '\0';
    enum err err = replay.replayer == NULL ? ERR_MEMORY : replay_do(&replay);
    if (err == ERR_LIMIT)
        err = ERR_NOT_FOUND; /* commands are missing */
    if (err != ERR_OK && ret_problem->text[0] == '\0')
        problem_set(ret_problem, "the journal cannot be applied: %s", err_name(err));
    journal_reader_destroy(replay.reader);
    replayer_destroy(replay.replayer);
    if (err == ERR_OK)
        *ret_result = replay.result;
    return err;
}

/* Reads on to the commit with the event; *commit is the last one read. */
static enum err commit_seek(struct journal_reader *reader, uint64_t event,
                            struct replay_commit *commit, struct store_problem *problem)
{
    struct segment_record record;
    const struct segment_head *head;
    enum err err;
    while ((err = journal_reader_next(reader, &head, &record)) == ERR_OK) {
        if (record.event_before >= event) {
            problem_set(problem,
                        "the journal does not have event %" PRIu64
                        ": what it has there begins with event %" PRIu64,
                        event, record.event_before + 1);
            return ERR_NOT_FOUND;
        }
        *commit = (struct replay_commit){ record.before, record.after, record.event_last,
                                          record.wall_ms };
        if (record.event_last >= event)
            return ERR_OK;
    }
    return err;
}

enum err replay_find(const char *journal, const struct journal_line *line, uint64_t event,
                     struct replay_commit *ret_commit, struct store_problem *ret_problem)
{
    struct journal_reader *reader;
    struct replay_commit commit = { 0 };
    ret_problem->text[0] = '\0';
    enum err err = journal_reader_create(journal, line, &reader);
    if (err != ERR_OK) {
        problem_set(ret_problem, "there is no journal to be read: %s", err_name(err));
        return err;
    }
    err = commit_seek(reader, event, &commit, ret_problem);
    journal_reader_destroy(reader);
    if (err == ERR_NOT_FOUND && event == UINT64_MAX && commit.after != 0)
        err = ERR_OK;
    if (err == ERR_OK)
        *ret_commit = commit;
    else if (ret_problem->text[0] == '\0' && commit.after == 0)
        problem_set(ret_problem, "the journal has nothing of epoch %" PRIu64,
                    line->epoch);
    else if (ret_problem->text[0] == '\0')
        problem_set(ret_problem, "the journal ends with event %" PRIu64,
                    commit.event_last);
    return err;
}
