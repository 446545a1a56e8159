#include "store/journal.h"

#include "base/ensure.h"
#include "os/clock.h"
#include "os/file.h"
#include "store/journal_read.h"
#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    RETRY_MS = 5 * 1000,     /* after a journal that could not be written */
    SEGMENTS_PER_TRIM = 100, /* the fleet waits for no more than that */
};

struct journal {
    struct journal_options options;
    char *path;
    int directory; /* also the lock */
    int fd;        /* of the segment that is written to; -1: the next record begins one */
    uint64_t number;
    uint64_t bytes;
    int64_t begun_ms; /* wall */
    struct segment_head head;
    struct buffer texts; /* of the head */
    struct buffer frame;

    uint64_t position;
    uint64_t position_before; /* as it was before the last record */
    uint64_t bytes_before;
    int64_t retry_ms; /* monotonic: not before; 0: it can be written */
};

static enum err directory_take(struct journal *journal, struct store_problem *problem)
{
    enum err err = directory_make(journal->path);
    if (err == ERR_OK)
        journal->directory = open(journal->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (err != ERR_OK || journal->directory < 0) {
        problem_set(problem, "the directory of the command journal cannot be made, or "
                             "tightened to mode 0700");
        return err == ERR_OK ? ERR_IO : err;
    }
    if (flock(journal->directory, LOCK_EX | LOCK_NB) == 0)
        return ERR_OK;
    problem_set(problem, "another hub writes to the directory of the command journal");
    return ERR_EXISTS;
}

enum err journal_create(const struct journal_options *options,
                        struct journal **ret_journal, struct store_problem *ret_problem)
{
    struct journal *journal = calloc(1, sizeof *journal);
    if (journal == NULL)
        return ERR_MEMORY;
    journal->options = *options;
    journal->directory = -1;
    journal->fd = -1;
    buffer_init(&journal->texts, SEGMENT_HEAD_BYTES_MAX);
    buffer_init(&journal->frame, SEGMENT_HEAD_BYTES_MAX);
    journal->path = strdup(options->directory);
    enum err err =
        journal->path == NULL ? ERR_MEMORY : directory_take(journal, ret_problem);
    if (err != ERR_OK) {
        journal_destroy(journal);
        return err;
    }
    *ret_journal = journal;
    return ERR_OK;
}

void journal_destroy(struct journal *journal)
{
    if (journal == NULL)
        return;
    if (journal->fd >= 0)
        (void)close(journal->fd);
    if (journal->directory >= 0)
        (void)close(journal->directory);
    buffer_finish(&journal->texts);
    buffer_finish(&journal->frame);
    free(journal->path);
    free(journal);
}

/* The whole of both parts, or as much as there is room for. */
static enum err bytes_write(int fd, struct slice first, struct slice second)
{
    while (first.size + second.size > 0) {
        struct iovec parts[] = {
            { (void *)(uintptr_t)first.data, first.size },
            { (void *)(uintptr_t)second.data, second.size },
        };
        ssize_t written = writev(fd, parts, 2);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return file_err(errno);
        size_t of_first = (size_t)written < first.size ? (size_t)written : first.size;
        first = slice_skip(first, of_first);
        second = slice_skip(second, (size_t)written - of_first);
    }
    return fdatasync(fd) == 0 ? ERR_OK : file_err(errno);
}

static void segment_end(struct journal *journal)
{
    if (journal->fd >= 0)
        (void)close(journal->fd);
    journal->fd = -1;
}

/* What is behind the last record goes. Left there, it is left out by readers: the next
 * segment's head says where the store stands. */
static void segment_cut(struct journal *journal)
{
    if (ftruncate(journal->fd, (off_t)journal->bytes) != 0 ||
        lseek(journal->fd, (off_t)journal->bytes, SEEK_SET) < 0)
        segment_end(journal);
}

static enum err segment_make(struct journal *journal)
{
    char name[SEGMENT_NAME_BYTES];
    segment_end(journal);
    journal->head.position = journal->position;
    journal->head.wall_ms = clock_wall_ms();
    buffer_clear(&journal->frame);
    segment_head_pack(&journal->head, &journal->frame);
    if (buffer_failed(&journal->frame))
        return ERR_MEMORY;
    segment_name(journal->number + 1, name);
    int fd = openat(journal->directory, name,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int code = errno;
    if (fd >= 0 || code == EEXIST)
        journal->number++; /* that one was not seen: the next try takes another */
    if (fd < 0)
        return file_err(code);
    enum err err =
        bytes_write(fd, buffer_slice(&journal->frame), (struct slice){ "", 0 });
    if (err == ERR_OK && fsync(journal->directory) != 0)
        err = file_err(errno);
    if (err != ERR_OK) {
        (void)close(fd);
        (void)unlinkat(journal->directory, name, 0);
        return err;
    }
    journal->fd = fd;
    journal->bytes = journal->frame.size;
    journal->begun_ms = journal->head.wall_ms;
    return ERR_OK;
}

/* The oldest segments go: those that are too old, and as many as make the rest fit. */
static void segments_trim(struct journal *journal)
{
    struct segment_list list;
    char name[SEGMENT_NAME_BYTES];
    struct stat status;
    uint64_t total = 0;
    int64_t now_ms = clock_wall_ms();
    if (segment_list_read(journal->directory, &list) != ERR_OK)
        return;
    for (size_t i = 0; i < list.count; i++) {
        segment_name(list.numbers[i], name);
        if (fstatat(journal->directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
            total += (uint64_t)status.st_size;
    }
    for (size_t i = 0; i < list.count && i < SEGMENTS_PER_TRIM; i++) {
        segment_name(list.numbers[i], name);
        if (list.numbers[i] == journal->number ||
            fstatat(journal->directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        bool old = journal->options.ttl_ms != 0 &&
                   now_ms - (int64_t)status.st_mtime * 1000 > journal->options.ttl_ms;
        if (!old && total <= journal->options.bytes_max)
            break;
        if (unlinkat(journal->directory, name, 0) == 0)
            total -= (uint64_t)status.st_size;
    }
    free(list.numbers);
}

/* What the last segment of a history says about where it ended. */
struct ending {
    bool goes_on;
    uint64_t begin;
    bool empty;
    uint64_t number;
};

static bool head_fits(const struct segment_head *one, const struct segment_head *other)
{
    return one->instance == other->instance && one->epoch == other->epoch &&
           slice_equal(one->program, other->program);
}

static enum err segment_search(struct segment_reader *segment, uint64_t position,
                               struct ending *ending)
{
    struct segment_record record;
    enum err err;
    ending->begin = segment->head.begin;
    ending->goes_on = segment->head.position == position;
    ending->empty = true;
    while ((err = segment_next(segment, &record)) == ERR_OK) {
        ending->goes_on = ending->goes_on || record.after == position;
        ending->empty = false;
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* The youngest segment that began no later than the store stands decides. */
static enum err ending_find(const struct journal *journal,
                            const struct segment_list *list, struct ending *ret_ending)
{
    const struct segment_head *head = &journal->head;
    for (size_t i = list->count; i-- > 0;) {
        struct segment_reader segment;
        enum err err = segment_open(journal->directory, list->numbers[i], &segment);
        if (err == ERR_CORRUPT || err == ERR_NOT_FOUND)
            continue;
        if (err == ERR_UNSUPPORTED)
            return ERR_OK;
        if (err != ERR_OK)
            return err;
        bool same = head_fits(&segment.head, head);
        bool later = segment.head.position > head->position;
        ret_ending->number = list->numbers[i];
        if (same && !later)
            err = segment_search(&segment, head->position, ret_ending);
        segment_close(&segment);
        if (err != ERR_OK || !same || !later)
            return err;
    }
    return ERR_OK;
}

static void head_take(struct journal *journal, const struct segment_head *head)
{
    buffer_clear(&journal->texts);
    buffer_append_slice(&journal->texts, head->program);
    buffer_append_slice(&journal->texts, head->settings);
    struct slice texts = buffer_slice(&journal->texts);
    journal->head = *head;
    journal->head.program = slice_make(texts.data, head->program.size);
    journal->head.settings =
        slice_make(texts.data + head->program.size, head->settings.size);
    journal->position = head->position;
}

/* From here on: told once, tried again later. */
static enum err journal_stop(struct journal *journal, enum err err)
{
    segment_end(journal);
    journal->retry_ms = clock_monotonic_ms() + RETRY_MS;
    return err;
}

enum err journal_begin(struct journal *journal, const struct segment_head *head)
{
    char name[SEGMENT_NAME_BYTES];
    struct segment_list list;
    struct ending ending = { 0 };
    head_take(journal, head);
    if (buffer_failed(&journal->texts))
        return journal_stop(journal, ERR_MEMORY);
    enum err err = segment_list_read(journal->directory, &list);
    if (err != ERR_OK)
        return journal_stop(journal, err);
    if (list.count > 0)
        journal->number = list.numbers[list.count - 1];
    err = ending_find(journal, &list, &ending);
    free(list.numbers);
    journal->head.begin = ending.goes_on ? ending.begin : head->position;
    if (err == ERR_OK)
        err = segment_make(journal);
    if (err != ERR_OK)
        return journal_stop(journal, err);
    if (ending.goes_on && ending.empty) {
        segment_name(ending.number, name);
        (void)unlinkat(journal->directory, name, 0);
    }
    segments_trim(journal);
    return ERR_OK;
}

/* A segment to write the record to, which may have to be a new one. */
static enum err segment_ready(struct journal *journal,
                              const struct segment_record *record)
{
    bool gap = journal->retry_ms != 0 || record->before != journal->position;
    if (journal->retry_ms != 0 && clock_monotonic_ms() < journal->retry_ms)
        return ERR_CLOSED;
    journal->position = record->before;
    if (gap)
        journal->head.begin = record->before;
    int64_t age_ms = record->wall_ms - journal->begun_ms;
    if (!gap && journal->fd >= 0 && journal->bytes < journal->options.segment_bytes &&
        age_ms < journal->options.segment_ms)
        return ERR_OK;
    enum err err = segment_make(journal);
    if (err == ERR_OK)
        segments_trim(journal);
    return err;
}

enum err journal_append(struct journal *journal, const struct segment_record *record)
{
    enum err err = segment_ready(journal, record);
    if (err == ERR_CLOSED)
        return err;
    if (err != ERR_OK)
        return journal_stop(journal, err);
    journal->retry_ms = 0;
    buffer_clear(&journal->frame);
    segment_record_pack(record, &journal->frame);
    if (buffer_failed(&journal->frame))
        return journal_stop(journal, ERR_MEMORY);
    err = record->commands.size > SEGMENT_RECORD_BYTES_MAX - journal->frame.size
              ? ERR_LIMIT
              : bytes_write(journal->fd, buffer_slice(&journal->frame), record->commands);
    if (err != ERR_OK) {
        segment_cut(journal);
        return journal_stop(journal, err);
    }
    journal->position_before = journal->position;
    journal->bytes_before = journal->bytes;
    journal->position = record->after;
    journal->bytes += journal->frame.size + record->commands.size;
    return ERR_OK;
}

void journal_undo(struct journal *journal)
{
    if (journal->fd < 0 || journal->retry_ms != 0)
        return;
    journal->position = journal->position_before;
    journal->bytes = journal->bytes_before;
    segment_cut(journal);
}
