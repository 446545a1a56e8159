#include "core/idempotency.h"

#include "base/hash.h"
#include "core/deadline.h"

#include <string.h>

enum {
    IDEMPOTENCY_VERSION = 1,
    IDEMPOTENCY_KEY_BYTES = 16,
};

/* A key is kept at least this long after its task has ended. */
static const int64_t AFTER_END_MS = (int64_t)60 * 60 * 1000;

/* Fixed: the same row on every machine. The row holds what was hashed, so a collision
 * is seen, and refused. */
static const struct siphash_key HASH_FIRST = { { 0x64726f7665722d31,
                                                 0x6964656d706f7431 } };
static const struct siphash_key HASH_SECOND = { { 0x64726f7665722d32,
                                                  0x6964656d706f7432 } };

struct record {
    struct slice actor;
    struct slice key;
    uint8_t digest[DIGEST_BYTES];
    struct submitted submitted;
};

static struct slice row_key(struct step *step, const struct record *record,
                            uint8_t space[IDEMPOTENCY_KEY_BYTES])
{
    struct packed packed;
    struct buffer *buffer = packed_start(&packed);
    pack_slice(buffer, record->actor);
    pack_slice(buffer, record->key);
    struct slice whole = packed_slice(step, buffer);
    put_u64(space, siphash(HASH_FIRST, whole));
    put_u64(space + 8, siphash(HASH_SECOND, whole));
    return slice_make(space, IDEMPOTENCY_KEY_BYTES);
}

static bool record_unpack(struct slice value, struct record *ret_record)
{
    struct unpack unpack = unpack_start(value);
    struct record record = { 0 };

    if (unpack_u8(&unpack) != IDEMPOTENCY_VERSION)
        return false;
    record.submitted.task = unpack_u64(&unpack);
    uint8_t state = unpack_u8(&unpack);
    uint8_t lane = unpack_u8(&unpack);
    record.submitted.created_ms = unpack_i64(&unpack);
    struct slice digest = unpack_bytes(&unpack, DIGEST_BYTES);
    record.actor = unpack_slice(&unpack);
    record.key = unpack_slice(&unpack);
    if (!unpack_done(&unpack) || state >= TASK_STATE_COUNT || lane >= LANE_COUNT)
        return false;
    record.submitted.state = (enum task_state)state;
    record.submitted.lane = (enum lane)lane;
    memcpy(record.digest, digest.data, DIGEST_BYTES);
    *ret_record = record;
    return true;
}

static void record_put(struct step *step, struct slice key, const struct record *record)
{
    struct packed packed;
    struct buffer *buffer = packed_start(&packed);

    pack_u8(buffer, IDEMPOTENCY_VERSION);
    pack_u64(buffer, record->submitted.task);
    pack_u8(buffer, (uint8_t)record->submitted.state);
    pack_u8(buffer, (uint8_t)record->submitted.lane);
    pack_i64(buffer, record->submitted.created_ms);
    buffer_append(buffer, record->digest, DIGEST_BYTES);
    pack_slice(buffer, record->actor);
    pack_slice(buffer, record->key);
    step_put(step, TABLE_IDEMPOTENCY, key, packed_slice(step, buffer));
}

/* Fed piece by piece, since a description alone is longer than a row. */
struct fingerprint {
    uint8_t bytes[DIGEST_BYTES];
};

static void fingerprint_slice(struct fingerprint *fingerprint, struct slice slice)
{
    struct slice before = slice_make(fingerprint->bytes, DIGEST_BYTES);
    uint64_t chained = siphash(HASH_FIRST, before) ^ (slice_is_present(slice) ? 1 : 0);
    for (unsigned i = 0; i < DIGEST_BYTES / 8; i++) {
        struct siphash_key key = { { chained, HASH_SECOND.words[1] + i } };
        put_u64(fingerprint->bytes + (size_t)i * 8, siphash(key, slice));
    }
}

static void fingerprint_number(struct fingerprint *fingerprint, bool present,
                               int64_t number)
{
    uint8_t bytes[8];
    put_u64(bytes, (uint64_t)number);
    fingerprint_slice(fingerprint,
                      present ? slice_make(bytes, sizeof bytes) : (struct slice){ 0 });
}

static void fingerprint_list(struct fingerprint *fingerprint, struct slice_list list)
{
    fingerprint_number(fingerprint, true, (int64_t)list.count);
    for (size_t i = 0; i < list.count; i++)
        fingerprint_slice(fingerprint, list.items[i]);
}

/*
 * A socket's frame carries more than the submit (a request id that differs each time),
 * so what counts there is the submit's own content, not the digest of the text.
 */
static void digest_of(const struct step *step, const struct submission *submission,
                      uint8_t ret_digest[DIGEST_BYTES])
{
    if (step_is_http(step) && step->command->digest_present) {
        memcpy(ret_digest, step->command->digest, DIGEST_BYTES);
        return;
    }
    struct fingerprint fingerprint = { 0 };
    fingerprint_slice(&fingerprint, submission->description);
    fingerprint_slice(&fingerprint, submission->priority);
    fingerprint_slice(&fingerprint, submission->metadata);
    fingerprint_number(&fingerprint, submission->has_max_retries,
                       submission->max_retries);
    fingerprint_number(&fingerprint, submission->has_complete_by,
                       submission->complete_by);
    fingerprint_number(&fingerprint, submission->has_not_before, submission->not_before);
    fingerprint_list(&fingerprint, submission->needed_capabilities);
    fingerprint_list(&fingerprint, submission->depends_on);
    if (slice_is_present(submission->kind))
        fingerprint_slice(&fingerprint, submission->kind);
    memcpy(ret_digest, fingerprint.bytes, DIGEST_BYTES);
}

static bool record_equal(const struct record *one, const struct record *other)
{
    return slice_equal(one->actor, other->actor) && slice_equal(one->key, other->key) &&
           memcmp(one->digest, other->digest, DIGEST_BYTES) == 0;
}

static bool submit(struct step *step, const struct submission *submission,
                   struct submitted *ret_submitted)
{
    struct task task;
    if (!task_submit(step, submission, &task))
        return false;
    /* Handed out already, it came in queued all the same. */
    bool waits = task.state == TASK_SCHEDULED || task.state == TASK_BLOCKED;
    *ret_submitted = (struct submitted){
        .task = task.number,
        .state = waits ? task.state : TASK_QUEUED,
        .lane = task.lane,
        .created_ms = task.created_ms,
    };
    return true;
}

bool idempotency_submit(struct step *step, struct slice key,
                        const struct submission *submission,
                        struct submitted *ret_submitted)
{
    if (!slice_is_present(key))
        return submit(step, submission, ret_submitted);

    uint8_t space[IDEMPOTENCY_KEY_BYTES];
    struct record record = { .actor = step_actor(step), .key = key };
    struct record found;
    struct slice value;

    digest_of(step, submission, record.digest);
    struct slice row = row_key(step, &record, space);
    if (step_get(step, TABLE_IDEMPOTENCY, row, &value)) {
        if (!record_unpack(value, &found)) {
            step_fail(step, ERR_CORRUPT);
            return false;
        }
        if (!record_equal(&record, &found)) {
            step_refuse(step, ERROR_IDEMPOTENCY_CONFLICT);
            return false;
        }
        *ret_submitted = found.submitted;
        ret_submitted->replayed = true;
        return true;
    }

    if (step_failed(step) || !submit(step, submission, &record.submitted))
        return false;
    record_put(step, row, &record);
    deadline_add(step, CLOCK_FLEET,
                 step->command->now_ms + step->settings->idempotency_ms,
                 DEADLINE_IDEMPOTENCY, row);
    *ret_submitted = record.submitted;
    return !step_failed(step);
}

/* How much longer the row is needed; 0 when its task has long ended. */
static int64_t needed_ms(struct step *step, const struct record *record)
{
    struct task task;
    if (!task_load(step, record->submitted.task, &task))
        return 0;
    if (!task_state_is_end(task.state))
        return AFTER_END_MS;
    int64_t since_ms = step->command->wall_ms - task.updated_ms;
    return since_ms >= 0 && since_ms < AFTER_END_MS ? AFTER_END_MS - since_ms : 0;
}

void idempotency_expire(struct step *step, struct slice subject)
{
    struct slice value;
    struct record record;

    struct slice row = step_copy(step, subject);
    if (!step_get(step, TABLE_IDEMPOTENCY, row, &value) ||
        !record_unpack(value, &record)) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    int64_t more_ms = needed_ms(step, &record);
    if (step_failed(step))
        return;
    if (more_ms > 0)
        deadline_add(step, CLOCK_FLEET, step->command->now_ms + more_ms,
                     DEADLINE_IDEMPOTENCY, row);
    else
        step_remove(step, TABLE_IDEMPOTENCY, row);
}
