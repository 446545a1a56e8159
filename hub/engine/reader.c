#include "engine/reader.h"

#include "engine/turn.h"
#include "os/clock.h"
#include "os/counter.h"

#include <stdlib.h>
#include <string.h>

#define ANSWER_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct reader {
    struct engine *engine;
    struct store_reader *store;
    struct core_settings settings; /* with a judge of its own */
    struct arena arena;
    struct buffer scratch;
};

struct reader *reader_create(struct engine *engine)
{
    struct reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return NULL;
    reader->engine = engine;
    arena_init(&reader->arena, ANSWER_BYTES_MAX);
    buffer_init(&reader->scratch, ANSWER_BYTES_MAX);
    reader->store = store_reader_create(engine->options.store);
    reader->settings = engine->options.settings;
    reader->settings.judge = judge_create(reader->settings.schema_steps_max);
    if (reader->store == NULL || reader->settings.judge == NULL) {
        reader_destroy(reader);
        return NULL;
    }
    return reader;
}

void reader_destroy(struct reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->store != NULL)
        store_reader_destroy(reader->store);
    judge_destroy(reader->settings.judge);
    arena_finish(&reader->arena);
    buffer_finish(&reader->scratch);
    free(reader);
}

static bool is_about_store(enum message_type type)
{
    return type == MESSAGE_GET_STORE_HEALTH || type == MESSAGE_GET_DETS_HEALTH;
}

static enum err figures_take(struct reader *reader, struct core_store_figures *figures)
{
    struct store_usage usage;
    struct store *store = reader->engine->options.store;
    size_t count = CORE_TABLE_COUNT;
    struct store_table_usage *tables =
        arena_take_many(&reader->arena, count, sizeof *tables);
    struct core_table_figures *told =
        arena_take_many(&reader->arena, count, sizeof *told);
    if (tables == NULL || told == NULL)
        return ERR_MEMORY;
    enum err err = store_measure(store, &usage);
    if (err == ERR_OK)
        err = store_measure_tables(store, tables);
    for (size_t i = 0; i < count; i++)
        told[i] = (struct core_table_figures){ tables[i].records, tables[i].bytes };
    if (err == ERR_OK)
        *figures =
            (struct core_store_figures){ usage.file_bytes, usage.used_bytes, told };
    return err;
}

static enum err question_ask(struct reader *reader, const struct envelope *envelope,
                             struct effects *effects)
{
    struct command question;
    command_from_envelope(&question, envelope);
    question.now_ms = fleet_clock_now(&reader->engine->clock);
    question.wall_ms = clock_wall_ms();

    struct core_store_figures figures;
    if (is_about_store(envelope->message.type)) {
        enum err taken = figures_take(reader, &figures);
        if (taken != ERR_OK)
            return taken;
        question.figures = &figures;
    }
    struct transaction *transaction = store_reader_begin(reader->store);
    enum err err = core_query(&reader->settings, transaction, &question, effects);
    store_reader_end(reader->store);
    return err;
}

void reader_reset(struct reader *reader)
{
    judge_forget(reader->settings.judge);
}

struct release_batch *reader_answer(struct reader *reader,
                                    const struct envelope *envelope)
{
    struct release_batch *batch = release_batch_create();
    if (batch == NULL)
        return NULL;

    struct effects effects;
    arena_clear(&reader->arena);
    effects_init(&effects, &reader->arena);
    counter_add(COUNTER_QUERIES, 1);
    enum err err = question_ask(reader, envelope, &effects);
    for (const struct effect *effect = effects.first; effect != NULL && err == ERR_OK;
         effect = effect->next)
        err = release_add(batch, effect, &reader->scratch);
    if (err == ERR_OK)
        return batch;

    release_batch_destroy(batch);
    batch = release_batch_create();
    if (batch == NULL ||
        release_refuse(batch, &envelope->origin, &envelope->message, ERROR_STORAGE_ERROR,
                       &reader->scratch) != ERR_OK) {
        release_batch_destroy(batch);
        return NULL;
    }
    return batch;
}
