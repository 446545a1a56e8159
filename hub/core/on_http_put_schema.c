#include "core/blob.h"
#include "core/event.h"
#include "core/fleet_schema.h"
#include "core/handlers.h"
#include "core/refuse.h"
#include "core/task.h"

#include <string.h>

enum {
    FAILURES_MAX = 10,
    CHECKED_BYTES_MAX = 8 * 1024 * 1024, /* payloads looked at by one command */
    LOOKED_PER_CHECKED = 4,              /* tasks without a result take their turn, too */
};

/* What the new version says of the payloads that are stored. */
struct trial {
    struct message_schema_failure failures[FAILURES_MAX];
    size_t failure_count;
    uint32_t checked;
    uint32_t failed;
    size_t bytes;
};

static bool version_expected(struct step *step, const struct message_put_schema *message,
                             const struct fleet_schema *was)
{
    if (!message->has_expected_version || message->expected_version == was->current)
        return true;
    step_refuse(step, ERROR_PRECONDITION_FAILED);
    return false;
}

static struct slice text_copy(struct step *step, const char *text)
{
    return step_copy(step, slice_from_text(text));
}

static void refuse_text(struct step *step, enum error_code code, struct slice pointer,
                        struct slice reason)
{
    struct judge_verdict verdict = { .count = 1 };
    verdict.flaws[0] = (struct judge_flaw){
        .pointer = pointer,
        .keyword = SLICE_OF("invalid_value"),
        .detail = reason,
    };
    refuse(step, &(struct refusal){
                     .code = code,
                     .errors = schema_flaw_items(step, SLICE_OF("schema"), &verdict),
                 });
}

/* True when the judge has taken the text, as its candidate. */
static bool text_learn(struct step *step, struct slice text)
{
    struct judge *judge = step->settings->judge;
    struct judge_problem problem = { 0 };
    if (judge == NULL) {
        step_refuse(step, ERROR_UNAVAILABLE);
        return false;
    }
    if (text.size > SCHEMA_TEXT_BYTES_MAX) {
        refuse_text(step, ERROR_SCHEMA_TOO_COMPLEX, SLICE_OF(""),
                    SLICE_OF("the text is longer than 64 KiB"));
        return false;
    }
    enum err err = judge->methods->learn(judge, JUDGE_CANDIDATE, text, &problem);
    if (err == ERR_OK)
        return true;
    if (err == ERR_INVALID || err == ERR_LIMIT)
        refuse_text(step,
                    err == ERR_INVALID ? ERROR_SCHEMA_REJECTED : ERROR_SCHEMA_TOO_COMPLEX,
                    text_copy(step, problem.pointer), text_copy(step, problem.reason));
    else
        step_fail(step, err);
    return false;
}

/* Left out: as before. Without a kind: nothing. */
static bool bind_read(struct step *step, const struct message_put_schema *message,
                      struct fleet_schema *schema)
{
    struct fleet_schema other;
    if (message->bind == NULL)
        return true;
    schema->part = PART_NONE;
    schema->kind = (struct slice){ 0 };
    if (!slice_is_present(message->bind->kind))
        return true;
    schema->part = PART_PAYLOAD;
    schema->kind = message->bind->kind;
    if (slice_is_present(message->bind->part) &&
        !schema_part_parse(message->bind->part, &schema->part)) {
        step_refuse_field(step, SLICE_OF("bind.part"), SLICE_OF("invalid_value"),
                          SLICE_OF("payload or result"));
        return false;
    }
    if (!fleet_schema_bound(step, schema->part, schema->kind, &other))
        return !step_failed(step);
    if (slice_equal(other.name, schema->name))
        return true;
    refuse(step,
           &(struct refusal){ .code = ERROR_SCHEMA_CONFLICT, .detail = other.name });
    return false;
}

static void trial_fail(struct step *step, struct trial *trial, uint64_t task,
                       const struct judge_verdict *verdict)
{
    struct message_schema_failure failure = {
        .error = SLICE_OF("too_complex"),
        .detail = SLICE_OF("judging it takes too many steps"),
        .pointer = SLICE_OF(""),
    };
    trial->failed++;
    if (trial->failure_count == FAILURES_MAX)
        return;
    failure.task_id = task_id(step, task);
    if (verdict->judgement == JUDGED_INVALID && verdict->count > 0) {
        failure.error = step_copy(step, verdict->flaws[0].keyword);
        failure.detail = step_copy(step, verdict->flaws[0].detail);
        failure.pointer = step_copy(step, verdict->flaws[0].pointer);
    }
    trial->failures[trial->failure_count++] = failure;
}

static void trial_task(struct step *step, const struct fleet_schema *schema,
                       uint64_t task, struct trial *trial)
{
    struct judge *judge = step->settings->judge;
    struct judge_verdict verdict;
    struct task_body body;
    struct slice payload;
    if (schema->part == PART_RESULT) {
        payload = blob_get(step, task, BLOB_TASK_RESULT);
        if (!slice_is_present(payload))
            return;
        trial->bytes += payload.size;
    } else {
        if (!task_body_load(step, task, &body)) {
            step_fail(step, ERR_CORRUPT);
            return;
        }
        payload = slice_is_present(body.metadata) ? body.metadata : SLICE_OF("{}");
        trial->bytes += payload.size + body.description.size;
    }
    trial->checked++;
    enum err err = judge->methods->judge(judge, JUDGE_CANDIDATE, payload, &verdict);
    if (err != ERR_OK)
        step_fail(step, err);
    else if (verdict.judgement != JUDGED_VALID)
        trial_fail(step, trial, task, &verdict);
}

/* The youngest payloads of the kind, by the judge's candidate. */
static void trial_run(struct step *step, const struct fleet_schema *schema,
                      struct trial *trial)
{
    struct packed_key packed;
    struct slice key;
    struct slice value;
    uint32_t most = step->settings->schema_payloads_checked;
    uint32_t looks = most * LOOKED_PER_CHECKED;
    if (schema->part == PART_NONE)
        return;
    struct slice before = task_kind_key(step, &packed, schema->kind, UINT64_MAX);
    size_t prefix = schema->kind.size + 1;
    while (looks-- > 0 && trial->checked < most && trial->bytes < CHECKED_BYTES_MAX &&
           step_last_before(step, TABLE_TASK_KIND, before, &key, &value) &&
           key.size == before.size && memcmp(key.data, packed.bytes, prefix) == 0) {
        uint64_t task = get_u64((const uint8_t *)key.data + prefix);
        trial_task(step, schema, task, trial);
        before = task_kind_key(step, &packed, schema->kind, task);
    }
}

static bool is_current_text(struct step *step, const struct fleet_schema *was,
                            struct slice text)
{
    struct schema_version version;
    return was->current > 0 &&
           schema_version_load(step, was->name, was->current, &version) &&
           slice_equal(blob_get(step, version.text, BLOB_SCHEMA_TEXT), text);
}

static void log_put(struct step *step, const struct fleet_schema *schema, bool created)
{
    struct message event = { .type = MESSAGE_EVENT_SCHEMA_PUT };
    event.as.event_schema_put = (struct message_event_schema_put){
        .name = schema->name,
        .version = schema->current,
        .created = created,
    };
    event_add(step, &event);
}

static void answer(struct step *step, const struct fleet_schema *schema, bool created,
                   bool dry_run, const struct trial *trial)
{
    struct message message = { .type = MESSAGE_PUT_SCHEMA_ANSWER };
    struct message_schema_failure *failures =
        step_take_many(step, trial->failure_count + 1, sizeof *failures);
    if (failures == NULL)
        return;
    for (size_t i = 0; i < trial->failure_count; i++)
        failures[i] = trial->failures[i];
    message.as.put_schema_answer = (struct message_put_schema_answer){
        .name = schema->name,
        .version = schema->current + (created && dry_run),
        .created = created,
        .dry_run = dry_run,
        .bind = schema_bind_view(step, schema),
        .checked = trial->checked,
        .failed = trial->failed,
        .failures = { .items = failures, .count = trial->failure_count },
    };
    step_answer(step, &message, 0);
}

void on_put_schema(struct step *step, const struct message_put_schema *message)
{
    struct fleet_schema was;
    struct trial trial = { .checked = 0 };
    bool exists = fleet_schema_load(step, message->name, &was);
    struct fleet_schema schema = was;
    bool dry_run = message->has_dry_run && message->dry_run;

    if (step_failed(step) || !version_expected(step, message, &was) ||
        !text_learn(step, message->schema) || !bind_read(step, message, &schema))
        return;
    if (!exists && step_counter(step, COUNTER_SCHEMAS) >= step->settings->schemas_max) {
        step_refuse(step, ERROR_TOO_MANY_SCHEMAS);
        return;
    }
    trial_run(step, &schema, &trial);
    bool created = !is_current_text(step, &was, message->schema);
    if (!dry_run) {
        if (created)
            fleet_schema_add_version(step, &schema, message->schema);
        fleet_schema_save(step, &schema, &was);
        log_put(step, &schema, created);
    }
    answer(step, &schema, created, dry_run, &trial);
}
