/*
 * Goal: pages show every task that passes a filter, once, oldest first, and no page is
 * larger or dearer than promised.
 */
#include "cmocka_all.h"

#include "core/fleet.h"
#include "core/list.h"

#include <string.h>

static const struct message_get_tasks_answer *page(struct fleet *fleet,
                                                   const struct message_get_tasks *ask)
{
    struct message message = { .type = MESSAGE_GET_TASKS };
    message.as.get_tasks = *ask;
    fleet_as_client(fleet, "viewer", ROLE_VIEWER);
    fleet_do(fleet, &message);
    const struct effect *answer = fleet_answer(fleet);
    assert_non_null(answer);
    assert_int_equal(answer->message.type, MESSAGE_GET_TASKS_ANSWER);
    const struct message_get_tasks_answer *found = &answer->message.as.get_tasks_answer;
    assert_int_equal(found->count, found->tasks.count);
    return found;
}

static const struct message_task *item(const struct message_get_tasks_answer *answer,
                                       size_t index)
{
    assert_true(index < answer->tasks.count);
    return (const struct message_task *)answer->tasks.items + index;
}

static struct slice keep(struct slice text, char space[64])
{
    assert_true(text.size < 64);
    memcpy(space, text.data, text.size);
    return slice_make(space, text.size);
}

/* Every page to the end; how many tasks there were, and in how many pages. */
static size_t walk(struct fleet *fleet, struct message_get_tasks ask, size_t *ret_pages)
{
    char cursor[64];
    char last_space[64] = "";
    struct slice last = slice_make(last_space, 0);
    size_t count = 0;

    *ret_pages = 0;
    for (;;) {
        const struct message_get_tasks_answer *answer = page(fleet, &ask);
        (*ret_pages)++;
        for (size_t i = 0; i < answer->tasks.count; i++) {
            assert_true(slice_compare(last, item(answer, i)->id) < 0);
            last = keep(item(answer, i)->id, last_space);
        }
        count += answer->tasks.count;
        if (!slice_is_present(answer->cursor))
            return count;
        ask.cursor = keep(answer->cursor, cursor);
    }
}

static void submit_many(struct fleet *fleet, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        fleet_submit(fleet, "sweep");
}

static void an_empty_hub_lists_nothing(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    const struct message_get_tasks_answer *answer =
        page(&fleet, &(struct message_get_tasks){ 0 });
    assert_int_equal(answer->count, 0);
    assert_non_null(answer->tasks.items);
    assert_false(slice_is_present(answer->cursor));
    fleet_finish(&fleet);
}

static void pages_follow_each_other_without_gap_or_repeat(void **state)
{
    (void)state;
    struct fleet fleet;
    size_t pages;
    fleet_init(&fleet);
    submit_many(&fleet, 25);
    struct message_get_tasks ask = { .has_limit = true, .limit = 10 };
    assert_int_equal(walk(&fleet, ask, &pages), 25);
    assert_int_equal(pages, 3);
    /* A last page that is just full is known to be the last. */
    ask.limit = 5;
    assert_int_equal(walk(&fleet, ask, &pages), 25);
    assert_int_equal(pages, 5);
    fleet_finish(&fleet);
}

static void the_limit_has_a_default(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    submit_many(&fleet, LIST_LIMIT_DEFAULT + 1);
    const struct message_get_tasks_answer *answer =
        page(&fleet, &(struct message_get_tasks){ 0 });
    assert_int_equal(answer->count, LIST_LIMIT_DEFAULT);
    assert_true(slice_is_present(answer->cursor));
    fleet_finish(&fleet);
}

/* One task in each of four states: ada works on one and is assigned another. */
static void make_states(struct fleet *fleet)
{
    struct message accepted = { .type = MESSAGE_TASK_ACCEPTED };
    fleet_identify(fleet, "ada", 1, NULL, 2);
    char working[64];
    accepted.as.task_accepted.task_id = keep(fleet_submit(fleet, "working"), working);
    fleet_as_agent(fleet, "ada", 1);
    fleet_do(fleet, &accepted);
    fleet_submit(fleet, "assigned");
    fleet_submit(fleet, "queued");

    struct message cancelled = { .type = MESSAGE_POST_TASK_CANCEL };
    char space[64];
    cancelled.as.post_task_cancel.task_id = keep(fleet_submit(fleet, "cancelled"), space);
    fleet_do(fleet, &cancelled);
}

static void assert_lists(struct fleet *fleet, const char *status, const char *agent,
                         size_t count, const char *first)
{
    struct message_get_tasks ask = { .status = slice_from_text(status),
                                     .assigned_to = slice_from_text(agent) };
    const struct message_get_tasks_answer *answer = page(fleet, &ask);
    assert_int_equal(answer->count, count);
    if (count > 0)
        assert_true(slice_equal_text(item(answer, 0)->description, first));
}

static void a_state_filters_and_assigned_covers_working(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    make_states(&fleet);
    assert_lists(&fleet, "assigned", NULL, 2, "working");
    assert_lists(&fleet, "working", NULL, 1, "working");
    assert_lists(&fleet, "queued", NULL, 1, "queued");
    assert_lists(&fleet, "cancelled", NULL, 1, "cancelled");
    assert_lists(&fleet, "completed", NULL, 0, NULL);
    assert_lists(&fleet, NULL, "ada", 2, "working");
    assert_lists(&fleet, "working", "ada", 1, "working");
    assert_lists(&fleet, "queued", "ada", 0, NULL);
    assert_lists(&fleet, NULL, "nobody", 0, NULL);
    fleet_verify(&fleet);
    fleet_finish(&fleet);
}

static void a_working_task_is_shown_in_both_vocabularies(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    make_states(&fleet);
    struct message_get_tasks ask = { .status = SLICE_OF("working") };
    const struct message_task *task = item(page(&fleet, &ask), 0);
    assert_true(slice_equal_text(task->status, "assigned"));
    assert_true(slice_equal_text(task->state, "working"));
    fleet_finish(&fleet);
}

static void a_lane_filters(void **state)
{
    (void)state;
    struct fleet fleet;
    struct message message = { .type = MESSAGE_POST_TASK };
    fleet_init(&fleet);
    submit_many(&fleet, 3);
    message.as.post_task.description = SLICE_OF("now");
    message.as.post_task.priority = SLICE_OF("urgent");
    fleet_do(&fleet, &message);
    struct message_get_tasks ask = { .priority = SLICE_OF("urgent") };
    const struct message_get_tasks_answer *answer = page(&fleet, &ask);
    assert_int_equal(answer->count, 1);
    assert_int_equal(item(answer, 0)->priority, 0);
    fleet_finish(&fleet);
}

static void a_page_is_bounded_in_bytes_and_shows_at_least_one(void **state)
{
    (void)state;
    struct fleet fleet;
    static char large[300 * 1000];
    struct message message = { .type = MESSAGE_POST_TASK };
    size_t pages;

    fleet_init(&fleet);
    memset(large, ' ', sizeof large);
    large[0] = '{';
    large[sizeof large - 1] = '}';
    message.as.post_task.description = SLICE_OF("large");
    message.as.post_task.metadata = slice_make(large, sizeof large);
    fleet_as_client(&fleet, "ci", ROLE_SUBMITTER);
    for (int i = 0; i < 7; i++)
        fleet_do(&fleet, &message);
    assert_int_equal(page(&fleet, &(struct message_get_tasks){ 0 })->count, 3);
    assert_int_equal(walk(&fleet, (struct message_get_tasks){ 0 }, &pages), 7);
    assert_int_equal(pages, 3);

    static char huge[LIST_BYTES_MAX + 10];
    memset(huge, ' ', sizeof huge);
    huge[0] = '{';
    huge[sizeof huge - 1] = '}';
    message.as.post_task.metadata = slice_make(huge, sizeof huge);
    fleet_as_client(&fleet, "ci", ROLE_SUBMITTER);
    fleet_do(&fleet, &message);
    fleet_do(&fleet, &message);
    assert_int_equal(walk(&fleet, (struct message_get_tasks){ 0 }, &pages), 9);
    assert_int_equal(pages, 5);
    fleet_finish(&fleet);
}

static void a_filter_that_finds_little_looks_at_a_bounded_number(void **state)
{
    (void)state;
    struct fleet fleet;
    size_t pages;
    fleet_init(&fleet);
    submit_many(&fleet, LIST_EXAMINED_MAX + 10);
    struct message_get_tasks ask = { .priority = SLICE_OF("urgent") };
    const struct message_get_tasks_answer *answer = page(&fleet, &ask);
    assert_int_equal(answer->count, 0);
    assert_true(slice_is_present(answer->cursor));
    assert_int_equal(walk(&fleet, ask, &pages), 0);
    assert_int_equal(pages, 2);
    fleet_finish(&fleet);
}

static void a_cursor_that_is_none_is_refused(void **state)
{
    (void)state;
    struct fleet fleet;
    struct message message = { .type = MESSAGE_GET_TASKS };
    fleet_init(&fleet);
    message.as.get_tasks.cursor = SLICE_OF("yesterday");
    fleet_as_client(&fleet, "viewer", ROLE_VIEWER);
    fleet_do(&fleet, &message);
    const struct message *answer = &fleet_answer(&fleet)->message;
    assert_int_equal(answer->type, MESSAGE_HTTP_ERROR);
    assert_true(slice_equal_text(answer->as.http_error.error, "validation_failed"));
    fleet_finish(&fleet);
}

static void words_that_are_no_state_or_lane_are_refused(void **state)
{
    (void)state;
    struct fleet fleet;
    struct message message = { .type = MESSAGE_GET_TASKS };
    fleet_init(&fleet);
    fleet_as_client(&fleet, "viewer", ROLE_VIEWER);
    message.as.get_tasks.status = SLICE_OF("sleeping");
    fleet_do(&fleet, &message);
    assert_int_equal(fleet_answer(&fleet)->message.type, MESSAGE_HTTP_ERROR);
    message.as.get_tasks.status = (struct slice){ 0 };
    message.as.get_tasks.priority = SLICE_OF("critical");
    fleet_do(&fleet, &message);
    assert_int_equal(fleet_answer(&fleet)->message.type, MESSAGE_HTTP_ERROR);
    fleet_finish(&fleet);
}

static void dead_letters_have_a_list_of_their_own(void **state)
{
    (void)state;
    struct fleet fleet;
    struct message post = { .type = MESSAGE_POST_TASK };
    struct message failed = { .type = MESSAGE_TASK_FAILED };
    const struct message ask = { .type = MESSAGE_GET_TASKS_DEAD_LETTER };
    char id[64];

    fleet_init(&fleet);
    fleet_submit(&fleet, "alive");
    post.as.post_task.description = SLICE_OF("doomed");
    post.as.post_task.priority = SLICE_OF("urgent");
    post.as.post_task.has_max_retries = true;
    post.as.post_task.max_retries = 1;
    fleet_do(&fleet, &post);
    failed.as.task_failed.task_id =
        keep(fleet_answer(&fleet)->message.as.post_task_answer.task_id, id);
    failed.as.task_failed.generation = 1;
    failed.as.task_failed.error = SLICE_OF("it burnt");
    fleet_identify(&fleet, "ada", 1, NULL, 1);
    fleet_do(&fleet, &failed);

    fleet_as_client(&fleet, "viewer", ROLE_VIEWER);
    fleet_do(&fleet, &ask);
    const struct message_get_tasks_dead_letter_answer *answer =
        &fleet_answer(&fleet)->message.as.get_tasks_dead_letter_answer;
    const struct message_task *items = answer->tasks.items;
    assert_int_equal(answer->count, 1);
    assert_true(slice_equal_text(items[0].description, "doomed"));
    assert_true(slice_equal_text(items[0].last_error, "it burnt"));
    assert_true(slice_equal_text(items[0].status, "dead_letter"));
    assert_false(slice_is_present(answer->cursor));
    fleet_finish(&fleet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_hub_lists_nothing),
        cmocka_unit_test(pages_follow_each_other_without_gap_or_repeat),
        cmocka_unit_test(the_limit_has_a_default),
        cmocka_unit_test(a_state_filters_and_assigned_covers_working),
        cmocka_unit_test(a_working_task_is_shown_in_both_vocabularies),
        cmocka_unit_test(a_lane_filters),
        cmocka_unit_test(a_page_is_bounded_in_bytes_and_shows_at_least_one),
        cmocka_unit_test(a_filter_that_finds_little_looks_at_a_bounded_number),
        cmocka_unit_test(a_cursor_that_is_none_is_refused),
        cmocka_unit_test(words_that_are_no_state_or_lane_are_refused),
        cmocka_unit_test(dead_letters_have_a_list_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
