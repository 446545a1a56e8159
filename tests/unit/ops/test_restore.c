/*
 * Goal: a restore that ends at any step, killed or because the disk said no, leaves one
 * whole store: the old one before the change of files, the new one after it.
 * Method: the calls that change a file or a directory are this program's own (they stand
 * before the libraries'), LMDB's among them. A child restores and is killed before the
 * n-th of them, or has the n-th fail, for every n there is; then its remains are walked,
 * settled as a hub does at its start, and walked again.
 */
#include "ops/restore.h"

#include "base/hash.h"
#include "core/verify.h"
#include "ops/vault.h"
#include "os/file.h"
#include "os/secret.h"
#include "store/replace.h"
#include "support/engine/bench_engine.h"

#include "cmocka_all.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((uint64_t)1024 * 1024)
#define BACKUP "backup-1"

enum {
    KILLED = 77,
    STEPS_MAX = 2000, /* far more than there are */
};

/* --- the calls --- */

enum ending { ENDING_NONE, ENDING_KILL, ENDING_FAIL };

static struct {
    enum ending ending;
    int left; /* calls until then */
} plan;

/* True: this call does not happen. */
static bool ends_here(void)
{
    if (plan.ending == ENDING_NONE || plan.left-- > 1)
        return false;
    if (plan.ending == ENDING_KILL)
        _exit(KILLED);
    plan.ending = ENDING_NONE; /* one fails, and all after it are tried */
    errno = ENOSPC;
    return true;
}

#define CALL(type, name, parameters, arguments)                                          \
    type name parameters;                                                                \
    type name parameters                                                                 \
    {                                                                                    \
        static type(*real) parameters;                                                   \
        if (real == NULL)                                                                \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                                   \
        return ends_here() ? -1 : real arguments;                                        \
    }

CALL(int, rename, (const char *from, const char *to), (from, to))
CALL(int, link, (const char *from, const char *to), (from, to))
CALL(int, unlink, (const char *path), (path))
CALL(int, mkdir, (const char *path, mode_t mode), (path, mode))
CALL(int, rmdir, (const char *path), (path))
CALL(int, fsync, (int fd), (fd))
CALL(int, fdatasync, (int fd), (fd))
CALL(int, ftruncate, (int fd, off_t size), (fd, size))
CALL(ssize_t, write, (int fd, const void *bytes, size_t size), (fd, bytes, size))
CALL(ssize_t, pwrite, (int fd, const void *bytes, size_t size, off_t at),
     (fd, bytes, size, at))
CALL(ssize_t, writev, (int fd, const struct iovec *pieces, int count),
     (fd, pieces, count))

/* --- the scene: a backup, and a store in which a task has been submitted since --- */

static const struct core_settings SETTINGS = {
    .acceptance_ms = 60000,
    .lease_ms = 300000,
    .history_max = 50,
    .attempts_default = 3,
    .attempts_max = 100,
    .tasks_open_max = 1000,
    .capability_sets_max = 64,
    .messages_max = 1000,
    .mailbox_max = 100,
    .channels_max = 100,
    .fanout_max = 128,
    .event_classes = UINT32_MAX,
    .digest = digest_sha256,
};

enum which { WHICH_NEITHER, WHICH_OLD, WHICH_NEW };

static struct {
    char directory[64];
    char data[96];
    char live[128];
    struct vault vault;
    struct buffer old;  /* the store's file */
    uint64_t epoch_old; /* its epoch: a restored one has another */
    struct vault_problem problem;
} scene;

static void submit(struct bench_engine *bench)
{
    bench_engine_submit(bench, "boss", 0, "work");
    while (engine_turn(bench->engine))
        continue;
    assert_int_equal(bench_engine_count(bench, "task_submitted"), 1);
}

static uint64_t epoch_of(struct store *store)
{
    struct core_figures figures = { 0 };
    struct store_reader *reader = store_reader_create(store);
    assert_non_null(reader);
    assert_int_equal(core_figures_read(store_reader_begin(reader), &figures), ERR_OK);
    store_reader_end(reader);
    store_reader_destroy(reader);
    return figures.place.epoch;
}

static uint64_t store_take(const struct bench_engine *bench, struct buffer *bytes)
{
    char path[128];
    assert_true(path_join(path, sizeof path, bench->directory, "data.mdb"));
    buffer_init(bytes, (size_t)(64 * MIB));
    assert_int_equal(file_read(path, (size_t)(64 * MIB), bytes), ERR_OK);
    return epoch_of(bench->store);
}

static void backup_put(struct slice bytes)
{
    static struct manifest manifest = { .name = BACKUP, .hub_version = "0.1.0" };
    uint8_t digest[SECRET_DIGEST_BYTES];
    int data = -1;
    digest_sha256(bytes, digest);
    hex_encode(manifest.sha256, digest, sizeof digest);
    manifest.bytes = bytes.size;
    assert_int_equal(vault_begin(&scene.vault, BACKUP, &data, &scene.problem), ERR_OK);
    assert_int_equal(file_put(data, bytes), ERR_OK);
    assert_int_equal(close(data), 0);
    assert_int_equal(vault_finish(&scene.vault, BACKUP, &manifest, &scene.problem),
                     ERR_OK);
}

static int begin(void **state)
{
    (void)state;
    static const struct bench_engine_options ROOMY = { MIB, 64 * MIB, 64, NULL, false };
    struct bench_engine bench;
    struct buffer backup;
    char path[128];
    /* Nothing here needs a disk, and there are hundreds of syncs. */
    (void)snprintf(scene.directory, sizeof scene.directory, "%s/test_restore_XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(scene.directory));
    assert_true(path_join(scene.data, sizeof scene.data, scene.directory, "data"));
    assert_true(path_join(scene.live, sizeof scene.live, scene.data, "data.mdb"));
    assert_true(path_join(path, sizeof path, scene.directory, "backups"));
    assert_int_equal(vault_open(path, &scene.vault, &scene.problem), ERR_OK);

    bench_engine_start(&bench, &ROOMY);
    bench_engine_identify(&bench, "boss", 0);
    submit(&bench);
    (void)store_take(&bench, &backup);
    submit(&bench);
    scene.epoch_old = store_take(&bench, &scene.old);
    bench_engine_finish(&bench);
    backup_put(buffer_slice(&backup));
    buffer_finish(&backup);
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind,
                      struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static int end(void **state)
{
    (void)state;
    vault_close(&scene.vault);
    buffer_finish(&scene.old);
    return nftw(scene.directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static enum err data_open(struct store **ret_store)
{
    struct store_problem reason = { "" };
    struct store_options options = {
        .directory = scene.data,
        .tables = CORE_TABLES,
        .table_count = CORE_TABLE_COUNT,
        .bytes_first = MIB,
        .bytes_max = 64 * MIB,
        .forced_file_system = true,
    };
    return store_open(&options, ret_store, &reason);
}

static void old_store_put(void)
{
    (void)nftw(scene.data, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(mkdir(scene.data, 0700), 0);
    assert_int_equal(file_write(scene.live, buffer_slice(&scene.old)), ERR_OK);
}

/* Which store is there, walked; fails when there is none that is whole. */
static enum which store_there(void)
{
    struct store *store = NULL;
    const char *flaw = "";
    assert_int_equal(data_open(&store), ERR_OK);
    struct store_reader *reader = store_reader_create(store);
    assert_non_null(reader);
    if (core_verify(store_reader_begin(reader), &flaw) != ERR_OK)
        fail_msg("the store is not whole: %s", flaw);
    store_reader_end(reader);
    store_reader_destroy(reader);
    uint64_t epoch = epoch_of(store);
    store_close(store);
    return epoch == scene.epoch_old  ? WHICH_OLD
           : epoch > scene.epoch_old ? WHICH_NEW
                                     : WHICH_NEITHER;
}

/* --- a restore, and a start after it --- */

static enum err merge(const struct restore_options *options)
{
    struct store *live = NULL;
    enum err err = data_open(&live);
    if (err == ERR_OK)
        err = restore_merge(options, live, &scene.problem);
    store_close(live);
    return err;
}

static enum err restore(void)
{
    struct restore_options options = {
        .data = scene.data,
        .vault = &scene.vault,
        .name = BACKUP,
        .settings = &SETTINGS,
        .bytes_max = 64 * MIB,
        .forced_file_system = true,
        .epoch = 1767225600000,
        .wall_ms = 1767225600000,
    };
    enum err err = restore_prepare(&options, &scene.problem);
    if (err == ERR_OK)
        err = merge(&options);
    return err == ERR_OK ? restore_swap(scene.data, &scene.problem) : err;
}

/* What a hub does before it opens a store; `good` is what a walk of it said. */
static enum err settle(bool good)
{
    enum err err =
        replace_is_pending(scene.data) ? replace_settle(scene.data, good) : ERR_OK;
    replace_forget(scene.data, REPLACE_RESTORING);
    return err;
}

static bool is_left(const char *name)
{
    struct stat status;
    char path[128];
    assert_true(path_join(path, sizeof path, scene.data, name));
    return lstat(path, &status) == 0;
}

static void nothing_is_left(void)
{
    assert_false(is_left(REPLACE_RESTORING));
    assert_false(is_left(REPLACE_PREVIOUS));
}

struct story {
    enum ending ending;
    bool good; /* what the walk of a restored store says */
};

/* In a child that ends at its `step`-th call. True: it came to its end. */
static bool child_ends_at(enum err (*act)(bool good), const struct story *story, int step)
{
    int status = 0;
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        plan.ending = story->ending;
        plan.left = step;
        (void)act(story->good);
        /* A failure that was not reached is told from one that was got over. */
        _exit(plan.ending != ENDING_NONE ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status) == 0;
}

static enum err restore_and_settle(bool good)
{
    enum err err = restore();
    return err == ERR_OK ? settle(good) : err;
}

/* What is there after a restore that ended at that step: the store that a start finds, and
 * then the one it goes on with. */
static bool ended_at(const struct story *story, int step, enum which *ret_found,
                     enum which *ret_kept)
{
    old_store_put();
    bool complete = child_ends_at(restore_and_settle, story, step);
    *ret_found = store_there();
    bool pending = replace_is_pending(scene.data);
    assert_int_equal(settle(story->good || !pending), ERR_OK);
    *ret_kept = store_there();
    nothing_is_left();
    return complete;
}

static int ended_at_every_step(const struct story *story)
{
    enum which found = WHICH_OLD;
    enum which kept = WHICH_OLD;
    enum which before = WHICH_OLD;
    int changes = 0;
    int step = 1;
    for (bool complete = false; !complete; step++) {
        assert_true(step < STEPS_MAX);
        complete = ended_at(story, step, &found, &kept);
        assert_true(found == WHICH_OLD || found == WHICH_NEW);
        assert_int_equal(kept, story->good ? found : WHICH_OLD);
        changes += found != before;
        before = found;
    }
    /* From the old to the new, once; and back, when the new one is not good. */
    assert_int_equal(changes, story->good ? 1 : 2);
    assert_int_equal(kept, story->good ? WHICH_NEW : WHICH_OLD);
    assert_true(step > 20);
    return step;
}

static void killed_before_any_step_there_is_one_whole_store(void **state)
{
    (void)state;
    const struct story story = { ENDING_KILL, true };
    print_message("%d steps\n", ended_at_every_step(&story));
}

static void killed_while_a_bad_store_is_given_up_the_old_one_is_back(void **state)
{
    (void)state;
    const struct story story = { ENDING_KILL, false };
    print_message("%d steps\n", ended_at_every_step(&story));
}

/* A call that fails may be got over (a file that was to be removed), so the new store may
 * be there or not; but one is, whole, and nothing is left lying about. */
static void whichever_step_fails_there_is_one_whole_store(void **state)
{
    (void)state;
    const struct story story = { ENDING_FAIL, true };
    enum which found = WHICH_NEITHER;
    enum which kept = WHICH_NEITHER;
    int news = 0;
    int step = 1;
    for (bool complete = false; !complete; step++) {
        assert_true(step < STEPS_MAX);
        complete = ended_at(&story, step, &found, &kept);
        assert_true(found == WHICH_OLD || found == WHICH_NEW);
        assert_int_equal(kept, found);
        news += found == WHICH_NEW;
    }
    assert_int_equal(kept, WHICH_NEW);
    assert_true(news > 1 && news < step - 1);
    print_message("%d steps\n", step);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_before_any_step_there_is_one_whole_store),
        cmocka_unit_test(killed_while_a_bad_store_is_given_up_the_old_one_is_back),
        cmocka_unit_test(whichever_step_fails_there_is_one_whole_store),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
