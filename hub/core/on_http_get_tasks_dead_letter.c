#include "core/handlers.h"
#include "core/list.h"

void on_get_tasks_dead_letter(struct step *step,
                              const struct message_get_tasks_dead_letter *message)
{
    struct list_filter filter = {
        .has_states = true,
        .states = 1u << TASK_DEAD_LETTER,
        .limit = list_limit(message->has_limit, message->limit),
    };
    struct list_page page;

    if (!list_cursor_parse(step, message->cursor, &filter.after))
        return;
    list_tasks(step, &filter, &page);

    struct message answer = { .type = MESSAGE_GET_TASKS_DEAD_LETTER_ANSWER };
    answer.as.get_tasks_dead_letter_answer =
        (struct message_get_tasks_dead_letter_answer){
            .tasks = page.tasks,
            .count = (int64_t)page.tasks.count,
            .cursor = list_cursor(step, &page),
        };
    step_answer(step, &answer, 0);
}
