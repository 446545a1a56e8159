#include "core/backup.h"
#include "core/handlers.h"
#include "core/table_name.h"

#include <string.h>

enum { TASKS_COUNTED_MAX = 10000 };

static bool name_is_good(struct slice name)
{
    if (name.size == 0 || name.size > BACKUP_NAME_BYTES_MAX || name.data[0] == '.')
        return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.')
            return false;
    }
    return true;
}

/* Tasks with a number that was given out after the backup. */
static void count_lost(struct step *step, const struct backup *backup,
                       struct message_post_admin_restore_answer *answer)
{
    struct number_key from;
    struct slice key;
    struct slice value;
    uint64_t next = backup->task_last + 1;
    while (step_first_from(step, TABLE_TASK, key_one(&from, next), &key, &value)) {
        if (answer->tasks_lost == TASKS_COUNTED_MAX) {
            answer->tasks_lost_more = true;
            return;
        }
        answer->tasks_lost++;
        next = key_number(step, key, 0) + 1;
    }
}

void on_post_admin_restore(struct step *step,
                           const struct message_post_admin_restore *message)
{
    struct message answer = { .type = MESSAGE_POST_ADMIN_RESTORE_ANSWER };
    struct message_post_admin_restore_answer *told = &answer.as.post_admin_restore_answer;
    struct backup backup;
    if (!name_is_good(message->backup)) {
        step_refuse(step, ERROR_BAD_NAME);
        return;
    }
    if (!backup_load(step, message->backup, &backup)) {
        if (!step_failed(step))
            step_refuse(step, ERROR_BACKUP_NOT_FOUND);
        return;
    }
    struct core_place place;
    enum err err = core_place_read(step->transaction, &place);
    if (err != ERR_OK)
        step_fail(step, err);
    told->status = SLICE_OF("confirmation_needed");
    told->backup = backup.name;
    told->confirm = (int64_t)backup.sequence;
    if (place.sequence > backup.sequence)
        told->commands_lost = (int64_t)(place.sequence - backup.sequence);
    told->has_events_lost = backup.event_last != 0 && place.epoch == backup.epoch &&
                            place.event_last >= backup.event_last;
    if (told->has_events_lost)
        told->events_lost = (int64_t)(place.event_last - backup.event_last);
    count_lost(step, &backup, told);

    bool own = backup.instance == step_counter(step, COUNTER_INSTANCE);
    if (!message->has_confirm || message->confirm != told->confirm ||
        (!own && !(message->has_force && message->force))) {
        told->error = told->status;
        step_answer(step, &answer, 409);
        return;
    }
    struct job job = {
        .kind = JOB_RESTORE,
        .flags = own ? 0 : JOB_FORCED,
        .requested_by = step->command->actor,
        .subject = backup.name,
    };
    if (!job_create(step, &job))
        return;
    told->status = SLICE_OF("restoring");
    told->job_id = (int64_t)job.number;
    told->has_job_id = true;
    step_answer(step, &answer, 0);
}

static struct slice route_text(struct step *step, enum message_type route)
{
    const struct message_row *row = &MESSAGE_ROWS[route];
    size_t size = row->method.size + 1 + row->path.size;
    char *text = step_take(step, size);
    if (text == NULL)
        return SLICE_OF("");
    memcpy(text, row->method.data, row->method.size);
    text[row->method.size] = ' ';
    memcpy(text + row->method.size + 1, row->path.data, row->path.size);
    return slice_make(text, size);
}

void on_post_admin_restore_table(struct step *step,
                                 const struct message_post_admin_restore_table *message)
{
    const struct error_row *error = &ERROR_ROWS[ERROR_WHOLE_STORE_ONLY];
    struct message answer = { .type = MESSAGE_POST_ADMIN_RESTORE_TABLE_ANSWER };
    if (!table_name_known(message->table)) {
        step_refuse(step, ERROR_UNKNOWN_TABLE);
        return;
    }
    answer.as.post_admin_restore_table_answer =
        (struct message_post_admin_restore_table_answer){
            .status = SLICE_OF("failed"),
            .table = message->table,
            .error = error->name,
            .detail = error->text,
            .restore_with = route_text(step, MESSAGE_POST_ADMIN_RESTORE),
            .backups_with = route_text(step, MESSAGE_GET_ADMIN_BACKUPS),
        };
    step_answer(step, &answer, 0);
}
