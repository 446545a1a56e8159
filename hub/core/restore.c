#include "core/restore.h"

#include "core/backup.h"
#include "core/event.h"
#include "core/giveback.h"
#include "core/hold.h"
#include "core/job_event.h"
#include "core/presence.h"
#include "core/retention.h"
#include "core/stats.h"
#include "core/token.h"

#include <string.h>

enum {
    ROWS_PER_STEP = 200,
    STEP_BYTES_MAX = 64 * 1024 * 1024,
};

static const struct message RESTORED = { .type = MESSAGE_HUB_STARTED };

/* What a step needs around it, without an order and without anybody to tell. */
struct scene {
    struct arena arena;
    struct effects effects;
    struct command command;
    struct core_place place;
    struct step step;
};

static enum err scene_begin(struct scene *scene, const struct core_settings *settings,
                            struct transaction *transaction,
                            const struct core_restore *restore)
{
    enum err err = core_place_read(transaction, &scene->place);
    if (err != ERR_OK)
        return err;
    arena_init(&scene->arena, STEP_BYTES_MAX);
    effects_init(&scene->effects, &scene->arena);
    scene->command = (struct command){
        .sequence = scene->place.sequence + 1,
        .now_ms = scene->place.now_ms,
        .wall_ms = restore->wall_ms,
        .role = ROLE_HUB,
        .message = &RESTORED,
    };
    scene->step = (struct step){
        .settings = settings,
        .transaction = transaction,
        .command = &scene->command,
        .effects = &scene->effects,
    };
    return ERR_OK;
}

static enum err scene_end(struct scene *scene)
{
    stats_settle(&scene->step);
    enum err err = scene->step.err;
    if (err == ERR_OK)
        err = core_seal(scene->step.transaction, scene->command.sequence,
                        scene->command.now_ms);
    arena_finish(&scene->arena);
    return err;
}

uint64_t core_restore_epoch(uint64_t given_up, int64_t wall_ms)
{
    uint64_t now_ms = wall_ms > 0 ? (uint64_t)wall_ms : 0;
    uint64_t past = given_up + RESTORE_LEAP;
    return past > now_ms ? past : now_ms;
}

static void task_take_back(struct step *step, struct task *task)
{
    struct agent agent;
    if (!agent_load(step, task->agent, &agent)) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    hold_release(step, task, &agent);
    if (task->state != TASK_CANCELLED) {
        task_set_agent(step, task, 0);
        task_history_add(step, task, EVENT_RECLAIMED, agent.number,
                         SLICE_OF("store_restored"));
        task_move(step, task, TASK_QUEUED);
    } else {
        retention_settle(step, task);
    }
    agent_save(step, &agent);
}

static void task_restore(struct step *step, const struct core_restore *restore,
                         struct slice key, struct slice value)
{
    struct task task;
    if (!task_unpack(step, key_number(step, key, 0), value, &task))
        return;
    int64_t updated_ms = task.updated_ms;
    bool held = task.held;
    if (task.generation < restore->epoch)
        task.generation = restore->epoch;
    else
        task.generation += RESTORE_LEAP;
    if (held)
        task_take_back(step, &task);
    task.updated_ms = held ? step->command->wall_ms : updated_ms;
    task_write(step, &task);
}

static bool tasks_restore(struct step *step, struct core_restore *restore)
{
    struct number_key from;
    struct slice key;
    struct slice value;
    for (int i = 0; i < ROWS_PER_STEP; i++) {
        if (restore->task == UINT64_MAX ||
            !step_first_from(step, TABLE_TASK, key_one(&from, restore->task), &key,
                             &value)) {
            restore->task = UINT64_MAX;
            return true;
        }
        restore->task = key_number(step, key, 0) + 1;
        task_restore(step, restore, key, value);
    }
    return false;
}

/* By now nobody holds anything, so nobody has a grace to come back in. */
static bool agents_restore(struct step *step)
{
    struct agent agent;
    uint64_t position = 0;
    for (int i = 0; i < ROWS_PER_STEP; i++) {
        if (!agent_next_connected(step, &position, &agent))
            return true;
        presence_drop(step, &agent);
    }
    return false;
}

/* The restore is the youngest job of the store it made. */
static void job_record(struct step *step, const struct core_restore *restore)
{
    jobs_interrupt(step);
    struct job job = {
        .kind = JOB_RESTORE,
        .requested_by = restore->requested_by,
        .subject = restore->backup,
    };
    if (!job_create(step, &job))
        return;
    job.state = JOB_COMPLETE;
    job.started_ms = step->command->wall_ms;
    job.finished_ms = step->command->wall_ms;
    job_save(step, &job);
    job_event_ended(step, &job);
    step_counter_move(step, COUNTER_JOBS_OPEN, -1);
}

enum err core_restore_step(const struct core_settings *settings,
                           struct transaction *transaction, struct core_restore *restore,
                           bool *ret_done)
{
    struct scene scene;
    enum err err = scene_begin(&scene, settings, transaction, restore);
    if (err != ERR_OK)
        return err;
    struct step *step = &scene.step;
    /* What the backup's own history has used, too, is known even if no other is. */
    if (restore->epoch < scene.place.epoch + RESTORE_LEAP)
        restore->epoch = scene.place.epoch + RESTORE_LEAP;
    bool done = tasks_restore(step, restore) && agents_restore(step);
    if (done && !step_failed(step)) {
        step_counter_move(step, COUNTER_TASK_LAST, RESTORE_LEAP);
        job_record(step, restore);
        err = core_epoch_start(transaction, restore->epoch);
        if (err != ERR_OK)
            step_fail(step, err);
    }
    err = scene_end(&scene);
    if (err == ERR_OK)
        *ret_done = done;
    return err;
}

static void token_restore(struct step *step, struct step *live, const uint8_t *digest)
{
    struct token token;
    struct token there;
    if (!token_load(step, digest, &token)) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    bool kept = token_load(live, digest, &there);
    int64_t end_ms = kept ? there.expires_ms : 0;
    if (step_failed(live))
        step_fail(step, live->err);
    else if (!kept)
        token_remove(step, &token);
    else if (end_ms != 0 && (token.expires_ms == 0 || end_ms < token.expires_ms))
        token_end_at(step, &token, end_ms);
}

static bool tokens_restore(struct step *step, struct step *live,
                           struct core_restore *restore)
{
    uint8_t from[DIGEST_BYTES + 1] = { 0 };
    struct slice key;
    struct slice value;
    for (int i = 0; i < ROWS_PER_STEP; i++) {
        memcpy(from, restore->token, DIGEST_BYTES);
        if (!step_first_from(step, TABLE_TOKEN, slice_make(from, sizeof from), &key,
                             &value))
            return true;
        if (key.size != DIGEST_BYTES) {
            step_fail(step, ERR_CORRUPT);
            return true;
        }
        memcpy(restore->token, key.data, DIGEST_BYTES);
        token_restore(step, live, restore->token);
    }
    return false;
}

static void task_last_restore(struct step *step, struct step *live)
{
    uint64_t last = step_counter(live, COUNTER_TASK_LAST);
    if (step_failed(live))
        step_fail(step, live->err);
    else if (last > step_counter(step, COUNTER_TASK_LAST))
        step_counter_put(step, COUNTER_TASK_LAST, last);
}

enum err core_restore_tokens(const struct core_settings *settings,
                             struct transaction *transaction, struct transaction *live,
                             struct core_restore *restore, bool *ret_done)
{
    struct scene scene;
    struct scene other;
    enum err err = scene_begin(&scene, settings, transaction, restore);
    if (err != ERR_OK)
        return err;
    err = scene_begin(&other, settings, live, restore);
    if (err != ERR_OK) {
        arena_finish(&scene.arena);
        return err;
    }
    bool done = tokens_restore(&scene.step, &other.step, restore);
    if (done)
        task_last_restore(&scene.step, &other.step);
    arena_finish(&other.arena);
    err = scene_end(&scene);
    if (err == ERR_OK)
        *ret_done = done;
    return err;
}

enum err core_restore_tell(const struct core_settings *settings,
                           struct transaction *transaction,
                           const struct core_restore *restore,
                           const struct core_restore_story *story)
{
    struct scene scene;
    struct message event = { .type = MESSAGE_EVENT_STORE_RESTORED };
    enum err err = scene_begin(&scene, settings, transaction, restore);
    if (err != ERR_OK)
        return err;
    event.as.event_store_restored = (struct message_event_store_restored){
        .backup = restore->backup,
        .automatic = story->automatic,
        .requested_by = restore->requested_by,
        .commands_lost = (int64_t)story->commands_lost,
        .has_commands_lost = story->lost_known,
        .revocations_kept = story->revocations_kept,
        .backups_skipped = story->backups_skipped,
        .has_backups_skipped = story->automatic,
        .reason = story->reason,
        .kept = story->kept,
    };
    event_add(&scene.step, &event);
    return scene_end(&scene);
}
