#include "core/rate.h"

#include "core/deadline.h"
#include "core/match.h"

enum { RATE_VERSION = 1 };

bool rate_name_is_valid(struct slice name)
{
    return name.size > 0 && name.size <= RATE_NAME_BYTES_MAX &&
           slice_find(name, '\0') == name.size;
}

static bool override_unpack(struct slice value, struct rate_override *ret_override)
{
    struct rate_override override = { 0 };
    struct unpack row = unpack_start(value);
    uint8_t version = unpack_u8(&row);
    for (int tier = 0; tier < RATE_TIERS; tier++) {
        override.set[tier] = unpack_u8(&row) != 0;
        override.rates[tier].capacity = unpack_u32(&row);
        override.rates[tier].per_minute = unpack_u32(&row);
    }
    if (version != RATE_VERSION || !unpack_done(&row))
        return false;
    *ret_override = override;
    return true;
}

bool rate_override_load(struct step *step, struct slice name,
                        struct rate_override *ret_override)
{
    struct slice value;
    if (!rate_name_is_valid(name) || !step_get(step, TABLE_RATE, name, &value))
        return false;
    if (override_unpack(value, ret_override))
        return true;
    step_fail(step, ERR_CORRUPT);
    return false;
}

static void tell_gate(struct step *step, enum effect_kind kind, struct slice name,
                      const struct rate_override *override, bool exempt)
{
    struct effect *effect = step_failed(step) ? NULL : effects_add(step->effects, kind);
    if (effect == NULL) {
        step_fail(step, ERR_MEMORY);
        return;
    }
    effect->actor = step_copy(step, name);
    effect->override = *override;
    effect->exempt = exempt;
}

static void tell_override(struct step *step, struct slice name,
                          const struct rate_override *override)
{
    tell_gate(step, EFFECT_RATE_OVERRIDE, name, override, false);
}

static void tell_exempt(struct step *step, struct slice name, bool exempt)
{
    static const struct rate_override none = { 0 };
    tell_gate(step, EFFECT_RATE_EXEMPT, name, &none, exempt);
}

/* True when there is room for one more; then it is counted. */
static bool count_up(struct step *step, enum counter counter, uint64_t max)
{
    if (step_counter(step, counter) >= max)
        return false;
    step_counter_move(step, counter, 1);
    return !step_failed(step);
}

bool rate_override_put(struct step *step, struct slice name,
                       const struct rate_override *override)
{
    struct packed packed;
    struct buffer *row = packed_start(&packed);
    if (!step_has(step, TABLE_RATE, name) &&
        !count_up(step, COUNTER_RATE_OVERRIDES, RATE_OVERRIDES_MAX))
        return false;
    pack_u8(row, RATE_VERSION);
    for (int tier = 0; tier < RATE_TIERS; tier++) {
        pack_u8(row, override->set[tier]);
        pack_u32(row, override->rates[tier].capacity);
        pack_u32(row, override->rates[tier].per_minute);
    }
    step_put(step, TABLE_RATE, name, packed_slice(step, row));
    tell_override(step, name, override);
    rate_forgive(step, name);
    return !step_failed(step);
}

void rate_override_remove(struct step *step, struct slice name)
{
    static const struct rate_override none = { 0 };
    if (!step_has(step, TABLE_RATE, name))
        return;
    step_remove(step, TABLE_RATE, name);
    step_counter_move(step, COUNTER_RATE_OVERRIDES, -1);
    tell_override(step, name, &none);
    rate_forgive(step, name);
}

bool rate_exempt_put(struct step *step, struct slice name)
{
    if (step_has(step, TABLE_RATE_EXEMPT, name))
        return true;
    if (!count_up(step, COUNTER_RATE_EXEMPT, RATE_EXEMPT_MAX))
        return false;
    step_put_mark(step, TABLE_RATE_EXEMPT, name);
    tell_exempt(step, name, true);
    rate_forgive(step, name);
    return !step_failed(step);
}

void rate_exempt_remove(struct step *step, struct slice name)
{
    if (!step_has(step, TABLE_RATE_EXEMPT, name))
        return;
    step_remove(step, TABLE_RATE_EXEMPT, name);
    step_counter_move(step, COUNTER_RATE_EXEMPT, -1);
    tell_exempt(step, name, false);
}

/* A name and a NUL: behind it, before all that go on after it. */
static struct slice key_behind(struct step *step, struct packed_key *packed,
                               struct slice name)
{
    struct buffer *key = packed_key_start(packed);
    buffer_append_slice(key, name);
    buffer_append_byte(key, '\0');
    return packed_slice(step, key);
}

bool rate_exempt_next(struct step *step, struct slice after, struct slice *ret_name)
{
    struct packed_key packed;
    struct slice key;
    struct slice unused;
    if (!step_first_from(step, TABLE_RATE_EXEMPT, key_behind(step, &packed, after), &key,
                         &unused))
        return false;
    *ret_name = step_copy(step, key);
    return !step_failed(step);
}

static void hold_end(struct step *step, struct agent *agent)
{
    if (agent->limited_until_ms != 0)
        deadline_remove_number(step, CLOCK_FLEET, agent->limited_until_ms, DEADLINE_RATE,
                               agent->number);
    agent->limited_until_ms = 0;
}

void rate_hold_back(struct step *step, struct agent *agent, int64_t for_ms)
{
    int64_t until_ms;
    if (__builtin_add_overflow(step->command->now_ms, for_ms, &until_ms) ||
        until_ms <= agent->limited_until_ms || until_ms == 0)
        return;
    hold_end(step, agent);
    agent->limited_until_ms = until_ms;
    deadline_add_number(step, CLOCK_FLEET, until_ms, DEADLINE_RATE, agent->number);
    agent_save(step, agent);
}

void rate_forgive(struct step *step, struct slice name)
{
    struct agent agent;
    if (!agent_load_id(step, name, &agent) || agent.limited_until_ms == 0)
        return;
    hold_end(step, &agent);
    agent_save(step, &agent);
    match_agent(step, agent.number);
}

void rate_hold_over(struct step *step, uint64_t number, int64_t due_ms)
{
    struct agent agent;
    if (!agent_load(step, number, &agent) || agent.limited_until_ms != due_ms) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    agent.limited_until_ms = 0;
    agent_save(step, &agent);
    match_agent(step, number);
}

/* The name behind `after`, and its row, of one of the two tables. */
static enum err next_of(struct transaction *transaction, enum table table,
                        struct slice after, struct slice *ret_name,
                        struct slice *ret_value)
{
    char from[TRANSACTION_KEY_BYTES_MAX];
    struct buffer key = { .data = from, .room = sizeof from, .bytes_max = sizeof from };
    buffer_append_slice(&key, after);
    buffer_append_byte(&key, '\0');
    return buffer_failed(&key)
               ? ERR_LIMIT
               : transaction_first_from(transaction, table, buffer_slice(&key), ret_name,
                                        ret_value);
}

enum err core_rate_override_next(struct transaction *transaction, struct slice after,
                                 struct slice *ret_name,
                                 struct rate_override *ret_override)
{
    struct slice value;
    enum err err = next_of(transaction, TABLE_RATE, after, ret_name, &value);
    return err == ERR_OK && !override_unpack(value, ret_override) ? ERR_CORRUPT : err;
}

enum err core_rate_exempt_next(struct transaction *transaction, struct slice after,
                               struct slice *ret_name)
{
    struct slice unused;
    return next_of(transaction, TABLE_RATE_EXEMPT, after, ret_name, &unused);
}
