#include "core/fleet_schema.h"

#include "base/hash.h"
#include "core/blob.h"

enum {
    SCHEMA_ROW_VERSION = 1,
    VERSION_BYTES = 4,
    TASK_BYTES = 8,
};

/* Of the parts of a task. */
static const struct slice PART_NAMES[] = {
    [PART_PAYLOAD] = SLICE("payload"),
    [PART_RESULT] = SLICE("result"),
};

bool schema_part_parse(struct slice word, enum schema_part *ret_part)
{
    for (unsigned i = PART_PAYLOAD; i <= PART_RESULT; i++) {
        if (slice_equal(word, PART_NAMES[i])) {
            *ret_part = (enum schema_part)i;
            return true;
        }
    }
    return false;
}

static struct slice version_key(struct step *step, struct packed_key *packed,
                                struct slice name, uint32_t version)
{
    struct buffer *key = packed_key_start(packed);
    buffer_append_slice(key, name);
    buffer_append_byte(key, '\0');
    pack_u32(key, version);
    return packed_slice(step, key);
}

static struct slice bind_key(struct step *step, struct packed_key *packed,
                             enum schema_part part, struct slice kind)
{
    struct buffer *key = packed_key_start(packed);
    pack_u8(key, (uint8_t)part);
    buffer_append_slice(key, kind);
    return packed_slice(step, key);
}

struct slice task_kind_key(struct step *step, struct packed_key *packed,
                           struct slice kind, uint64_t task)
{
    struct buffer *key = packed_key_start(packed);
    buffer_append_slice(key, kind);
    buffer_append_byte(key, '\0');
    pack_u64(key, task);
    return packed_slice(step, key);
}

static bool head_unpack(struct step *step, struct slice name, struct slice value,
                        struct fleet_schema *ret_schema)
{
    struct unpack row = unpack_start(value);
    struct fleet_schema schema = { .name = step_copy(step, name) };
    uint8_t version = unpack_u8(&row);
    schema.first = unpack_u32(&row);
    schema.current = unpack_u32(&row);
    uint8_t part = unpack_u8(&row);
    struct slice kind = unpack_slice(&row);
    if (version != SCHEMA_ROW_VERSION || !unpack_done(&row) || part >= PART_COUNT ||
        schema.first == 0 || schema.first > schema.current ||
        schema.current - schema.first >= SCHEMA_VERSIONS_MAX ||
        (part == PART_NONE) != !slice_is_present(kind)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    schema.part = (enum schema_part)part;
    schema.kind = step_copy(step, kind);
    *ret_schema = schema;
    return !step_failed(step);
}

bool fleet_schema_load(struct step *step, struct slice name,
                       struct fleet_schema *ret_schema)
{
    struct slice value;
    *ret_schema = (struct fleet_schema){ .name = name };
    return step_get(step, TABLE_SCHEMA, name, &value) &&
           head_unpack(step, name, value, ret_schema);
}

bool schema_version_load(struct step *step, struct slice name, uint32_t version,
                         struct schema_version *ret_version)
{
    struct packed_key packed;
    struct slice value;
    if (!step_get(step, TABLE_SCHEMA_VERSION, version_key(step, &packed, name, version),
                  &value))
        return false;
    struct unpack row = unpack_start(value);
    uint8_t row_version = unpack_u8(&row);
    struct schema_version found = { .text = unpack_u64(&row) };
    found.bytes = unpack_u32(&row);
    found.created_ms = unpack_i64(&row);
    found.created_by = unpack_slice(&row);
    if (row_version != SCHEMA_ROW_VERSION || !unpack_done(&row)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    found.created_by = step_copy(step, found.created_by);
    *ret_version = found;
    return !step_failed(step);
}

bool fleet_schema_bound(struct step *step, enum schema_part part, struct slice kind,
                        struct fleet_schema *ret_schema)
{
    struct packed_key packed;
    struct slice value;
    if (!step_get(step, TABLE_SCHEMA_BIND, bind_key(step, &packed, part, kind), &value))
        return false;
    struct unpack row = unpack_start(value);
    uint8_t version = unpack_u8(&row);
    struct slice name = unpack_slice(&row);
    if (version != SCHEMA_ROW_VERSION || !unpack_done(&row) ||
        !fleet_schema_load(step, step_copy(step, name), ret_schema)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    return true;
}

bool fleet_schema_next(struct step *step, struct slice after,
                       struct fleet_schema *ret_schema)
{
    struct packed_key packed;
    struct slice key;
    struct slice value;
    struct buffer *from = packed_key_start(&packed);
    buffer_append_slice(from, after);
    buffer_append_byte(from, '\0');
    return step_first_from(step, TABLE_SCHEMA, packed_slice(step, from), &key, &value) &&
           head_unpack(step, key, value, ret_schema);
}

static void version_remove(struct step *step, const struct fleet_schema *schema,
                           uint32_t version)
{
    struct packed_key packed;
    struct schema_version found;
    if (!schema_version_load(step, schema->name, version, &found)) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    blob_remove(step, found.text, BLOB_SCHEMA_TEXT);
    step_remove(step, TABLE_SCHEMA_VERSION,
                version_key(step, &packed, schema->name, version));
}

void fleet_schema_add_version(struct step *step, struct fleet_schema *schema,
                              struct slice text)
{
    struct packed packed;
    struct packed_key packed_key;
    uint64_t number = step_counter(step, COUNTER_SCHEMA_TEXT_LAST) + 1;
    step_counter_put(step, COUNTER_SCHEMA_TEXT_LAST, number);
    schema->current++;
    if (schema->first == 0)
        schema->first = schema->current;

    struct buffer *row = packed_start(&packed);
    pack_u8(row, SCHEMA_ROW_VERSION);
    pack_u64(row, number);
    pack_u32(row, (uint32_t)text.size);
    pack_i64(row, step->command->wall_ms);
    pack_slice(row, step_actor(step));
    step_put(step, TABLE_SCHEMA_VERSION,
             version_key(step, &packed_key, schema->name, schema->current),
             packed_slice(step, row));
    blob_put(step, number, BLOB_SCHEMA_TEXT, text);
    while (schema->current - schema->first >= step->settings->schema_versions_max &&
           schema->first < schema->current && !step_failed(step))
        version_remove(step, schema, schema->first++);
}

void fleet_schema_save(struct step *step, const struct fleet_schema *schema,
                       const struct fleet_schema *was)
{
    struct packed packed;
    struct packed_key key;
    if (was->part != PART_NONE)
        step_remove(step, TABLE_SCHEMA_BIND, bind_key(step, &key, was->part, was->kind));
    if (schema->part != PART_NONE) {
        struct buffer *bind = packed_start(&packed);
        pack_u8(bind, SCHEMA_ROW_VERSION);
        pack_slice(bind, schema->name);
        step_put(step, TABLE_SCHEMA_BIND,
                 bind_key(step, &key, schema->part, schema->kind),
                 packed_slice(step, bind));
    }
    if (was->current == 0)
        step_counter_move(step, COUNTER_SCHEMAS, 1);

    struct buffer *row = packed_start(&packed);
    pack_u8(row, SCHEMA_ROW_VERSION);
    pack_u32(row, schema->first);
    pack_u32(row, schema->current);
    pack_u8(row, (uint8_t)schema->part);
    pack_slice(row, schema->part == PART_NONE ? (struct slice){ 0 } : schema->kind);
    step_put(step, TABLE_SCHEMA, schema->name, packed_slice(step, row));
}

void fleet_schema_remove(struct step *step, const struct fleet_schema *schema)
{
    struct packed_key key;
    for (uint32_t version = schema->first;
         version <= schema->current && !step_failed(step); version++)
        version_remove(step, schema, version);
    if (schema->part != PART_NONE)
        step_remove(step, TABLE_SCHEMA_BIND,
                    bind_key(step, &key, schema->part, schema->kind));
    step_remove(step, TABLE_SCHEMA, schema->name);
    step_counter_move(step, COUNTER_SCHEMAS, -1);
}

struct message_schema_bind *schema_bind_view(struct step *step,
                                             const struct fleet_schema *schema)
{
    if (schema->part == PART_NONE)
        return NULL;
    struct message_schema_bind *view = step_take(step, sizeof *view);
    if (view == NULL)
        return NULL;
    *view = (struct message_schema_bind){ 0 };
    if (schema->part == PART_MESSAGE) {
        view->channel = schema->kind;
    } else {
        view->kind = schema->kind;
        view->part = PART_NAMES[schema->part];
    }
    return view;
}

uint64_t schema_tag(const struct fleet_schema *schema, uint32_t number,
                    const struct schema_version *version)
{
    static const struct siphash_key key = { { 0 } };
    struct packed packed;
    struct buffer *shown = packed_start(&packed);
    pack_u64(shown, version->text);
    pack_u8(shown, number == schema->current);
    pack_u8(shown, (uint8_t)schema->part);
    pack_slice(shown, schema->part == PART_NONE ? (struct slice){ 0 } : schema->kind);
    uint64_t tag = siphash(key, buffer_slice(shown));
    return tag != 0 ? tag : 1;
}

bool schema_judge(struct step *step, const struct schema_version *version,
                  struct slice payload, struct judge_verdict *ret_verdict)
{
    struct judge *judge = step->settings->judge;
    struct judge_problem problem;
    enum err err = ERR_OK;
    if (step_failed(step))
        return false;
    if (judge == NULL) {
        step_refuse(step, ERROR_UNAVAILABLE);
        return false;
    }
    if (!judge->methods->knows(judge, version->text)) {
        struct slice text = blob_get(step, version->text, BLOB_SCHEMA_TEXT);
        if (!slice_is_present(text))
            step_fail(step, ERR_CORRUPT);
        else
            err = judge->methods->learn(judge, version->text, text, &problem);
        /* What was taken as a schema once is one. */
        if (err == ERR_INVALID || err == ERR_LIMIT)
            err = ERR_CORRUPT;
    }
    if (!step_failed(step) && err == ERR_OK)
        err = judge->methods->judge(judge, version->text, payload, ret_verdict);
    if (err != ERR_OK)
        step_fail(step, err);
    return !step_failed(step);
}

struct message_list schema_flaw_items(struct step *step, struct slice field,
                                      const struct judge_verdict *verdict)
{
    struct message_refusal_item *items =
        step_take_many(step, verdict->count + 1, sizeof *items);
    struct message_list list = { .items = items };
    while (items != NULL && list.count < verdict->count) {
        const struct judge_flaw *flaw = &verdict->flaws[list.count];
        items[list.count++] = (struct message_refusal_item){
            .field = field,
            .error = step_copy(step, flaw->keyword),
            .detail = step_copy(step, flaw->detail),
            .pointer = step_copy(step, flaw->pointer),
        };
    }
    return list;
}
