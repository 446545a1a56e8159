#include "os/file.h"

#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[] = "/tmp/drover-file-XXXXXX";
static char path[64];

static unsigned mode_of(const char *name)
{
    struct stat status;
    assert_int_equal(lstat(name, &status), 0);
    return status.st_mode & 07777;
}

static void a_file_is_written_whole_and_read_back(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1 << 20);
    assert_int_equal(file_read(path, 100, &buffer), ERR_NOT_FOUND);

    mode_t before = umask(0);
    assert_int_equal(file_write(path, SLICE_OF("first")), ERR_OK);
    assert_int_equal(file_write(path, SLICE_OF("second one")), ERR_OK);
    (void)umask(before);
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(file_read(path, 100, &buffer), ERR_OK);
    assert_true(slice_equal_text(buffer_slice(&buffer), "second one"));

    uint64_t size = 0;
    assert_int_equal(file_size(path, &size), ERR_OK);
    assert_int_equal(size, 10);
    assert_int_equal(file_remove(path), ERR_OK);
    assert_int_equal(file_remove(path), ERR_NOT_FOUND);
    buffer_finish(&buffer);
}

static void a_file_past_the_bound_is_refused(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1 << 20);
    assert_int_equal(file_write(path, SLICE_OF("0123456789")), ERR_OK);
    assert_int_equal(file_read(path, 10, &buffer), ERR_OK);
    buffer_clear(&buffer);
    assert_int_equal(file_read(path, 9, &buffer), ERR_LIMIT);
    buffer_clear(&buffer);
    assert_int_equal(file_read("/dev/zero", 100 * 1000, &buffer), ERR_LIMIT);
    assert_int_equal(file_remove(path), ERR_OK);
    buffer_finish(&buffer);
}

static void a_link_beside_the_file_is_not_followed(void **state)
{
    (void)state;
    char beside[80];
    char victim[80];
    (void)snprintf(beside, sizeof beside, "%s.new", path);
    (void)snprintf(victim, sizeof victim, "%s.victim", path);
    assert_int_equal(file_write(victim, SLICE_OF("untouched")), ERR_OK);
    assert_int_equal(symlink(victim, beside), 0);
    assert_int_equal(file_write(path, SLICE_OF("mine")), ERR_OK);

    struct buffer buffer;
    buffer_init(&buffer, 100);
    assert_int_equal(file_read(victim, 100, &buffer), ERR_OK);
    assert_true(slice_equal_text(buffer_slice(&buffer), "untouched"));
    buffer_finish(&buffer);
    assert_int_equal(unlink(victim), 0);
    assert_int_equal(unlink(path), 0);
}

static void a_directory_is_made_or_tightened(void **state)
{
    (void)state;
    assert_int_equal(directory_make(path), ERR_OK);
    assert_int_equal(mode_of(path), 0700);
    assert_int_equal(chmod(path, 0755), 0);
    assert_int_equal(directory_make(path), ERR_OK);
    assert_int_equal(mode_of(path), 0700);
    assert_int_equal(rmdir(path), 0);

    assert_int_equal(directory_make("/tmp/no/such/parent"), ERR_NOT_FOUND);
    assert_int_equal(file_write(path, SLICE_OF("a file")), ERR_OK);
    assert_int_equal(directory_make(path), ERR_INVALID);
    assert_int_equal(unlink(path), 0);
}

static void a_lock_is_held_by_one_and_ends_with_its_holder(void **state)
{
    (void)state;
    struct file_lock lock;
    struct file_lock second = { -1 };
    assert_int_equal(file_lock_take(path, &lock), ERR_OK);
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(file_lock_take(path, &second), ERR_EXISTS);
    file_lock_release(&lock);

    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(file_lock_take(path, &lock) == ERR_OK ? 0 : 1);
    int code = -1;
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_int_equal(code, 0);
    assert_int_equal(file_lock_take(path, &second), ERR_OK);
    file_lock_release(&second);
    file_lock_release(&second);
    assert_int_equal(unlink(path), 0);
}

/* A hub that is killed while it starts a child leaves it with the lock until its exec. */
static void a_lock_that_a_child_has_a_little_longer_is_waited_for(void **state)
{
    (void)state;
    struct file_lock lock;
    int ends[2];
    char ready;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(file_lock_take(path, &lock), ERR_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (write(ends[1], "x", 1) == 1)
            (void)usleep(100 * 1000);
        _exit(0);
    }
    assert_int_equal(read(ends[0], &ready, 1), 1);
    file_lock_release(&lock); /* here alone */
    assert_int_equal(file_lock_take(path, &lock), ERR_OK);
    file_lock_release(&lock);
    assert_int_equal(waitpid(child, NULL, 0), child);
    (void)close(ends[0]);
    (void)close(ends[1]);
    assert_int_equal(unlink(path), 0);
}

static void paths_are_joined_within_their_room(void **state)
{
    (void)state;
    char joined[8];
    assert_true(path_join(joined, sizeof joined, "/a", "b"));
    assert_string_equal(joined, "/a/b");
    assert_true(path_join(joined, sizeof joined, "/a/", "b"));
    assert_string_equal(joined, "/a/b");
    assert_true(path_join(joined, sizeof joined, "/abc", "de"));
    assert_false(path_join(joined, sizeof joined, "/abc", "def"));
}

static int start(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    return path_join(path, sizeof path, directory, "file") ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_written_whole_and_read_back),
        cmocka_unit_test(a_file_past_the_bound_is_refused),
        cmocka_unit_test(a_link_beside_the_file_is_not_followed),
        cmocka_unit_test(a_directory_is_made_or_tightened),
        cmocka_unit_test(a_lock_is_held_by_one_and_ends_with_its_holder),
        cmocka_unit_test(a_lock_that_a_child_has_a_little_longer_is_waited_for),
        cmocka_unit_test(paths_are_joined_within_their_room),
    };
    return cmocka_run_group_tests(tests, start, end);
}
