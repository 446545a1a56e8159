#include "core/blob.h"
#include "core/fleet_schema.h"
#include "core/handlers.h"

/* The version asked for, or the current one; else the asker is refused. */
static bool version_find(struct step *step, struct slice name, bool has_version,
                         int64_t version, struct fleet_schema *ret_schema,
                         uint32_t *ret_number, struct schema_version *ret_version)
{
    if (fleet_schema_load(step, name, ret_schema)) {
        int64_t wanted = has_version ? version : ret_schema->current;
        *ret_number = (uint32_t)wanted;
        if (wanted >= ret_schema->first && wanted <= ret_schema->current) {
            if (schema_version_load(step, name, *ret_number, ret_version))
                return true;
            step_fail(step, ERR_CORRUPT);
        }
    }
    step_refuse(step, ERROR_SCHEMA_NOT_FOUND);
    return false;
}

void on_get_schema(struct step *step, const struct message_get_schema *message)
{
    struct fleet_schema schema;
    struct schema_version version;
    uint32_t number;
    if (!version_find(step, message->name, message->has_version, message->version,
                      &schema, &number, &version))
        return;
    struct message answer = { .type = MESSAGE_GET_SCHEMA_ANSWER };
    answer.as.get_schema_answer = (struct message_get_schema_answer){
        .name = schema.name,
        .version = number,
        .current = number == schema.current,
        .bytes = version.bytes,
        .created_at = version.created_ms,
        .created_by = version.created_by,
        .bind = schema_bind_view(step, &schema),
        .schema = blob_get(step, version.text, BLOB_SCHEMA_TEXT),
    };
    if (!slice_is_present(answer.as.get_schema_answer.schema))
        step_fail(step, ERR_CORRUPT);
    step_answer(step, &answer, 0);
    step_answer_tag(step, schema_tag(&schema, number, &version));
}

void on_get_schema_history(struct step *step,
                           const struct message_get_schema_history *message)
{
    struct fleet_schema schema;
    struct schema_version version;
    if (!fleet_schema_load(step, message->name, &schema)) {
        step_refuse(step, ERROR_SCHEMA_NOT_FOUND);
        return;
    }
    size_t count = schema.current - schema.first + 1;
    struct message_schema_version *items = step_take_many(step, count, sizeof *items);
    for (size_t i = 0; i < count && items != NULL; i++) {
        uint32_t number = schema.current - (uint32_t)i;
        if (!schema_version_load(step, schema.name, number, &version)) {
            step_fail(step, ERR_CORRUPT);
            return;
        }
        items[i] = (struct message_schema_version){
            .version = number,
            .current = number == schema.current,
            .bytes = version.bytes,
            .created_at = version.created_ms,
            .created_by = version.created_by,
        };
    }
    struct message answer = { .type = MESSAGE_GET_SCHEMA_HISTORY_ANSWER };
    answer.as.get_schema_history_answer.name = schema.name;
    answer.as.get_schema_history_answer.versions =
        (struct message_list){ .items = items, .count = count };
    step_answer(step, &answer, 0);
}

void on_get_fleet_schemas(struct step *step,
                          const struct message_get_fleet_schemas *message)
{
    (void)message;
    struct fleet_schema schema = { .name = SLICE_OF("") };
    size_t room = (size_t)step_counter(step, COUNTER_SCHEMAS);
    size_t count = 0;
    if (room > SCHEMAS_MAX) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    struct message_schema_listed *items = step_take_many(step, room + 1, sizeof *items);
    while (items != NULL && count < room &&
           fleet_schema_next(step, schema.name, &schema)) {
        struct schema_version version;
        if (!schema_version_load(step, schema.name, schema.current, &version)) {
            step_fail(step, ERR_CORRUPT);
            return;
        }
        items[count++] = (struct message_schema_listed){
            .name = schema.name,
            .version = schema.current,
            .versions = schema.current - schema.first + 1,
            .bytes = version.bytes,
            .updated_at = version.created_ms,
            .updated_by = version.created_by,
            .bind = schema_bind_view(step, &schema),
        };
    }
    struct message answer = { .type = MESSAGE_GET_FLEET_SCHEMAS_ANSWER };
    answer.as.get_fleet_schemas_answer.schemas =
        (struct message_list){ .items = items, .count = count };
    answer.as.get_fleet_schemas_answer.count = (int64_t)count;
    step_answer(step, &answer, 0);
}

void on_post_schema_validate(struct step *step,
                             const struct message_post_schema_validate *message)
{
    struct fleet_schema schema;
    struct schema_version version;
    struct judge_verdict verdict;
    uint32_t number;
    if (!version_find(step, message->name, message->has_version, message->version,
                      &schema, &number, &version) ||
        !schema_judge(step, &version, message->payload, &verdict))
        return;
    if (verdict.judgement == JUDGED_TOO_COMPLEX) {
        step_refuse(step, ERROR_SCHEMA_TOO_COMPLEX);
        return;
    }
    struct message answer = { .type = MESSAGE_POST_SCHEMA_VALIDATE_ANSWER };
    answer.as.post_schema_validate_answer = (struct message_post_schema_validate_answer){
        .name = schema.name,
        .version = number,
        .valid = verdict.judgement == JUDGED_VALID,
        .errors = schema_flaw_items(step, SLICE_OF("payload"), &verdict),
    };
    step_answer(step, &answer, 0);
}
