/*
 * Reports leave one at a time, oldest first, and each waits for its answer: so an answer
 * always belongs to the one report that was asked about.
 */
#include "json/json.h"
#include "sidecar/sidecar.h"
#include "sidecar/words.h"

#include <string.h>

#define FRAME_BYTES_MAX ((size_t)16 * 1024 * 1024)

enum { ANSWER_MS = 30000, AGAIN_MS = 2000 };

static const char *const TYPES[] = { [REPORT_COMPLETE] = "task_complete",
                                     [REPORT_FAILED] = "task_failed",
                                     [REPORT_CANCELLED] = "task_cancelled" };

static struct report *asked_report(const struct sidecar *sidecar)
{
    for (struct report *report = sidecar->outbox.first; report != NULL;
         report = report->next)
        if (report->asked)
            return report;
    return NULL;
}

static void answer_missing(void *owner)
{
    struct sidecar *sidecar = owner;
    struct report *report = asked_report(sidecar);
    if (report != NULL) {
        LOG_WARNING("report_unanswered", LOG_WORD("task_id", report->task_id));
        report->asked = false;
        outbox_postpone(&sidecar->outbox, report);
    }
    delivery_turn(sidecar);
}

static void report_drop(struct sidecar *sidecar, struct report *report)
{
    loop_timer_clear(&sidecar->loop, &sidecar->answer);
    outbox_remove(&sidecar->outbox, report);
    delivery_turn(sidecar);
}

/* In place of a result the hub will never take, so that the task does not hang. */
static void failure_put(struct sidecar *sidecar, const struct report *report,
                        const char *why)
{
    struct buffer frame;
    buffer_init(&frame, 4096);
    words_failed(slice_from_text(report->task_id), report->generation,
                 slice_from_text(why), &frame);
    if (report->kind == REPORT_COMPLETE && !buffer_failed(&frame))
        delivery_put(sidecar, REPORT_FAILED, report->task_id, report->generation,
                     buffer_slice(&frame));
    buffer_finish(&frame);
}

/* Whether it says what the report's name says. */
static enum err frame_check(const struct report *report, struct slice frame)
{
    struct json_problem problem;
    struct json *tape = json_create(&JSON_LIMITS_DEFAULT);
    if (tape == NULL)
        return ERR_MEMORY;
    enum err err = json_parse(tape, frame, &problem);
    if (err == ERR_OK) {
        const struct json_node *root = json_root(tape);
        const struct json_node *type = json_member(tape, root, SLICE_OF("type"));
        const struct json_node *task_id = json_member(tape, root, SLICE_OF("task_id"));
        const struct json_node *generation =
            json_member(tape, root, SLICE_OF("generation"));
        if (type == NULL || type->kind != JSON_STRING ||
            !slice_equal_text(type->value.text, TYPES[report->kind]) || task_id == NULL ||
            task_id->kind != JSON_STRING ||
            !slice_equal_text(task_id->value.text, report->task_id) ||
            generation == NULL || !generation->integer ||
            generation->value.number != report->generation)
            err = ERR_CORRUPT;
    }
    json_destroy(tape);
    return err;
}

/* It would never be taken, so the task would hang. */
static void damage_settle(struct sidecar *sidecar, struct report *report, enum err err)
{
    LOG_ERROR("report_damaged", LOG_WORD("task_id", report->task_id), LOG_ERR(err));
    /* First, so that the failure is not sent from inside this turn. */
    loop_timer_set(&sidecar->loop, &sidecar->answer, 0, answer_missing, sidecar);
    failure_put(sidecar, report, "report_damaged: the file in the outbox cannot be read");
    outbox_set_aside(&sidecar->outbox, report);
}

void delivery_turn(struct sidecar *sidecar)
{
    if (!sidecar->identified || sidecar->outbox.first == NULL ||
        asked_report(sidecar) != NULL || loop_timer_is_set(&sidecar->answer))
        return;
    struct report *report = sidecar->outbox.first;
    struct buffer frame;
    buffer_init(&frame, FRAME_BYTES_MAX);
    enum err err = outbox_read(&sidecar->outbox, report, &frame);
    if (err == ERR_OK)
        err = frame_check(report, buffer_slice(&frame));
    if (err != ERR_OK && err != ERR_MEMORY) {
        buffer_finish(&frame);
        damage_settle(sidecar, report, err);
        return;
    }
    report->asked = err == ERR_OK && sidecar_say(sidecar, &frame);
    buffer_finish(&frame);
    loop_timer_set(&sidecar->loop, &sidecar->answer, report->asked ? ANSWER_MS : AGAIN_MS,
                   answer_missing, sidecar);
}

void delivery_put(struct sidecar *sidecar, enum report_kind kind, const char *task_id,
                  int64_t generation, struct slice frame)
{
    bool durable = false;
    enum err err =
        outbox_put(&sidecar->outbox, kind, task_id, generation, frame, &durable);
    if (err != ERR_OK)
        LOG_ERROR("report_lost", LOG_WORD("task_id", task_id), LOG_ERR(err));
    else if (!durable)
        LOG_ERROR("report_only_in_memory", LOG_WORD("task_id", task_id));
    delivery_turn(sidecar);
}

/* Reports that are not stored are acknowledged, too. */
static bool is_about_end(struct slice status)
{
    return !slice_equal_text(status, "accepted") &&
           !slice_equal_text(status, "blocked") && !slice_equal_text(status, "unblocked");
}

void delivery_ack(struct sidecar *sidecar, const struct message_task_ack *ack)
{
    struct report *report = asked_report(sidecar);
    if (report == NULL || !is_about_end(ack->status) ||
        !slice_equal_text(ack->task_id, report->task_id) ||
        (ack->has_generation && ack->generation != report->generation))
        return;
    LOG_INFO("report_taken", LOG_WORD("task_id", report->task_id),
             LOG_TEXT("status", ack->status));
    report_drop(sidecar, report);
}

static bool is_passing(struct slice error)
{
    static const struct slice PASSING[] = { SLICE("rate_limited"),  SLICE("unavailable"),
                                            SLICE("storage_error"), SLICE("storage_full"),
                                            SLICE("queue_full"),    SLICE("internal"),
                                            SLICE("not_identified") };
    for (size_t i = 0; i < sizeof PASSING / sizeof PASSING[0]; i++)
        if (slice_equal(error, PASSING[i]))
            return true;
    return false;
}

/* The result is not what the schema of the task's kind says: it never will be. */
static bool is_about_schema(struct slice error)
{
    return slice_equal_text(error, "task_complete_failed: schema_violation") ||
           slice_equal_text(error, "task_complete_failed: schema_too_complex");
}

static bool is_about_report(const struct message_error *error,
                            const struct report *report)
{
    static const struct slice PREFIXES[] = { [REPORT_COMPLETE] =
                                                 SLICE("task_complete_failed"),
                                             [REPORT_FAILED] = SLICE("task_fail_failed"),
                                             [REPORT_CANCELLED] =
                                                 SLICE("task_cancel_failed") };
    if (slice_is_present(error->task_id) &&
        !slice_equal_text(error->task_id, report->task_id))
        return false;
    return slice_equal_text(error->message_type, TYPES[report->kind]) ||
           slice_starts_with(error->error, PREFIXES[report->kind]);
}

bool delivery_error(struct sidecar *sidecar, const struct message_error *error)
{
    struct report *report = asked_report(sidecar);
    if (report == NULL || !is_about_report(error, report))
        return false;
    LOG_WARNING("report_refused", LOG_WORD("task_id", report->task_id),
                LOG_TEXT("reason", error->error));
    if (is_passing(error->error)) {
        int64_t delay_ms = error->has_retry_after_ms ? error->retry_after_ms : AGAIN_MS;
        loop_timer_set(&sidecar->loop, &sidecar->answer, delay_ms, answer_missing,
                       sidecar);
        return true;
    }
    if (slice_equal_text(error->error, "validation_failed"))
        failure_put(sidecar, report, "result_refused: the hub does not take its form");
    else if (is_about_schema(error->error))
        failure_put(sidecar, report,
                    "result_refused: it does not fit the fleet's schema");
    report_drop(sidecar, report);
    return true;
}

void delivery_down(struct sidecar *sidecar, uint16_t code)
{
    loop_timer_clear(&sidecar->loop, &sidecar->answer);
    struct report *report = asked_report(sidecar);
    if (report == NULL)
        return;
    report->asked = false;
    if (code != CLOSE_TOO_BIG_STATUS)
        return;
    /* It would be turned away again and again. */
    LOG_ERROR("report_too_large", LOG_WORD("task_id", report->task_id));
    failure_put(sidecar, report, "result_too_large");
    outbox_remove(&sidecar->outbox, report);
}
