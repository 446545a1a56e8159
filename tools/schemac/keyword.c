#include "schemac/keyword.h"

#include "schemac/fail.h"

#include <string.h>

static const char *const KEYWORDS[] = {
    "$schema",   "$ref",        "$defs",
    "title",     "description", "default",
    "examples",  "type",        "const",
    "enum",      "required",    "properties",
    "items",     "minItems",    "maxItems",
    "minLength", "maxLength",   "minimum",
    "maximum",   "pattern",     "additionalProperties",
};

static const char *const EXTENSIONS[] = {
    "x-kind",  "x-roles",  "x-tier",   "x-answers", "x-slow-reader",
    "x-group", "x-opaque", "x-secret", "x-unsent",  "x-flag",
    "x-env",   "x-scope",  "x-class",  "x-message", "x-room",
};

/* Members of a route's descriptor that are no schemas, and those that are. */
static const char *const ROUTE_MEMBERS[] = {
    "name", "summary", "description", "group",    "method", "path",    "roles", "tier",
    "kind", "answers", "examples",    "document", "scope",  "invalid", "media", "room",
};
static const char *const ROUTE_SCHEMAS[] = { "path_parameters", "query", "headers",
                                             "body" };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool is_among(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

static void schema_check(json_t *schema, const char *where)
{
    if (json_is_boolean(schema))
        return;
    if (!json_is_object(schema))
        fail(where, "a schema is an object");
    const char *key;
    json_t *value;
    json_object_foreach(schema, key, value)
    {
        if (!is_among(key, KEYWORDS, COUNT(KEYWORDS)) &&
            !is_among(key, EXTENSIONS, COUNT(EXTENSIONS)))
            fail(where, "\"%s\" is not among the keywords used here", key);
        if (strcmp(key, "items") == 0 || strcmp(key, "additionalProperties") == 0)
            schema_check(value, where);
        if (strcmp(key, "properties") != 0 && strcmp(key, "$defs") != 0)
            continue;
        const char *name;
        json_t *property;
        json_object_foreach(value, name, property) schema_check(property, where);
    }
}

static void list_check(const struct source_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        schema_check(list->items[i].root, list->items[i].path);
}

/* Whatever a socket message says it is answered with is a message of the hub's. */
static void replies_check(const struct model *model, const struct source *source)
{
    const json_t *answers = json_object_get(source->root, "x-answers");
    for (size_t i = 0; i < json_array_size(answers); i++) {
        const char *name = json_string_value(json_array_get(answers, i));
        bool known = false;
        for (size_t k = 0; name != NULL && k < model->socket_out.count; k++)
            known |= strcmp(model->socket_out.items[k].name, name) == 0;
        if (!known)
            fail(source->path, "an answer that is no message of the hub's");
    }
}

static bool error_is_known(const struct model *model, const json_t *name)
{
    const json_t *errors = json_object_get(model->errors, "errors");
    for (size_t i = 0; i < json_array_size(errors); i++)
        if (json_equal(json_object_get(json_array_get(errors, i), "name"), name))
            return true;
    return false;
}

static void answers_check(const struct model *model, const struct source *source)
{
    const char *status;
    json_t *answer;
    json_object_foreach(json_object_get(source->root, "answers"), status, answer)
    {
        json_t *body = json_object_get(answer, "body");
        const json_t *errors = json_object_get(answer, "errors");
        json_t *headers = json_object_get(answer, "headers");
        const char *same = json_string_value(json_object_get(answer, "same_as"));
        bool bare = (status[0] == '3' || same != NULL) && body == NULL && errors == NULL;
        if (same != NULL &&
            json_object_get(
                json_object_get(json_object_get(source->root, "answers"), same),
                "body") == NULL)
            fail(source->path, "answer %s is the same as one that has no body", status);
        if ((body == NULL) == (errors == NULL) && !bare)
            fail(source->path, "answer %s has either a body or errors", status);
        if (headers != NULL)
            schema_check(headers, source->path);
        if (body != NULL)
            schema_check(body, source->path);
        for (size_t i = 0; i < json_array_size(errors); i++)
            if (!error_is_known(model, json_array_get(errors, i)))
                fail(source->path, "answer %s names an unknown error", status);
    }
}

/* What an example shows: values of the places, the body, and the answer's body. */
static void examples_check(const struct source *source)
{
    static const char *const MEMBERS[] = { "path", "query", "headers", "request",
                                           "answer" };
    const json_t *examples = json_object_get(source->root, "examples");
    for (size_t i = 0; i < json_array_size(examples); i++) {
        const char *key;
        json_t *value;
        json_object_foreach(json_array_get(examples, i), key, value)
        {
            if (!is_among(key, MEMBERS, COUNT(MEMBERS)) || !json_is_object(value))
                fail(source->path, "\"%s\" is no part of an example", key);
        }
    }
}

static void route_check(const struct model *model, const struct source *source)
{
    const char *key;
    json_t *value;
    json_object_foreach(source->root, key, value)
    {
        if (is_among(key, ROUTE_SCHEMAS, COUNT(ROUTE_SCHEMAS)))
            schema_check(value, source->path);
        else if (!is_among(key, ROUTE_MEMBERS, COUNT(ROUTE_MEMBERS)))
            fail(source->path, "\"%s\" is no member of a route", key);
    }
    answers_check(model, source);
    examples_check(source);
}

/* What stands in a token's list of scopes is what the rows name. */
static void scopes_check(const struct model *model)
{
    const json_t *scopes = json_object_get(model->scopes, "scopes");
    const json_t *words = json_object_get(
        json_object_get(json_object_get(model->common, "$defs"), "scope"), "enum");
    bool same = json_array_size(scopes) == json_array_size(words);
    for (size_t i = 0; same && i < json_array_size(scopes); i++)
        same = json_equal(json_object_get(json_array_get(scopes, i), "name"),
                          json_array_get(words, i)) != 0;
    if (!same)
        fail("common.json", "the words of \"scope\" are not those of scopes.json");
}

void keyword_check(const struct model *model)
{
    schema_check(model->common, "common.json");
    scopes_check(model);
    schema_check(model->config, "config.json");
    schema_check(json_object_get(model->errors, "http_error"), "errors.json");
    schema_check(json_object_get(model->errors, "problem"), "errors.json");
    list_check(&model->socket_in);
    list_check(&model->socket_out);
    list_check(&model->internal);
    list_check(&model->events);
    for (size_t i = 0; i < model->socket_in.count; i++)
        replies_check(model, &model->socket_in.items[i]);
    for (size_t i = 0; i < model->http.count; i++)
        route_check(model, &model->http.items[i]);
}
