#include "app/config.h"

#include "json/json.h"
#include "os/file.h"
#include "schema/schema.h"

#define FILE_BYTES_MAX ((size_t)256 * 1024)

struct file {
    const char *path;
    struct buffer text;
    struct json *json;
    struct schema *schema;
    struct schema_run *run;
};

static int line_of(const struct file *file, size_t offset)
{
    int line = 1;
    for (size_t i = 0; i < offset && i < file->text.size; i++)
        line += file->text.data[i] == '\n';
    return line;
}

static int line_of_value(const struct file *file, const struct json_node *value)
{
    return line_of(file, (size_t)(value->raw.data - file->text.data));
}

static enum err file_parse(struct config *config, struct file *file)
{
    struct json_problem problem = { 0, "" };
    enum err err = file_read(file->path, FILE_BYTES_MAX, &file->text);
    if (err != ERR_OK) {
        fprintf(config->complaints, "drover-hub: %s: cannot be read (%s)\n", file->path,
                err_name(err));
        return ERR_INVALID;
    }
    file->json = json_create(&JSON_LIMITS_DEFAULT);
    if (file->json == NULL)
        return ERR_MEMORY;
    err = json_parse(file->json, buffer_slice(&file->text), &problem);
    if (err == ERR_INVALID || err == ERR_LIMIT) {
        fprintf(config->complaints, "drover-hub: %s:%d: %s\n", file->path,
                line_of(file, problem.offset), problem.reason);
        return ERR_INVALID;
    }
    return err;
}

static enum err file_validate(struct config *config, struct file *file)
{
    struct schema_problem problem;
    bool valid = false;
    enum err err =
        schema_compile(NULL, SETTINGS_SCHEMA, SCHEMA_STRICT, &file->schema, &problem);
    file->run = schema_run_create();
    if (err != ERR_OK || file->run == NULL)
        return ERR_MEMORY;
    err = schema_validate(file->schema, file->run, file->json, json_root(file->json),
                          true, &valid);
    if (err != ERR_OK || valid)
        return err;

    for (size_t i = 0; i < schema_violation_count(file->run); i++) {
        const struct schema_violation *violation = schema_violation_at(file->run, i);
        fprintf(config->complaints, "drover-hub: %s:%d: %.*s: %.*s %.*s\n", file->path,
                line_of_value(file, violation->value),
                (int)violation->instance_location.size, violation->instance_location.data,
                (int)violation->keyword.size, violation->keyword.data,
                (int)violation->detail.size, violation->detail.data);
    }
    return ERR_INVALID;
}

static enum err texts_take(struct config *config, const struct file *file,
                           enum setting setting, const struct json_node *value)
{
    struct slice *items = arena_take_many(&config->arena, value->count, sizeof *items);
    size_t count = 0;
    for (const struct json_node *item = json_child(file->json, value);
         item != NULL && items != NULL; item = json_after(file->json, value, item))
        items[count++] = arena_copy(&config->arena, item->value.text);
    config->values[setting].texts = (struct slice_list){ items, count };
    return arena_failed(&config->arena) ? ERR_MEMORY : ERR_OK;
}

/* The schema has judged the value: only its kind is left to read. */
static enum err value_take(struct config *config, const struct file *file,
                           enum setting setting, const struct json_node *value)
{
    struct setting_value *target = &config->values[setting];
    switch (SETTING_ROWS[setting].kind) {
    case SETTING_KIND_INTEGER:
        return config_set(config, setting, value->raw, file->path);
    case SETTING_KIND_BOOL:
        target->number = value->kind == JSON_TRUE;
        return ERR_OK;
    case SETTING_KIND_TEXT:
        /* It may become a path, which would end there. */
        if (slice_find(value->value.text, '\0') < value->value.text.size) {
            fprintf(config->complaints, "drover-hub: %s:%d: /%s: holds a NUL\n",
                    file->path, line_of_value(file, value),
                    SETTING_ROWS[setting].name.data);
            return ERR_INVALID;
        }
        target->text = arena_copy(&config->arena, value->value.text);
        return arena_failed(&config->arena) ? ERR_MEMORY : ERR_OK;
    case SETTING_KIND_TEXTS:
        return texts_take(config, file, setting, value);
    }
    return ERR_INVALID;
}

enum err config_read_file(struct config *config, const char *path)
{
    struct file file = { .path = path };
    buffer_init(&file.text, FILE_BYTES_MAX);

    enum err err = file_parse(config, &file);
    if (err == ERR_OK)
        err = file_validate(config, &file);
    for (int i = 0; i < SETTING_COUNT && err == ERR_OK; i++) {
        const struct json_node *value =
            json_member(file.json, json_root(file.json), SETTING_ROWS[i].name);
        if (value != NULL)
            err = value_take(config, &file, (enum setting)i, value);
    }

    schema_run_destroy(file.run);
    schema_destroy(file.schema);
    json_destroy(file.json);
    buffer_finish(&file.text);
    return err;
}
