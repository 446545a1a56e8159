#include "schemac/source.h"

#include "schemac/fail.h"

#include <dirent.h>
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

void source_list_read(struct source_list *list, const char *folder)
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

static json_t *resolve(const json_t *common, json_t *schema, const char *where,
                       unsigned depth);

static json_t *resolve_target(const json_t *common, const char *target, const char *where,
                              unsigned depth)
{
    const char *mark = strstr(target, "#/$defs/");
    if (mark == NULL)
        fail(where, "\"%s\" points outside $defs", target);
    size_t file = (size_t)(mark - target);
    static const char COMMON[] = "common.json";
    if (file != 0 &&
        (file < sizeof COMMON - 1 ||
         strncmp(mark - (sizeof COMMON - 1), COMMON, sizeof COMMON - 1) != 0))
        fail(where, "\"%s\" points outside common.json", target);

    const char *name = mark + strlen("#/$defs/");
    json_t *found = json_object_get(json_object_get(common, "$defs"), name);
    if (found == NULL)
        fail(where, "\"%s\" points at nothing", target);
    json_t *copy = resolve(common, found, where, depth + 1);
    if (json_object_get(copy, "x-def") == NULL)
        json_object_set_new(copy, "x-def", json_string(name));
    return copy;
}

static json_t *resolve_object(const json_t *common, json_t *schema, const char *where,
                              unsigned depth)
{
    json_t *reference = json_object_get(schema, "$ref");
    json_t *copy =
        reference == NULL
            ? json_object()
            : resolve_target(common, json_string_value(reference), where, depth);
    const char *key;
    json_t *value;
    json_object_foreach(schema, key, value)
    {
        if (value == reference)
            continue;
        if (reference != NULL && strcmp(key, "description") != 0 && key[0] != 'x')
            fail(where, "\"%s\" beside $ref would change what is valid", key);
        json_object_set_new(copy, key, resolve(common, value, where, depth + 1));
    }
    return copy;
}

static json_t *resolve(const json_t *common, json_t *schema, const char *where,
                       unsigned depth)
{
    if (depth > RESOLVE_DEPTH_MAX)
        fail(where, "references that lead back to themselves, or too deep");
    if (json_is_object(schema))
        return resolve_object(common, schema, where, depth);
    if (!json_is_array(schema))
        return json_deep_copy(schema);

    json_t *copy = json_array();
    for (size_t i = 0; i < json_array_size(schema); i++)
        json_array_append_new(
            copy, resolve(common, json_array_get(schema, i), where, depth + 1));
    return copy;
}

json_t *source_resolve(const json_t *common, json_t *schema, const char *where)
{
    return resolve(common, schema, where, 0);
}
