#include "schemac/document.h"

#include "schemac/fail.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const DOCUMENT_NAMES[DOCUMENT_COUNT] = {
    [DOCUMENT_SCHEMAS] = "schemas",
    [DOCUMENT_OPENAPI] = "openapi",
    [DOCUMENT_ASYNCAPI] = "asyncapi",
};

/* What stands in a schema for this project, or once for the whole document. */
static const char *const LEFT_OUT[] = {
    "$schema",   "title", "examples",      "x-kind",   "x-roles", "x-tier",   "x-group",
    "x-answers", "x-def", "x-slow-reader", "x-opaque", "x-class", "x-message"
};

size_t document_find(const char *name, const char *where)
{
    for (size_t i = 0; i < DOCUMENT_COUNT; i++)
        if (strcmp(DOCUMENT_NAMES[i], name) == 0)
            return i;
    fail(where, "\"%s\" is no document", name);
}

const char *document_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL)
        fail("document", "\"%s\" is missing or no text", key);
    return text;
}

void document_set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        fail("document", "%s: no memory", key);
}

json_t *document_reference(const char *folder, const char *name)
{
    char target[SOURCE_PATH_BYTES];
    join(target, sizeof target, folder, "", name);
    json_t *reference = json_object();
    document_set(reference, "$ref", json_string(target));
    return reference;
}

static bool is_left_out(const char *key)
{
    for (size_t i = 0; i < sizeof LEFT_OUT / sizeof LEFT_OUT[0]; i++)
        if (strcmp(LEFT_OUT[i], key) == 0)
            return true;
    return false;
}

static json_t *properties_copy(const json_t *properties)
{
    json_t *copy = json_object();
    const char *name;
    json_t *schema;
    json_object_foreach((json_t *)(uintptr_t)properties, name, schema)
    {
        if (!json_is_true(json_object_get(schema, "x-unsent")))
            document_set(copy, name, document_schema(schema));
    }
    return copy;
}

static json_t *reference_copy(const json_t *reference)
{
    const char *target = json_string_value(reference);
    const char *name = target == NULL ? NULL : strrchr(target, '/');
    if (name == NULL)
        fail("document", "a reference to nothing");
    char path[SOURCE_PATH_BYTES];
    join(path, sizeof path, "#/components/schemas", "", name);
    return json_string(path);
}

json_t *document_schema(const json_t *schema)
{
    if (!json_is_object(schema))
        return json_deep_copy(schema);
    json_t *copy = json_object();
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)schema, key, value)
    {
        if (is_left_out(key))
            continue;
        if (strcmp(key, "$ref") == 0)
            document_set(copy, key, reference_copy(value));
        else if (strcmp(key, "properties") == 0)
            document_set(copy, key, properties_copy(value));
        else if (strcmp(key, "items") == 0 || strcmp(key, "additionalProperties") == 0)
            document_set(copy, key, document_schema(value));
        else
            document_set(copy, key, json_deep_copy(value));
    }
    /* Makers of typed clients take an object without members for an empty one. */
    if (json_is_true(json_object_get(schema, "x-opaque")))
        document_set(copy, "additionalProperties", json_true());
    return copy;
}

/* What an event's data may be: one of the shapes of the events. */
static void events_add(const struct model *model, json_t *shared)
{
    json_t *shapes = json_array();
    for (size_t i = 0; i < model->unit_count; i++) {
        const struct unit *unit = &model->units[i];
        if (unit->direction != UNIT_EVENT)
            continue;
        document_set(shared, unit->name, document_schema(unit->source));
        json_array_append_new(shapes,
                              document_reference("#/components/schemas/", unit->name));
    }
    json_t *event = json_object_get(shared, "event");
    json_t *data = json_object_get(json_object_get(event, "properties"), "data");
    if (json_array_size(shapes) == 0 || data == NULL)
        json_decref(shapes);
    else
        document_set(data, "anyOf", shapes);
}

json_t *document_shared(const struct model *model)
{
    json_t *shared = json_object();
    const char *name;
    json_t *schema;
    json_object_foreach(json_object_get(model->common, "$defs"), name, schema)
        document_set(shared, name, document_schema(schema));
    events_add(model, shared);
    return shared;
}

static bool leads_to(json_t *value, const char *target)
{
    const char *text = json_string_value(json_object_get(value, "$ref"));
    if (text != NULL && strcmp(text, target) == 0)
        return true;
    const char *key;
    json_t *member;
    size_t at;
    json_object_foreach(value, key, member)
    {
        if (leads_to(member, target))
            return true;
    }
    json_array_foreach(value, at, member)
    {
        if (leads_to(member, target))
            return true;
    }
    return false;
}

void document_prune(json_t *root)
{
    json_t *schemas = json_object_get(json_object_get(root, "components"), "schemas");
    bool dropped = true;
    /* One that is gone may have been all that led to another. */
    while (dropped) {
        dropped = false;
        const char *name;
        json_t *schema;
        void *next;
        json_object_foreach_safe(schemas, next, name, schema)
        {
            char target[SOURCE_PATH_BYTES];
            join(target, sizeof target, "#/components/schemas/", "", name);
            if (leads_to(root, target))
                continue;
            json_object_del(schemas, name);
            dropped = true;
        }
    }
}

json_t *document_info(const struct model *model, const char *description)
{
    json_t *info = json_object();
    document_set(info, "title", json_string(document_text(model->about, "title")));
    document_set(info, "version", json_string(DROVER_VERSION));
    document_set(info, "description", json_string(description));
    return info;
}

static bool is_used(const struct model *model, const char *group, enum unit_direction one,
                    enum unit_direction other)
{
    for (size_t i = 0; i < model->unit_count; i++) {
        const struct unit *unit = &model->units[i];
        if ((unit->direction == one || unit->direction == other) &&
            strcmp(unit->group, group) == 0)
            return true;
    }
    return false;
}

json_t *document_tags(const struct model *model, enum unit_direction one,
                      enum unit_direction other)
{
    json_t *tags = json_array();
    const json_t *groups = json_object_get(model->about, "groups");
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *group = json_array_get(groups, i);
        const char *name = document_text(group, "name");
        if (!is_used(model, name, one, other))
            continue;
        json_t *tag = json_object();
        document_set(tag, "name", json_string(name));
        document_set(tag, "description", json_string(document_text(group, "text")));
        json_array_append_new(tags, tag);
    }
    return tags;
}

static void digest_make(struct model *model)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
        fail("digest", "no memory");
    for (size_t i = 0; i < DOCUMENT_COUNT; i++)
        if (EVP_DigestUpdate(context, model->documents[i], strlen(model->documents[i])) !=
            1)
            fail("digest", "no memory");
    if (EVP_DigestFinal_ex(context, digest, &size) != 1 ||
        2 * size + 1 != DIGEST_TEXT_BYTES)
        fail("digest", "not what SHA-256 gives");
    EVP_MD_CTX_free(context);
    for (unsigned i = 0; i < size; i++)
        snprintf(model->digest + 2 * i, 3, "%02x", digest[i]);
}

void documents_make(struct model *model)
{
    json_t *(*const MAKERS[DOCUMENT_COUNT])(const struct model *) = {
        [DOCUMENT_SCHEMAS] = discovery_make,
        [DOCUMENT_OPENAPI] = openapi_make,
        [DOCUMENT_ASYNCAPI] = asyncapi_make,
    };
    for (size_t i = 0; i < DOCUMENT_COUNT; i++) {
        json_t *root = MAKERS[i](model);
        model->documents[i] = json_dumps(root, JSON_COMPACT | JSON_PRESERVE_ORDER);
        if (model->documents[i] == NULL)
            fail(DOCUMENT_NAMES[i], "no memory");
        json_decref(root);
    }
    digest_make(model);
}
