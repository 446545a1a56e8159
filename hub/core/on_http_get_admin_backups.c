#include "core/backup.h"
#include "core/handlers.h"

void on_get_admin_backups(struct step *step,
                          const struct message_get_admin_backups *message)
{
    (void)message;
    struct message answer = { .type = MESSAGE_GET_ADMIN_BACKUPS_ANSWER };
    uint64_t own = step_counter(step, COUNTER_INSTANCE);
    struct message_backup *views = step_take_many(step, BACKUPS_SEEN_MAX, sizeof *views);
    struct backup backup;
    struct slice after = { 0 };
    size_t count = 0;
    while (views != NULL && count < BACKUPS_SEEN_MAX &&
           backup_next(step, after, &backup)) {
        after = backup.name;
        views[count++] = (struct message_backup){
            .name = backup.name,
            .created_at = backup.created_ms,
            .bytes = (int64_t)backup.bytes,
            .sequence = (int64_t)backup.sequence,
            .event_last = (int64_t)backup.event_last,
            .has_event_last = backup.event_last != 0,
            .epoch = (int64_t)backup.epoch,
            .records = (int64_t)backup.records,
            .instance = instance_text(step, backup.instance),
            .own = backup.instance == own,
            .sha256 = backup.sha256,
            .hub_version = backup.hub_version,
        };
    }
    /* Names begin with the time, so their order is that of time. */
    for (size_t i = 0; i < count / 2; i++) {
        struct message_backup other = views[i];
        views[i] = views[count - 1 - i];
        views[count - 1 - i] = other;
    }
    answer.as.get_admin_backups_answer.backups = (struct message_list){ views, count };
    answer.as.get_admin_backups_answer.count = (int64_t)count;
    step_answer(step, &answer, 0);
}
