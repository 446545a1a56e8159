#include "core/activity.h"

#include "core/blob.h"

#include <string.h>

enum {
    ACTIVITY_VERSION = 1,
    SAID_VERSION = 1,
    SAID_OWNER = 1,
    HOUR_MS = 3600000,
    TOUCH_MS = 60000,
    FLAG_CONNECTED = 1,
};

/* What was said to all, hour by hour. */
struct said {
    struct activity_hour hours[ACTIVITY_HOURS]; /* `sent` alone */
};

static uint32_t hour_of(int64_t wall_ms)
{
    int64_t hour = wall_ms / HOUR_MS;
    return hour < 0 ? 0 : hour > UINT32_MAX ? UINT32_MAX : (uint32_t)hour;
}

uint32_t activity_hour_now(const struct step *step)
{
    return hour_of(step->command->wall_ms);
}

static void count_up(uint32_t *count, uint64_t by)
{
    *count = by > UINT32_MAX - *count ? UINT32_MAX : *count + (uint32_t)by;
}

/* The hour's place, emptied when it held another hour. */
static struct activity_hour *hour_slot(struct activity_hour *hours, uint32_t hour)
{
    struct activity_hour *slot = &hours[hour % ACTIVITY_HOURS];
    if (slot->hour != hour)
        *slot = (struct activity_hour){ .hour = hour };
    return slot;
}

/* Its figures; all zero for one that is not kept. */
static struct activity_hour hour_look(const struct activity_hour *hours, uint32_t hour)
{
    const struct activity_hour *slot = &hours[hour % ACTIVITY_HOURS];
    return slot->hour == hour ? *slot : (struct activity_hour){ .hour = hour };
}

struct activity_hour activity_hour_of(const struct activity *activity, uint32_t hour)
{
    return hour_look(activity->hours, hour);
}

static bool hour_is_empty(const struct activity_hour *hour)
{
    return hour->sent == 0 && hour->received == 0 && hour->connected_ms == 0;
}

/* Hours without figures take no room. */
static void hours_pack(struct buffer *row, const struct activity_hour *hours)
{
    uint8_t count = 0;
    for (size_t i = 0; i < ACTIVITY_HOURS; i++) {
        if (!hour_is_empty(&hours[i]))
            count++;
    }
    pack_u8(row, count);
    for (size_t i = 0; i < ACTIVITY_HOURS; i++) {
        if (hour_is_empty(&hours[i]))
            continue;
        pack_u32(row, hours[i].hour);
        pack_u32(row, hours[i].sent);
        pack_u32(row, hours[i].received);
        pack_u32(row, hours[i].connected_ms);
    }
}

static void hours_unpack(struct unpack *row, struct activity_hour *hours)
{
    uint8_t count = unpack_u8(row);
    if (count > ACTIVITY_HOURS)
        row->failed = true;
    for (uint8_t i = 0; i < count && !row->failed; i++) {
        struct activity_hour hour = { .hour = unpack_u32(row) };
        hour.sent = unpack_u32(row);
        hour.received = unpack_u32(row);
        hour.connected_ms = unpack_u32(row);
        hours[hour.hour % ACTIVITY_HOURS] = hour;
    }
}

static void said_load(struct step *step, struct said *ret_said)
{
    *ret_said = (struct said){ 0 };
    struct slice value = blob_peek(step, SAID_OWNER, BLOB_SAID);
    if (!slice_is_present(value))
        return;
    struct unpack row = unpack_start(value);
    uint8_t version = unpack_u8(&row);
    hours_unpack(&row, ret_said->hours);
    if (version != SAID_VERSION || !unpack_done(&row))
        step_fail(step, ERR_CORRUPT);
}

bool activity_said_read(struct step *step)
{
    struct said said;
    said_load(step, &said);
    return !step_failed(step);
}

void activity_broadcast(struct step *step)
{
    struct said said;
    struct packed packed;
    said_load(step, &said);
    count_up(&hour_slot(said.hours, activity_hour_now(step))->sent, 1);
    struct buffer *row = packed_start(&packed);
    pack_u8(row, SAID_VERSION);
    hours_pack(row, said.hours);
    blob_put(step, SAID_OWNER, BLOB_SAID, packed_slice(step, row));
}

bool activity_unpack(struct step *step, struct slice id, struct slice value,
                     struct activity *ret_activity)
{
    struct activity activity = { .id = id };
    struct unpack row = unpack_start(value);
    uint8_t version = unpack_u8(&row);
    uint8_t flags = unpack_u8(&row);
    activity.connected = (flags & FLAG_CONNECTED) != 0;
    activity.active_ms = unpack_i64(&row);
    activity.seen_ms = unpack_i64(&row);
    activity.since_ms = unpack_i64(&row);
    activity.since_fleet_ms = unpack_i64(&row);
    activity.since_said = unpack_u32(&row);
    activity.gone_hour = unpack_u32(&row);
    activity.connections = unpack_u64(&row);
    hours_unpack(&row, activity.hours);
    if (version != ACTIVITY_VERSION || flags > FLAG_CONNECTED || !unpack_done(&row)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    *ret_activity = activity;
    return true;
}

static bool row_load(struct step *step, struct slice id, struct activity *ret_activity)
{
    struct slice value;
    return step_get(step, TABLE_ACTIVITY, id, &value) &&
           activity_unpack(step, id, value, ret_activity);
}

static void row_save(struct step *step, const struct activity *activity)
{
    struct packed packed;
    struct buffer *row = packed_start(&packed);
    pack_u8(row, ACTIVITY_VERSION);
    pack_u8(row, activity->connected ? FLAG_CONNECTED : 0);
    pack_i64(row, activity->active_ms);
    pack_i64(row, activity->seen_ms);
    pack_i64(row, activity->since_ms);
    pack_i64(row, activity->since_fleet_ms);
    pack_u32(row, activity->since_said);
    pack_u32(row, activity->gone_hour);
    pack_u64(row, activity->connections);
    hours_pack(row, activity->hours);
    step_put(step, TABLE_ACTIVITY, activity->id, packed_slice(step, row));
}

static struct slice gone_key(struct step *step, struct packed_key *packed, uint64_t hour,
                             struct slice id)
{
    struct buffer *key = packed_key_start(packed);
    pack_u64(key, hour);
    buffer_append_slice(key, id);
    return packed_slice(step, key);
}

static void gone_add(struct step *step, struct activity *activity)
{
    struct packed_key key;
    activity->gone_hour = activity_hour_now(step);
    step_put_mark(step, TABLE_ACTIVITY_GONE,
                  gone_key(step, &key, activity->gone_hour, activity->id));
}

static void gone_remove(struct step *step, const struct activity *activity)
{
    struct packed_key key;
    step_remove(step, TABLE_ACTIVITY_GONE,
                gone_key(step, &key, activity->gone_hour, activity->id));
}

/* Room for one more: whoever is gone longest is forgotten. False: all are here. */
static bool room_make(struct step *step)
{
    struct slice key;
    struct slice unused;
    while (step_counter(step, COUNTER_ACTIVITIES) >= step->settings->activities_max) {
        if (!step_first_from(step, TABLE_ACTIVITY_GONE, SLICE_OF(""), &key, &unused))
            return false;
        struct slice gone = step_copy(step, key);
        step_remove(step, TABLE_ACTIVITY_GONE, gone);
        step_remove(step, TABLE_ACTIVITY, slice_skip(gone, sizeof(uint64_t)));
        step_counter_move(step, COUNTER_ACTIVITIES, -1);
        if (step_failed(step))
            return false;
    }
    return true;
}

static void connection_begin(struct step *step, struct activity *activity)
{
    struct said said;
    said_load(step, &said);
    activity->connected = true;
    activity->since_ms = step->command->wall_ms;
    activity->since_fleet_ms = step->command->now_ms;
    activity->since_said = hour_look(said.hours, activity_hour_now(step)).sent;
}

/* The row of a name, new or old. False: there is no room for a new one. */
static bool row_open(struct step *step, struct slice id, struct activity *ret_activity)
{
    struct agent agent;
    if (id.size == 0 || id.size > AGENT_ID_BYTES_MAX)
        return false;
    if (row_load(step, id, ret_activity))
        return true;
    if (step_failed(step) || !room_make(step))
        return false;
    *ret_activity = (struct activity){ .id = id };
    step_counter_move(step, COUNTER_ACTIVITIES, 1);
    if (agent_load_id(step, id, &agent) && agent.link != 0)
        connection_begin(step, ret_activity);
    else
        gone_add(step, ret_activity);
    return !step_failed(step);
}

static void row_close(struct step *step, struct activity *activity)
{
    activity->seen_ms = step->command->wall_ms;
    /* Its place moves once an hour at the most. */
    if (!activity->connected && activity->gone_hour != activity_hour_now(step)) {
        gone_remove(step, activity);
        gone_add(step, activity);
    }
    row_save(step, activity);
}

void activity_sent(struct step *step, struct slice id)
{
    struct activity activity;
    if (!row_open(step, id, &activity))
        return;
    count_up(&hour_slot(activity.hours, activity_hour_now(step))->sent, 1);
    activity.active_ms = step->command->wall_ms;
    row_close(step, &activity);
}

/* A name that never was here is no agent yet: its mailbox keeps the letter. */
void activity_received(struct step *step, struct slice id)
{
    struct activity activity;
    if (!row_load(step, id, &activity))
        return;
    count_up(&hour_slot(activity.hours, activity_hour_now(step))->received, 1);
    row_save(step, &activity);
}

void activity_touch(struct step *step, struct slice id)
{
    struct activity activity;
    if (!row_load(step, id, &activity) ||
        (activity.active_ms <= step->command->wall_ms &&
         step->command->wall_ms - activity.active_ms < TOUCH_MS))
        return;
    activity.active_ms = step->command->wall_ms;
    row_close(step, &activity);
}

/* Adds the connection until now to the hours it spans, as the fleet's clock measured it,
 * and what was said to all meanwhile. */
static void connection_count(struct step *step, struct activity *activity)
{
    struct said said;
    uint32_t now_hour = activity_hour_now(step);
    uint32_t first_hour = hour_of(activity->since_ms);
    int64_t begin_ms = activity->since_ms;
    int64_t end_ms;
    if (__builtin_add_overflow(begin_ms, step->command->now_ms - activity->since_fleet_ms,
                               &end_ms))
        return;
    said_load(step, &said);
    uint32_t hour = now_hour - first_hour >= ACTIVITY_HOURS && now_hour > first_hour
                        ? now_hour - ACTIVITY_HOURS + 1
                        : first_hour;
    for (; hour <= now_hour; hour++) {
        int64_t from_ms = (int64_t)hour * HOUR_MS;
        int64_t to_ms = from_ms + HOUR_MS;
        uint32_t heard = hour_look(said.hours, hour).sent;
        if (hour == first_hour)
            heard -= heard < activity->since_said ? heard : activity->since_said;
        from_ms = from_ms > begin_ms ? from_ms : begin_ms;
        to_ms = to_ms < end_ms ? to_ms : end_ms;
        struct activity_hour *slot = hour_slot(activity->hours, hour);
        count_up(&slot->received, heard);
        count_up(&slot->connected_ms, to_ms > from_ms ? (uint64_t)(to_ms - from_ms) : 0);
    }
}

void activity_connected(struct step *step, struct slice id)
{
    struct activity activity;
    if (!row_open(step, id, &activity))
        return;
    if (activity.connections == 0 || !activity.connected) {
        if (!activity.connected)
            gone_remove(step, &activity);
        connection_begin(step, &activity);
    }
    activity.connections++;
    activity.active_ms = step->command->wall_ms;
    row_close(step, &activity);
}

void activity_gone(struct step *step, struct slice id)
{
    struct activity activity;
    if (!row_load(step, id, &activity) || !activity.connected)
        return;
    connection_count(step, &activity);
    activity.connected = false;
    gone_add(step, &activity);
    row_close(step, &activity);
}

void activity_bring_up(struct step *step, struct activity *activity)
{
    if (!activity->connected)
        return;
    connection_count(step, activity);
    activity->seen_ms = step->command->wall_ms;
}

bool activity_load(struct step *step, struct slice id, struct activity *ret_activity)
{
    if (id.size == 0 || id.size > AGENT_ID_BYTES_MAX || !row_load(step, id, ret_activity))
        return false;
    activity_bring_up(step, ret_activity);
    return !step_failed(step);
}

bool activity_next(struct step *step, struct slice after, struct activity *ret_activity)
{
    char start[AGENT_ID_BYTES_MAX + 1] = { 0 };
    struct slice key;
    struct slice value;
    if (after.size > AGENT_ID_BYTES_MAX)
        return false;
    /* The least key that comes after: the name and one NUL more. */
    if (after.size > 0)
        memcpy(start, after.data, after.size);
    return step_first_from(step, TABLE_ACTIVITY, slice_make(start, after.size + 1), &key,
                           &value) &&
           activity_unpack(step, step_copy(step, key), value, ret_activity);
}
