/*
 * Goal: what is written is read again, whatever its size, and a row that is not whole is
 * corrupt and never something else.
 * Method: rows with every member set; each value cut at every length and made longer.
 */
#include "core/agent.h"
#include "core/blob.h"
#include "core/deadline.h"
#include "core/fleet.h"
#include "core/task.h"

#include "cmocka_all.h"

#include <string.h>

static struct fleet fleet;
static struct step step;

static int begin(void **state)
{
    (void)state;
    fleet_init(&fleet);
    effects_init(&fleet.effects, &fleet.arena);
    step = fleet_step(&fleet);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fleet_finish(&fleet);
    return 0;
}

static struct task full_task(void)
{
    return (struct task){
        .number = 0x123456789abcdef0,
        .state = TASK_BLOCKED,
        .lane = LANE_LOW,
        .generation = UINT64_MAX,
        .attempts = 2,
        .attempts_max = UINT32_MAX,
        .blocked_on = 3,
        .history_first = 4,
        .history_next = 5,
        .progress = 99,
        .held = true,
        .complete_by_passed = true,
        .has_tokens_used = true,
        .tokens_used = -1,
        .agent = 6,
        .set = 7,
        .created_ms = 8,
        .updated_ms = fleet.command.wall_ms,
        .assigned_ms = INT64_MIN,
        .not_before_ms = 10,
        .complete_by_ms = INT64_MAX,
        .lease_until_ms = 12,
        .timer_ms = 13,
        .wall_timer_ms = 14,
        .report = { 15, 16, REPORT_FAILED, OUTCOME_DEAD_LETTER },
    };
}

/* The value of a task's row, out of the tables' reach. */
static size_t head_bytes(uint64_t number, char space[TRANSACTION_VALUE_BYTES_MAX])
{
    struct number_key key;
    struct slice value;
    assert_true(step_get(&step, TABLE_TASK, key_one(&key, number), &value));
    memcpy(space, value.data, value.size);
    return value.size;
}

static void a_head_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct task task = full_task();
    struct task loaded;
    task_save(&step, &task);
    assert_true(task_load(&step, task.number, &loaded));
    assert_memory_equal(&loaded.report, &task.report, sizeof task.report);
    assert_int_equal(loaded.state, task.state);
    assert_int_equal(loaded.lane, task.lane);
    assert_int_equal(loaded.generation, task.generation);
    assert_int_equal(loaded.attempts_max, task.attempts_max);
    assert_int_equal(loaded.progress, task.progress);
    assert_true(loaded.held && loaded.complete_by_passed && loaded.has_tokens_used);
    assert_int_equal(loaded.tokens_used, task.tokens_used);
    assert_int_equal(loaded.assigned_ms, task.assigned_ms);
    assert_int_equal(loaded.complete_by_ms, task.complete_by_ms);

    /* Written again it is the same row: nothing was left out. */
    char first[TRANSACTION_VALUE_BYTES_MAX];
    char second[TRANSACTION_VALUE_BYTES_MAX];
    size_t size = head_bytes(task.number, first);
    task_save(&step, &loaded);
    assert_int_equal(head_bytes(task.number, second), size);
    assert_memory_equal(first, second, size);
    assert_true(size < 256);
}

static void a_head_that_is_not_whole_is_corrupt(void **state)
{
    (void)state;
    struct task task = full_task();
    struct task loaded;
    char bytes[TRANSACTION_VALUE_BYTES_MAX];
    task_save(&step, &task);
    size_t size = head_bytes(task.number, bytes);
    for (size_t cut = 0; cut <= size + 1; cut++) {
        step.err = ERR_OK;
        assert_int_equal(task_unpack(&step, 1, slice_make(bytes, cut), &loaded),
                         cut == size);
        assert_int_equal(step.err, cut == size ? ERR_OK : ERR_CORRUPT);
    }
    /* Version, state and lane have few good values. */
    for (size_t at = 0; at < 3; at++) {
        char kept = bytes[at];
        bytes[at] = 100;
        step.err = ERR_OK;
        assert_false(task_unpack(&step, 1, slice_make(bytes, size), &loaded));
        assert_int_equal(step.err, ERR_CORRUPT);
        bytes[at] = kept;
    }
}

static void payloads_of_every_size_come_back(void **state)
{
    (void)state;
    enum { LARGEST = 3 * BLOB_PIECE_BYTES + 1 };
    static char bytes[LARGEST];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    static const size_t sizes[] = { LARGEST,
                                    0,
                                    1,
                                    2 * BLOB_PIECE_BYTES,
                                    BLOB_PIECE_BYTES,
                                    BLOB_PIECE_BYTES - 1,
                                    BLOB_PIECE_BYTES + 1,
                                    LARGEST };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        blob_put(&step, 9, BLOB_TASK_RESULT, slice_make(bytes, sizes[i]));
        struct slice read = blob_get(&step, 9, BLOB_TASK_RESULT);
        assert_true(slice_is_present(read));
        assert_true(slice_equal(read, slice_make(bytes, sizes[i])));
        assert_true(slice_equal(blob_peek(&step, 9, BLOB_TASK_RESULT), read));
        size_t pieces = sizes[i] == 0 ? 1 : (sizes[i] - 1) / BLOB_PIECE_BYTES + 1;
        assert_int_equal(memory_rows(fleet.store, TABLE_BLOB), pieces);
    }
    assert_false(slice_is_present(blob_get(&step, 9, BLOB_TASK_ERROR)));
    assert_false(slice_is_present(blob_get(&step, 8, BLOB_TASK_RESULT)));
    blob_put(&step, 9, BLOB_TASK_RESULT, (struct slice){ NULL, 0 });
    blob_remove(&step, 9, BLOB_TASK_RESULT);
    assert_int_equal(memory_rows(fleet.store, TABLE_BLOB), 0);
    assert_int_equal(step.err, ERR_OK);
}

static void a_payload_with_a_lost_piece_is_corrupt(void **state)
{
    (void)state;
    static char bytes[3 * BLOB_PIECE_BYTES];
    struct number_key key;
    blob_put(&step, 9, BLOB_TASK_RESULT, slice_make(bytes, sizeof bytes));
    step_remove(&step, TABLE_BLOB, key_three(&key, 9, BLOB_TASK_RESULT, 1));
    assert_false(slice_is_present(blob_get(&step, 9, BLOB_TASK_RESULT)));
    assert_int_equal(step.err, ERR_CORRUPT);
}

static void a_body_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct slice needs[] = { SLICE_OF("git"), SLICE_OF("") };
    uint64_t depends[] = { 1, UINT64_MAX };
    struct task task = { .number = 3, .set = 1, .progress = PROGRESS_UNKNOWN };
    struct task_body body = {
        .description = SLICE_OF("sweep"),
        .submitted_by = SLICE_OF("ada"),
        .needed_capabilities = { needs, 2 },
        .depends_on = depends,
        .depends_on_count = 2,
    };
    task_create(&step, &task, &body);
    struct task_body loaded;
    assert_true(task_body_load(&step, 3, &loaded));
    assert_true(slice_equal(loaded.description, body.description));
    assert_false(slice_is_present(loaded.metadata));
    assert_true(slice_equal(loaded.submitted_by, body.submitted_by));
    assert_int_equal(loaded.needed_capabilities.count, 2);
    assert_true(slice_equal_text(loaded.needed_capabilities.items[0], "git"));
    assert_int_equal(loaded.depends_on_count, 2);
    assert_true(loaded.depends_on[1] == UINT64_MAX);
    assert_false(task_body_load(&step, 4, &loaded));
    assert_int_equal(step.err, ERR_CORRUPT);
}

static void a_body_that_promises_too_much_is_corrupt(void **state)
{
    (void)state;
    /* Version, three absent texts, then more items than there are bytes. */
    static const char row[] = "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
                              "\x7f\xff\xff\xff";
    struct task_body loaded;
    blob_put(&step, 5, BLOB_TASK_BODY, slice_make(row, sizeof row - 1));
    assert_false(task_body_load(&step, 5, &loaded));
    assert_int_equal(step.err, ERR_CORRUPT);
    assert_false(arena_failed(&fleet.arena));
}

static void ids_and_numbers_are_the_same_thing(void **state)
{
    (void)state;
    static const uint64_t numbers[] = { 0, 1, 0x123456789abcdef0, UINT64_MAX };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        uint64_t number = 1;
        struct slice id = task_id(&step, numbers[i]);
        assert_int_equal(id.size, TASK_ID_BYTES);
        assert_true(task_id_parse(id, &number));
        assert_true(number == numbers[i]);
    }
    static const char *const wrong[] = { "",
                                         "task-",
                                         "task-0123456789abcde",
                                         "task-0123456789abcdef0",
                                         "Task-0123456789abcdef",
                                         "task-0123456789ABCDEF",
                                         "task-0123456789abcdeg",
                                         "jobs-0123456789abcdef" };
    uint64_t unused;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(task_id_parse(slice_from_text(wrong[i]), &unused));
    assert_false(task_id_parse((struct slice){ NULL, 0 }, &unused));
}

static void a_history_forgets_the_oldest_and_cuts_long_words(void **state)
{
    (void)state;
    static char text[1000];
    fleet.settings.history_max = 3;
    struct task task = { .number = 3 };
    struct task_history history;
    /* Two bytes a character: a cut in the middle of one would be bad text. */
    for (size_t i = 0; i < sizeof text; i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    text[0] = 'x';
    text[1] = 'x';
    for (uint32_t i = 0; i < 10; i++)
        task_history_put(&step, &task, EVENT_QUEUED, i,
                         slice_make(text + 1, sizeof text - 1));
    assert_int_equal(memory_rows(fleet.store, TABLE_HISTORY), 3);
    uint32_t position = task.history_next;
    for (uint64_t i = 9; task_history_walk(&step, &task, &position, &history); i--) {
        assert_int_equal(history.agent, i);
        assert_true(history.details.size <= 256);
        assert_int_equal((history.details.size - 1) % 2, 0);
    }
    assert_int_equal(position, 7);
    assert_int_equal(step.err, ERR_OK);
}

static void an_agent_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct slice able[] = { SLICE_OF("git") };
    struct agent agent = { .number = 5,
                           .slots = 7,
                           .held = 2,
                           .unresponsive = true,
                           .connected_ms = 8,
                           .changed_ms = 9,
                           .grace_until_ms = 10 };
    struct agent loaded;
    agent_save(&step, &agent);
    assert_true(agent_load(&step, 5, &loaded));
    assert_memory_equal(&loaded.connected_ms, &agent.connected_ms, 3 * sizeof(int64_t));
    assert_int_equal(loaded.slots, 7);
    assert_int_equal(loaded.held, 2);
    assert_true(loaded.unresponsive);
    assert_false(loaded.idle);

    struct agent_profile profile = { .id = SLICE_OF("ada"),
                                     .name = SLICE_OF("Ada"),
                                     .status = SLICE_OF(""),
                                     .capabilities = { able, 1 } };
    struct agent_profile read;
    agent_profile_save(&step, 5, &profile);
    assert_true(agent_profile_load(&step, 5, &read));
    assert_true(slice_equal(read.name, profile.name));
    assert_int_equal(read.capabilities.count, 1);
    assert_true(slice_equal(agent_id(&step, 5), profile.id));
    assert_false(slice_is_present(agent_id(&step, 0)));
    assert_false(agent_unpack(&step, 5, SLICE_OF("\x01"), &loaded));
    assert_int_equal(step.err, ERR_CORRUPT);
}

static void deadlines_come_by_clock_and_time(void **state)
{
    (void)state;
    static const int64_t times[] = { 5, -1, INT64_MAX, 0, INT64_MIN, 1000000 };
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        deadline_add_number(&step, CLOCK_WALL, times[i], DEADLINE_TASK_WALL, i);
        deadline_add_number(&step, CLOCK_FLEET, times[i], DEADLINE_TASK, i);
    }
    struct deadline deadline;
    static const int64_t sorted[] = { INT64_MIN, -1, 0, 5, 1000000, INT64_MAX };
    for (size_t i = 0; i < sizeof sorted / sizeof sorted[0]; i++) {
        assert_true(deadline_first(&step, CLOCK_FLEET, &deadline));
        assert_true(deadline.due_ms == sorted[i]);
        assert_int_equal(deadline.kind, DEADLINE_TASK);
        deadline_remove(&step, deadline.clock, deadline.due_ms, deadline.kind,
                        deadline.subject);
    }
    assert_false(deadline_first(&step, CLOCK_FLEET, &deadline));
    assert_true(deadline_first(&step, CLOCK_WALL, &deadline));
    deadline_remove_number(&step, CLOCK_FLEET, 5, DEADLINE_TASK, 0);
    assert_int_equal(step.err, ERR_CORRUPT);
}

static void the_place_is_kept(void **state)
{
    (void)state;
    struct core_place place;
    struct transaction *transaction = memory_transaction(fleet.store);
    assert_int_equal(core_place_read(transaction, &place), ERR_OK);
    assert_int_equal(place.sequence, 0);
    assert_int_equal(core_seal(transaction, 7, 8), ERR_OK);
    assert_int_equal(core_place_read(transaction, &place), ERR_OK);
    assert_int_equal(place.sequence, 7);
    assert_int_equal(place.now_ms, 8);
    struct number_key key;
    step_put(&step, TABLE_PLACE, key_one(&key, 1), SLICE_OF("\x01"));
    assert_int_equal(core_place_read(transaction, &place), ERR_CORRUPT);
    assert_int_equal(core_seal(transaction, 9, 9), ERR_CORRUPT);
}

static void the_first_error_stays_and_nothing_is_done_after_it(void **state)
{
    (void)state;
    struct number_key key;
    struct slice unused;
    memory_fail_at(fleet.store, 2, ERR_IO);
    step_put_mark(&step, TABLE_TASK, key_one(&key, 1));
    step_put_mark(&step, TABLE_TASK, key_one(&key, 2));
    assert_int_equal(step.err, ERR_IO);
    uint64_t calls = memory_calls(fleet.store);
    step_fail(&step, ERR_MEMORY);
    step_put_mark(&step, TABLE_TASK, key_one(&key, 3));
    step_remove(&step, TABLE_TASK, key_one(&key, 1));
    assert_false(step_get(&step, TABLE_TASK, key_one(&key, 1), &unused));
    step_close(&step, 5, CLOSE_POLICY);
    assert_int_equal(step.err, ERR_IO);
    assert_int_equal(memory_calls(fleet.store), calls);
    assert_int_equal(fleet.effects.count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_head_is_read_as_it_was_written),
        TEST(a_head_that_is_not_whole_is_corrupt),
        TEST(payloads_of_every_size_come_back),
        TEST(a_payload_with_a_lost_piece_is_corrupt),
        TEST(a_body_is_read_as_it_was_written),
        TEST(a_body_that_promises_too_much_is_corrupt),
        TEST(ids_and_numbers_are_the_same_thing),
        TEST(a_history_forgets_the_oldest_and_cuts_long_words),
        TEST(an_agent_is_read_as_it_was_written),
        TEST(deadlines_come_by_clock_and_time),
        TEST(the_place_is_kept),
        TEST(the_first_error_stays_and_nothing_is_done_after_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
