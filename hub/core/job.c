#include "core/job.h"

#include "core/backup.h"
#include "core/blob.h"
#include "core/deadline.h"
#include "core/handlers.h"
#include "core/job_event.h"
#include "core/upkeep.h"

enum { JOB_VERSION = 1 };

static const struct slice KINDS[JOB_KIND_END] = {
    [JOB_BACKUP] = SLICE("backup"),   [JOB_RESTORE] = SLICE("restore"),
    [JOB_COMPACT] = SLICE("compact"), [JOB_VERIFY] = SLICE("verify"),
    [JOB_SCRUB] = SLICE("scrub"),     [JOB_STORE_AT] = SLICE("store_at"),
};

static const struct slice STATES[JOB_STATE_END] = {
    [JOB_QUEUED] = SLICE("queued"),
    [JOB_RUNNING] = SLICE("running"),
    [JOB_COMPLETE] = SLICE("complete"),
    [JOB_FAILED] = SLICE("failed"),
};

struct slice job_kind_name(enum job_kind kind)
{
    return KINDS[kind];
}

bool job_kind_parse(struct slice word, enum job_kind *ret_kind)
{
    for (int i = JOB_BACKUP; i < JOB_KIND_END; i++) {
        if (slice_equal(KINDS[i], word)) {
            *ret_kind = (enum job_kind)i;
            return true;
        }
    }
    return false;
}

struct slice job_state_name(enum job_state state)
{
    return STATES[state];
}

struct slice job_trigger_name(const struct job *job)
{
    return job->scheduled ? SLICE_OF("scheduled") : SLICE_OF("manual");
}

bool job_is_open(const struct job *job)
{
    return job->state == JOB_QUEUED || job->state == JOB_RUNNING;
}

static struct slice text_cut(struct slice text)
{
    if (text.size > JOB_TEXT_BYTES_MAX)
        text.size = JOB_TEXT_BYTES_MAX;
    return text;
}

void job_save(struct step *step, const struct job *job)
{
    struct number_key key;
    struct packed packed;
    struct buffer *row = packed_start(&packed);
    pack_u8(row, JOB_VERSION);
    pack_u8(row, (uint8_t)job->kind);
    pack_u8(row, (uint8_t)job->state);
    pack_u8(row, job->scheduled);
    pack_u32(row, job->flags);
    pack_i64(row, job->created_ms);
    pack_i64(row, job->started_ms);
    pack_i64(row, job->finished_ms);
    pack_u64(row, job->done);
    pack_u64(row, job->total);
    pack_u64(row, job->wait_link);
    pack_u64(row, job->wait_request);
    pack_i64(row, job->wait_until_ms);
    pack_u32(row, job->tables_total);
    pack_u32(row, job->tables_success);
    pack_u64(row, job->bytes);
    pack_u64(row, job->sequence);
    pack_u32(row, job->results_bytes);
    pack_slice(row, text_cut(job->requested_by));
    pack_slice(row, text_cut(job->subject));
    pack_slice(row, text_cut(job->outcome));
    pack_slice(row, text_cut(job->reason));
    step_put(step, TABLE_JOB, key_one(&key, job->number), packed_slice(step, row));
}

static bool job_unpack(struct step *step, uint64_t number, struct slice value,
                       struct job *ret_job)
{
    struct unpack row = unpack_start(value);
    uint8_t version = unpack_u8(&row);
    struct job job = { .number = number };
    job.kind = (enum job_kind)unpack_u8(&row);
    job.state = (enum job_state)unpack_u8(&row);
    job.scheduled = unpack_u8(&row) != 0;
    job.flags = unpack_u32(&row);
    job.created_ms = unpack_i64(&row);
    job.started_ms = unpack_i64(&row);
    job.finished_ms = unpack_i64(&row);
    job.done = unpack_u64(&row);
    job.total = unpack_u64(&row);
    job.wait_link = unpack_u64(&row);
    job.wait_request = unpack_u64(&row);
    job.wait_until_ms = unpack_i64(&row);
    job.tables_total = unpack_u32(&row);
    job.tables_success = unpack_u32(&row);
    job.bytes = unpack_u64(&row);
    job.sequence = unpack_u64(&row);
    job.results_bytes = unpack_u32(&row);
    job.requested_by = step_copy(step, unpack_slice(&row));
    job.subject = step_copy(step, unpack_slice(&row));
    job.outcome = step_copy(step, unpack_slice(&row));
    job.reason = step_copy(step, unpack_slice(&row));
    if (version != JOB_VERSION || !unpack_done(&row) || job.kind < JOB_BACKUP ||
        job.kind >= JOB_KIND_END || job.state < JOB_QUEUED ||
        job.state >= JOB_STATE_END) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    *ret_job = job;
    return !step_failed(step);
}

bool job_load(struct step *step, uint64_t number, struct job *ret_job)
{
    struct number_key key;
    struct slice value;
    return step_get(step, TABLE_JOB, key_one(&key, number), &value) &&
           job_unpack(step, number, value, ret_job);
}

bool job_next_older(struct step *step, uint64_t *number, struct job *ret_job)
{
    struct number_key bound;
    struct slice key;
    struct slice value;
    if (!step_last_before(step, TABLE_JOB, key_one(&bound, *number), &key, &value))
        return false;
    *number = key_number(step, key, 0);
    return !step_failed(step) && job_unpack(step, *number, value, ret_job);
}

struct slice job_results(struct step *step, const struct job *job)
{
    struct slice results = blob_get(step, job->number, BLOB_JOB_RESULTS);
    return slice_is_present(results) ? results : SLICE_OF("[]");
}

/* The oldest are forgotten; those that are open are never among them. */
static void jobs_trim(struct step *step)
{
    uint64_t last = step_counter(step, COUNTER_JOB_LAST);
    struct number_key start;
    struct slice key;
    struct slice value;
    struct job job;
    while (step_first_from(step, TABLE_JOB, key_one(&start, 0), &key, &value)) {
        uint64_t number = key_number(step, key, 0);
        if (number + JOBS_KEPT_MAX > last || !job_unpack(step, number, value, &job) ||
            job_is_open(&job))
            return;
        blob_remove(step, number, BLOB_JOB_RESULTS);
        step_remove(step, TABLE_JOB, key_one(&start, number));
    }
}

bool job_create(struct step *step, struct job *job)
{
    if (step_counter(step, COUNTER_JOBS_OPEN) >= JOBS_OPEN_MAX) {
        step_refuse(step, ERROR_JOBS_FULL);
        return false;
    }
    instance_ensure(step);
    job->number = step_counter(step, COUNTER_JOB_LAST) + 1;
    job->state = JOB_QUEUED;
    job->created_ms = step->command->wall_ms;
    step_counter_put(step, COUNTER_JOB_LAST, job->number);
    step_counter_move(step, COUNTER_JOBS_OPEN, 1);
    job_save(step, job);
    jobs_trim(step);

    struct effect *effect = effects_add(step->effects, EFFECT_JOB);
    if (effect == NULL) {
        step_fail(step, ERR_MEMORY);
        return false;
    }
    effect->job = job->number;
    effect->job_kind = job->kind;
    effect->job_flags = job->flags;
    effect->subject = job->subject;
    return !step_failed(step);
}

void job_wait(struct step *step, struct job *job, bool wait)
{
    job->wait_link = step->command->origin.link;
    job->wait_request = step->command->origin.request;
    if (!wait) {
        job_answer(step, job);
        job->wait_link = 0;
        job->wait_request = 0;
        return;
    }
    job->wait_until_ms = step->command->now_ms + JOB_WAIT_MS;
    deadline_add_number(step, CLOCK_FLEET, job->wait_until_ms, DEADLINE_JOB_WAIT,
                        job->number);
    job_save(step, job);
}

/* Nobody waits any longer. */
static void wait_end(struct step *step, struct job *job)
{
    if (job->wait_until_ms != 0)
        deadline_remove_number(step, CLOCK_FLEET, job->wait_until_ms, DEADLINE_JOB_WAIT,
                               job->number);
    job->wait_until_ms = 0;
    job->wait_link = 0;
    job->wait_request = 0;
}

void job_wait_over(struct step *step, uint64_t number, int64_t due_ms)
{
    struct job job;
    if (!job_load(step, number, &job) || job.wait_until_ms != due_ms) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    job_answer(step, &job);
    job.wait_until_ms = 0; /* the row has fired */
    wait_end(step, &job);
    job_save(step, &job);
}

static void job_end(struct step *step, struct job *job, bool complete,
                    struct slice reason)
{
    job->state = complete ? JOB_COMPLETE : JOB_FAILED;
    job->finished_ms = step->command->wall_ms;
    job->reason = reason;
    wait_end(step, job);
    step_counter_move(step, COUNTER_JOBS_OPEN, -1);
    job_save(step, job);
    job_event_ended(step, job);
}

void jobs_interrupt(struct step *step)
{
    uint64_t number = UINT64_MAX;
    struct job job;
    for (int i = 0; i < JOBS_KEPT_MAX && step_counter(step, COUNTER_JOBS_OPEN) > 0 &&
                    job_next_older(step, &number, &job);
         i++) {
        if (job_is_open(&job))
            job_end(step, &job, false, SLICE_OF("the hub ended before it was done"));
    }
}

void job_answer(struct step *step, const struct job *job)
{
    if (job->wait_link == 0)
        return;
    switch (job->kind) {
    case JOB_BACKUP:
        backup_job_answer(step, job);
        return;
    case JOB_COMPACT:
        compact_job_answer(step, job);
        return;
    case JOB_STORE_AT:
        store_at_job_answer(step, job);
        return;
    case JOB_VERIFY:
        verify_job_answer(step, job);
        return;
    case JOB_SCRUB:
    case JOB_RESTORE:
    case JOB_KIND_END:
        break;
    }
    step_fail(step, ERR_CORRUPT);
}

/* What the ops thread speaks of must be there and open: it is told of nothing else. */
static bool job_of(struct step *step, int64_t number, struct job *ret_job)
{
    if (job_load(step, (uint64_t)number, ret_job) && job_is_open(ret_job))
        return true;
    if (!step_failed(step))
        step_fail(step, ERR_CORRUPT);
    return false;
}

void on_job_started(struct step *step, const struct message_job_started *message)
{
    struct job job;
    if (!job_of(step, message->job, &job))
        return;
    job.state = JOB_RUNNING;
    job.started_ms = step->command->wall_ms;
    job_save(step, &job);
    job_event_started(step, &job);
}

void on_job_progress(struct step *step, const struct message_job_progress *message)
{
    struct job job;
    if (!job_of(step, message->job, &job))
        return;
    job.done = (uint64_t)message->done;
    job.total = (uint64_t)message->total;
    job_save(step, &job);
    if (message->tell)
        job_event_progress(step, &job);
}

static const struct error_row *error_find(struct slice name)
{
    for (int i = 0; i < ERROR_CODE_COUNT; i++)
        if (slice_equal(ERROR_ROWS[i].name, name))
            return &ERROR_ROWS[i];
    return &ERROR_ROWS[ERROR_INTERNAL];
}

static void refuse_waiting(struct step *step, const struct job *job,
                           const struct message_job_finished *finished)
{
    const struct error_row *row = error_find(finished->code);
    struct message message = { .type = MESSAGE_HTTP_ERROR };
    struct message_http_error *error = &message.as.http_error;
    error->error = row->name;
    error->detail = finished->reason;
    error->status = row->status;
    error->has_status = true;
    step_answer_to(step, job->wait_link, job->wait_request, &message, row->status);
}

void on_job_finished(struct step *step, const struct message_job_finished *message)
{
    struct job job;
    /* Whoever does not hear that its word was written down says it again. */
    if (job_load(step, (uint64_t)message->job, &job) && !job_is_open(&job))
        return;
    if (!job_of(step, message->job, &job))
        return;
    job.outcome = message->outcome;
    job.bytes = (uint64_t)message->bytes;
    job.sequence = (uint64_t)message->sequence;
    job.tables_total = (uint32_t)message->tables_total;
    job.tables_success = (uint32_t)message->tables_success;
    if (message->complete && message->has_bytes_before)
        job.total = job.done = (uint64_t)message->bytes_before;
    else if (message->complete)
        job.total = job.done = job.total > job.bytes ? job.total : job.bytes;
    job.results_bytes = (uint32_t)message->results.size;
    blob_put(step, job.number, BLOB_JOB_RESULTS, message->results);

    if (message->complete) {
        job.state = JOB_COMPLETE;
        job_answer(step, &job);
    } else {
        refuse_waiting(step, &job, message);
    }
    job_end(step, &job, message->complete, message->reason);
    if (job.kind == JOB_BACKUP)
        backup_job_ended(step, &job);
    if (job.kind == JOB_COMPACT)
        compact_job_ended(step, &job);
    if (job.kind == JOB_VERIFY)
        verify_job_ended(step, &job, message->code);
}
