/*
 * Goal: what has a name in the directory of backups is finished; nothing that others may
 * have put there or changed is opened; what was interrupted leaves nothing.
 * Method: a directory of the test's own, with backups a few bytes long.
 */
#include "ops/vault.h"
#include "os/file.h"

#include "cmocka_all.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WALL_S = 1767323045 }; /* 2026-01-02T03:04:05Z */

#define BYTES "seven b"
#define LONGEST "0123456789012345678901234567890123456789012345678901234567890123"

struct place {
    char directory[64];
    char path[128];
    struct vault vault;
    struct vault_problem problem;
    struct manifest manifest;
};

static struct place place;

static int begin(void **state)
{
    (void)state;
    memset(&place, 0, sizeof place);
    (void)snprintf(place.directory, sizeof place.directory, "/tmp/test_vault_XXXXXX");
    assert_non_null(mkdtemp(place.directory));
    (void)snprintf(place.path, sizeof place.path, "%s/backups", place.directory);
    return vault_open(place.path, &place.vault, &place.problem) == ERR_OK ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int kind,
                      struct FTW *at)
{
    (void)status;
    (void)kind;
    (void)at;
    return remove(path);
}

static int end(void **state)
{
    (void)state;
    vault_close(&place.vault);
    return nftw(place.directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A path inside the directory of backups, valid until the next call: the first %s of
 * `pattern` is `name`. */
static const char *inside(const char *pattern, const char *name)
{
    static char path[256];
    const char *at = strstr(pattern, "%s");
    assert_non_null(at);
    (void)snprintf(path, sizeof path, "%s/%.*s%s%s", place.path, (int)(at - pattern),
                   pattern, name, at + 2);
    return path;
}

static bool is_there(const char *pattern, const char *name)
{
    struct stat status;
    return lstat(inside(pattern, name), &status) == 0;
}

static unsigned mode_of(const char *pattern, const char *name)
{
    struct stat status;
    assert_int_equal(lstat(inside(pattern, name), &status), 0);
    return status.st_mode & 07777;
}

static bool says(const char *text)
{
    return strstr(place.problem.text, text) != NULL;
}

static struct manifest *manifest_for(const char *name)
{
    place.manifest = (struct manifest){
        .hub_version = "0.1.0",
        .bytes = strlen(BYTES),
        .sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    };
    (void)snprintf(place.manifest.name, sizeof place.manifest.name, "%s", name);
    return &place.manifest;
}

static void start(const char *name)
{
    int data = -1;
    assert_int_equal(vault_begin(&place.vault, name, &data, &place.problem), ERR_OK);
    assert_int_equal(file_put(data, SLICE_OF(BYTES)), ERR_OK);
    assert_int_equal(close(data), 0);
}

static void make(const char *name)
{
    start(name);
    assert_int_equal(vault_finish(&place.vault, name, manifest_for(name), &place.problem),
                     ERR_OK);
}

static enum err look(const char *name)
{
    return vault_look(&place.vault, name, &place.manifest, &place.problem);
}

static size_t listed(void)
{
    static struct vault_list list;
    assert_int_equal(vault_list(&place.vault, &list), ERR_OK);
    return list.count;
}

static void names_are_those_that_are_made_here(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",       ".",         "..", ".hidden",          "a/b",      "a b", "a\n",
        "../etc", "a\xc3\xbc", "a~", "backup-1.partial", LONGEST "4"
    };
    static const char *const GOOD[] = { "a", "backup-1", "A.b_c-9", "x.partial.y",
                                        LONGEST };
    char name[MANIFEST_NAME_BYTES + 1];
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_false(vault_name_valid(slice_from_text(BAD[i])));
    for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++)
        assert_true(vault_name_valid(slice_from_text(GOOD[i])));
    assert_false(vault_name_valid(slice_make("a\0b", 3)));

    vault_name_make(VAULT_BACKUP, (int64_t)WALL_S * 1000 + 999, 65, name);
    assert_string_equal(name, "backup-20260102T030405Z-0000000000000041");
    assert_true(vault_name_valid(slice_from_text(name)));
    vault_name_make(VAULT_BACKUP, INT64_MAX, UINT64_MAX, name);
    assert_true(vault_name_valid(slice_from_text(name)));
    vault_name_make(VAULT_BACKUP, -1, 0, name);
    assert_true(vault_name_valid(slice_from_text(name)));
}

static void a_backup_has_its_name_once_it_is_finished(void **state)
{
    (void)state;
    start("backup-1");
    assert_false(is_there("%s", "backup-1"));
    assert_int_equal(listed(), 0);
    assert_int_equal(look("backup-1"), ERR_NOT_FOUND);
    assert_int_equal(
        vault_finish(&place.vault, "backup-1", manifest_for("backup-1"), &place.problem),
        ERR_OK);
    assert_int_equal(listed(), 1);
    assert_false(is_there("%s" VAULT_PARTIAL, "backup-1"));
    assert_int_equal(look("backup-1"), ERR_OK);
    assert_int_equal(place.manifest.bytes, strlen(BYTES));

    int data = -1;
    char read_back[16] = "";
    assert_int_equal(vault_open_data(&place.vault, "backup-1", &data), ERR_OK);
    assert_int_equal(read(data, read_back, sizeof read_back), strlen(BYTES));
    assert_string_equal(read_back, BYTES);
    assert_int_equal(close(data), 0);
    assert_int_equal(vault_open_data(&place.vault, "backup-2", &data), ERR_NOT_FOUND);
}

static void what_is_made_is_its_owners_alone_whatever_the_umask(void **state)
{
    (void)state;
    mode_t before = umask(0);
    make("backup-1");
    (void)umask(before);
    assert_int_equal(mode_of("%s", "backup-1"), 0700);
    assert_int_equal(mode_of("%s/" VAULT_DATA, "backup-1"), 0600);
    assert_int_equal(mode_of("%s/" MANIFEST_FILE, "backup-1"), 0600);
    assert_int_equal(mode_of("%s", "."), 0700);
}

static void one_given_up_leaves_nothing(void **state)
{
    (void)state;
    start("backup-1");
    vault_give_up(&place.vault, "backup-1");
    assert_false(is_there("%s" VAULT_PARTIAL, "backup-1"));
    make("backup-1");
    /* A finished one is not touched by giving up what is not there. */
    vault_give_up(&place.vault, "backup-1");
    assert_int_equal(look("backup-1"), ERR_OK);
}

static void two_of_one_name_are_not_begun_and_none_is_overwritten(void **state)
{
    (void)state;
    int data = -1;
    start("backup-1");
    assert_int_equal(vault_begin(&place.vault, "backup-1", &data, &place.problem),
                     ERR_EXISTS);
    assert_int_equal(data, -1);
    assert_true(is_there("%s" VAULT_PARTIAL "/" VAULT_DATA, "backup-1"));
    vault_give_up(&place.vault, "backup-1");
    make("backup-1");
    start("backup-1");
    assert_int_not_equal(
        vault_finish(&place.vault, "backup-1", manifest_for("backup-1"), &place.problem),
        ERR_OK);
    assert_true(says("name"));
    assert_int_equal(look("backup-1"), ERR_OK);
}

static void one_that_is_not_finished_may_get_another_name(void **state)
{
    (void)state;
    start("backup-1");
    assert_int_equal(vault_rename_partial(&place.vault, "backup-1", "backup-2"), ERR_OK);
    assert_int_equal(vault_rename_partial(&place.vault, "backup-1", "backup-2"),
                     ERR_NOT_FOUND);
    assert_int_equal(
        vault_finish(&place.vault, "backup-1", manifest_for("backup-1"), &place.problem),
        ERR_IO);
    assert_true(says("gone"));
    assert_int_equal(
        vault_finish(&place.vault, "backup-2", manifest_for("backup-2"), &place.problem),
        ERR_OK);
    assert_int_equal(look("backup-2"), ERR_OK);
}

static void a_sweep_takes_what_was_interrupted_and_nothing_else(void **state)
{
    (void)state;
    make("backup-1");
    start("backup-2");
    start("backup-3");
    assert_int_equal(mkdir(inside("%s", "other.partial"), 0700), 0);
    assert_int_equal(symlink(place.directory, inside("%s", "backup-4.partial")), 0);
    assert_int_equal(file_write(inside("%s", "backup-5.partial"), SLICE_OF("x")), ERR_OK);
    /* A store that somebody had open when he was killed. */
    start("at-6");
    assert_int_equal(file_write(inside("%s/lock.mdb", "at-6.partial"), SLICE_OF("x")),
                     ERR_OK);
    assert_int_equal(file_write(inside("%s/hub.lock", "at-6.partial"), SLICE_OF("")),
                     ERR_OK);
    vault_sweep(&place.vault);
    assert_false(is_there("%s", "at-6.partial"));
    assert_false(is_there("%s", "backup-2.partial"));
    assert_false(is_there("%s", "backup-3.partial"));
    assert_false(is_there("%s", "backup-4.partial")); /* the link, not what it names */
    assert_false(is_there("%s", "backup-5.partial"));
    assert_true(is_there("%s", "other.partial"));
    assert_int_equal(look("backup-1"), ERR_OK);
    assert_int_equal(access(place.directory, F_OK), 0);
}

static void one_that_is_removed_is_out_of_the_list_first(void **state)
{
    (void)state;
    make("backup-1");
    make("backup-2");
    assert_int_equal(vault_remove(&place.vault, "backup-1"), ERR_OK);
    assert_int_equal(listed(), 1);
    assert_false(is_there("%s", "backup-1"));
    assert_int_equal(vault_remove(&place.vault, "backup-1"), ERR_NOT_FOUND);

    /* Something of somebody else's in it stays; the backup is gone all the same, and the
     * sweep tries again. */
    assert_int_equal(file_write(inside("%s/mine", "backup-2"), SLICE_OF("x")), ERR_OK);
    assert_int_not_equal(vault_remove(&place.vault, "backup-2"), ERR_OK);
    assert_int_equal(listed(), 0);
    assert_true(is_there("%s.removed" VAULT_PARTIAL "/mine", "backup-2"));
}

static void the_list_is_of_the_youngest_by_name_oldest_first(void **state)
{
    (void)state;
    static struct vault_list list;
    char name[MANIFEST_NAME_BYTES + 1];
    /* In an order of their own: 37 and 70 have no divisor in common. */
    for (int i = 0; i < VAULT_LISTED_MAX + 6; i++) {
        (void)snprintf(name, sizeof name, "backup-%02d", i * 37 % (VAULT_LISTED_MAX + 6));
        assert_int_equal(mkdir(inside("%s", name), 0700), 0);
    }
    assert_int_equal(mkdir(inside("%s", "zz.partial"), 0700), 0);
    assert_int_equal(file_write(inside("%s", "zz-file"), SLICE_OF("x")), ERR_OK);
    assert_int_equal(symlink("backup-01", inside("%s", "zz-link")), 0);
    assert_int_equal(vault_list(&place.vault, &list), ERR_OK);
    assert_int_equal(list.count, VAULT_LISTED_MAX);
    for (int i = 0; i < VAULT_LISTED_MAX; i++) {
        (void)snprintf(name, sizeof name, "backup-%02d", i + 6);
        assert_string_equal(list.names[i], name);
    }
}

/* Why one that is spoilt by `spoil` is refused. */
static const char *reason_after(void (*spoil)(void))
{
    make("backup-1");
    assert_int_equal(look("backup-1"), ERR_OK);
    spoil();
    assert_int_not_equal(look("backup-1"), ERR_OK);
    return place.problem.text;
}

static void chmod_data(void)
{
    assert_int_equal(chmod(inside("%s/" VAULT_DATA, "backup-1"), 0640), 0);
}

static void chmod_manifest(void)
{
    assert_int_equal(chmod(inside("%s/" MANIFEST_FILE, "backup-1"), 0602), 0);
}

static void link_data(void)
{
    char other[256];
    (void)snprintf(other, sizeof other, "%s/other", place.directory);
    assert_int_equal(link(inside("%s/" VAULT_DATA, "backup-1"), other), 0);
}

/* The file's place is taken by a link to the file itself, elsewhere. */
static void move_away(const char *file)
{
    char other[256];
    (void)snprintf(other, sizeof other, "%s/other", place.directory);
    assert_int_equal(rename(inside("backup-1/%s", file), other), 0);
    assert_int_equal(symlink(other, inside("backup-1/%s", file)), 0);
}

static void symlink_data(void)
{
    move_away(VAULT_DATA);
}

static void symlink_manifest(void)
{
    move_away(MANIFEST_FILE);
}

static void fifo_manifest(void)
{
    assert_int_equal(unlink(inside("%s/" MANIFEST_FILE, "backup-1")), 0);
    assert_int_equal(mkfifo(inside("%s/" MANIFEST_FILE, "backup-1"), 0600), 0);
}

static void cut_data(void)
{
    assert_int_equal(truncate(inside("%s/" VAULT_DATA, "backup-1"), 3), 0);
}

static void no_data(void)
{
    assert_int_equal(unlink(inside("%s/" VAULT_DATA, "backup-1")), 0);
}

static void no_manifest(void)
{
    assert_int_equal(unlink(inside("%s/" MANIFEST_FILE, "backup-1")), 0);
}

static void bad_manifest(void)
{
    assert_int_equal(file_write(inside("%s/" MANIFEST_FILE, "backup-1"), SLICE_OF("{}")),
                     ERR_OK);
}

static void long_manifest(void)
{
    assert_int_equal(
        truncate(inside("%s/" MANIFEST_FILE, "backup-1"), MANIFEST_BYTES_MAX + 1), 0);
}

static void newer_manifest(void)
{
    assert_int_equal(
        file_write(inside("%s/" MANIFEST_FILE, "backup-1"), SLICE_OF("{\"format\":2}")),
        ERR_OK);
}

static void other_manifest(void)
{
    make("backup-2");
    char from[256];
    (void)snprintf(from, sizeof from, "%s", inside("%s/" MANIFEST_FILE, "backup-2"));
    assert_int_equal(rename(from, inside("%s/" MANIFEST_FILE, "backup-1")), 0);
}

static void symlink_whole(void)
{
    char other[256];
    (void)snprintf(other, sizeof other, "%s/other", place.directory);
    assert_int_equal(rename(inside("%s", "backup-1"), other), 0);
    assert_int_equal(symlink(other, inside("%s", "backup-1")), 0);
}

static void what_others_may_have_touched_is_refused_with_the_reason(void **state)
{
    static const struct {
        void (*spoil)(void);
        const char *reason;
    } CASES[] = {
        { chmod_data, "mode 0640" },
        { chmod_manifest, "mode 0602" },
        { link_data, "one name" },
        { symlink_data, "cannot be opened" },
        { symlink_manifest, "cannot be op" },
        { fifo_manifest, "not a plain file" },
        { cut_data, "3 bytes long" },
        { no_data, "cannot be opened" },
        { no_manifest, "cannot be opened" },
        { bad_manifest, "cannot be read" },
        { long_manifest, "cannot be read" },
        { newer_manifest, "newer" },
        { other_manifest, "backup-2" },
        { symlink_whole, "no such backup" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_non_null(strstr(reason_after(CASES[i].spoil), CASES[i].reason));
        assert_int_equal(end(state), 0);
        assert_int_equal(begin(state), 0);
    }
}

static void a_directory_that_others_may_write_or_a_link_is_refused(void **state)
{
    (void)state;
    struct vault other;
    char path[256];
    vault_close(&place.vault);
    assert_int_equal(chmod(place.path, 0720), 0);
    assert_int_equal(vault_open(place.path, &other, &place.problem), ERR_INVALID);
    assert_true(says("mode 0720"));
    assert_int_equal(other.fd, -1);
    assert_int_equal(chmod(place.path, 0700), 0);

    (void)snprintf(path, sizeof path, "%s/link", place.directory);
    assert_int_equal(symlink(place.path, path), 0);
    assert_int_equal(vault_open(path, &other, &place.problem), ERR_IO);
    (void)snprintf(path, sizeof path, "%s/none/below", place.directory);
    assert_int_equal(vault_open(path, &other, &place.problem), ERR_IO);
    assert_true(says("cannot be made"));
    (void)snprintf(path, sizeof path, "%s/file", place.directory);
    assert_int_equal(file_write(path, SLICE_OF("x")), ERR_OK);
    assert_int_equal(vault_open(path, &other, &place.problem), ERR_IO);
    assert_int_equal(vault_open(place.path, &place.vault, &place.problem), ERR_OK);
}

static void one_hub_at_a_time_has_the_directory(void **state)
{
    (void)state;
    struct vault other;
    assert_int_equal(vault_lock(&place.vault, &place.problem), ERR_OK);
    assert_int_equal(vault_open(place.path, &other, &place.problem), ERR_OK);
    assert_int_equal(vault_lock(&other, &place.problem), ERR_EXISTS);
    vault_close(&place.vault);
    assert_int_equal(vault_lock(&other, &place.problem), ERR_OK);
    vault_close(&other);
    assert_int_equal(vault_open(place.path, &place.vault, &place.problem), ERR_OK);
}

static void a_directory_that_was_changed_for_another_is_noticed(void **state)
{
    (void)state;
    char away[256];
    int64_t before_ns = vault_changed_ns(&place.vault);
    assert_false(vault_is_gone(&place.vault));
    (void)usleep(20 * 1000); /* the clock of a file system is coarse */
    make("backup-1");
    assert_true(vault_changed_ns(&place.vault) != before_ns);
    (void)snprintf(away, sizeof away, "%s/away", place.directory);
    assert_int_equal(rename(place.path, away), 0);
    assert_true(vault_is_gone(&place.vault));
    assert_int_equal(symlink(away, place.path), 0);
    assert_true(vault_is_gone(&place.vault));
    assert_int_equal(unlink(place.path), 0);
    assert_int_equal(mkdir(place.path, 0700), 0);
    assert_true(vault_is_gone(&place.vault));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(names_are_those_that_are_made_here),
        TEST(a_backup_has_its_name_once_it_is_finished),
        TEST(what_is_made_is_its_owners_alone_whatever_the_umask),
        TEST(one_given_up_leaves_nothing),
        TEST(two_of_one_name_are_not_begun_and_none_is_overwritten),
        TEST(one_that_is_not_finished_may_get_another_name),
        TEST(a_sweep_takes_what_was_interrupted_and_nothing_else),
        TEST(one_that_is_removed_is_out_of_the_list_first),
        TEST(the_list_is_of_the_youngest_by_name_oldest_first),
        TEST(what_others_may_have_touched_is_refused_with_the_reason),
        TEST(a_directory_that_others_may_write_or_a_link_is_refused),
        TEST(one_hub_at_a_time_has_the_directory),
        TEST(a_directory_that_was_changed_for_another_is_noticed),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
