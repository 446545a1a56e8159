#include "core/event.h"
#include "core/fleet_schema.h"
#include "core/handlers.h"

void on_delete_schema(struct step *step, const struct message_delete_schema *message)
{
    struct fleet_schema schema;
    if (!fleet_schema_load(step, message->name, &schema)) {
        step_refuse(step, ERROR_SCHEMA_NOT_FOUND);
        return;
    }
    if (message->has_expected_version && message->expected_version != schema.current) {
        step_refuse(step, ERROR_PRECONDITION_FAILED);
        return;
    }
    fleet_schema_remove(step, &schema);

    struct message event = { .type = MESSAGE_EVENT_SCHEMA_DELETED };
    event.as.event_schema_deleted.name = message->name;
    event_add(step, &event);

    struct message answer = { .type = MESSAGE_DELETE_SCHEMA_ANSWER };
    answer.as.delete_schema_answer.status = SLICE_OF("deleted");
    answer.as.delete_schema_answer.name = message->name;
    step_answer(step, &answer, 0);
}
