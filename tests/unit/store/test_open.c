#include "store/store.h"

#include "cmocka_all.h"
#include "store/frame.h"
#include "store/store_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1024 * 1024 };

static struct store_fixture fixture;

static int start(void **state)
{
    (void)state;
    fixture_start(&fixture, 16 * MIB, 16 * MIB);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_end(&fixture);
    return 0;
}

static unsigned mode_of(const char *name)
{
    char path[256];
    struct stat status;
    fixture_path(&fixture, name, path, sizeof path);
    assert_int_equal(lstat(path, &status), 0);
    return status.st_mode & 07777;
}

static void set_mode(const char *name, mode_t mode)
{
    char path[256];
    fixture_path(&fixture, name, path, sizeof path);
    assert_int_equal(chmod(path, mode), 0);
}

static void what_lies_on_disk_is_the_owners_alone(void **state)
{
    (void)state;
    static const char *const NAMES[] = { "data.mdb", "lock.mdb", "hub.lock" };
    assert_int_equal(mode_of("."), 0700);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(mode_of(NAMES[i]), 0600);

    fixture_close(&fixture);
    set_mode(".", 0777);
    for (size_t i = 0; i < 3; i++)
        set_mode(NAMES[i], 0666);
    assert_int_equal(fixture_open(&fixture), ERR_OK);
    assert_int_equal(mode_of("."), 0700);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(mode_of(NAMES[i]), 0600);
}

static void a_link_in_place_of_a_file_is_refused(void **state)
{
    (void)state;
    char path[256];
    fixture_close(&fixture);
    fixture_path(&fixture, "data.mdb", path, sizeof path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(fixture_open(&fixture), ERR_IO);
    assert_non_null(strstr(fixture.problem.text, "not a plain file"));
}

static void no_descriptor_outlives_an_exec(void **state)
{
    (void)state;
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    unsigned ours = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char link[300];
        char target[512];
        (void)snprintf(link, sizeof link, "/proc/self/fd/%s", entry->d_name);
        ssize_t size = readlink(link, target, sizeof target - 1);
        if (size < 0)
            continue;
        target[size] = '\0';
        if (strncmp(target, fixture.directory, strlen(fixture.directory)) != 0)
            continue;
        int flags = fcntl((int)strtol(entry->d_name, NULL, 10), F_GETFD);
        assert_true((flags & FD_CLOEXEC) != 0);
        ours++;
    }
    (void)closedir(directory);
    assert_true(ours >= 3);
}

static int open_in_child(void)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct store *store = NULL;
        _exit((int)store_open(&fixture.options, &store, &fixture.problem));
    }
    int code = 0;
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_true(WIFEXITED(code));
    return WEXITSTATUS(code);
}

static void a_second_process_is_refused(void **state)
{
    (void)state;
    assert_int_equal(open_in_child(), ERR_EXISTS);
    assert_int_equal(fixture_put(&fixture, 0, "a", SLICE_OF("1")), ERR_OK);
    fixture_close(&fixture);
    assert_int_equal(open_in_child(), ERR_OK);
    assert_int_equal(fixture_open(&fixture), ERR_OK);
    assert_true(fixture_has(&fixture, 0, "a", SLICE_OF("1")));
}

/* Writes a row of the table that says what the store is. */
static void write_format(const char *key, uint32_t number)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    uint8_t bytes[4] = { (uint8_t)(number >> 24), (uint8_t)(number >> 16),
                         (uint8_t)(number >> 8), (uint8_t)number };
    char frame[FRAME_HEAD_BYTES + sizeof bytes];
    frame_write(frame, UINT32_MAX, slice_from_text(key), slice_make(bytes, sizeof bytes));
    MDB_val place = { strlen(key), (void *)(uintptr_t)key };
    MDB_val value = { sizeof frame, frame };

    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 4), 0);
    assert_int_equal(mdb_env_open(env, fixture.directory, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "format", MDB_CREATE, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &place, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void a_store_of_a_newer_version_is_refused(void **state)
{
    (void)state;
    fixture_close(&fixture);
    write_format("format", 2);
    assert_int_equal(fixture_open(&fixture), ERR_UNSUPPORTED);
    assert_non_null(strstr(fixture.problem.text, "newer version (format 2"));
    write_format("format", 1);
    assert_int_equal(fixture_open(&fixture), ERR_OK);
}

static void a_table_nobody_knows_is_refused(void **state)
{
    (void)state;
    fixture_close(&fixture);
    write_format("table/three", 2);
    assert_int_equal(fixture_open(&fixture), ERR_UNSUPPORTED);
    assert_non_null(strstr(fixture.problem.text, "newer version"));
}

/* Its name rotted in LMDB's own table of tables, which carries no checksum. */
static void a_table_that_was_there_is_not_made_anew_and_empty(void **state)
{
    (void)state;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    assert_int_equal(fixture_put(&fixture, 1, "a", SLICE_OF("1")), ERR_OK);
    fixture_close(&fixture);
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 4), 0);
    assert_int_equal(mdb_env_open(env, fixture.directory, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "two", 0, &dbi), 0);
    assert_int_equal(mdb_drop(txn, dbi, 1), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
    assert_int_equal(fixture_open(&fixture), ERR_CORRUPT);
    assert_non_null(strstr(fixture.problem.text, "two"));
}

static void tables_keep_their_numbers_and_new_ones_come_last(void **state)
{
    (void)state;
    static const char *const MORE[] = { "one", "two", "three" };
    static const char *const MOVED[] = { "two", "one", "three" };
    assert_int_equal(fixture_put(&fixture, 1, "a", SLICE_OF("1")), ERR_OK);
    fixture_close(&fixture);

    fixture.options.tables = MORE;
    fixture.options.table_count = 3;
    assert_int_equal(fixture_open(&fixture), ERR_OK);
    assert_true(fixture_has(&fixture, 1, "a", SLICE_OF("1")));
    assert_int_equal(fixture_put(&fixture, 2, "b", SLICE_OF("2")), ERR_OK);
    fixture_close(&fixture);

    fixture.options.tables = MOVED;
    assert_int_equal(fixture_open(&fixture), ERR_UNSUPPORTED);
    assert_non_null(strstr(fixture.problem.text, "not compatible"));
}

static void a_file_of_something_else_is_refused(void **state)
{
    (void)state;
    char path[256];
    fixture_close(&fixture);
    fixture_path(&fixture, "data.mdb", path, sizeof path);
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_true(fd >= 0);
    for (int i = 0; i < 1024; i++)
        assert_int_equal(write(fd, "not a store at all..", 16), 16);
    assert_int_equal(close(fd), 0);
    assert_int_equal(fixture_open(&fixture), ERR_CORRUPT);
    assert_true(strlen(fixture.problem.text) > 0);
}

static void a_file_system_in_memory_is_refused_unless_forced(void **state)
{
    (void)state;
    char directory[] = "/dev/shm/drover-store-XXXXXX";
    if (mkdtemp(directory) == NULL)
        skip();
    struct store_options options = fixture.options;
    struct store_problem problem;
    struct store *store = NULL;
    options.directory = directory;
    options.forced_file_system = false;
    assert_int_equal(store_open(&options, &store, &problem), ERR_UNSUPPORTED);
    assert_non_null(strstr(problem.text, "forced_file_system"));
    assert_int_equal(rmdir(directory), 0); /* and nothing was left there */
}

static void a_directory_that_cannot_be_made_is_named(void **state)
{
    (void)state;
    struct store_options options = fixture.options;
    struct store_problem problem;
    struct store *store = NULL;
    options.directory = "/tmp/no/such/parent";
    assert_int_equal(store_open(&options, &store, &problem), ERR_IO);
    assert_non_null(strstr(problem.text, "data directory"));
    options.directory = "/dev/null";
    assert_int_equal(store_open(&options, &store, &problem), ERR_IO);
}

/* A process that dies in the middle of a read leaves its slot behind. */
static void slots_of_dead_readers_are_freed(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        MDB_env *env;
        MDB_txn *txn;
        char ok = 0;
        if (mdb_env_create(&env) == 0 &&
            mdb_env_open(env, fixture.directory, MDB_RDONLY, 0600) == 0 &&
            mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0)
            ok = 1;
        (void)!write(ends[1], &ok, 1);
        (void)raise(SIGKILL);
    }
    char ok = 0;
    assert_int_equal(read(ends[0], &ok, 1), 1);
    assert_int_equal(ok, 1);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(store_check_readers(fixture.store), 1);
    assert_int_equal(store_check_readers(fixture.store), 0);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(what_lies_on_disk_is_the_owners_alone),
        EACH(a_link_in_place_of_a_file_is_refused),
        EACH(no_descriptor_outlives_an_exec),
        EACH(a_second_process_is_refused),
        EACH(a_store_of_a_newer_version_is_refused),
        EACH(a_table_that_was_there_is_not_made_anew_and_empty),
        EACH(a_table_nobody_knows_is_refused),
        EACH(tables_keep_their_numbers_and_new_ones_come_last),
        EACH(a_file_of_something_else_is_refused),
        EACH(a_file_system_in_memory_is_refused_unless_forced),
        EACH(a_directory_that_cannot_be_made_is_named),
        EACH(slots_of_dead_readers_are_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
