#include "core/task.h"

#include "base/hash.h"
#include "core/blob.h"
#include "core/fleet_schema.h"
#include "core/retention.h"
#include "core/set.h"
#include "core/state.h"
#include "core/stats.h"

enum {
    HEAD_VERSION = 1,
    BODY_VERSION_PLAIN = 1, /* without a kind */
    BODY_VERSION_KIND = 2,
    NUMBER_BYTES = 8,
    FLAG_HELD = 1,
    FLAG_COMPLETE_BY_PASSED = 2,
    FLAG_TOKENS_USED = 4,
    FLAG_KIND = 8,
    FLAG_BLOCKED = 16,
    FLAG_FINISHED = 64, /* when stands at the end */
    FLAG_PIN = 32,      /* the agent's number stands at the end */
};

static const struct slice ID_PREFIX = SLICE("task-");

static uint64_t number_shown(struct step *step, uint64_t number)
{
    struct number_key key;
    uint64_t shown = number;
    if (number < TASK_NUMBER_FIRST)
        step_get_number(step, TABLE_TASK_SHOWN, key_one(&key, number), &shown);
    return shown;
}

struct slice task_id(struct step *step, uint64_t number)
{
    char *text = step_take(step, TASK_ID_BYTES + 1);
    if (text == NULL)
        return SLICE_OF("");
    uint8_t bytes[NUMBER_BYTES];
    put_u64(bytes, number_shown(step, number));
    for (size_t i = 0; i < ID_PREFIX.size; i++)
        text[i] = ID_PREFIX.data[i];
    hex_encode(text + ID_PREFIX.size, bytes, sizeof bytes);
    return slice_make(text, TASK_ID_BYTES);
}

bool task_id_parse(struct slice id, uint64_t *ret_number)
{
    uint8_t bytes[NUMBER_BYTES];
    if (id.size != TASK_ID_BYTES || !slice_starts_with(id, ID_PREFIX))
        return false;
    struct slice digits = slice_skip(id, ID_PREFIX.size);
    for (size_t i = 0; i < digits.size; i++) {
        /* One id, one spelling. */
        if (digits.data[i] >= 'A' && digits.data[i] <= 'F')
            return false;
    }
    if (!hex_decode(bytes, sizeof bytes, digits))
        return false;
    *ret_number = get_u64(bytes);
    return true;
}

bool task_number(struct step *step, struct slice id, uint64_t *ret_number)
{
    struct number_key key;
    uint64_t shown;
    if (!task_id_parse(id, &shown))
        return false;
    if (step_get_number(step, TABLE_TASK_ALIAS, key_one(&key, shown), ret_number))
        return true;
    *ret_number = shown;
    return shown >= TASK_NUMBER_FIRST && !step_failed(step);
}

uint64_t task_number_import(struct step *step, uint64_t shown)
{
    struct number_key key;
    uint64_t number = step_counter(step, COUNTER_TASK_IMPORTED) + 1;
    bool is_ours =
        shown >= TASK_NUMBER_FIRST && step_has(step, TABLE_TASK, key_one(&key, shown));
    if (is_ours || step_has(step, TABLE_TASK_ALIAS, key_one(&key, shown)) ||
        number >= TASK_NUMBER_FIRST)
        return 0;
    step_counter_put(step, COUNTER_TASK_IMPORTED, number);
    step_put_number(step, TABLE_TASK_ALIAS, key_one(&key, shown), number);
    step_put_number(step, TABLE_TASK_SHOWN, key_one(&key, number), shown);
    return step_failed(step) ? 0 : number;
}

void task_number_forget(struct step *step, uint64_t number)
{
    struct number_key key;
    uint64_t shown;
    if (number >= TASK_NUMBER_FIRST)
        return;
    if (!step_get_number(step, TABLE_TASK_SHOWN, key_one(&key, number), &shown)) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    step_remove(step, TABLE_TASK_SHOWN, key_one(&key, number));
    step_remove(step, TABLE_TASK_ALIAS, key_one(&key, shown));
}

static void head_pack(struct buffer *row, const struct task *task)
{
    uint8_t flags =
        (uint8_t)((task->held ? FLAG_HELD : 0) |
                  (task->complete_by_passed ? FLAG_COMPLETE_BY_PASSED : 0) |
                  (task->has_tokens_used ? FLAG_TOKENS_USED : 0) |
                  (task->has_kind ? FLAG_KIND : 0) | (task->blocked ? FLAG_BLOCKED : 0) |
                  (task->finished_ms != 0 ? FLAG_FINISHED : 0) |
                  (task->pin != 0 ? FLAG_PIN : 0));
    pack_u8(row, HEAD_VERSION);
    pack_u8(row, (uint8_t)task->state);
    pack_u8(row, (uint8_t)task->lane);
    pack_u8(row, flags);
    pack_u8(row, task->progress);
    pack_u64(row, task->generation);
    pack_u32(row, task->attempts);
    pack_u32(row, task->attempts_max);
    pack_u32(row, task->blocked_on);
    pack_u32(row, task->history_first);
    pack_u32(row, task->history_next);
    pack_i64(row, task->tokens_used);
    pack_u64(row, task->agent);
    pack_u64(row, task->set);
    pack_i64(row, task->created_ms);
    pack_i64(row, task->updated_ms);
    pack_i64(row, task->assigned_ms);
    pack_i64(row, task->not_before_ms);
    pack_i64(row, task->complete_by_ms);
    pack_i64(row, task->lease_until_ms);
    pack_i64(row, task->timer_ms);
    pack_i64(row, task->wall_timer_ms);
    pack_u64(row, task->report.agent);
    pack_u64(row, task->report.generation);
    pack_u8(row, (uint8_t)task->report.kind);
    pack_u8(row, (uint8_t)task->report.outcome);
    if (task->pin != 0)
        pack_u64(row, task->pin);
    if (task->finished_ms != 0)
        pack_i64(row, task->finished_ms);
}

static void head_unpack(struct unpack *row, struct task *task)
{
    task->state = (enum task_state)unpack_u8(row);
    task->lane = (enum lane)unpack_u8(row);
    uint8_t flags = unpack_u8(row);
    task->held = (flags & FLAG_HELD) != 0;
    task->complete_by_passed = (flags & FLAG_COMPLETE_BY_PASSED) != 0;
    task->has_tokens_used = (flags & FLAG_TOKENS_USED) != 0;
    task->has_kind = (flags & FLAG_KIND) != 0;
    task->blocked = (flags & FLAG_BLOCKED) != 0;
    task->progress = unpack_u8(row);
    task->generation = unpack_u64(row);
    task->attempts = unpack_u32(row);
    task->attempts_max = unpack_u32(row);
    task->blocked_on = unpack_u32(row);
    task->history_first = unpack_u32(row);
    task->history_next = unpack_u32(row);
    task->tokens_used = unpack_i64(row);
    task->agent = unpack_u64(row);
    task->set = unpack_u64(row);
    task->created_ms = unpack_i64(row);
    task->updated_ms = unpack_i64(row);
    task->assigned_ms = unpack_i64(row);
    task->not_before_ms = unpack_i64(row);
    task->complete_by_ms = unpack_i64(row);
    task->lease_until_ms = unpack_i64(row);
    task->timer_ms = unpack_i64(row);
    task->wall_timer_ms = unpack_i64(row);
    task->report.agent = unpack_u64(row);
    task->report.generation = unpack_u64(row);
    task->report.kind = (enum report_kind)unpack_u8(row);
    task->report.outcome = (enum report_outcome)unpack_u8(row);
    if ((flags & FLAG_PIN) != 0)
        task->pin = unpack_u64(row);
    if ((flags & FLAG_FINISHED) != 0)
        task->finished_ms = unpack_i64(row);
}

bool task_unpack(struct step *step, uint64_t number, struct slice value,
                 struct task *ret_task)
{
    struct task task = { .number = number };
    struct unpack row = unpack_start(value);
    uint8_t version = unpack_u8(&row);
    head_unpack(&row, &task);
    if (version != HEAD_VERSION || !unpack_done(&row) || task.state >= TASK_STATE_COUNT ||
        task.lane >= LANE_COUNT || task.report.kind > REPORT_FAILED ||
        task.report.outcome > OUTCOME_DEAD_LETTER ||
        task.history_first > task.history_next ||
        task.history_next - task.history_first > TASK_HISTORY_MAX) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    *ret_task = task;
    return true;
}

bool task_load(struct step *step, uint64_t number, struct task *ret_task)
{
    struct number_key key;
    struct slice value;
    return step_get(step, TABLE_TASK, key_one(&key, number), &value) &&
           task_unpack(step, number, value, ret_task);
}

bool task_load_id(struct step *step, struct slice id, struct task *ret_task)
{
    uint64_t number;
    return task_number(step, id, &number) && task_load(step, number, ret_task);
}

void task_write(struct step *step, const struct task *task)
{
    struct packed packed;
    struct number_key key;
    struct buffer *row = packed_start(&packed);
    head_pack(row, task);
    step_put(step, TABLE_TASK, key_one(&key, task->number), packed_slice(step, row));
}

void task_save(struct step *step, struct task *task)
{
    task->updated_ms = step->command->wall_ms;
    task_write(step, task);
}

struct slice task_ready_key(const struct task *task, struct number_key *key,
                            enum table *ret_table)
{
    *ret_table = task->pin != 0 ? TABLE_READY_PIN : TABLE_READY;
    return key_three(key, task->pin != 0 ? task->pin : task->set, task->lane,
                     task->number);
}

/* A queued task stands in the ready index, and only a queued one. */
static void ready_add(struct step *step, const struct task *task)
{
    struct number_key key;
    enum table table;
    if (task->state == TASK_QUEUED) {
        struct slice ready = task_ready_key(task, &key, &table);
        step_put_mark(step, table, ready);
    }
}

static void ready_remove(struct step *step, const struct task *task)
{
    struct number_key key;
    enum table table;
    if (task->state == TASK_QUEUED) {
        struct slice ready = task_ready_key(task, &key, &table);
        step_remove(step, table, ready);
    }
}

void task_move(struct step *step, struct task *task, enum task_state to)
{
    struct number_key key;
    /* Rows are input too: a head and an index that disagree lead here. */
    if (!task_state_may_move(task->state, to)) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    if (task_state_is_end(task->state))
        retention_leave(step, task);
    ready_remove(step, task);
    step_remove(step, TABLE_TASK_STATE, key_two(&key, task->state, task->number));
    stats_move(step, task, to);
    task->state = to;
    task->finished_ms = 0;
    step_put_mark(step, TABLE_TASK_STATE, key_two(&key, to, task->number));
    if (task_state_is_end(to)) {
        set_release(step, task->set);
        task->set = 0;
        task->finished_ms = step->command->wall_ms < 1 ? 1 : step->command->wall_ms;
        retention_settle(step, task);
    }
    ready_add(step, task);
}

void task_set_agent(struct step *step, struct task *task, uint64_t agent)
{
    struct number_key key;
    if (task->agent == agent)
        return;
    if (task->agent != 0)
        step_remove(step, TABLE_TASK_AGENT, key_two(&key, task->agent, task->number));
    task->agent = agent;
    if (agent != 0)
        step_put_mark(step, TABLE_TASK_AGENT, key_two(&key, agent, task->number));
}

/* Apart from the body: whoever follows dependencies need not read descriptions. */
static void waits_save(struct step *step, uint64_t number, const struct task_body *body)
{
    struct packed packed;
    if (body->depends_on_count == 0)
        return;
    struct buffer *row = packed_start(&packed);
    pack_u8(row, HEAD_VERSION);
    for (size_t i = 0; i < body->depends_on_count; i++)
        pack_u64(row, body->depends_on[i]);
    blob_put(step, number, BLOB_TASK_WAITS, packed_slice(step, row));
}

static void body_save(struct step *step, uint64_t number, const struct task_body *body)
{
    size_t size = 1 + 4 + body->description.size + 4 + body->metadata.size + 4 +
                  body->submitted_by.size + 4 + 4 + 4 + body->kind.size;
    for (size_t i = 0; i < body->needed_capabilities.count; i++)
        size += 4 + body->needed_capabilities.items[i].size;
    char *bytes = step_take(step, size);
    if (bytes == NULL)
        return;

    struct buffer row = { .data = bytes, .room = size, .bytes_max = size };
    bool has_kind = slice_is_present(body->kind);
    pack_u8(&row, has_kind ? BODY_VERSION_KIND : BODY_VERSION_PLAIN);
    pack_slice(&row, body->description);
    pack_slice(&row, body->metadata);
    pack_slice(&row, body->submitted_by);
    pack_u32(&row, (uint32_t)body->needed_capabilities.count);
    for (size_t i = 0; i < body->needed_capabilities.count; i++)
        pack_slice(&row, body->needed_capabilities.items[i]);
    pack_u32(&row, (uint32_t)body->depends_on_count);
    if (has_kind)
        pack_slice(&row, body->kind);
    blob_put(step, number, BLOB_TASK_BODY, packed_slice(step, &row));
    waits_save(step, number, body);
}

void task_create(struct step *step, struct task *task, const struct task_body *body)
{
    struct number_key key;
    struct packed_key kind_key;
    task->created_ms = step->command->wall_ms;
    task->has_kind = slice_is_present(body->kind);
    if (task->has_kind)
        step_put_mark(step, TABLE_TASK_KIND,
                      task_kind_key(step, &kind_key, body->kind, task->number));
    body_save(step, task->number, body);
    step_put_mark(step, TABLE_TASK_STATE, key_two(&key, task->state, task->number));
    stats_add(step, task->state, task->lane);
    ready_add(step, task);
    task_save(step, task);
}

bool task_waits_load(struct step *step, uint64_t number, uint64_t **ret_tasks,
                     size_t *ret_count)
{
    struct slice value = blob_get(step, number, BLOB_TASK_WAITS);
    *ret_tasks = NULL;
    *ret_count = 0;
    if (!slice_is_present(value))
        return !step_failed(step);

    struct unpack row = unpack_start(value);
    uint8_t version = unpack_u8(&row);
    size_t count = row.rest.size / NUMBER_BYTES;
    uint64_t *tasks = step_take_many(step, count, sizeof *tasks);
    for (size_t i = 0; tasks != NULL && i < count; i++)
        tasks[i] = unpack_u64(&row);
    if (version != HEAD_VERSION || (tasks != NULL && !unpack_done(&row)))
        step_fail(step, ERR_CORRUPT);
    *ret_tasks = tasks;
    *ret_count = count;
    return !step_failed(step);
}

/* Texts that follow their 32-bit count; each takes at least its own size of the row. */
static void texts_unpack(struct step *step, struct unpack *row, struct slice_list *texts)
{
    texts->count = unpack_u32(row);
    if (texts->count > row->rest.size / sizeof(uint32_t)) {
        row->failed = true;
        texts->count = 0;
    }
    texts->items = step_take_many(step, texts->count, sizeof *texts->items);
    for (size_t i = 0; texts->items != NULL && i < texts->count; i++)
        texts->items[i] = unpack_slice(row);
}

bool task_body_load(struct step *step, uint64_t number, struct task_body *ret_body)
{
    struct task_body body = { 0 };
    struct unpack row = unpack_start(blob_get(step, number, BLOB_TASK_BODY));
    uint8_t version = unpack_u8(&row);
    body.description = unpack_slice(&row);
    body.metadata = unpack_slice(&row);
    body.submitted_by = unpack_slice(&row);
    texts_unpack(step, &row, &body.needed_capabilities);
    uint32_t depends_on_count = unpack_u32(&row);
    if (version == BODY_VERSION_KIND)
        body.kind = unpack_slice(&row);
    if (version < BODY_VERSION_PLAIN || version > BODY_VERSION_KIND || !unpack_done(&row))
        step_fail(step, ERR_CORRUPT);
    if (!step_failed(step))
        task_waits_load(step, number, &body.depends_on, &body.depends_on_count);
    if (body.depends_on_count != depends_on_count)
        step_fail(step, ERR_CORRUPT);
    if (step_failed(step))
        return false;
    *ret_body = body;
    return true;
}
