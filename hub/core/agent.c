#include "core/agent.h"

#include "core/blob.h"

enum {
    AGENT_VERSION = 2,
    AGENT_VERSION_UNLIMITED = 1, /* without limited_until_ms */
    PROFILE_VERSION = 1,
    FLAG_UNRESPONSIVE = 1,
    FLAG_IDLE = 2,
    FLAG_DRAINS_SHIFT = 2, /* two bits, as they are */
    DRAINS = DRAIN_AGENT | DRAIN_OPERATOR,
};

bool agent_unpack(struct step *step, uint64_t number, struct slice value,
                  struct agent *ret_agent)
{
    struct agent agent = { .number = number };
    struct unpack row = unpack_start(value);
    uint8_t version = unpack_u8(&row);
    uint8_t flags = unpack_u8(&row);
    agent.unresponsive = (flags & FLAG_UNRESPONSIVE) != 0;
    agent.idle = (flags & FLAG_IDLE) != 0;
    agent.drains = (flags >> FLAG_DRAINS_SHIFT) & DRAINS;
    agent.link = unpack_u64(&row);
    agent.set = unpack_u64(&row);
    agent.slots = unpack_u32(&row);
    agent.held = unpack_u32(&row);
    agent.idle_set = unpack_u64(&row);
    agent.idle_order = unpack_u64(&row);
    agent.connected_ms = unpack_i64(&row);
    agent.changed_ms = unpack_i64(&row);
    agent.grace_until_ms = unpack_i64(&row);
    if (version == AGENT_VERSION)
        agent.limited_until_ms = unpack_i64(&row);
    if ((version != AGENT_VERSION && version != AGENT_VERSION_UNLIMITED) ||
        !unpack_done(&row)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    *ret_agent = agent;
    return true;
}

bool agent_load(struct step *step, uint64_t number, struct agent *ret_agent)
{
    struct number_key key;
    struct slice value;
    return step_get(step, TABLE_AGENT, key_one(&key, number), &value) &&
           agent_unpack(step, number, value, ret_agent);
}

bool agent_number(struct step *step, struct slice id, uint64_t *ret_number)
{
    return id.size > 0 && id.size <= AGENT_ID_BYTES_MAX &&
           step_get_number(step, TABLE_AGENT_ID, id, ret_number);
}

bool agent_load_id(struct step *step, struct slice id, struct agent *ret_agent)
{
    uint64_t number;
    if (!agent_number(step, id, &number))
        return false;
    if (!agent_load(step, number, ret_agent)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    return true;
}

void agent_create(struct step *step, struct slice id, struct agent *ret_agent)
{
    uint64_t number = step_counter(step, COUNTER_AGENT_LAST) + 1;
    step_counter_put(step, COUNTER_AGENT_LAST, number);
    step_put_number(step, TABLE_AGENT_ID, id, number);
    *ret_agent = (struct agent){ .number = number };
}

bool agent_has_room(const struct agent *agent)
{
    return agent->link != 0 && !agent->unresponsive && agent->drains == 0 &&
           agent->limited_until_ms == 0 && agent->held < agent->slots;
}

void agent_leave_line(struct step *step, struct agent *agent)
{
    struct number_key key;
    if (!agent->idle)
        return;
    step_remove(step, TABLE_IDLE,
                key_three(&key, agent->idle_set, agent->idle_order, agent->number));
    agent->idle = false;
    agent->idle_set = 0;
    agent->idle_order = 0;
}

static void agent_join_line(struct step *step, struct agent *agent)
{
    struct number_key key;
    agent->idle = true;
    agent->idle_set = agent->set;
    agent->idle_order = step->command->sequence;
    step_put_mark(step, TABLE_IDLE,
                  key_three(&key, agent->idle_set, agent->idle_order, agent->number));
}

void agent_save(struct step *step, struct agent *agent)
{
    if (!agent_has_room(agent) || agent->idle_set != agent->set)
        agent_leave_line(step, agent);
    if (agent_has_room(agent) && !agent->idle)
        agent_join_line(step, agent);

    struct packed packed;
    struct number_key key;
    struct buffer *row = packed_start(&packed);
    pack_u8(row, AGENT_VERSION);
    pack_u8(row, (uint8_t)((agent->unresponsive ? FLAG_UNRESPONSIVE : 0) |
                           (agent->idle ? FLAG_IDLE : 0) |
                           agent->drains << FLAG_DRAINS_SHIFT));
    pack_u64(row, agent->link);
    pack_u64(row, agent->set);
    pack_u32(row, agent->slots);
    pack_u32(row, agent->held);
    pack_u64(row, agent->idle_set);
    pack_u64(row, agent->idle_order);
    pack_i64(row, agent->connected_ms);
    pack_i64(row, agent->changed_ms);
    pack_i64(row, agent->grace_until_ms);
    pack_i64(row, agent->limited_until_ms);
    step_put(step, TABLE_AGENT, key_one(&key, agent->number), packed_slice(step, row));
}

void agent_profile_save(struct step *step, uint64_t number,
                        const struct agent_profile *profile)
{
    const struct slice_list *list = &profile->capabilities;
    size_t size =
        1 + 4 + profile->id.size + 4 + profile->name.size + 4 + profile->status.size + 4;
    for (size_t i = 0; i < list->count; i++)
        size += 4 + list->items[i].size;
    char *bytes = step_take(step, size);
    if (bytes == NULL)
        return;

    struct buffer row = { .data = bytes, .room = size, .bytes_max = size };
    pack_u8(&row, PROFILE_VERSION);
    pack_slice(&row, profile->id);
    pack_slice(&row, profile->name);
    pack_slice(&row, profile->status);
    pack_u32(&row, (uint32_t)list->count);
    for (size_t i = 0; i < list->count; i++)
        pack_slice(&row, list->items[i]);
    blob_put(step, number, BLOB_AGENT_PROFILE, packed_slice(step, &row));
}

bool agent_profile_load(struct step *step, uint64_t number,
                        struct agent_profile *ret_profile)
{
    struct agent_profile profile = { 0 };
    struct unpack row = unpack_start(blob_get(step, number, BLOB_AGENT_PROFILE));
    uint8_t version = unpack_u8(&row);
    profile.id = unpack_slice(&row);
    profile.name = unpack_slice(&row);
    profile.status = unpack_slice(&row);
    struct slice_list *list = &profile.capabilities;
    list->count = unpack_u32(&row);
    if (version != PROFILE_VERSION || row.failed ||
        list->count > row.rest.size / sizeof(uint32_t)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    list->items = step_take_many(step, list->count, sizeof *list->items);
    if (list->items == NULL)
        return false;
    for (size_t i = 0; i < list->count; i++)
        list->items[i] = unpack_slice(&row);
    if (!unpack_done(&row)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    *ret_profile = profile;
    return true;
}

struct slice agent_id(struct step *step, uint64_t number)
{
    static const struct slice none = { NULL, 0 };
    if (number == 0)
        return none;
    /* The id stands first, in the first row: what else the agent said is left alone. */
    struct unpack row = unpack_start(blob_peek_start(step, number, BLOB_AGENT_PROFILE));
    uint8_t version = unpack_u8(&row);
    struct slice id = unpack_slice(&row);
    if (version != PROFILE_VERSION || row.failed) {
        step_fail(step, ERR_CORRUPT);
        return none;
    }
    return step_copy(step, id);
}

bool agent_first_held(struct step *step, const struct agent *agent, uint64_t *ret_task)
{
    return agent_next_held(step, agent->number, 0, ret_task);
}

bool agent_next_held(struct step *step, uint64_t agent, uint64_t from, uint64_t *ret_task)
{
    struct number_key start;
    struct slice key;
    struct slice unused;
    if (!step_first_from(step, TABLE_HOLDING, key_two(&start, agent, from), &key,
                         &unused) ||
        key_number(step, key, 0) != agent)
        return false;
    *ret_task = key_number(step, key, 1);
    return !step_failed(step);
}

bool agent_current(struct step *step, const struct agent *agent, struct task *ret_task)
{
    uint64_t number;
    if (agent->held == 0 || !agent_first_held(step, agent, &number))
        return false;
    if (!task_load(step, number, ret_task)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    return true;
}

bool agent_next_connected(struct step *step, uint64_t *position, struct agent *ret_agent)
{
    struct number_key start;
    struct slice key;
    struct slice unused;
    if (*position == UINT64_MAX ||
        !step_first_from(step, TABLE_CONNECTED, key_one(&start, *position + 1), &key,
                         &unused))
        return false;
    *position = key_number(step, key, 0);
    if (!agent_load(step, *position, ret_agent)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    return true;
}

uint64_t agents_connected(struct step *step)
{
    return step_counter(step, COUNTER_CONNECTED);
}
