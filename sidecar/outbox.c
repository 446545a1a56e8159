#include "sidecar/outbox.h"

#include "base/ensure.h"
#include "os/log.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAME_BYTES_MAX ((size_t)16 * 1024 * 1024)

enum { NAME_BYTES = 256 };

/* Names: ORDER.KIND.GENERATION.TASK.report, and TASK.begun. */
static const char KIND_LETTERS[] = {
    [REPORT_COMPLETE] = 'c', [REPORT_FAILED] = 'f', [REPORT_CANCELLED] = 'x'
};

bool task_id_is_plain(struct slice task_id)
{
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-_.";
    if (task_id.size == 0 || task_id.size > TASK_ID_BYTES_MAX || task_id.data[0] == '.')
        return false;
    for (size_t i = 0; i < task_id.size; i++)
        if (memchr(PLAIN, task_id.data[i], sizeof PLAIN - 1) == NULL)
            return false;
    return true;
}

static bool report_path(const struct outbox *outbox, const struct report *report,
                        char path[PATH_MAX])
{
    char name[NAME_BYTES];
    int size = snprintf(name, sizeof name, "%020llu.%c.%lld.%s.report",
                        (unsigned long long)report->order, KIND_LETTERS[report->kind],
                        (long long)report->generation, report->task_id);
    return size > 0 && (size_t)size < sizeof name &&
           path_join(path, PATH_MAX, outbox->directory, name);
}

static bool begun_path(const struct outbox *outbox, const char *task_id,
                       char path[PATH_MAX])
{
    char name[NAME_BYTES];
    int size = snprintf(name, sizeof name, "%s.begun", task_id);
    return size > 0 && (size_t)size < sizeof name &&
           path_join(path, PATH_MAX, outbox->directory, name);
}

/* The part of *rest up to `mark`, which is skipped. False when there is none. */
static bool part_cut(struct slice *rest, char mark, struct slice *ret_part)
{
    size_t size = slice_find(*rest, mark);
    if (size == rest->size)
        return false;
    *ret_part = slice_make(rest->data, size);
    *rest = slice_skip(*rest, size + 1);
    return true;
}

static bool ending_cut(struct slice *name, const char *ending)
{
    size_t size = strlen(ending);
    if (name->size <= size || memcmp(name->data + name->size - size, ending, size) != 0)
        return false;
    name->size -= size;
    return true;
}

/* Adds it at its place; the list is short and mostly appended to. */
static void report_insert(struct outbox *outbox, struct report *report)
{
    struct report **at = &outbox->first;
    while (*at != NULL && (*at)->order < report->order)
        at = &(*at)->next;
    report->next = *at;
    *at = report;
    if (report->next == NULL)
        outbox->last = &report->next;
    outbox->count++;
    if (outbox->order_next <= report->order)
        outbox->order_next = report->order + 1;
}

static bool report_name_read(struct slice name, struct report *report)
{
    struct slice order, kind, generation;
    if (!ending_cut(&name, ".report") || !part_cut(&name, '.', &order) ||
        !part_cut(&name, '.', &kind) || !part_cut(&name, '.', &generation) ||
        !slice_parse_u64(order, &report->order) || kind.size != 1 ||
        !slice_parse_i64(generation, &report->generation) || !task_id_is_plain(name))
        return false;
    const char *letter = memchr(KIND_LETTERS, kind.data[0], sizeof KIND_LETTERS);
    if (letter == NULL)
        return false;
    report->kind = (enum report_kind)(letter - KIND_LETTERS);
    memcpy(report->task_id, name.data, name.size);
    return true;
}

static void file_set_aside(const char *path)
{
    char aside[PATH_MAX];
    int size = snprintf(aside, sizeof aside, "%s.damaged", path);
    if (size < 0 || (size_t)size >= sizeof aside || rename(path, aside) != 0)
        LOG_ERROR("damaged_file_not_set_aside", LOG_WORD("path", path));
    else
        LOG_ERROR("damaged_file_set_aside", LOG_WORD("path", aside));
}

/* No report by its name: what a write cut short left behind, or one that is damaged. */
static void stranger_settle(const struct outbox *outbox, const char *file)
{
    char path[PATH_MAX];
    struct slice name = slice_from_text(file);
    if (!path_join(path, sizeof path, outbox->directory, file))
        return;
    if (ending_cut(&name, ".new"))
        (void)unlink(path);
    else if (ending_cut(&name, ".report"))
        file_set_aside(path);
}

static enum err reports_read(struct outbox *outbox)
{
    DIR *directory = opendir(outbox->directory);
    if (directory == NULL)
        return ERR_IO;
    enum err err = ERR_OK;
    const struct dirent *entry;
    while (err == ERR_OK && (entry = readdir(directory)) != NULL) {
        struct report found = { .order = 0 };
        if (!report_name_read(slice_from_text(entry->d_name), &found)) {
            stranger_settle(outbox, entry->d_name);
            continue;
        }
        struct report *report = malloc(sizeof *report);
        if (report == NULL || outbox->count >= OUTBOX_REPORTS_MAX) {
            free(report);
            err = report == NULL ? ERR_MEMORY : ERR_LIMIT;
            break;
        }
        *report = found;
        report_insert(outbox, report);
    }
    (void)closedir(directory);
    return err;
}

enum err outbox_open(struct outbox *outbox, const char *directory)
{
    *outbox = (struct outbox){ .lock = { -1 } };
    outbox->last = &outbox->first;
    char path[PATH_MAX];
    size_t size = strlen(directory);
    if (size >= sizeof outbox->directory)
        return ERR_LIMIT;
    memcpy(outbox->directory, directory, size + 1);
    enum err err = directory_make(directory);
    if (err == ERR_OK && !path_join(path, sizeof path, directory, "lock"))
        err = ERR_LIMIT;
    if (err == ERR_OK)
        err = file_lock_take(path, &outbox->lock);
    if (err != ERR_OK)
        return err;
    err = reports_read(outbox);
    if (err != ERR_OK)
        outbox_close(outbox);
    return err;
}

static void report_free(struct report *report)
{
    free((char *)(uintptr_t)report->in_memory.data);
    free(report);
}

void outbox_close(struct outbox *outbox)
{
    while (outbox->first != NULL) {
        struct report *report = outbox->first;
        outbox->first = report->next;
        report_free(report);
    }
    outbox->last = &outbox->first;
    outbox->count = 0;
    if (outbox->lock.fd >= 0)
        file_lock_release(&outbox->lock);
    outbox->lock.fd = -1;
}

static bool frame_keep(struct report *report, struct slice frame)
{
    char *copy = malloc(frame.size > 0 ? frame.size : 1);
    if (copy == NULL)
        return false;
    memcpy(copy, frame.data, frame.size);
    report->in_memory = slice_make(copy, frame.size);
    return true;
}

enum err outbox_put(struct outbox *outbox, enum report_kind kind, const char *task_id,
                    int64_t generation, struct slice frame, bool *ret_durable)
{
    ENSURE(task_id_is_plain(slice_from_text(task_id)));
    if (outbox->count >= OUTBOX_REPORTS_MAX)
        return ERR_LIMIT;
    struct report *report = calloc(1, sizeof *report);
    if (report == NULL)
        return ERR_MEMORY;
    report->order = outbox->order_next;
    report->kind = kind;
    report->generation = generation;
    memcpy(report->task_id, task_id, strlen(task_id) + 1);

    char path[PATH_MAX];
    *ret_durable = report_path(outbox, report, path) && file_write(path, frame) == ERR_OK;
    if (!*ret_durable && !frame_keep(report, frame)) {
        free(report);
        return ERR_MEMORY;
    }
    report_insert(outbox, report);
    return ERR_OK;
}

enum err outbox_read(const struct outbox *outbox, const struct report *report,
                     struct buffer *buffer)
{
    if (slice_is_present(report->in_memory)) {
        buffer_append_slice(buffer, report->in_memory);
        return buffer_failed(buffer) ? ERR_MEMORY : ERR_OK;
    }
    char path[PATH_MAX];
    if (!report_path(outbox, report, path))
        return ERR_LIMIT;
    return file_read(path, FRAME_BYTES_MAX, buffer);
}

static void report_unlink(struct outbox *outbox, struct report *report)
{
    struct report **at = &outbox->first;
    while (*at != report) {
        ENSURE(*at != NULL);
        at = &(*at)->next;
    }
    *at = report->next;
    if (*at == NULL)
        outbox->last = at;
    outbox->count--;
}

void outbox_remove(struct outbox *outbox, struct report *report)
{
    char path[PATH_MAX];
    report_unlink(outbox, report);
    /* Not synced: a report that comes back with the disk is answered once more. */
    if (report_path(outbox, report, path))
        (void)unlink(path);
    report_free(report);
}

void outbox_set_aside(struct outbox *outbox, struct report *report)
{
    char path[PATH_MAX];
    report_unlink(outbox, report);
    if (report_path(outbox, report, path))
        file_set_aside(path);
    report_free(report);
}

void outbox_postpone(struct outbox *outbox, struct report *report)
{
    report_unlink(outbox, report);
    report->next = NULL;
    *outbox->last = report;
    outbox->last = &report->next;
    outbox->count++;
}

struct report *outbox_find(const struct outbox *outbox, struct slice task_id,
                           int64_t generation)
{
    for (struct report *report = outbox->first; report != NULL; report = report->next)
        if (slice_equal_text(task_id, report->task_id) &&
            (generation < 0 || generation == report->generation))
            return report;
    return NULL;
}

enum err outbox_begin(const struct outbox *outbox, const char *task_id,
                      int64_t generation, struct slice task)
{
    ENSURE(task_id_is_plain(slice_from_text(task_id)));
    char path[PATH_MAX];
    struct buffer text;
    if (!begun_path(outbox, task_id, path))
        return ERR_LIMIT;
    buffer_init(&text, FRAME_BYTES_MAX + 64);
    buffer_append_i64(&text, generation);
    buffer_append_byte(&text, '\n');
    buffer_append_slice(&text, task);
    enum err err =
        buffer_failed(&text) ? ERR_MEMORY : file_write(path, buffer_slice(&text));
    buffer_finish(&text);
    return err;
}

void outbox_end(const struct outbox *outbox, const char *task_id)
{
    char path[PATH_MAX];
    if (begun_path(outbox, task_id, path))
        (void)unlink(path);
}

/* The file: the generation, a line break, the frame. */
static enum err begun_read(const struct outbox *outbox, const char *task_id,
                           struct buffer *text, int64_t *ret_generation,
                           struct slice *ret_frame)
{
    char path[PATH_MAX];
    if (!begun_path(outbox, task_id, path))
        return ERR_LIMIT;
    enum err err = file_read(path, FRAME_BYTES_MAX + 64, text);
    if (err != ERR_OK)
        return err;
    struct slice rest = buffer_slice(text);
    struct slice number;
    if (!part_cut(&rest, '\n', &number) || !slice_parse_i64(number, ret_generation))
        return ERR_CORRUPT;
    *ret_frame = rest;
    return ERR_OK;
}

enum err outbox_begun_read(const struct outbox *outbox, const char *task_id,
                           struct buffer *buffer)
{
    struct buffer text;
    int64_t generation;
    struct slice frame;
    buffer_init(&text, FRAME_BYTES_MAX + 64);
    enum err err = begun_read(outbox, task_id, &text, &generation, &frame);
    if (err == ERR_OK)
        buffer_append_slice(buffer, frame);
    buffer_finish(&text);
    return err == ERR_OK && buffer_failed(buffer) ? ERR_MEMORY : err;
}

enum err outbox_begun_walk(const struct outbox *outbox,
                           void (*each)(void *owner, const struct begun *begun),
                           void *owner)
{
    DIR *directory = opendir(outbox->directory);
    if (directory == NULL)
        return ERR_IO;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        struct begun begun = { .generation = 0 };
        struct slice name = slice_from_text(entry->d_name);
        if (!ending_cut(&name, ".begun") || !task_id_is_plain(name))
            continue;
        memcpy(begun.task_id, name.data, name.size);
        struct buffer text;
        struct slice frame;
        buffer_init(&text, FRAME_BYTES_MAX + 64);
        if (begun_read(outbox, begun.task_id, &text, &begun.generation, &frame) !=
            ERR_OK) {
            LOG_ERROR("begun_record_damaged", LOG_WORD("task_id", begun.task_id));
            begun.generation = 0;
        }
        each(owner, &begun);
        buffer_finish(&text);
    }
    (void)closedir(directory);
    return ERR_OK;
}
