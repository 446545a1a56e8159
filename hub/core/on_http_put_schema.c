#include "core/blob.h"
#include "core/channel.h"
#include "core/event.h"
#include "core/fleet_schema.h"
#include "core/handlers.h"
#include "core/precondition.h"
#include "core/refuse.h"
#include "core/schema_trial.h"

/* What the asker knows of what is there, against what there is. */
static bool is_as_expected(struct step *step, const struct message_put_schema *message,
                           const struct fleet_schema *was)
{
    struct schema_version version = { 0 };
    uint64_t tag = 0;
    if (was->current > 0) {
        if (!schema_version_load(step, was->name, was->current, &version)) {
            step_fail(step, ERR_CORRUPT);
            return false;
        }
        tag = schema_tag(was, was->current, &version);
    }
    if (message->has_expected_version && message->expected_version != was->current) {
        step_refuse(step, ERROR_PRECONDITION_FAILED);
        return false;
    }
    return precondition_holds(step, message->if_match, message->if_none_match, tag);
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

/* What it is to be bound to. False: the asker is refused. */
static bool bind_parse(struct step *step, const struct message_put_schema_bind *bind,
                       struct fleet_schema *schema)
{
    bool of_channel = slice_is_present(bind->channel);
    schema->part = PART_NONE;
    schema->kind = (struct slice){ 0 };
    if (of_channel && slice_is_present(bind->kind)) {
        step_refuse_field(step, SLICE_OF("bind"), SLICE_OF("invalid_value"),
                          SLICE_OF("a kind or a channel, not both"));
        return false;
    }
    if (of_channel) {
        schema->part = PART_MESSAGE;
        if (channel_name(step, bind->channel, &schema->kind))
            return true;
        step_refuse_field(step, SLICE_OF("bind.channel"), SLICE_OF("invalid_value"),
                          SLICE_OF("wants 1 to 64 of a-z 0-9 - _"));
        return false;
    }
    if (!slice_is_present(bind->kind))
        return true;
    schema->part = PART_PAYLOAD;
    schema->kind = bind->kind;
    if (!slice_is_present(bind->part) || schema_part_parse(bind->part, &schema->part))
        return true;
    step_refuse_field(step, SLICE_OF("bind.part"), SLICE_OF("invalid_value"),
                      SLICE_OF("payload or result"));
    return false;
}

/* Left out: as before. Without a kind and a channel: nothing. */
static bool bind_read(struct step *step, const struct message_put_schema *message,
                      struct fleet_schema *schema)
{
    struct fleet_schema other;
    if (message->bind == NULL)
        return true;
    if (!bind_parse(step, message->bind, schema))
        return false;
    if (schema->part == PART_NONE ||
        !fleet_schema_bound(step, schema->part, schema->kind, &other))
        return !step_failed(step);
    if (slice_equal(other.name, schema->name))
        return true;
    refuse(step,
           &(struct refusal){ .code = ERROR_SCHEMA_CONFLICT, .detail = other.name });
    return false;
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

static void current_tag(struct step *step, const struct fleet_schema *schema)
{
    struct schema_version version;
    if (!step_failed(step) &&
        schema_version_load(step, schema->name, schema->current, &version))
        step_answer_tag(step, schema_tag(schema, schema->current, &version));
}

static void answer(struct step *step, const struct fleet_schema *schema, bool created,
                   bool dry_run, const struct schema_trial *trial)
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
    if (!dry_run)
        current_tag(step, schema);
}

void on_put_schema(struct step *step, const struct message_put_schema *message)
{
    struct fleet_schema was;
    struct schema_trial trial = { .checked = 0 };
    bool exists = fleet_schema_load(step, message->name, &was);
    struct fleet_schema schema = was;
    bool dry_run = message->has_dry_run && message->dry_run;

    if (step_failed(step) || !is_as_expected(step, message, &was) ||
        !text_learn(step, message->schema) || !bind_read(step, message, &schema))
        return;
    if (!exists && step_counter(step, COUNTER_SCHEMAS) >= step->settings->schemas_max) {
        step_refuse(step, ERROR_TOO_MANY_SCHEMAS);
        return;
    }
    schema_trial_run(step, &schema, &trial);
    bool created = !is_current_text(step, &was, message->schema);
    if (!dry_run) {
        if (created)
            fleet_schema_add_version(step, &schema, message->schema);
        fleet_schema_save(step, &schema, &was);
        log_put(step, &schema, created);
    }
    answer(step, &schema, created, dry_run, &trial);
}
