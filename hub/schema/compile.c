#include "schema/compile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The bound of a compiled schema's texts and tables, before what its limits add. */
#define ARENA_LEAST ((size_t)64 * 1024)

bool compile_fail(struct compile *compile, enum err err, const struct document *document,
                  uint32_t node, const char *format, ...)
{
    if (compile->err != ERR_OK)
        return false;
    char reason[sizeof compile->problem->reason];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    compile->err = err;
    problem_write(compile->problem, document, node, "%s", reason);
    return false;
}

bool compile_fail_memory(struct compile *compile)
{
    return compile_fail(compile, ERR_MEMORY, NULL, 0, "out of memory");
}

void *compile_push(struct compile *compile, struct list *list)
{
    void *item = list_push(list);
    if (item == NULL && list->full)
        compile_fail(compile, ERR_LIMIT, NULL, 0, "the schema is too large");
    else if (item == NULL)
        compile_fail_memory(compile);
    return item;
}

void *compile_take(struct compile *compile, size_t count, size_t bytes)
{
    void *memory =
        arena_take_many(&compile->schema->arena, count == 0 ? 1 : count, bytes);
    if (memory == NULL)
        compile_fail(compile, ERR_LIMIT, NULL, 0, "the schema is too large");
    return memory;
}

bool compile_copy(struct compile *compile, struct slice text, struct slice *ret_copy)
{
    *ret_copy = arena_copy(&compile->schema->arena, text);
    return slice_is_present(*ret_copy) ||
           compile_fail(compile, ERR_LIMIT, NULL, 0, "the schema is too large");
}

/* The table from a document's nodes to rules. */
static uint32_t *memo_of(struct compile *compile, const struct document *document)
{
    struct memo *memos = compile->memos.items;
    for (uint32_t i = 0; i < compile->memos.count; i++)
        if (memos[i].document == document)
            return memos[i].rules;

    uint32_t count;
    json_nodes(document->json, &count);
    struct memo *memo = compile_push(compile, &compile->memos);
    if (memo == NULL)
        return NULL;
    memo->document = document;
    memo->rules = malloc(count * sizeof *memo->rules);
    if (memo->rules == NULL) {
        compile_fail_memory(compile);
        return NULL;
    }
    memset(memo->rules, 0xff, count * sizeof *memo->rules);
    return memo->rules;
}

uint32_t rule_of(struct compile *compile, const struct document *document, uint32_t node)
{
    enum json_kind kind = (enum json_kind)document->nodes[node].kind;
    if (kind == JSON_TRUE)
        return RULE_ALWAYS;
    if (kind == JSON_FALSE)
        return RULE_NEVER;
    if (kind != JSON_OBJECT) {
        compile_fail(compile, ERR_INVALID, document, node,
                     "a schema is an object or boolean");
        return RULE_NONE;
    }

    uint32_t *rules = memo_of(compile, document);
    if (rules == NULL || rules[node] != RULE_NONE)
        return rules == NULL ? RULE_NONE : rules[node];
    struct origin *origin = compile_push(compile, &compile->origins);
    if (origin == NULL || compile_push(compile, &compile->rules) == NULL)
        return RULE_NONE;
    *origin = (struct origin){ document, node };
    rules[node] = compile->rules.count - 1;
    return rules[node];
}

const struct json_node *subject_keyword(const struct subject *subject,
                                        enum keyword keyword)
{
    if ((subject->vocabularies & KEYWORDS[keyword].vocabulary) == 0)
        return NULL;
    return json_member(subject->document->json, &subject->document->nodes[subject->node],
                       KEYWORDS[keyword].name);
}

uint32_t subject_index(const struct subject *subject, const struct json_node *value)
{
    return (uint32_t)(value - subject->document->nodes);
}

bool subject_fail(const struct subject *subject, const struct json_node *value,
                  const char *reason)
{
    return compile_fail(subject->compile, ERR_INVALID, subject->document,
                        subject_index(subject, value), "%s", reason);
}

struct check *subject_check(const struct subject *subject, enum group group,
                            enum check_code code, enum keyword keyword)
{
    struct check *check =
        compile_push(subject->compile, &subject->compile->groups[group]);
    if (check != NULL)
        *check = (struct check){ .code = (uint8_t)code, .keyword = (uint8_t)keyword };
    return check;
}

/* Every keyword known, and each value of the right shape. */
static bool keywords_check(const struct subject *subject)
{
    const struct json_node *nodes = subject->document->nodes;
    uint32_t key = subject->node + 1;
    for (uint32_t i = 0; i < nodes[subject->node].count; i++) {
        struct slice name = nodes[key].value.text;
        enum keyword keyword = keyword_find(name);
        bool ours = slice_starts_with(name, SLICE_OF("x-"));
        if (keyword == KEYWORD_NONE && subject->compile->strict && !ours)
            return subject_fail(subject, &nodes[key + 1], "unknown keyword");
        if ((KEYWORDS[keyword].vocabulary & subject->vocabularies) != 0 &&
            !shape_check(subject, keyword, &nodes[key + 1]))
            return false;
        key = nodes[key + 1].after;
    }
    return true;
}

/* Under our own vocabulary a schema nobody refers to must be right too. */
static bool definitions_compile(const struct subject *subject)
{
    const struct json_node *nodes = subject->document->nodes;
    const struct json_node *definitions = subject_keyword(subject, KEYWORD_DEFS);
    const struct json_node *content = subject_keyword(subject, KEYWORD_CONTENT_SCHEMA);
    if (!subject->compile->strict)
        return true;
    if (content != NULL && rule_of(subject->compile, subject->document,
                                   subject_index(subject, content)) == RULE_NONE)
        return false;
    if (definitions == NULL)
        return true;
    uint32_t key = subject_index(subject, definitions) + 1;
    for (uint32_t i = 0; i < definitions->count; i++) {
        if (rule_of(subject->compile, subject->document, key + 1) == RULE_NONE)
            return false;
        key = nodes[key + 1].after;
    }
    return true;
}

static bool groups_join(struct compile *compile, uint32_t rule)
{
    for (int group = 0; group < GROUP_COUNT; group++) {
        struct list *list = &compile->groups[group];
        ((struct rule *)compile->rules.items)[rule].first[group] = compile->checks.count;
        for (uint32_t i = 0; i < list->count; i++) {
            struct check *check = compile_push(compile, &compile->checks);
            if (check == NULL)
                return false;
            *check = ((struct check *)list->items)[i];
        }
        list->count = 0;
    }
    ((struct rule *)compile->rules.items)[rule].first[GROUP_COUNT] =
        compile->checks.count;
    return true;
}

static bool rule_compile(struct compile *compile, uint32_t rule)
{
    struct origin origin = ((struct origin *)compile->origins.items)[rule];
    const struct resource *resource = document_resource(origin.document, origin.node);
    uint32_t scope = scope_of(compile, resource);
    if (scope == RULE_NONE)
        return false;

    struct subject subject = {
        .compile = compile,
        .document = origin.document,
        .resource = resource,
        .node = origin.node,
        .rule = rule,
        .vocabularies = ((struct scope *)compile->scopes.items)[scope].vocabularies,
    };
    struct rule *row = &((struct rule *)compile->rules.items)[rule];
    row->resource = scope;
    row->types = TYPE_ANY;

    return keywords_check(&subject) && definitions_compile(&subject) &&
           assertions_compile(&subject) && references_compile(&subject) &&
           applicators_compile(&subject) && items_compile(&subject) &&
           members_compile(&subject) && groups_join(compile, rule);
}

static bool rules_compile(struct compile *compile, const struct document *document)
{
    for (uint32_t i = 0; i < RULES_FIXED; i++) {
        struct rule *rule = compile_push(compile, &compile->rules);
        if (rule == NULL || compile_push(compile, &compile->origins) == NULL)
            return false;
        rule->types = i == RULE_ALWAYS ? TYPE_ANY : 0;
    }
    /* The root's scope comes first, even where its schema is a boolean. */
    compile->schema->root = rule_of(compile, document, 0);
    if (compile->schema->root == RULE_NONE ||
        scope_of(compile, document->resources) == RULE_NONE)
        return false;

    uint32_t done = RULES_FIXED;
    bool more = true;
    while (more) {
        for (; done < compile->rules.count; done++)
            if (!rule_compile(compile, done))
                return false;
        if (!overrides_follow(compile, &more))
            return false;
    }
    return overrides_finish(compile);
}

static void lists_init(struct compile *compile, uint32_t max)
{
    list_init(&compile->rules, sizeof(struct rule), max);
    list_init(&compile->origins, sizeof(struct origin), max);
    list_init(&compile->checks, sizeof(struct check), max);
    for (int i = 0; i < GROUP_COUNT; i++)
        list_init(&compile->groups[i], sizeof(struct check), max);
    list_init(&compile->constants, sizeof(struct json_node), max);
    list_init(&compile->patterns, sizeof(struct pattern *), max);
    list_init(&compile->memos, sizeof(struct memo), max);
    list_init(&compile->scopes, sizeof(struct scope), max);
    list_init(&compile->names, sizeof(struct slice), max);
}

static void lists_finish(struct compile *compile)
{
    for (uint32_t i = 0; i < compile->memos.count; i++)
        free(((struct memo *)compile->memos.items)[i].rules);
    for (int i = 0; i < GROUP_COUNT; i++)
        list_finish(&compile->groups[i]);
    list_finish(&compile->origins);
    list_finish(&compile->memos);
    list_finish(&compile->scopes);
    list_finish(&compile->names);
}

static enum err document_compile(struct schema_set *library,
                                 const struct document *document,
                                 enum schema_vocabulary vocabulary,
                                 struct schema **ret_schema,
                                 struct schema_problem *ret_problem)
{
    struct compile compile = {
        .library = library,
        .problem = ret_problem,
        .strict = ((unsigned)vocabulary & SCHEMA_STRICT) != 0,
        .formats = ((unsigned)vocabulary & SCHEMA_FORMATS) != 0,
        .schema = calloc(1, sizeof *compile.schema),
    };
    if (compile.schema == NULL) {
        compile_fail_memory(&compile);
        return compile.err;
    }
    arena_init(&compile.schema->arena,
               ARENA_LEAST + library->limits.text_bytes_max * 16 +
                   library->limits.program_max * sizeof(struct property) * 2);
    lists_init(&compile, library->limits.program_max);
    rules_compile(&compile, document);

    struct schema *schema = compile.schema;
    schema->rules = list_release(&compile.rules, &schema->rule_count);
    schema->checks = list_release(&compile.checks, &schema->check_count);
    schema->constants = list_release(&compile.constants, &schema->constant_count);
    schema->patterns = list_release(&compile.patterns, &schema->pattern_count);
    lists_finish(&compile);
    if (compile.err != ERR_OK)
        schema_destroy(schema);
    else
        *ret_schema = schema;
    return compile.err;
}

static struct schema_set *library_make(const struct schema_set *set,
                                       struct schema_problem *ret_problem)
{
    struct schema_set *library = schema_set_create();
    if (library == NULL) {
        problem_write(ret_problem, NULL, 0, "out of memory");
        return NULL;
    }
    library->parent = set;
    if (set != NULL)
        library->limits = set->limits;
    return library;
}

enum err schema_compile(struct schema_set *set, struct slice text,
                        enum schema_vocabulary vocabulary, struct schema **ret_schema,
                        struct schema_problem *ret_problem)
{
    struct schema_set *library = library_make(set, ret_problem);
    if (library == NULL)
        return ERR_MEMORY;
    const struct document *document;
    enum err err = library_add(library, SLICE_OF(""), text, &document, ret_problem);
    if (err == ERR_OK)
        err = document_compile(library, document, vocabulary, ret_schema, ret_problem);
    schema_set_destroy(library);
    return err;
}

enum err schema_compile_named(struct schema_set *set, struct slice uri,
                              enum schema_vocabulary vocabulary,
                              struct schema **ret_schema,
                              struct schema_problem *ret_problem)
{
    struct schema_set *library = library_make(set, ret_problem);
    if (library == NULL)
        return ERR_MEMORY;
    const struct resource *resource;
    enum err err = library_find(library, uri, &resource, ret_problem);
    if (err == ERR_OK && resource == NULL) {
        problem_write(ret_problem, NULL, 0, "no such document");
        err = ERR_NOT_FOUND;
    }
    if (err == ERR_OK)
        err = document_compile(library, resource->document, vocabulary, ret_schema,
                               ret_problem);
    schema_set_destroy(library);
    return err;
}
