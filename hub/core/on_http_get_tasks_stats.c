#include "core/handlers.h"
#include "core/stats.h"

static int64_t of_state(const struct stats *stats, enum task_state state)
{
    return (int64_t)stats_of_state(stats, state);
}

static int64_t of_lane(const struct stats *stats, enum lane lane)
{
    return (int64_t)stats_of_lane(stats, lane);
}

void on_get_tasks_stats(struct step *step, const struct message_get_tasks_stats *message)
{
    (void)message;
    struct stats stats;
    stats_load(step, &stats);

    struct message_get_tasks_stats_answer_by_status by_status = {
        .queued = of_state(&stats, TASK_QUEUED),
        .assigned = of_state(&stats, TASK_ASSIGNED),
        .working = of_state(&stats, TASK_WORKING),
        .completed = of_state(&stats, TASK_COMPLETED),
        .scheduled = of_state(&stats, TASK_SCHEDULED),
        .blocked = of_state(&stats, TASK_BLOCKED),
        .cancelled = of_state(&stats, TASK_CANCELLED),
        .dead_letter = of_state(&stats, TASK_DEAD_LETTER),
    };
    struct message_get_tasks_stats_answer_by_priority by_priority = {
        .urgent = of_lane(&stats, LANE_URGENT),
        .high = of_lane(&stats, LANE_HIGH),
        .normal = of_lane(&stats, LANE_NORMAL),
        .low = of_lane(&stats, LANE_LOW),
    };
    struct message_get_tasks_stats_answer_by_status *status_copy =
        step_take(step, sizeof *status_copy);
    struct message_get_tasks_stats_answer_by_priority *priority_copy =
        step_take(step, sizeof *priority_copy);
    if (status_copy == NULL || priority_copy == NULL)
        return;
    *status_copy = by_status;
    *priority_copy = by_priority;

    struct message answer = { .type = MESSAGE_GET_TASKS_STATS_ANSWER };
    answer.as.get_tasks_stats_answer = (struct message_get_tasks_stats_answer){
        .by_status = status_copy,
        .by_priority = priority_copy,
        .dead_letter = by_status.dead_letter,
        .queued_index_size = by_status.queued,
    };
    step_answer(step, &answer, 0);
}
