#include "engine/turn.h"

#include "base/ensure.h"
#include "os/clock.h"
#include "os/counter.h"
#include "os/log.h"

/* A batch is cut when its frames come to this, so that the way out stays bounded. */
#define BATCH_FRAME_BYTES_MAX ((size_t)8 * 1024 * 1024)

/* Ticks that may share a batch with commands; what is left comes in the next one. */
#define TICKS_PER_BATCH 4

/* The wall clock may jump: deadlines on it are looked at this often at the least. */
#define WAIT_MS_MAX ENGINE_WAIT_MS_MAX

/* A map that grew this often for one batch will not hold it. */
#define GROWTHS_PER_BATCH 40

static void outbox_discard(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->door_count; i++) {
        release_batch_destroy(engine->outbox[i]);
        engine->outbox[i] = NULL;
    }
    engine->event_last = 0;
}

/* The outbox of one door, made when it is first needed; NULL without memory. */
static struct release_batch *outbox_of(struct engine *engine, uint32_t door)
{
    if (engine->outbox[door] == NULL)
        engine->outbox[door] = release_batch_create();
    return engine->outbox[door];
}

/* Whoever follows the log is told how far it goes: the events themselves they read. */
static void events_tell(struct engine *engine, uint32_t door)
{
    if (engine->event_last == 0 || !atomic_load(&engine->doors[door]->watching))
        return;
    struct release_batch *batch = outbox_of(engine, door);
    if (batch == NULL || release_events_new(batch, engine->event_last) != ERR_OK)
        LOG_ERROR("events_untold", LOG_ERR(ERR_MEMORY));
}

static void outbox_release(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->door_count; i++) {
        events_tell(engine, i);
        struct release_batch *batch = engine->outbox[i];
        engine->outbox[i] = NULL;
        if (batch == NULL)
            continue;
        counter_add(COUNTER_EFFECTS, batch->count);
        door_release(engine->doors[i], batch);
    }
    engine->event_last = 0;
}

static bool effect_is_for_all(const struct effect *effect)
{
    return effect->kind == EFFECT_BROADCAST || effect->kind == EFFECT_KEY_ADD ||
           effect->kind == EFFECT_KEY_REMOVE || effect->kind == EFFECT_PUBLISH ||
           effect->kind == EFFECT_RATE_OVERRIDE || effect->kind == EFFECT_RATE_EXEMPT ||
           effect->kind == EFFECT_RESET || effect->kind == EFFECT_KEYS_TOLD ||
           effect->kind == EFFECT_RESET_DONE;
}

/* The door whose links count up from the link's first byte; false for the hub's own. */
static bool door_of_link(const struct engine *engine, uint64_t link, uint32_t *ret_door)
{
    uint64_t number = link >> DOOR_LINK_SHIFT;
    if (number == 0 || number > engine->door_count)
        return false;
    *ret_door = (uint32_t)number - 1;
    return true;
}

static enum err effect_hold_for(struct engine *engine, const struct effect *effect,
                                uint32_t door)
{
    struct release_batch *batch = outbox_of(engine, door);
    return batch == NULL ? ERR_MEMORY : release_add(batch, effect, &engine->scratch);
}

static enum err effect_hold_for_all(struct engine *engine, const struct effect *effect)
{
    enum err err = ERR_OK;
    for (uint32_t i = 0; i < engine->door_count && err == ERR_OK; i++)
        if (engine->doors[i] != engine->jobs)
            err = effect_hold_for(engine, effect, i);
    return err;
}

static enum err effect_hold(struct engine *engine, const struct effect *effect)
{
    uint32_t door;
    if (effect->kind == EFFECT_RESET)
        judge_forget(engine->options.settings.judge);
    if (effect_is_for_all(effect))
        return effect_hold_for_all(engine, effect);
    if (effect->kind == EFFECT_JOB || effect->kind == EFFECT_JOB_SKIPPED)
        return engine->jobs == NULL
                   ? ERR_OK
                   : effect_hold_for(engine, effect, engine->jobs_number);
    return door_of_link(engine, effect->link, &door)
               ? effect_hold_for(engine, effect, door)
               : ERR_OK;
}

static enum err effects_hold(struct engine *engine, const struct effects *effects)
{
    enum err err = ERR_OK;
    for (const struct effect *effect = effects->first; effect != NULL && err == ERR_OK;
         effect = effect->next)
        err = effect_hold(engine, effect);
    return err;
}

static enum err refusal_hold(struct engine *engine, const struct command *command,
                             enum error_code code)
{
    uint32_t door;
    if (!door_of_link(engine, command->origin.link, &door))
        return ERR_OK;
    struct release_batch *batch = outbox_of(engine, door);
    if (batch == NULL)
        return ERR_MEMORY;
    return release_refuse(batch, &command->origin, command->message, code,
                          &engine->scratch);
}

/* So long after something did not fit the store counts as full. */
#define FULL_MS ((int64_t)60 * 1000)

static bool room_is_there(const struct engine *engine, enum message_room room)
{
    if (room == ROOM_ANY)
        return true;
    if (atomic_load(&engine->intake_closed))
        return false;
    return room != ROOM_JOB || engine->full_ms == 0 ||
           clock_monotonic_ms() - engine->full_ms >= FULL_MS;
}

static enum err command_apply(struct engine *engine, struct transaction *transaction,
                              const struct command *command, bool *ret_more_due)
{
    *ret_more_due = false;
    if (!room_is_there(engine, MESSAGE_ROWS[command->message->type].room))
        return refusal_hold(engine, command, ERROR_STORAGE_FULL);

    struct effects effects;
    arena_clear(&engine->arena);
    effects_init(&effects, &engine->arena);

    const struct core_settings *settings = &engine->options.settings;
    bool query = MESSAGE_ROWS[command->message->type].kind == KIND_QUERY;
    enum err err = query ? core_query(settings, transaction, command, &effects)
                         : core_apply(settings, transaction, command, &effects);
    if (err == ERR_OK)
        err = effects_hold(engine, &effects);
    if (err == ERR_OK && effects.changed)
        recorder_add(&engine->recorder, command);
    *ret_more_due = effects.more_due;
    if (effects.event_last > engine->event_last)
        engine->event_last = effects.event_last;
    counter_add(query ? COUNTER_QUERIES : COUNTER_COMMANDS, 1);
    return err;
}

static size_t outbox_bytes(const struct engine *engine)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < engine->door_count; i++)
        if (engine->outbox[i] != NULL)
            bytes += engine->outbox[i]->frame_bytes;
    return bytes;
}

/* What is due now joins the batch; sets when the next tick is wanted. */
static enum err ticks_apply(struct engine *engine, struct transaction *transaction)
{
    struct message message = { .type = MESSAGE_TICK };
    enum err err = ERR_OK;
    int64_t wait_ms = 0;
    message.as.tick.full = !room_is_there(engine, ROOM_JOB);

    for (int i = 0; i < TICKS_PER_BATCH && err == ERR_OK; i++) {
        struct command tick = { .role = ROLE_HUB, .message = &message };
        engine->order->methods->stamp(engine->order, &tick);
        err = core_next_due_ms(transaction, tick.now_ms, tick.wall_ms, &wait_ms);
        if (err != ERR_OK || wait_ms > 0)
            break;
        bool more_due;
        err = command_apply(engine, transaction, &tick, &more_due);
        if (err == ERR_OK && !more_due)
            err = core_next_due_ms(transaction, tick.now_ms, tick.wall_ms, &wait_ms);
    }
    if (wait_ms > WAIT_MS_MAX)
        wait_ms = WAIT_MS_MAX;
    engine->next_due_ms = clock_monotonic_ms() + wait_ms;
    return err;
}

/* Sets *ret_sequence to that of the seal: a batch without a change has none. */
static enum err batch_seal(struct engine *engine, struct transaction *transaction,
                           uint64_t *ret_sequence)
{
    struct command seal = { 0 };
    engine->order->methods->stamp(engine->order, &seal);
    enum err err = core_seal(transaction, seal.sequence, seal.now_ms);
    if (err == ERR_OK)
        recorder_write(&engine->recorder, &seal, engine->event_last);
    *ret_sequence = seal.sequence;
    return err;
}

/* Applies [from, *to) of what was taken; *to falls when the batch is cut. */
static enum err batch_apply(struct engine *engine, uint32_t from, uint32_t *to,
                            uint64_t *ret_sequence)
{
    struct transaction *transaction = store_batch(engine->options.store);
    enum err err = ERR_OK;
    recorder_clear(&engine->recorder);

    for (uint32_t i = from; i < *to && err == ERR_OK; i++) {
        bool more_due;
        err = command_apply(engine, transaction, &engine->batch[i].command, &more_due);
        if (outbox_bytes(engine) > BATCH_FRAME_BYTES_MAX ||
            recorder_is_crowded(&engine->recorder))
            *to = i + 1;
    }
    if (err == ERR_OK)
        err = ticks_apply(engine, transaction);
    if (err == ERR_OK && store_batch_changed(engine->options.store))
        err = batch_seal(engine, transaction, ret_sequence);
    return err;
}

/* Applies and commits [from, *to), growing the map as often as that takes. Nothing is
 * held in the outbox when it fails. */
static enum err batch_try(struct engine *engine, uint32_t from, uint32_t *to)
{
    for (int growths = 0;; growths++) {
        uint32_t end = *to;
        uint64_t sequence = engine->recorder.position;
        enum err err = batch_apply(engine, from, &end, &sequence);
        if (err == ERR_OK)
            err = store_commit(engine->options.store);
        else
            store_abort(engine->options.store);
        recorder_settle(&engine->recorder, err, sequence, engine->event_last);
        if (err == ERR_OK) {
            *to = end;
            return ERR_OK;
        }

        outbox_discard(engine);
        judge_forget(engine->options.settings.judge);
        if (err != ERR_MAP_FULL)
            return err;
        err = growths < GROWTHS_PER_BATCH ? store_grow(engine->options.store)
                                          : ERR_NO_SPACE;
        if (err != ERR_OK)
            return err;
    }
}

static void engine_break(struct engine *engine, enum err err)
{
    if (atomic_exchange(&engine->broken, true))
        return;
    LOG_ERROR("store_broken", LOG_ERR(err));
    engine->options.broken(engine->options.context, err);
}

/* Without a store or without memory for more, an answer is all there is to give. */
static void command_refuse(struct engine *engine, uint32_t index, enum err err)
{
    enum error_code code = ERROR_UNAVAILABLE;
    if (err == ERR_NO_SPACE || err == ERR_MAP_FULL)
        code = ERROR_STORAGE_FULL;
    else if (err_breaks_store(err))
        code = ERROR_STORAGE_ERROR;

    if (code == ERROR_STORAGE_FULL)
        engine->full_ms = clock_monotonic_ms();
    counter_add(COUNTER_BATCHES_FAILED, 1);
    if (refusal_hold(engine, &engine->batch[index].command, code) != ERR_OK)
        LOG_ERROR("refusal_lost", LOG_ERR(err));
}

/* One at a time, so that one command that does not fit fails alone. */
static uint32_t batch_one(struct engine *engine)
{
    uint32_t end = engine->batch_next + 1;
    enum err err = atomic_load(&engine->broken)
                       ? ERR_IO
                       : batch_try(engine, engine->batch_next, &end);
    if (err_breaks_store(err))
        engine_break(engine, err);
    if (err != ERR_OK)
        command_refuse(engine, engine->batch_next, err);
    return engine->batch_next + 1;
}

static void envelopes_finish(struct engine *engine, uint32_t to)
{
    for (; engine->batch_next < to; engine->batch_next++) {
        envelope_destroy(engine->batch[engine->batch_next].envelope);
        engine->batch[engine->batch_next].envelope = NULL;
    }
}

/* Nothing waits but deadlines. */
static void tick_alone(struct engine *engine)
{
    uint32_t none = 0;
    if (atomic_load(&engine->broken)) {
        engine->next_due_ms = clock_monotonic_ms() + WAIT_MS_MAX;
        return;
    }
    enum err err = batch_try(engine, 0, &none);
    if (err_breaks_store(err))
        engine_break(engine, err);
    else if (err != ERR_OK)
        LOG_WARNING("tick_failed", LOG_ERR(err));
    if (err == ERR_NO_SPACE)
        engine->full_ms = clock_monotonic_ms(); /* so that the next one asks for less */
    if (err != ERR_OK)
        engine->next_due_ms = clock_monotonic_ms() + WAIT_MS_MAX;
}

/* The net thread reads no further ahead of a link than it knows to be finished. */
static void done_hold(struct engine *engine, uint32_t to)
{
    for (uint32_t i = engine->batch_next; i < to; i++) {
        const struct origin *origin = &engine->batch[i].command.origin;
        uint32_t door;
        if (origin->request != 0 || !door_of_link(engine, origin->link, &door))
            continue;
        struct release_batch *batch = outbox_of(engine, door);
        if (batch == NULL || release_done_add(batch, origin->link) != ERR_OK)
            LOG_ERROR("done_lost", LOG_ERR(ERR_MEMORY));
    }
}

void turn_run(struct engine *engine)
{
    counter_add(COUNTER_BATCHES, 1);
    if (engine->batch_next == engine->batch_count) {
        tick_alone(engine);
        outbox_release(engine);
        return;
    }

    uint32_t end = engine->batch_count;
    if (!engine->alone)
        engine->alone = atomic_load(&engine->broken) ||
                        batch_try(engine, engine->batch_next, &end) != ERR_OK;
    if (engine->alone)
        end = batch_one(engine);
    done_hold(engine, end);
    outbox_release(engine);
    envelopes_finish(engine, end);
    if (engine->batch_next == engine->batch_count)
        engine->alone = false;
}
