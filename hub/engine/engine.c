#include "base/ensure.h"
#include "engine/turn.h"
#include "os/clock.h"
#include "os/counter.h"
#include "os/log.h"

#include <stdlib.h>

/* Effects of one command: a page of tasks is the largest. */
#define EFFECT_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define FRAME_BYTES_MAX ((size_t)32 * 1024 * 1024)

#define MEASURE_EVERY_MS 2000

/* Past this share of the largest size only work that is under way is written. */
#define INTAKE_PERCENT 95

enum err engine_create(const struct engine_options *options, struct engine **ret_engine)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL)
        return ERR_MEMORY;

    engine->options = *options;
    engine->wake.fd = -1;
    arena_init(&engine->arena, EFFECT_BYTES_MAX);
    buffer_init(&engine->scratch, FRAME_BYTES_MAX);
    recorder_init(&engine->recorder);
    enum err err = wake_init(&engine->wake);
    if (err != ERR_OK)
        goto fail;
    err = between_init(&engine->between);
    if (err != ERR_OK)
        goto fail;
    engine->between_ready = true;
    engine->batch = calloc(options->batch_max, sizeof *engine->batch);
    engine->options.settings.judge = judge_create(options->settings.schema_steps_max);
    if (engine->batch == NULL || engine->options.settings.judge == NULL) {
        err = ERR_MEMORY;
        goto fail;
    }

    *ret_engine = engine;
    return ERR_OK;

fail:
    engine_destroy(engine);
    return err;
}

void engine_destroy(struct engine *engine)
{
    if (engine == NULL)
        return;
    ENSURE(!engine->started);
    /* Taken, but the end came before its turn: nobody was told anything of it. */
    for (uint32_t i = engine->batch_next;
         engine->batch != NULL && i < engine->batch_count; i++)
        envelope_destroy(engine->batch[i].envelope);
    for (uint32_t i = 0; i < engine->door_count; i++)
        door_destroy(engine->doors[i]);
    if (engine->order != NULL)
        engine->order->methods->destroy(engine->order);
    if (engine->wake.fd >= 0)
        wake_finish(&engine->wake);
    if (engine->between_ready)
        between_finish(&engine->between);
    arena_finish(&engine->arena);
    buffer_finish(&engine->scratch);
    recorder_finish(&engine->recorder);
    judge_destroy(engine->options.settings.judge);
    free(engine->batch);
    free(engine);
}

struct door *engine_door_add(struct engine *engine, void (*wake)(void *context),
                             void *context)
{
    ENSURE(engine->order == NULL);
    ENSURE(engine->door_count < DOORS_MAX);

    struct door *door =
        door_create(engine->door_count + 1, engine->options.ring_slots, &engine->wake);
    if (door == NULL)
        return NULL;
    door->wake = wake;
    door->context = context;
    engine->rings[engine->door_count] = door->in;
    engine->doors[engine->door_count++] = door;
    return door;
}

struct door *engine_jobs_door_add(struct engine *engine, void (*wake)(void *context),
                                  void *context)
{
    ENSURE(engine->jobs == NULL);
    engine->jobs = engine_door_add(engine, wake, context);
    engine->jobs_number = engine->door_count - 1;
    return engine->jobs;
}

bool engine_is_broken(const struct engine *engine)
{
    return atomic_load(&engine->broken);
}

int64_t engine_turned_ms(const struct engine *engine)
{
    return atomic_load(&engine->turned_ms);
}

bool engine_intake_closed(const struct engine *engine)
{
    return atomic_load(&engine->intake_closed);
}

static void intake_decide(struct engine *engine)
{
    int64_t now_ms = clock_monotonic_ms();
    if (engine->measured_ms != 0 && now_ms - engine->measured_ms < MEASURE_EVERY_MS)
        return;
    engine->measured_ms = now_ms;

    struct store_usage usage;
    if (store_measure(engine->options.store, &usage) != ERR_OK)
        return;
    counter_set(COUNTER_STORE_USED_BYTES, usage.used_bytes);
    counter_set(COUNTER_STORE_MAP_BYTES, usage.map_bytes);

    bool closed = usage.used_bytes / INTAKE_PERCENT >= usage.bytes_max / 100;
    if (atomic_exchange(&engine->intake_closed, closed) != closed)
        LOG_WARNING(closed ? "intake_closed" : "intake_opened",
                    LOG_NUMBER("used_bytes", usage.used_bytes),
                    LOG_NUMBER("bytes_max", usage.bytes_max));
}

/* Room for the answers is claimed before a question is taken: past this the turn cannot
 * block, so the two rings never wait on each other. */
static bool doors_claim(struct engine *engine)
{
    bool claimed = true;
    for (uint32_t i = 0; i < engine->door_count; i++)
        claimed = door_claim(engine->doors[i]) && claimed;
    return claimed;
}

static void batch_take(struct engine *engine)
{
    if (engine->batch_next < engine->batch_count)
        return;
    engine->batch_next = 0;
    engine->batch_count = engine->order->methods->take(engine->order, engine->batch,
                                                       engine->options.batch_max);
    for (uint32_t i = 0; i < engine->door_count; i++)
        door_unpark(engine->doors[i]);
}

bool engine_turn(struct engine *engine)
{
    atomic_store(&engine->turned_ms, clock_monotonic_ms());
    if (!doors_claim(engine))
        return false;
    batch_take(engine);
    if (engine->batch_next == engine->batch_count &&
        clock_monotonic_ms() < engine->next_due_ms)
        return false;

    turn_run(engine);
    intake_decide(engine);
    return true;
}

static int wait_ms(const struct engine *engine)
{
    int64_t wait = engine->next_due_ms - clock_monotonic_ms();
    return wait < 0 ? 0 : wait > INT32_MAX ? INT32_MAX : (int)wait;
}

static void engine_run(void *argument)
{
    struct engine *engine = argument;
    for (;;) {
        wake_clear(&engine->wake);
        do
            between_serve(&engine->between);
        while (engine_turn(engine));
        if (atomic_load(&engine->stopping))
            return;
        /* Deadlines may be due while the way out is full: pace the retry. */
        int wait = wait_ms(engine);
        wake_wait(&engine->wake, wait > 0 ? wait : 1);
    }
}

static enum err order_begin(struct engine *engine, const struct core_place *place)
{
    fleet_clock_start(&engine->clock, place->now_ms);
    engine->order = order_local_create(engine->rings, engine->door_count, place->sequence,
                                       &engine->clock);
    return engine->order == NULL ? ERR_MEMORY : ERR_OK;
}

static enum err alone_try(struct engine *engine, const struct command *command)
{
    struct store *store = engine->options.store;
    struct transaction *transaction = store_batch(store);
    struct effects effects;

    arena_clear(&engine->arena);
    effects_init(&effects, &engine->arena);
    recorder_clear(&engine->recorder);
    enum err err = core_apply(&engine->options.settings, transaction, command, &effects);
    if (err == ERR_OK)
        err = core_seal(transaction, command->sequence, command->now_ms);
    if (err == ERR_OK) {
        recorder_add(&engine->recorder, command);
        recorder_write(&engine->recorder, command, effects.event_last);
        err = store_commit(store);
    } else {
        store_abort(store);
    }
    recorder_settle(&engine->recorder, err, command->sequence, effects.event_last);
    return err;
}

enum err engine_apply(struct engine *engine, const struct envelope *envelope)
{
    ENSURE(engine->order != NULL && !engine->started);

    struct command command;
    command_from_envelope(&command, envelope);
    engine->order->methods->stamp(engine->order, &command);
    enum err err;
    do
        err = alone_try(engine, &command);
    while (err == ERR_MAP_FULL && (store_grow(engine->options.store) == ERR_OK ||
                                   store_grow_to_start(engine->options.store) == ERR_OK));
    return err;
}

/* From here on what is done is kept in the journal. */
static enum err recorder_start(struct engine *engine)
{
    struct core_figures figures;
    enum err err = core_figures_read(store_batch(engine->options.store), &figures);
    store_abort(engine->options.store);
    if (err == ERR_OK)
        recorder_begin(&engine->recorder, engine->options.journal, &figures,
                       &engine->options.settings);
    return err;
}

static const struct envelope HUB_STARTED = {
    .role = ROLE_HUB,
    .message = { .type = MESSAGE_HUB_STARTED },
};

/* A store that has no room left for events starts all the same: what fills it is to be
 * worked off. The journal knows nothing of it, for the settings are not those it was told:
 * its history has a gap there. */
static enum err hub_started_apply_full(struct engine *engine)
{
    struct core_settings *settings = &engine->options.settings;
    struct journal *journal = engine->recorder.journal;
    uint32_t classes = settings->event_classes;
    settings->event_classes = 0;
    engine->recorder.journal = NULL;
    enum err err = engine_apply(engine, &HUB_STARTED);
    engine->recorder.journal = journal;
    settings->event_classes = classes;
    return err;
}

/* Every agent lost its socket with the last run: that is the first command. */
static enum err hub_started_apply(struct engine *engine)
{
    enum err err = engine_apply(engine, &HUB_STARTED);
    return err == ERR_MAP_FULL || err == ERR_NO_SPACE ? hub_started_apply_full(engine)
                                                      : err;
}

enum err engine_prepare(struct engine *engine)
{
    ENSURE(engine->order == NULL);
    struct core_place place;
    enum err err = core_place_read(store_batch(engine->options.store), &place);
    store_abort(engine->options.store);
    if (err == ERR_OK)
        err = order_begin(engine, &place);
    /* Only its first start tells a new store from others. */
    bool is_new = place.sequence == 0;
    if (err == ERR_OK && !is_new)
        err = recorder_start(engine);
    if (err == ERR_OK)
        err = hub_started_apply(engine);
    if (err == ERR_OK && is_new)
        err = recorder_start(engine);
    return err;
}

enum err engine_start(struct engine *engine)
{
    enum err err = engine->order == NULL ? engine_prepare(engine) : ERR_OK;
    if (err == ERR_OK)
        err = thread_start(&engine->thread, "engine", engine_run, engine);
    engine->started = err == ERR_OK;
    return err;
}

void engine_between(struct engine *engine, void (*call)(void *context), void *context)
{
    if (engine->started)
        between_ask(&engine->between, &engine->wake, call, context);
    else
        call(context);
}

void engine_stop(struct engine *engine)
{
    if (!engine->started)
        return;
    atomic_store(&engine->stopping, true);
    wake_signal(&engine->wake);
    thread_join(&engine->thread);
    engine->started = false;
}
