#include "core/event.h"
#include "core/fleet_schema.h"
#include "core/handlers.h"
#include "core/precondition.h"

void on_delete_schema(struct step *step, const struct message_delete_schema *message)
{
    struct fleet_schema schema;
    struct schema_version version;
    if (!fleet_schema_load(step, message->name, &schema)) {
        step_refuse(step, ERROR_SCHEMA_NOT_FOUND);
        return;
    }
    if (!schema_version_load(step, schema.name, schema.current, &version)) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    if (message->has_expected_version && message->expected_version != schema.current) {
        step_refuse(step, ERROR_PRECONDITION_FAILED);
        return;
    }
    uint64_t tag = schema_tag(&schema, schema.current, &version);
    if (!precondition_holds(step, message->if_match, message->if_none_match, tag))
        return;
    fleet_schema_remove(step, &schema);

    struct message event = { .type = MESSAGE_EVENT_SCHEMA_DELETED };
    event.as.event_schema_deleted.name = message->name;
    event_add(step, &event);

    struct message answer = { .type = MESSAGE_DELETE_SCHEMA_ANSWER };
    answer.as.delete_schema_answer.status = SLICE_OF("deleted");
    answer.as.delete_schema_answer.name = message->name;
    step_answer(step, &answer, 0);
}
