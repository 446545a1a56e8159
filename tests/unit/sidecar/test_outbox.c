#include "cmocka_all.h"

#include "sidecar/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static int folder_make(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/drover-outbox-XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int folder_remove(void **state)
{
    (void)state;
    struct outbox outbox;
    char path[PATH_MAX];
    assert_int_equal(outbox_open(&outbox, folder), ERR_OK);
    while (outbox.first != NULL)
        outbox_remove(&outbox, outbox.first);
    outbox_close(&outbox);
    assert_true(path_join(path, sizeof path, folder, "lock"));
    (void)unlink(path);
    return rmdir(folder);
}

static void put(struct outbox *outbox, enum report_kind kind, const char *task_id,
                int64_t generation, const char *frame)
{
    bool durable = false;
    assert_int_equal(
        outbox_put(outbox, kind, task_id, generation, slice_from_text(frame), &durable),
        ERR_OK);
    assert_true(durable);
}

static void reads(const struct outbox *outbox, const struct report *report,
                  const char *wanted)
{
    struct buffer frame;
    buffer_init(&frame, 4096);
    assert_int_equal(outbox_read(outbox, report, &frame), ERR_OK);
    assert_true(slice_equal_text(buffer_slice(&frame), wanted));
    buffer_finish(&frame);
}

static void reports_come_back_in_their_order(void **state)
{
    (void)state;
    struct outbox outbox;
    assert_int_equal(outbox_open(&outbox, folder), ERR_OK);
    put(&outbox, REPORT_FAILED, "task-a", 1, "one");
    put(&outbox, REPORT_COMPLETE, "task-b.c", 2, "two");
    put(&outbox, REPORT_CANCELLED, "task-a", 3, "three");
    outbox_remove(&outbox, outbox.first);
    outbox_close(&outbox);

    assert_int_equal(outbox_open(&outbox, folder), ERR_OK);
    assert_int_equal(outbox.count, 2);
    assert_string_equal(outbox.first->task_id, "task-b.c");
    assert_int_equal(outbox.first->kind, REPORT_COMPLETE);
    assert_int_equal(outbox.first->generation, 2);
    reads(&outbox, outbox.first, "two");
    assert_null(outbox_find(&outbox, SLICE_OF("task-a"), 1));
    assert_ptr_equal(outbox_find(&outbox, SLICE_OF("task-a"), -1), outbox.first->next);
    put(&outbox, REPORT_FAILED, "task-d", 1, "four");
    assert_string_equal(outbox.first->next->next->task_id, "task-d");
    outbox_postpone(&outbox, outbox.first);
    assert_string_equal(outbox.first->task_id, "task-a");
    assert_string_equal(outbox.first->next->next->task_id, "task-b.c");
    outbox_close(&outbox);
}

static void a_report_the_disk_refuses_is_kept_in_memory(void **state)
{
    (void)state;
    struct outbox outbox;
    bool durable = true;
    assert_int_equal(outbox_open(&outbox, folder), ERR_OK);
    char good[PATH_MAX];
    memcpy(good, outbox.directory, sizeof good);
    (void)snprintf(outbox.directory, sizeof outbox.directory, "%s/gone", folder);
    assert_int_equal(
        outbox_put(&outbox, REPORT_FAILED, "task-a", 1, SLICE_OF("text"), &durable),
        ERR_OK);
    assert_false(durable);
    reads(&outbox, outbox.first, "text");
    outbox_remove(&outbox, outbox.first);
    memcpy(outbox.directory, good, sizeof good);
    outbox_close(&outbox);
}

static void one_process_has_an_outbox(void **state)
{
    (void)state;
    struct outbox outbox, other;
    assert_int_equal(outbox_open(&outbox, folder), ERR_OK);
    assert_int_equal(outbox_open(&other, folder), ERR_EXISTS);
    outbox_close(&outbox);
    assert_int_equal(outbox_open(&other, folder), ERR_OK);
    outbox_close(&other);
}

static void begun_add(void *owner, const struct begun *begun)
{
    struct begun *found = owner;
    *found = *begun;
}

static void what_was_begun_is_known_until_it_is_over(void **state)
{
    (void)state;
    struct outbox outbox;
    struct begun found = { .generation = -1 };
    struct buffer frame;
    buffer_init(&frame, 4096);
    assert_int_equal(outbox_open(&outbox, folder), ERR_OK);
    assert_int_equal(outbox_begin(&outbox, "task-a", 1, SLICE_OF("{}")), ERR_OK);
    assert_int_equal(outbox_begin(&outbox, "task-a", 2, SLICE_OF("{\n}")), ERR_OK);
    outbox_close(&outbox);
    assert_int_equal(outbox_open(&outbox, folder), ERR_OK);
    assert_int_equal(outbox.count, 0);
    assert_int_equal(outbox_begun_walk(&outbox, begun_add, &found), ERR_OK);
    assert_string_equal(found.task_id, "task-a");
    assert_int_equal(found.generation, 2);
    assert_int_equal(outbox_begun_read(&outbox, "task-a", &frame), ERR_OK);
    assert_true(slice_equal_text(buffer_slice(&frame), "{\n}"));
    outbox_end(&outbox, "task-a");
    found.generation = -1;
    assert_int_equal(outbox_begun_walk(&outbox, begun_add, &found), ERR_OK);
    assert_int_equal(found.generation, -1);
    buffer_finish(&frame);
    outbox_close(&outbox);
}

static void a_task_id_that_is_no_file_name_is_not_plain(void **state)
{
    (void)state;
    char long_id[TASK_ID_BYTES_MAX + 1];
    memset(long_id, 'a', sizeof long_id);
    assert_true(task_id_is_plain(SLICE_OF("task-0123456789abcdef")));
    assert_true(task_id_is_plain(slice_make(long_id, TASK_ID_BYTES_MAX)));
    assert_false(task_id_is_plain(slice_make(long_id, TASK_ID_BYTES_MAX + 1)));
    assert_false(task_id_is_plain(SLICE_OF("")));
    assert_false(task_id_is_plain(SLICE_OF("../x")));
    assert_false(task_id_is_plain(SLICE_OF(".hidden")));
    assert_false(task_id_is_plain(SLICE_OF("a/b")));
    assert_false(task_id_is_plain(slice_make("a\0b", 3)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reports_come_back_in_their_order, folder_make,
                                        folder_remove),
        cmocka_unit_test_setup_teardown(a_report_the_disk_refuses_is_kept_in_memory,
                                        folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(one_process_has_an_outbox, folder_make,
                                        folder_remove),
        cmocka_unit_test_setup_teardown(what_was_begun_is_known_until_it_is_over,
                                        folder_make, folder_remove),
        cmocka_unit_test(a_task_id_that_is_no_file_name_is_not_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
