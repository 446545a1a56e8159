#include "core/payload.h"

#include "core/fleet_schema.h"
#include "core/refuse.h"

enum { DETAIL_BYTES_MAX = SCHEMA_NAME_BYTES_MAX + 64 };

/* What is told to the asker, beyond the code and the flaws. */
struct asked {
    struct slice field;
    struct slice prefix;
    const struct task *task; /* NULL: there is none yet */
};

static struct slice schema_named(struct step *step, const struct fleet_schema *schema)
{
    char *bytes = step_take(step, DETAIL_BYTES_MAX);
    if (bytes == NULL)
        return SLICE_OF("");
    struct buffer text = { .data = bytes,
                           .room = DETAIL_BYTES_MAX,
                           .bytes_max = DETAIL_BYTES_MAX };
    buffer_append_text(&text, "schema ");
    buffer_append_slice(&text, schema->name);
    buffer_append_text(&text, ", version ");
    buffer_append_u64(&text, schema->current);
    return buffer_slice(&text);
}

static bool admit(struct step *step, enum schema_part part, struct slice kind,
                  struct slice payload, const struct asked *asked)
{
    struct fleet_schema schema;
    struct schema_version version;
    struct judge_verdict verdict;
    if (!slice_is_present(kind) || !fleet_schema_bound(step, part, kind, &schema))
        return !step_failed(step);
    if (!schema_version_load(step, schema.name, schema.current, &version))
        step_fail(step, ERR_CORRUPT);
    if (!schema_judge(step, &version, payload, &verdict))
        return false;
    if (verdict.judgement == JUDGED_VALID)
        return true;

    struct refusal refusal = {
        .code = verdict.judgement == JUDGED_INVALID ? ERROR_SCHEMA_VIOLATION
                                                    : ERROR_SCHEMA_TOO_COMPLEX,
        .prefix = asked->prefix,
        .detail = schema_named(step, &schema),
    };
    if (verdict.count > 0)
        refusal.errors = schema_flaw_items(step, asked->field, &verdict);
    if (asked->task != NULL) {
        refusal.task_id = task_id(step, asked->task->number);
        refusal.has_generation = true;
        refusal.generation = (int64_t)asked->task->generation;
    }
    refuse(step, &refusal);
    return false;
}

bool payload_admit(struct step *step, struct slice kind, struct slice metadata)
{
    struct asked asked = { .field = SLICE_OF("metadata") };
    return admit(step, PART_PAYLOAD, kind,
                 slice_is_present(metadata) ? metadata : SLICE_OF("{}"), &asked);
}

bool result_admit(struct step *step, const struct task *task, struct slice prefix,
                  struct slice result)
{
    struct asked asked = { .field = SLICE_OF("result"), .prefix = prefix, .task = task };
    struct task_body body;
    if (!task->has_kind)
        return true;
    if (!task_body_load(step, task->number, &body)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    return admit(step, PART_RESULT, body.kind,
                 slice_is_present(result) ? result : SLICE_OF("null"), &asked);
}

bool message_admit(struct step *step, struct slice channel, struct slice payload)
{
    struct asked asked = { .field = SLICE_OF("payload") };
    return admit(step, PART_MESSAGE, channel, payload, &asked);
}
