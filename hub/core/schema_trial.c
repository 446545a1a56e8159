#include "core/schema_trial.h"

#include "core/blob.h"
#include "core/channel.h"
#include "core/task.h"

#include <string.h>

enum {
    LOOKED_PER_CHECKED = 4, /* tasks without a result take their turn, too */
};

static bool trial_goes_on(const struct step *step, const struct schema_trial *trial)
{
    return !step_failed(step) &&
           trial->checked < step->settings->schema_payloads_checked &&
           trial->bytes < TRIAL_BYTES_MAX;
}

static void trial_fail(struct step *step, struct schema_trial *trial,
                       const struct judge_verdict *verdict, struct slice task,
                       struct slice message)
{
    struct message_schema_failure failure = {
        .task_id = task,
        .message_id = message,
        .error = SLICE_OF("too_complex"),
        .detail = SLICE_OF("judging it takes too many steps"),
        .pointer = SLICE_OF(""),
    };
    if (verdict->judgement == JUDGED_INVALID && verdict->count > 0) {
        failure.error = step_copy(step, verdict->flaws[0].keyword);
        failure.detail = step_copy(step, verdict->flaws[0].detail);
        failure.pointer = step_copy(step, verdict->flaws[0].pointer);
    }
    trial->failures[trial->failure_count++] = failure;
}

/* True when the payload would be refused and is to be named. */
static bool payload_fails(struct step *step, struct slice payload,
                          struct schema_trial *trial, struct judge_verdict *ret_verdict)
{
    struct judge *judge = step->settings->judge;
    enum err err = judge->methods->judge(judge, JUDGE_CANDIDATE, payload, ret_verdict);
    trial->checked++;
    if (err != ERR_OK) {
        step_fail(step, err);
        return false;
    }
    if (ret_verdict->judgement == JUDGED_VALID)
        return false;
    trial->failed++;
    return trial->failure_count < TRIAL_FAILURES_MAX;
}

static void trial_task(struct step *step, const struct fleet_schema *schema,
                       uint64_t task, struct schema_trial *trial)
{
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
    if (payload_fails(step, payload, trial, &verdict))
        trial_fail(step, trial, &verdict, task_id(step, task), (struct slice){ 0 });
}

static void trial_tasks(struct step *step, const struct fleet_schema *schema,
                        struct schema_trial *trial)
{
    struct packed_key packed;
    struct slice key;
    struct slice value;
    uint32_t looks = step->settings->schema_payloads_checked * LOOKED_PER_CHECKED;
    struct slice before = task_kind_key(step, &packed, schema->kind, UINT64_MAX);
    size_t prefix = schema->kind.size + 1;
    while (looks-- > 0 && trial_goes_on(step, trial) &&
           step_last_before(step, TABLE_TASK_KIND, before, &key, &value) &&
           key.size == before.size && memcmp(key.data, packed.bytes, prefix) == 0) {
        uint64_t task = get_u64((const uint8_t *)key.data + prefix);
        trial_task(step, schema, task, trial);
        before = task_kind_key(step, &packed, schema->kind, task);
    }
}

static void trial_messages(struct step *step, const struct fleet_schema *schema,
                           struct schema_trial *trial)
{
    struct channel channel;
    struct letter letter;
    struct judge_verdict verdict;
    uint64_t number;
    if (!step_get_number(step, TABLE_CHANNEL_NAME, schema->kind, &number))
        return;
    if (!channel_load(step, number, &channel)) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    uint64_t sequence = channel.last;
    for (uint64_t left = channel.kept; left > 0 && trial_goes_on(step, trial); left--) {
        if (!channel_letter_load(step, &channel, sequence--, &letter))
            return;
        trial->bytes += letter.payload.size;
        if (payload_fails(step, letter.payload, trial, &verdict))
            trial_fail(step, trial, &verdict, (struct slice){ 0 },
                       letter_id(step, &letter));
    }
}

void schema_trial_run(struct step *step, const struct fleet_schema *schema,
                      struct schema_trial *trial)
{
    switch (schema->part) {
    case PART_PAYLOAD:
    case PART_RESULT:
        trial_tasks(step, schema, trial);
        break;
    case PART_MESSAGE:
        trial_messages(step, schema, trial);
        break;
    case PART_NONE:
    case PART_COUNT:
        break;
    }
}
