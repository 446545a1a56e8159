#include "examples/examples.h"

#include "json/json.h"
#include "os/file.h"
#include "schema/schema.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 1024, FILES_MAX = 2048, POINTER_BYTES = 512, DEPTH_MAX = 8 };
#define FILE_BYTES_MAX ((size_t)1024 * 1024)

struct check {
    const char *folder;
    FILE *log;
    struct examples_report report;
    struct schema_set *set;
    struct schema_run *run;
    struct json *json;    /* of the file in hand */
    struct json *nothing; /* {} */
    const char *file;     /* in hand, below the folder */
};

/* The parts of a route and of its examples that belong together. */
static const struct {
    const char *part;   /* in the example */
    const char *schema; /* in the route */
} PARTS[] = {
    { "path", "path_parameters" },
    { "query", "query" },
    { "headers", "headers" },
    { "request", "body" },
};

__attribute__((format(printf, 3, 4))) static void problem(struct check *check,
                                                          const char *pointer,
                                                          const char *format, ...)
{
    va_list arguments;
    check->report.problems++;
    (void)fprintf(check->log, "%s/%s: %s: ", check->folder, check->file, pointer);
    va_start(arguments, format);
    (void)vfprintf(check->log, format, arguments);
    va_end(arguments);
    (void)fputc('\n', check->log);
}

static const struct json_node *member(const struct check *check,
                                      const struct json_node *object, const char *name)
{
    return object == NULL ? NULL
                          : json_member(check->json, object, slice_from_text(name));
}

static void violations_tell(struct check *check, const char *pointer)
{
    for (size_t i = 0; i < schema_violation_count(check->run); i++) {
        const struct schema_violation *broken = schema_violation_at(check->run, i);
        char whole[POINTER_BYTES];
        (void)snprintf(whole, sizeof whole, "%s%.*s", pointer,
                       (int)broken->instance_location.size,
                       broken->instance_location.data);
        problem(check, whole, "%.*s: %.*s", (int)broken->keyword.size,
                broken->keyword.data, (int)broken->detail.size, broken->detail.data);
    }
}

static void value_check(struct check *check, const struct schema *schema,
                        const struct json *json, const struct json_node *value,
                        const char *pointer)
{
    bool valid = false;
    check->report.examples++;
    if (schema_validate(schema, check->run, json, value, true, &valid) != ERR_OK)
        problem(check, pointer, "too much to validate");
    else if (!valid)
        violations_tell(check, pointer);
}

/* Compiles a document of the set; NULL is told. */
static struct schema *compile(struct check *check, const char *name)
{
    struct schema *schema = NULL;
    struct schema_problem why;
    if (schema_compile_named(check->set, slice_from_text(name), SCHEMA_STRICT, &schema,
                             &why) == ERR_OK)
        return schema;
    problem(check, why.pointer, "%s", why.reason);
    return NULL;
}

/* A schema that stands inside a file becomes a document of the same folder, so that its
 * references lead where the file's would. */
static struct schema *inner_compile(struct check *check, const struct json_node *schema,
                                    const char *part)
{
    char name[PATH_BYTES];
    struct schema_problem why;
    (void)snprintf(name, sizeof name, "%s.%s", check->file, part);
    if (schema_set_add(check->set, slice_from_text(name), schema->raw, &why) != ERR_OK) {
        problem(check, why.pointer, "%s", why.reason);
        return NULL;
    }
    return compile(check, name);
}

/* The examples of a file or a schema inside it, whose pointer is `above`. */
static void examples_of(struct check *check, const struct json_node *owner,
                        const struct schema *schema, const char *above)
{
    const struct json_node *list = member(check, owner, "examples");
    char pointer[POINTER_BYTES];
    size_t count = 0;
    check->report.files++;
    if (list != NULL && list->kind == JSON_ARRAY)
        for (const struct json_node *item = json_child(check->json, list); item != NULL;
             item = json_after(check->json, list, item)) {
            (void)snprintf(pointer, sizeof pointer, "%s/examples/%zu", above, count++);
            value_check(check, schema, check->json, item, pointer);
        }
    (void)snprintf(pointer, sizeof pointer, "%s/examples", above);
    if (count == 0)
        problem(check, pointer, "nothing is shown");
}

static void schema_file_check(struct check *check)
{
    struct schema *schema = compile(check, check->file);
    if (schema != NULL)
        examples_of(check, json_root(check->json), schema, "");
    schema_destroy(schema);
}

/* One part of every example of a route. Left out, it is held to be empty. */
static void part_check(struct check *check, const struct json_node *schema_node,
                       const char *part, bool needed)
{
    const struct json_node *list = member(check, json_root(check->json), "examples");
    struct schema *schema =
        schema_node == NULL ? NULL : inner_compile(check, schema_node, part);
    size_t index = 0;
    for (const struct json_node *item = list == NULL ? NULL
                                                     : json_child(check->json, list);
         item != NULL; item = json_after(check->json, list, item)) {
        char pointer[POINTER_BYTES];
        const struct json_node *value = member(check, item, part);
        (void)snprintf(pointer, sizeof pointer, "/examples/%zu/%s", index++, part);
        if (schema_node == NULL && value != NULL)
            problem(check, pointer, "the route takes none");
        else if (needed && value == NULL)
            problem(check, pointer, "is not shown");
        else if (schema != NULL)
            value_check(check, schema, value != NULL ? check->json : check->nothing,
                        value != NULL ? value : json_root(check->nothing), pointer);
    }
    schema_destroy(schema);
}

static const struct json_node *success_body(const struct check *check)
{
    const struct json_node *answers = member(check, json_root(check->json), "answers");
    const struct json_node *own = NULL;
    for (const struct json_node *key = json_child(check->json, answers); key != NULL;) {
        const struct json_node *answer = json_after(check->json, answers, key);
        const struct json_node *body = member(check, answer, "body");
        if (key->value.text.size == 3 && key->value.text.data[0] == '2')
            return body;
        own = body != NULL ? body : own;
        key = json_after(check->json, answers, answer);
    }
    return own; /* of a route that never succeeds */
}

static void route_check(struct check *check)
{
    const struct json_node *root = json_root(check->json);
    const struct json_node *list = member(check, root, "examples");
    const struct json_node *body = success_body(check);
    check->report.files++;
    if (list == NULL || list->kind != JSON_ARRAY || list->count == 0)
        problem(check, "/examples", "nothing is shown");
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++)
        part_check(check, member(check, root, PARTS[i].schema), PARTS[i].part, false);
    part_check(check, body, "answer", body != NULL);
}

static void errors_check(struct check *check)
{
    static const char *const BODIES[] = { "http_error", "problem" };
    for (size_t i = 0; i < sizeof BODIES / sizeof BODIES[0]; i++) {
        char pointer[POINTER_BYTES];
        const struct json_node *node = member(check, json_root(check->json), BODIES[i]);
        (void)snprintf(pointer, sizeof pointer, "/%s", BODIES[i]);
        if (node == NULL) {
            problem(check, pointer, "is missing");
            continue;
        }
        struct schema *schema = inner_compile(check, node, BODIES[i]);
        if (schema != NULL)
            examples_of(check, node, schema, pointer);
        schema_destroy(schema);
    }
}

static bool file_load(struct check *check, const char *file, struct buffer *text)
{
    char path[PATH_BYTES];
    struct json_problem why;
    check->file = file;
    buffer_clear(text);
    if (!path_join(path, sizeof path, check->folder, file) ||
        file_read(path, FILE_BYTES_MAX, text) != ERR_OK) {
        problem(check, "/", "cannot be read");
        return false;
    }
    if (json_parse(check->json, buffer_slice(text), &why) == ERR_OK)
        return true;
    problem(check, "/", "byte %zu: %s", why.offset, why.reason);
    return false;
}

/* What a file is follows from what it holds. */
static void file_check(struct check *check, const char *file, struct buffer *text)
{
    if (!file_load(check, file, text))
        return;
    const struct json_node *root = json_root(check->json);
    struct schema_problem why;
    if (member(check, root, "answers") != NULL) {
        route_check(check);
    } else if (member(check, root, "http_error") != NULL) {
        errors_check(check);
    } else if (member(check, root, "type") != NULL) {
        if (schema_set_add(check->set, slice_from_text(file), buffer_slice(text), &why) ==
            ERR_OK)
            schema_file_check(check);
        else
            problem(check, why.pointer, "%s", why.reason);
    }
}

struct files {
    char *names[FILES_MAX];
    size_t count;
    bool failed;
};

static void files_find(struct files *files, const char *folder, const char *below,
                       unsigned depth)
{
    char path[PATH_BYTES];
    DIR *directory = NULL;
    if (depth < DEPTH_MAX && path_join(path, sizeof path, folder, below))
        directory = opendir(path);
    files->failed |= directory == NULL;
    for (const struct dirent *entry;
         directory != NULL && (entry = readdir(directory)) != NULL;) {
        size_t size = strlen(entry->d_name);
        char name[PATH_BYTES];
        if (entry->d_name[0] == '.')
            continue;
        if (below[0] == '\0')
            (void)snprintf(name, sizeof name, "%s", entry->d_name);
        else if (!path_join(name, sizeof name, below, entry->d_name))
            files->failed = true;
        if (strchr(entry->d_name, '.') == NULL)
            files_find(files, folder, name, depth + 1);
        else if (size > 5 && strcmp(entry->d_name + size - 5, ".json") == 0 &&
                 files->count < FILES_MAX)
            files->failed |= (files->names[files->count++] = strdup(name)) == NULL;
        files->failed |= files->count == FILES_MAX;
    }
    if (directory != NULL)
        (void)closedir(directory);
}

static int names_compare(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

static void all_check(struct check *check)
{
    struct files files = { 0 };
    struct buffer text;
    struct schema_problem why;
    buffer_init(&text, FILE_BYTES_MAX);
    files_find(&files, check->folder, "", 0);
    check->file = "";
    if (files.failed || files.count == 0)
        problem(check, "/", "the folder cannot be read");
    qsort(files.names, files.count, sizeof files.names[0], names_compare);
    /* What all refer to comes first. */
    if (file_load(check, "common.json", &text) &&
        schema_set_add(check->set, SLICE_OF("common.json"), buffer_slice(&text), &why) !=
            ERR_OK)
        problem(check, why.pointer, "%s", why.reason);
    for (size_t i = 0; i < files.count; i++) {
        if (files.names[i] != NULL)
            file_check(check, files.names[i], &text);
        free(files.names[i]);
    }
    buffer_finish(&text);
}

bool examples_check(const char *folder, FILE *log, struct examples_report *ret_report)
{
    struct json_problem unused;
    struct check check = { .folder = folder,
                           .log = log,
                           .set = schema_set_create(),
                           .run = schema_run_create(),
                           .json = json_create(&JSON_LIMITS_DEFAULT),
                           .nothing = json_create(&JSON_LIMITS_DEFAULT),
                           .file = "" };
    if (check.set != NULL && check.run != NULL && check.json != NULL &&
        check.nothing != NULL &&
        json_parse(check.nothing, SLICE_OF("{}"), &unused) == ERR_OK)
        all_check(&check);
    else
        problem(&check, "/", "no memory");
    json_destroy(check.nothing);
    json_destroy(check.json);
    schema_run_destroy(check.run);
    schema_set_destroy(check.set);
    *ret_report = check.report;
    return check.report.problems == 0;
}
