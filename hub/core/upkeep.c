#include "core/upkeep.h"

#include "core/deadline.h"
#include "core/event.h"
#include "core/handlers.h"
#include "core/job_event.h"

enum { SKIPPED_RETRY_MS = 10 * 60 * 1000 };

static const struct upkeep {
    enum job_kind job;
    enum deadline_kind deadline;
    enum counter due;  /* wall: when; 0: never */
    enum counter base; /* wall: what the interval counts from */
} UPKEEPS[] = {
    { JOB_BACKUP, DEADLINE_BACKUP, COUNTER_BACKUP_DUE_MS, COUNTER_BACKUP_BASE_MS },
    { JOB_COMPACT, DEADLINE_COMPACT, COUNTER_COMPACT_DUE_MS, COUNTER_COMPACT_BASE_MS },
    { JOB_SCRUB, DEADLINE_SCRUB, COUNTER_SCRUB_DUE_MS, COUNTER_SCRUB_BASE_MS },
};

enum { UPKEEP_COUNT = sizeof UPKEEPS / sizeof UPKEEPS[0] };

static int64_t interval_ms(const struct step *step, const struct upkeep *upkeep)
{
    if (upkeep->job == JOB_BACKUP)
        return step->settings->backup_interval_ms;
    return upkeep->job == JOB_COMPACT ? step->settings->compaction_interval_ms
                                      : step->settings->scrub_interval_ms;
}

static void due_move(struct step *step, const struct upkeep *upkeep, int64_t due_ms)
{
    int64_t was_ms = (int64_t)step_counter(step, upkeep->due);
    if (was_ms == due_ms)
        return;
    if (was_ms != 0)
        deadline_remove_number(step, CLOCK_WALL, was_ms, upkeep->deadline, 0);
    if (due_ms != 0)
        deadline_add_number(step, CLOCK_WALL, due_ms, upkeep->deadline, 0);
    step_counter_put(step, upkeep->due, (uint64_t)due_ms);
}

void upkeep_schedule(struct step *step)
{
    for (int i = 0; i < UPKEEP_COUNT; i++) {
        const struct upkeep *upkeep = &UPKEEPS[i];
        int64_t base_ms = (int64_t)step_counter(step, upkeep->base);
        if (interval_ms(step, upkeep) == 0) {
            due_move(step, upkeep, 0);
            continue;
        }
        /* A base ahead of the clock was read off one that went wrong. */
        if (base_ms == 0 || base_ms > step->command->wall_ms) {
            base_ms = step->command->wall_ms;
            step_counter_put(step, upkeep->base, (uint64_t)base_ms);
        }
        due_move(step, upkeep, base_ms + interval_ms(step, upkeep));
    }
}

static const struct upkeep *upkeep_of(uint32_t deadline)
{
    for (int i = 0; i < UPKEEP_COUNT; i++)
        if ((uint32_t)UPKEEPS[i].deadline == deadline)
            return &UPKEEPS[i];
    return NULL;
}

/* What is asked for is refused for these reasons; what is due waits. */
static struct slice reason_to_skip(struct step *step)
{
    if (step->command->message->as.tick.full)
        return ERROR_ROWS[ERROR_STORAGE_FULL].name;
    if (step_counter(step, COUNTER_JOBS_OPEN) >= JOBS_OPEN_MAX)
        return ERROR_ROWS[ERROR_JOBS_FULL].name;
    return (struct slice){ 0 };
}

static void upkeep_skip(struct step *step, const struct upkeep *upkeep, struct slice why)
{
    int64_t retry_ms = step->command->wall_ms + SKIPPED_RETRY_MS;
    due_move(step, upkeep, retry_ms);
    job_event_skipped(step, upkeep->job, why, retry_ms);
    struct effect *effect = effects_add(step->effects, EFFECT_JOB_SKIPPED);
    if (effect == NULL) {
        step_fail(step, ERR_MEMORY);
        return;
    }
    effect->job_kind = upkeep->job;
    effect->reason = why;
}

void upkeep_due(struct step *step, uint32_t deadline, int64_t due_ms)
{
    const struct upkeep *upkeep = upkeep_of(deadline);
    int64_t now_ms = step->command->wall_ms;
    if (upkeep == NULL || (int64_t)step_counter(step, upkeep->due) != due_ms) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    step_counter_put(step, upkeep->due, 0); /* the row has fired */
    if (interval_ms(step, upkeep) == 0)
        return;
    struct slice why = reason_to_skip(step);
    if (slice_is_present(why)) {
        upkeep_skip(step, upkeep, why);
        return;
    }
    struct job job = { .kind = upkeep->job, .scheduled = true };
    (void)job_create(step, &job);
    step_counter_put(step, upkeep->base, (uint64_t)now_ms);
    due_move(step, upkeep, now_ms + interval_ms(step, upkeep));
}

void upkeep_hurry(struct step *step, enum job_kind kind, int64_t due_ms)
{
    for (int i = 0; i < UPKEEP_COUNT; i++)
        if (UPKEEPS[i].job == kind &&
            (int64_t)step_counter(step, UPKEEPS[i].due) > due_ms)
            due_move(step, &UPKEEPS[i], due_ms);
}

unsigned upkeep_deadlines(struct step *step)
{
    unsigned count = 0;
    for (int i = 0; i < UPKEEP_COUNT; i++)
        count += step_counter(step, UPKEEPS[i].due) != 0;
    return count;
}

void on_record_rotted(struct step *step, const struct message_record_rotted *message)
{
    struct message event = { .type = MESSAGE_EVENT_RECORD_CORRUPT };
    event.as.event_record_corrupt = (struct message_event_record_corrupt){
        .table = message->table,
        .key = message->key,
    };
    event_add(step, &event);
}
