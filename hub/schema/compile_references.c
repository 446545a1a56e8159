#include "schema/compile.h"

#include "base/hash.h"
#include "schema/metaschema.h"
#include "schema/pointer.h"
#include "schema/uri.h"

#include <stdlib.h>

#define URI_BYTES_MAX ((size_t)4096)

/* Where a reference leads. */
struct target {
    const struct resource *resource;
    const struct document *document;
    uint32_t node;
    const struct anchor *anchor; /* NULL when named otherwise */
};

static bool resource_find(const struct subject *subject, const struct json_node *value,
                          struct slice uri, const struct resource **ret_resource)
{
    struct compile *compile = subject->compile;
    struct schema_problem problem;
    enum err err = library_find(compile->library, uri, ret_resource, &problem);
    if (err != ERR_OK)
        return compile_fail(compile, err, subject->document,
                            subject_index(subject, value), "%s",
                            "the document referred to cannot be read");
    if (*ret_resource == NULL)
        return compile_fail(compile, ERR_INVALID, subject->document,
                            subject_index(subject, value), "unknown document %.*s",
                            (int)uri.size, uri.data);
    return true;
}

static bool percent_decode(struct slice text, struct buffer *target)
{
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        if (byte == '%') {
            if (text.size - i < 3)
                return false;
            if (!hex_decode(&byte, 1, slice_make(text.data + i + 1, 2)))
                return false;
            i += 2;
        }
        buffer_append_byte(target, byte);
    }
    return !buffer_failed(target);
}

static bool fragment_follow(const struct subject *subject, const struct json_node *value,
                            struct slice fragment, struct target *target)
{
    target->document = target->resource->document;
    target->node = target->resource->node;
    if (fragment.size == 0)
        return true;
    if (fragment.data[0] == '/')
        return pointer_find(target->document->nodes, target->node, fragment,
                            &target->node) ||
               subject_fail(subject, value, "the reference leads nowhere");
    target->anchor = resource_anchor(target->resource, fragment);
    if (target->anchor == NULL)
        return subject_fail(subject, value, "no such anchor");
    target->node = target->anchor->node;
    return true;
}

static bool reference_follow(const struct subject *subject, const struct json_node *value,
                             struct target *target)
{
    struct slice reference = value->value.text;
    struct buffer uri;
    struct buffer fragment;
    buffer_init(&uri, URI_BYTES_MAX);
    buffer_init(&fragment, URI_BYTES_MAX);
    uri_resolve(&uri, subject->resource->uri, reference);

    bool followed =
        !buffer_failed(&uri) && percent_decode(uri_fragment(reference), &fragment);
    if (!followed)
        subject_fail(subject, value, "not a reference");
    followed = followed &&
               resource_find(subject, value, buffer_slice(&uri), &target->resource) &&
               fragment_follow(subject, value, buffer_slice(&fragment), target);
    buffer_finish(&uri);
    buffer_finish(&fragment);
    return followed;
}

static uint32_t name_of(struct compile *compile, struct slice name)
{
    struct slice *names = compile->names.items;
    for (uint32_t i = 0; i < compile->names.count; i++)
        if (slice_equal(names[i], name))
            return i;
    struct slice *added = compile_push(compile, &compile->names);
    if (added == NULL)
        return RULE_NONE;
    *added = name;
    return compile->names.count - 1;
}

static bool reference_compile(const struct subject *subject, enum keyword keyword)
{
    const struct json_node *value = subject_keyword(subject, keyword);
    if (value == NULL)
        return true;
    struct target target = { .anchor = NULL };
    if (!reference_follow(subject, value, &target))
        return false;

    bool dynamic =
        keyword == KEYWORD_DYNAMIC_REF && target.anchor != NULL && target.anchor->dynamic;
    struct check *check = subject_check(subject, GROUP_ANY,
                                        dynamic ? CHECK_DYNAMIC_REF : CHECK_REF, keyword);
    if (check == NULL)
        return false;
    check->a = rule_of(subject->compile, target.document, target.node);
    if (dynamic)
        check->b = name_of(subject->compile, target.anchor->name);
    return check->a != RULE_NONE && check->b != RULE_NONE;
}

static bool is_anchor(struct slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        char byte = name.data[i];
        bool start =
            (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
        bool later = (byte >= '0' && byte <= '9') || byte == '-' || byte == '.';
        if (!start && (!later || i == 0))
            return false;
    }
    return name.size > 0;
}

bool references_compile(const struct subject *subject)
{
    const struct json_node *id = subject_keyword(subject, KEYWORD_ID);
    if (id != NULL && uri_fragment(id->value.text).size > 0)
        return subject_fail(subject, id, "$id has a fragment");
    static const enum keyword ANCHORS[] = { KEYWORD_ANCHOR, KEYWORD_DYNAMIC_ANCHOR };
    for (size_t i = 0; i < sizeof ANCHORS / sizeof ANCHORS[0]; i++) {
        const struct json_node *anchor = subject_keyword(subject, ANCHORS[i]);
        if (anchor != NULL && !is_anchor(anchor->value.text))
            return subject_fail(subject, anchor, "not a plain name");
    }
    return reference_compile(subject, KEYWORD_REF) &&
           reference_compile(subject, KEYWORD_DYNAMIC_REF);
}

static const struct resource *resource_around(const struct resource *resource)
{
    const struct resource *around = NULL;
    const struct json_node *nodes = resource->document->nodes;
    for (const struct resource *at = resource->document->resources; at != resource;
         at = at->next)
        if (at->node < resource->node && resource->node < nodes[at->node].after)
            around = at;
    return around;
}

static bool vocabularies_read(struct compile *compile, const struct resource *metaschema,
                              unsigned *ret_vocabularies)
{
    const struct document *document = metaschema->document;
    const struct json_node *table = json_member(
        document->json, &document->nodes[metaschema->node], SLICE_OF("$vocabulary"));
    *ret_vocabularies = VOCABULARY_STANDARD;
    if (table == NULL || table->kind != JSON_OBJECT)
        return true;

    unsigned vocabularies = VOCABULARY_CORE;
    uint32_t key = (uint32_t)(table - document->nodes) + 1;
    for (uint32_t i = 0; i < table->count; i++) {
        unsigned bit = vocabulary_find(document->nodes[key].value.text);
        if (bit == 0 && document->nodes[key + 1].kind == JSON_TRUE)
            return compile_fail(compile, ERR_INVALID, document, key + 1,
                                "the dialect needs an unknown vocabulary");
        vocabularies |= bit;
        key = document->nodes[key + 1].after;
    }
    *ret_vocabularies = vocabularies;
    return true;
}

/* A resource says its dialect itself, or shares that of the one around it. */
static bool dialect_read(struct compile *compile, const struct resource *resource,
                         unsigned *ret_vocabularies)
{
    const struct document *document = resource->document;
    const struct json_node *value = NULL;
    const struct resource *at = resource;
    for (; at != NULL && value == NULL; at = resource_around(at))
        value =
            json_member(document->json, &document->nodes[at->node], SLICE_OF("$schema"));

    *ret_vocabularies = VOCABULARY_STANDARD;
    if (value == NULL || value->kind != JSON_STRING)
        return true;
    struct slice uri = value->value.text;
    if (uri.size > 0 && uri.data[uri.size - 1] == '#')
        uri.size--;
    if (slice_equal_text(uri, METASCHEMA_URI))
        return true;

    const struct resource *metaschema;
    struct subject subject = { .compile = compile,
                               .document = document,
                               .resource = resource };
    return resource_find(&subject, value, uri, &metaschema) &&
           vocabularies_read(compile, metaschema, ret_vocabularies);
}

uint32_t scope_of(struct compile *compile, const struct resource *resource)
{
    struct scope *scopes = compile->scopes.items;
    for (uint32_t i = 0; i < compile->scopes.count; i++)
        if (scopes[i].resource == resource)
            return i;

    unsigned vocabularies;
    if (!dialect_read(compile, resource, &vocabularies))
        return RULE_NONE;
    struct scope *scope = compile_push(compile, &compile->scopes);
    if (scope == NULL)
        return RULE_NONE;
    *scope = (struct scope){ resource, vocabularies };
    return compile->scopes.count - 1;
}

/* The rule of the resource's dynamic anchor of that name, or RULE_NONE. */
static bool override_find(struct compile *compile, uint32_t scope, uint32_t name,
                          uint32_t *ret_rule)
{
    const struct resource *resource =
        ((struct scope *)compile->scopes.items)[scope].resource;
    struct slice wanted = ((struct slice *)compile->names.items)[name];
    *ret_rule = RULE_NONE;
    for (const struct anchor *at = resource->anchors; at != NULL; at = at->next) {
        if (!at->dynamic || !slice_equal(at->name, wanted))
            continue;
        *ret_rule = rule_of(compile, resource->document, at->node);
        return *ret_rule != RULE_NONE;
    }
    return true;
}

bool overrides_follow(struct compile *compile, bool *ret_more)
{
    uint32_t before = compile->rules.count;
    uint64_t pairs = (uint64_t)compile->scopes.count * compile->names.count;
    if (pairs > compile->rules.count_max)
        return compile_fail(compile, ERR_LIMIT, NULL, 0, "too many dynamic anchors");

    for (uint32_t scope = 0; scope < compile->scopes.count; scope++) {
        bool seen = scope < compile->scopes_followed;
        for (uint32_t name = seen ? compile->names_followed : 0;
             name < compile->names.count; name++) {
            uint32_t rule;
            if (!override_find(compile, scope, name, &rule))
                return false;
        }
    }
    compile->scopes_followed = compile->scopes.count;
    compile->names_followed = compile->names.count;
    *ret_more = compile->rules.count > before;
    return true;
}

bool overrides_finish(struct compile *compile)
{
    struct schema *schema = compile->schema;
    schema->resource_count = compile->scopes.count;
    size_t count = (size_t)compile->scopes.count * compile->names.count;
    schema->override_count = (uint32_t)count;
    schema->overrides = malloc((count + 1) * sizeof *schema->overrides);
    if (schema->overrides == NULL)
        return compile_fail_memory(compile);
    for (uint32_t name = 0; name < compile->names.count; name++)
        for (uint32_t scope = 0; scope < compile->scopes.count; scope++)
            if (!override_find(compile, scope, name,
                               &schema->overrides[name * compile->scopes.count + scope]))
                return false;
    return true;
}
