#include "store/journal_read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NUMBERS_FIRST = 64 };

static int number_compare(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one;
    uint64_t b = *(const uint64_t *)other;
    return a < b ? -1 : a > b;
}

static enum err number_add(struct segment_list *list, size_t *room, uint64_t number)
{
    if (list->count == *room) {
        size_t more = *room == 0 ? NUMBERS_FIRST : *room * 2;
        uint64_t *numbers = realloc(list->numbers, more * sizeof *numbers);
        if (numbers == NULL)
            return ERR_MEMORY;
        list->numbers = numbers;
        *room = more;
    }
    list->numbers[list->count++] = number;
    return ERR_OK;
}

enum err segment_list_read(int directory, struct segment_list *ret_list)
{
    struct segment_list list = { NULL, 0 };
    size_t room = 0;
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (stream == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return ERR_IO;
    }
    enum err err = ERR_OK;
    const struct dirent *entry;
    uint64_t number;
    errno = 0;
    while (err == ERR_OK && (entry = readdir(stream)) != NULL)
        if (segment_name_parse(entry->d_name, &number))
            err = number_add(&list, &room, number);
    if (err == ERR_OK && errno != 0)
        err = ERR_IO;
    (void)closedir(stream);
    if (err != ERR_OK) {
        free(list.numbers);
        return err;
    }
    if (list.count > 0)
        qsort(list.numbers, list.count, sizeof *list.numbers, number_compare);
    *ret_list = list;
    return ERR_OK;
}

/* A segment of the line that is read. */
struct part {
    uint64_t number;
    uint64_t position;
    uint64_t begin;
    uint64_t limit; /* what begins here or later was taken back: see journal.h */
};

struct journal_reader {
    int directory;
    struct part *parts;
    size_t count;
    size_t next;
    bool open;
    struct segment_reader segment;
};

static enum err parts_read(struct journal_reader *reader, const struct journal_line *line)
{
    struct segment_list list;
    enum err err = segment_list_read(reader->directory, &list);
    if (err != ERR_OK)
        return err;
    reader->parts = calloc(list.count + 1, sizeof *reader->parts);
    if (reader->parts == NULL)
        err = ERR_MEMORY;
    for (size_t i = 0; i < list.count && err == ERR_OK; i++) {
        struct segment_reader segment;
        err = segment_open(reader->directory, list.numbers[i], &segment);
        /* It has just gone, or never came to be. */
        if (err == ERR_NOT_FOUND || err == ERR_CORRUPT)
            err = ERR_OK;
        else if (err == ERR_OK) {
            if (segment.head.instance == line->instance &&
                segment.head.epoch == line->epoch)
                reader->parts[reader->count++] = (struct part){
                    .number = list.numbers[i],
                    .position = segment.head.position,
                    .begin = segment.head.begin,
                };
            segment_close(&segment);
        }
    }
    free(list.numbers);
    uint64_t limit = UINT64_MAX;
    for (size_t i = reader->count; i-- > 0;) {
        reader->parts[i].limit = limit;
        if (reader->parts[i].position < limit)
            limit = reader->parts[i].position;
    }
    return err;
}

/* Where the next history begins after a gap, its head does not tell whether the last record
 * before the gap was committed: so it is left out. */
static enum err end_doubt(struct journal_reader *reader, size_t at)
{
    struct segment_reader segment;
    struct segment_record record;
    uint64_t last = UINT64_MAX;
    uint64_t after = 0;
    struct part *part = &reader->parts[at];
    const struct part *next = part + 1;
    if (at + 1 == reader->count || next->begin != next->position)
        return ERR_OK;
    enum err err = segment_open(reader->directory, part->number, &segment);
    if (err != ERR_OK)
        return err;
    while ((err = segment_next(&segment, &record)) == ERR_OK) {
        last = record.before;
        after = record.after;
    }
    segment_close(&segment);
    if (after < next->position && last < part->limit)
        part->limit = last;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err journal_reader_create(const char *directory, const struct journal_line *line,
                               struct journal_reader **ret_reader)
{
    struct journal_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return ERR_MEMORY;
    reader->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err err = ERR_OK;
    if (reader->directory < 0)
        err = errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    if (err == ERR_OK)
        err = parts_read(reader, line);
    if (err != ERR_OK) {
        journal_reader_destroy(reader);
        return err;
    }
    *ret_reader = reader;
    return ERR_OK;
}

void journal_reader_destroy(struct journal_reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->open)
        segment_close(&reader->segment);
    if (reader->directory >= 0)
        (void)close(reader->directory);
    free(reader->parts);
    free(reader);
}

static enum err part_open(struct journal_reader *reader)
{
    enum err err = end_doubt(reader, reader->next);
    if (err == ERR_OK)
        err = segment_open(reader->directory, reader->parts[reader->next].number,
                           &reader->segment);
    reader->open = err == ERR_OK;
    return err;
}

enum err journal_reader_next(struct journal_reader *reader,
                             const struct segment_head **ret_head,
                             struct segment_record *ret_record)
{
    while (reader->next < reader->count) {
        enum err err = reader->open ? ERR_OK : part_open(reader);
        if (err == ERR_OK)
            err = segment_next(&reader->segment, ret_record);
        if (err == ERR_OK && ret_record->before < reader->parts[reader->next].limit) {
            *ret_head = &reader->segment.head;
            return ERR_OK;
        }
        if (err != ERR_OK && err != ERR_NOT_FOUND)
            return err;
        /* The last one may have more a moment later. */
        if (err == ERR_NOT_FOUND && reader->next + 1 == reader->count)
            return err;
        if (reader->open)
            segment_close(&reader->segment);
        reader->open = false;
        reader->next++;
    }
    return ERR_NOT_FOUND;
}

static uint64_t segment_bytes(int directory, uint64_t number)
{
    char name[SEGMENT_NAME_BYTES];
    struct stat status;
    segment_name(number, name);
    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return 0;
    return (uint64_t)status.st_size;
}

/* From the youngest to the oldest, and how far back nothing is missing. */
static enum err heads_walk(int directory, const struct segment_list *list, uint64_t since,
                           struct journal_figures *figures)
{
    bool found = false;
    bool unbroken = true;
    uint64_t next = UINT64_MAX; /* where the segment after this one begins */
    for (size_t i = list->count; i-- > 0;) {
        struct segment_reader segment;
        uint64_t bytes = segment_bytes(directory, list->numbers[i]);
        enum err err = segment_open(directory, list->numbers[i], &segment);
        figures->bytes += bytes;
        figures->segments++;
        if (err == ERR_NOT_FOUND || err == ERR_CORRUPT)
            continue;
        if (err != ERR_OK)
            return err;
        const struct segment_head *head = &segment.head;
        if (!found) {
            figures->line = (struct journal_line){ head->instance, head->epoch };
            figures->begin = head->begin;
        }
        bool same = head->instance == figures->line.instance &&
                    head->epoch == figures->line.epoch;
        unbroken = unbroken && same && (!found || next > figures->begin);
        if (unbroken) {
            if (next > since)
                figures->bytes_since += bytes;
            next = head->position;
        }
        found = true;
        segment_close(&segment);
    }
    /* The oldest may have gone since. */
    if (found && next > figures->begin)
        figures->begin = next;
    return found ? ERR_OK : ERR_NOT_FOUND;
}

enum err journal_look(const char *directory, uint64_t since,
                      struct journal_figures *ret_figures)
{
    struct segment_list list;
    struct journal_figures figures = { 0 };
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    enum err err = segment_list_read(fd, &list);
    if (err == ERR_OK) {
        err = heads_walk(fd, &list, since, &figures);
        free(list.numbers);
    }
    (void)close(fd);
    if (err == ERR_OK)
        *ret_figures = figures;
    return err;
}
