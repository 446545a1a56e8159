#include "schemac/source.h"

#include "schemac/fail.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESOLVE_DEPTH_MAX = 32 };

json_t *source_read(const char *path)
{
    json_error_t error;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        fail(path, "line %d: %s", error.line, error.text);
    if (!json_is_object(root))
        fail(path, "not a JSON object");
    return root;
}

static int compare_names(const void *one, const void *other)
{
    return strcmp(((const struct source *)one)->name,
                  ((const struct source *)other)->name);
}

void source_list_read(struct source_list *list, const char *folder, const char *up)
{
    DIR *directory = opendir(folder);
    if (directory == NULL)
        fail(folder, "cannot be read");

    list->count = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        size_t size = strlen(entry->d_name);
        if (size <= 5 || strcmp(entry->d_name + size - 5, ".json") != 0)
            continue;
        if (list->count == SOURCES_MAX || size - 5 >= SOURCE_NAME_BYTES)
            fail(folder, "too many files, or too long a name");
        struct source *source = &list->items[list->count++];
        memcpy(source->name, entry->d_name, size - 5);
        source->name[size - 5] = '\0';
        join(source->path, sizeof source->path, folder, "/", entry->d_name);
        source->up = up;
        source->root = source_read(source->path);
    }
    closedir(directory);
    qsort(list->items, list->count, sizeof list->items[0], compare_names);
}

void source_list_free(struct source_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        json_decref(list->items[i].root);
    list->count = 0;
}

struct reference {
    const json_t *common;
    const char *up;    /* from the file's folder to that of common.json: ../../ */
    const char *where; /* the file, for what is said of it */
    bool in_common;    /* the schema stands there */
};

static json_t *resolve(const struct reference *from, json_t *schema, unsigned depth);

static json_t *resolve_target(const struct reference *from, const char *target,
                              unsigned depth)
{
    static const char COMMON[] = "common.json";
    struct reference there = *from;
    const char *mark = target == NULL ? NULL : strstr(target, "#/$defs/");
    if (mark == NULL)
        fail(from->where, "\"%s\" points outside $defs", target == NULL ? "" : target);
    const char *rest = target;
    if (!from->in_common) {
        size_t up = strlen(from->up);
        if (strncmp(target, from->up, up) != 0 ||
            strncmp(target + up, COMMON, sizeof COMMON - 1) != 0)
            fail(from->where, "\"%s\" does not lead to common.json: %s%s would", target,
                 from->up, COMMON);
        rest += up + sizeof COMMON - 1;
    }
    if (rest != mark)
        fail(from->where, "\"%s\" points outside common.json", target);

    const char *name = mark + strlen("#/$defs/");
    json_t *found = json_object_get(json_object_get(from->common, "$defs"), name);
    if (found == NULL)
        fail(from->where, "\"%s\" points at nothing", target);
    there.in_common = true;
    json_t *copy = resolve(&there, found, depth + 1);
    if (json_object_get(copy, "x-def") == NULL)
        json_object_set_new(copy, "x-def", json_string(name));
    return copy;
}

static json_t *resolve_object(const struct reference *from, json_t *schema,
                              unsigned depth)
{
    json_t *reference = json_object_get(schema, "$ref");
    json_t *copy = reference == NULL
                       ? json_object()
                       : resolve_target(from, json_string_value(reference), depth);
    const char *key;
    json_t *value;
    json_object_foreach(schema, key, value)
    {
        if (value == reference)
            continue;
        if (reference != NULL && strcmp(key, "description") != 0 && key[0] != 'x')
            fail(from->where, "\"%s\" beside $ref would change what is valid", key);
        json_object_set_new(copy, key, resolve(from, value, depth + 1));
    }
    return copy;
}

static json_t *resolve(const struct reference *from, json_t *schema, unsigned depth)
{
    if (depth > RESOLVE_DEPTH_MAX)
        fail(from->where, "references that lead back to themselves, or too deep");
    if (json_is_object(schema))
        return resolve_object(from, schema, depth);
    if (!json_is_array(schema))
        return json_deep_copy(schema);

    json_t *copy = json_array();
    for (size_t i = 0; i < json_array_size(schema); i++)
        json_array_append_new(copy, resolve(from, json_array_get(schema, i), depth + 1));
    return copy;
}

json_t *source_resolve(const json_t *common, json_t *schema, const char *where,
                       const char *up)
{
    const struct reference from = { .common = common, .up = up, .where = where };
    return resolve(&from, schema, 0);
}
