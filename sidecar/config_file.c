#include "sidecar/config_file.h"

#include "os/file.h"
#include "os/secret.h"
#include "schema/schema.h"
#include "sidecar/config_schema.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FILE_BYTES_MAX ((size_t)256 * 1024)

static const struct slice PROPERTIES = SLICE("properties");
static const struct slice DEFAULT = SLICE("default");

__attribute__((format(printf, 3, 4))) static enum err file_fail(struct config_file *file,
                                                                enum err err,
                                                                const char *format, ...)
{
    if (file->err != ERR_OK)
        return file->err;
    file->err = err;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(file->problem, sizeof file->problem, format, arguments);
    va_end(arguments);
    return err;
}

void config_file_refuse(struct config_file *file, const char *name, const char *why)
{
    (void)file_fail(file, ERR_INVALID, "/%s: %s", name, why);
}

static size_t line_of(struct slice text, size_t offset)
{
    size_t line = 1;
    for (size_t i = 0; i < offset && i < text.size; i++)
        line += text.data[i] == '\n';
    return line;
}

static enum err schema_check(struct config_file *file, const struct schema *schema,
                             struct schema_run *run)
{
    bool valid = false;
    enum err err =
        schema_validate(schema, run, file->tape, json_root(file->tape), true, &valid);
    if (err != ERR_OK)
        return file_fail(file, err, "it cannot be checked: %s", err_name(err));
    if (valid)
        return ERR_OK;
    if (schema_violation_count(run) == 0)
        return file_fail(file, ERR_INVALID, "it is not what its schema says");

    const struct schema_violation *first = schema_violation_at(run, 0);
    struct slice where = first->instance_location;
    size_t line = 1;
    if (first->value != NULL)
        line = line_of(buffer_slice(&file->text),
                       (size_t)(first->value->raw.data - file->text.data));
    return file_fail(file, ERR_INVALID, "line %zu: %.*s: %.*s (%.*s)", line,
                     where.size > 0 ? (int)where.size : 1,
                     where.size > 0 ? where.data : "/", (int)first->detail.size,
                     first->detail.data, (int)first->keyword.size, first->keyword.data);
}

static enum err file_validate(struct config_file *file)
{
    struct schema *schema = NULL;
    struct schema_problem problem = { "", "" };
    enum err err =
        schema_compile(NULL, config_schema_text(), SCHEMA_STRICT, &schema, &problem);
    if (err != ERR_OK)
        return file_fail(file, err, "the schema of the settings is wrong: %s: %s",
                         problem.pointer, problem.reason);
    struct schema_run *run = schema_run_create();
    if (run == NULL)
        err = file_fail(file, ERR_MEMORY, "out of memory");
    else
        err = schema_check(file, schema, run);
    schema_run_destroy(run);
    schema_destroy(schema);
    return err;
}

static enum err file_parse(struct config_file *file)
{
    struct json_problem problem = { 0, "" };
    file->tape = json_create(&JSON_LIMITS_DEFAULT);
    file->schema_tape = json_create(&JSON_LIMITS_DEFAULT);
    if (file->tape == NULL || file->schema_tape == NULL)
        return file_fail(file, ERR_MEMORY, "out of memory");
    enum err err = json_parse(file->schema_tape, config_schema_text(), &problem);
    if (err != ERR_OK)
        return file_fail(file, err, "the schema of the settings is not JSON");

    struct slice text = buffer_slice(&file->text);
    err = json_parse(file->tape, text, &problem);
    if (err != ERR_OK)
        return file_fail(file, ERR_INVALID, "line %zu: %s", line_of(text, problem.offset),
                         problem.reason);
    return file_validate(file);
}

enum err config_file_open(struct config_file *file, const char *path)
{
    *file = (struct config_file){ .err = ERR_OK };
    buffer_init(&file->text, FILE_BYTES_MAX);
    enum err err = file_read(path, FILE_BYTES_MAX, &file->text);
    if (err != ERR_OK)
        return file_fail(file, err, "it cannot be read: %s",
                         err == ERR_LIMIT ? "it is too large" : strerror(errno));
    return file_parse(file);
}

void config_file_close(struct config_file *file)
{
    json_destroy(file->tape);
    json_destroy(file->schema_tape);
    if (file->text.data != NULL)
        secret_wipe(file->text.data, file->text.size);
    buffer_finish(&file->text);
}

const struct json_node *config_value(const struct config_file *file, const char *name,
                                     const struct json **ret_tape)
{
    struct slice key = slice_from_text(name);
    const struct json_node *value = json_member(file->tape, json_root(file->tape), key);
    *ret_tape = file->tape;
    if (value != NULL)
        return value;
    const struct json *tape = file->schema_tape;
    *ret_tape = tape;
    const struct json_node *rule = json_member(tape, json_root(tape), PROPERTIES);
    rule = rule == NULL ? NULL : json_member(tape, rule, key);
    return rule == NULL ? NULL : json_member(tape, rule, DEFAULT);
}

static struct slice text_copy(struct config_file *file, struct arena *arena,
                              const char *name, struct slice text)
{
    if (memchr(text.data, '\0', text.size) != NULL) {
        config_file_refuse(file, name, "a NUL has no place in it");
        return SLICE_OF("");
    }
    struct slice copy = arena_copy(arena, text);
    if (!slice_is_present(copy))
        (void)file_fail(file, ERR_MEMORY, "out of memory");
    return slice_is_present(copy) ? copy : SLICE_OF("");
}

const char *config_text(struct config_file *file, struct arena *arena, const char *name)
{
    const struct json *tape;
    const struct json_node *value = config_value(file, name, &tape);
    if (value == NULL || value->kind != JSON_STRING)
        return NULL;
    return text_copy(file, arena, name, value->value.text).data;
}

int64_t config_number(struct config_file *file, const char *name)
{
    const struct json *tape;
    const struct json_node *value = config_value(file, name, &tape);
    if (value == NULL || value->kind != JSON_NUMBER || !value->integer) {
        /* 1e3 is an integer to JSON Schema; to people it is a slip of the pen. */
        config_file_refuse(file, name, "write it as a plain integer");
        return 0;
    }
    return value->value.number;
}

struct slice_list config_texts(struct config_file *file, struct arena *arena,
                               const char *name)
{
    const struct json *tape;
    const struct json_node *value = config_value(file, name, &tape);
    struct slice_list list = { NULL, 0 };
    if (value == NULL || value->count == 0)
        return list;
    list.items = arena_take_many(arena, value->count, sizeof *list.items);
    if (list.items == NULL) {
        (void)file_fail(file, ERR_MEMORY, "out of memory");
        return list;
    }
    for (const struct json_node *item = json_child(tape, value); item != NULL;
         item = json_after(tape, value, item))
        list.items[list.count++] = text_copy(file, arena, name, item->value.text);
    return list;
}
