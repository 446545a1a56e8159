#include "core/core.h"

#include "base/ensure.h"
#include "core/deadline.h"
#include "core/event.h"
#include "core/handlers.h"
#include "core/match.h"
#include "core/stats.h"

enum {
    PLACE_VERSION = 2,
    PLACE_VERSION_WITHOUT_EVENTS = 1,
};

static const uint64_t PLACE_KEY = 1;

const char *const CORE_TABLES[] = {
    [TABLE_PLACE] = "place",
    [TABLE_COUNTER] = "counter",
    [TABLE_STATS] = "stats",
    [TABLE_TASK] = "task",
    [TABLE_BLOB] = "blob",
    [TABLE_HISTORY] = "history",
    [TABLE_TASK_STATE] = "task_state",
    [TABLE_TASK_AGENT] = "task_agent",
    [TABLE_READY] = "ready",
    [TABLE_WAITER] = "waiter",
    [TABLE_DEADLINE] = "deadline",
    [TABLE_AGENT] = "agent",
    [TABLE_AGENT_ID] = "agent_id",
    [TABLE_LINK] = "link",
    [TABLE_CONNECTED] = "connected",
    [TABLE_HOLDING] = "holding",
    [TABLE_IDLE] = "idle",
    [TABLE_SET] = "set",
    [TABLE_SET_HASH] = "set_hash",
    [TABLE_TOKEN] = "token",
    [TABLE_TOKEN_AGENT] = "token_agent",
    [TABLE_IDEMPOTENCY] = "idempotency",
    [TABLE_LETTER] = "letter",
    [TABLE_LETTER_ID] = "letter_id",
    [TABLE_LETTER_INDEX] = "letter_index",
    [TABLE_BOX] = "box",
    [TABLE_BOX_ID] = "box_id",
    [TABLE_MAIL] = "mail",
    [TABLE_FANOUT] = "fanout",
    [TABLE_CHANNEL] = "channel",
    [TABLE_CHANNEL_NAME] = "channel_name",
    [TABLE_CHANNEL_LETTER] = "channel_letter",
    [TABLE_MEMBER] = "member",
    [TABLE_MEMBER_OF] = "member_of",
    [TABLE_SCHEMA] = "schema",
    [TABLE_SCHEMA_VERSION] = "schema_version",
    [TABLE_SCHEMA_BIND] = "schema_bind",
    [TABLE_TASK_KIND] = "task_kind",
    [TABLE_EVENT] = "event",
    [TABLE_READY_PIN] = "ready_pin",
    [TABLE_PRESENCE] = "presence",
    [TABLE_PRESENCE_CHANGE] = "presence_change",
    [TABLE_PRESENCE_AGENT] = "presence_agent",
    [TABLE_PRESENCE_LINK] = "presence_link",
    [TABLE_ACTIVITY] = "activity",
    [TABLE_ACTIVITY_GONE] = "activity_gone",
    [TABLE_RATE] = "rate",
    [TABLE_RATE_EXEMPT] = "rate_exempt",
    [TABLE_JOB] = "job",
    [TABLE_BACKUP] = "backup",
    [TABLE_FINISHED] = "finished",
    [TABLE_TASK_ALIAS] = "task_alias",
    [TABLE_TASK_SHOWN] = "task_shown",
};

const unsigned CORE_TABLE_COUNT = TABLE_COUNT;

typedef void (*handler)(struct step *, const struct message *);

#define ROW(NAME, name)                                                                  \
    static void call_##name(struct step *step, const struct message *message)            \
    {                                                                                    \
        on_##name(step, &message->as.name);                                              \
    }
MESSAGE_COMMANDS(ROW)
MESSAGE_QUERIES(ROW)
#undef ROW

static const handler COMMANDS[MESSAGE_COUNT] = {
#define ROW(NAME, name) [MESSAGE_##NAME] = call_##name,
    MESSAGE_COMMANDS(ROW)
#undef ROW
};

static const handler QUERIES[MESSAGE_COUNT] = {
#define ROW(NAME, name) [MESSAGE_##NAME] = call_##name,
    MESSAGE_QUERIES(ROW)
#undef ROW
};

static enum err handle(handler called, const struct core_settings *settings,
                       struct transaction *transaction, const struct command *command,
                       struct effects *effects, bool only_reads)
{
    struct step step = {
        .settings = settings,
        .transaction = transaction,
        .command = command,
        .effects = effects,
    };
    called(&step, command->message);
    if (step.woken != 0)
        match_agent(&step, step.woken);
    stats_settle(&step);
    event_audit(&step);
    ENSURE(!only_reads || step.changes == 0);
    effects->changed = step.changes > 0;
    if (step.err == ERR_OK && arena_failed(effects->arena))
        step.err = ERR_MEMORY;
    return step.err;
}

enum err core_apply(const struct core_settings *settings, struct transaction *transaction,
                    const struct command *command, struct effects *effects)
{
    enum message_type type = command->message->type;
    ENSURE(type < MESSAGE_COUNT);
    /* Questions on a socket keep their place among its commands. */
    handler called = COMMANDS[type] != NULL ? COMMANDS[type] : QUERIES[type];
    ENSURE(called != NULL);
    return handle(called, settings, transaction, command, effects, false);
}

enum err core_query(const struct core_settings *settings, struct transaction *transaction,
                    const struct command *question, struct effects *effects)
{
    enum message_type type = question->message->type;
    ENSURE(type < MESSAGE_COUNT && QUERIES[type] != NULL);
    return handle(QUERIES[type], settings, transaction, question, effects, true);
}

enum err core_place_read(struct transaction *transaction, struct core_place *ret_place)
{
    struct number_key key;
    struct slice value;
    *ret_place = (struct core_place){ 0 };
    enum err err =
        transaction_get(transaction, TABLE_PLACE, key_one(&key, PLACE_KEY), &value);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;

    struct unpack row = unpack_start(value);
    uint8_t version = unpack_u8(&row);
    struct core_place place = { .sequence = unpack_u64(&row) };
    place.now_ms = unpack_i64(&row);
    place.epoch = unpack_u64(&row);
    if (version != PLACE_VERSION_WITHOUT_EVENTS)
        place.event_last = unpack_u64(&row);
    if (version < PLACE_VERSION_WITHOUT_EVENTS || version > PLACE_VERSION ||
        !unpack_done(&row))
        return ERR_CORRUPT;
    *ret_place = place;
    return ERR_OK;
}

static enum err place_write(struct transaction *transaction,
                            const struct core_place *place)
{
    struct number_key key;
    struct packed packed;
    struct buffer *row = packed_start(&packed);
    pack_u8(row, PLACE_VERSION);
    pack_u64(row, place->sequence);
    pack_i64(row, place->now_ms);
    pack_u64(row, place->epoch);
    pack_u64(row, place->event_last);
    return transaction_put(transaction, TABLE_PLACE, key_one(&key, PLACE_KEY),
                           buffer_slice(row));
}

enum err core_epoch_start(struct transaction *transaction, uint64_t epoch)
{
    struct core_place place;
    enum err err = core_place_read(transaction, &place);
    if (err != ERR_OK)
        return err;
    place.epoch = epoch > place.epoch ? epoch : place.epoch + 1;
    return place_write(transaction, &place);
}

/* Stays as it is in an empty log. */
static enum err event_last_read(struct transaction *transaction, uint64_t *last)
{
    struct slice key;
    struct slice unused;
    enum err err = transaction_last_before(transaction, TABLE_EVENT,
                                           (struct slice){ NULL, 0 }, &key, &unused);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (key.size != sizeof *last)
        return ERR_CORRUPT;
    *last = get_u64((const uint8_t *)key.data);
    return ERR_OK;
}

enum err core_figures_read(struct transaction *transaction,
                           struct core_figures *ret_figures)
{
    struct core_figures figures;
    enum err err = core_place_read(transaction, &figures.place);
    if (err != ERR_OK)
        return err;
    struct step step = { .transaction = transaction };
    figures.instance = step_counter(&step, COUNTER_INSTANCE);
    figures.task_last = step_counter(&step, COUNTER_TASK_LAST);
    if (step_failed(&step))
        return step.err;
    *ret_figures = figures;
    return ERR_OK;
}

enum err core_seal(struct transaction *transaction, uint64_t sequence, int64_t now_ms)
{
    struct core_place place;
    enum err err = core_place_read(transaction, &place);
    if (err != ERR_OK)
        return err;

    place.sequence = sequence;
    place.now_ms = now_ms;
    err = event_last_read(transaction, &place.event_last);
    return err == ERR_OK ? place_write(transaction, &place) : err;
}

/* Lowers *wait_ms to the time until the first deadline of a clock. */
static enum err wait_until_first(struct transaction *transaction,
                                 enum deadline_clock clock, int64_t now_ms,
                                 int64_t *wait_ms)
{
    struct slice key;
    struct slice unused;
    uint8_t start = (uint8_t)clock;
    enum err err = transaction_first_from(transaction, TABLE_DEADLINE,
                                          slice_make(&start, 1), &key, &unused);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;

    struct unpack unpack = unpack_start(key);
    if (unpack_u8(&unpack) != start)
        return ERR_OK;
    int64_t due_ms = unpack_i64(&unpack);
    if (unpack.failed)
        return ERR_CORRUPT;
    int64_t left_ms;
    if (due_ms <= now_ms)
        left_ms = 0;
    else if (__builtin_sub_overflow(due_ms, now_ms, &left_ms))
        left_ms = INT64_MAX;
    if (left_ms < *wait_ms)
        *wait_ms = left_ms;
    return ERR_OK;
}

enum err core_next_due_ms(struct transaction *transaction, int64_t now_ms,
                          int64_t wall_ms, int64_t *ret_wait_ms)
{
    int64_t wait_ms = INT64_MAX;
    enum err err = wait_until_first(transaction, CLOCK_FLEET, now_ms, &wait_ms);
    if (err == ERR_OK)
        err = wait_until_first(transaction, CLOCK_WALL, wall_ms, &wait_ms);
    if (err == ERR_OK)
        *ret_wait_ms = wait_ms;
    return err;
}
