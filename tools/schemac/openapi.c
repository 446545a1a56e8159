#include "schemac/document.h"

#include "schemac/fail.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char SCHEMAS[] = "#/components/schemas/";
static const char JSON[] = "application/json";
static const char PROBLEM[] = "application/problem+json";

/* Headers that every answer with one of these states carries. */
static const struct {
    const char *status;
    const char *header;
    const char *description;
    const char *type;
} STANDING_HEADERS[] = {
    { "401", "WWW-Authenticate", "Bearer.", "string" },
    { "429", "Retry-After", "Seconds to wait.", "integer" },
    { "503", "Retry-After", "Seconds to wait.", "integer" },
};

/* idempotency-key is shown as Idempotency-Key. */
static const char *header_name(const char *wire, char *ret_name)
{
    bool start = true;
    size_t size = strlen(wire);
    if (size >= NAME_BYTES)
        fail(wire, "the name is too long");
    for (size_t i = 0; i <= size; i++) {
        ret_name[i] = (char)(start ? toupper((unsigned char)wire[i]) : wire[i]);
        start = wire[i] == '-';
    }
    return ret_name;
}

static bool is_required(const json_t *schema, const char *name)
{
    const json_t *required = json_object_get(schema, "required");
    for (size_t i = 0; i < json_array_size(required); i++)
        if (strcmp(json_string_value(json_array_get(required, i)), name) == 0)
            return true;
    return false;
}

/* What the first example that shows the parameter has for it; NULL when none does. */
static json_t *example_of(const json_t *route, const char *place, const char *name)
{
    const json_t *examples = json_object_get(route, "examples");
    for (size_t i = 0; i < json_array_size(examples); i++) {
        const json_t *values = json_object_get(json_array_get(examples, i), place);
        json_t *value = json_object_get(values, name);
        if (value != NULL)
            return value;
    }
    return NULL;
}

static void parameters_add(json_t *parameters, const json_t *route)
{
    static const struct {
        const char *key;
        const char *in;
        const char *example;
    } PARTS[] = {
        { "path_parameters", "path", "path" },
        { "query", "query", "query" },
        { "headers", "header", "headers" },
    };
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        const json_t *schema = json_object_get(route, PARTS[i].key);
        const char *name;
        json_t *property;
        json_object_foreach(json_object_get(schema, "properties"), name, property)
        {
            char header[NAME_BYTES];
            bool headed = strcmp(PARTS[i].in, "header") == 0;
            const char *shown = headed ? header_name(name, header) : name;
            const json_t *text = json_object_get(property, "description");
            json_t *example = example_of(route, PARTS[i].example, name);
            json_t *parameter = json_object();
            document_set(parameter, "name", json_string(shown));
            document_set(parameter, "in", json_string(PARTS[i].in));
            document_set(parameter, "required", json_boolean(is_required(schema, name)));
            if (text != NULL)
                document_set(parameter, "description", json_deep_copy(text));
            document_set(parameter, "schema", document_schema(property));
            if (example != NULL)
                document_set(parameter, "example", json_deep_copy(example));
            json_array_append_new(parameters, parameter);
        }
    }
}

/* The examples of one member: "example", "example_2", ... */
static json_t *examples_of(const json_t *route, const char *key)
{
    json_t *shown = json_object();
    const json_t *examples = json_object_get(route, "examples");
    for (size_t i = 0; i < json_array_size(examples); i++) {
        const json_t *value = json_object_get(json_array_get(examples, i), key);
        char name[NAME_BYTES];
        char number[32];
        if (value == NULL)
            continue;
        snprintf(number, sizeof number, "_%zu", i + 1);
        join(name, sizeof name, "example", "", i == 0 ? "" : number);
        json_t *example = json_object();
        document_set(example, "value", json_deep_copy(value));
        document_set(shown, name, example);
    }
    return shown;
}

static json_t *content(const char *type, json_t *schema, json_t *examples)
{
    json_t *media = json_object();
    document_set(media, "schema", schema);
    if (json_object_size(examples) > 0)
        document_set(media, "examples", examples);
    else
        json_decref(examples);
    json_t *content = json_object();
    document_set(content, type, media);
    return content;
}

/* The body under a name of its own among the components, unless it has one already. */
static json_t *named_schema(json_t *schemas, const json_t *schema, const char *route,
                            const char *suffix)
{
    if (json_object_get(schema, "$ref") != NULL)
        return document_schema(schema);
    char name[NAME_BYTES];
    join(name, sizeof name, route, "_", suffix);
    document_set(schemas, name, document_schema(schema));
    return document_reference(SCHEMAS, name);
}

static void headers_add(json_t *response, const json_t *answer, const char *status)
{
    json_t *headers = json_object();
    const json_t *schema = json_object_get(answer, "headers");
    const char *wire;
    json_t *property;
    json_object_foreach(json_object_get(schema, "properties"), wire, property)
    {
        char name[NAME_BYTES];
        json_t *header = json_object();
        document_set(header, "description",
                     json_string(document_text(property, "description")));
        document_set(header, "required", json_boolean(is_required(schema, wire)));
        document_set(header, "schema", document_schema(property));
        document_set(headers, header_name(wire, name), header);
    }
    for (size_t i = 0; i < sizeof STANDING_HEADERS / sizeof STANDING_HEADERS[0]; i++) {
        if (strcmp(STANDING_HEADERS[i].status, status) != 0)
            continue;
        json_t *type = json_object();
        json_t *header = json_object();
        document_set(type, "type", json_string(STANDING_HEADERS[i].type));
        document_set(header, "description", json_string(STANDING_HEADERS[i].description));
        document_set(header, "schema", type);
        document_set(headers, STANDING_HEADERS[i].header, header);
    }
    if (json_object_size(headers) > 0)
        document_set(response, "headers", headers);
    else
        json_decref(headers);
}

static const char *error_text(const struct model *model, const char *name)
{
    const json_t *errors = json_object_get(model->errors, "errors");
    for (size_t i = 0; i < json_array_size(errors); i++) {
        const json_t *row = json_array_get(errors, i);
        if (strcmp(document_text(row, "name"), name) == 0)
            return document_text(row, "text");
    }
    fail(name, "no such error");
}

/* An error's body with its codes, under the base schema given. */
static json_t *error_schema(const char *base, const json_t *errors)
{
    json_t *code = json_object();
    document_set(code, "enum", json_deep_copy(errors));
    json_t *properties = json_object();
    document_set(properties, "error", code);
    json_t *narrow = json_object();
    document_set(narrow, "type", json_string("object"));
    document_set(narrow, "properties", properties);
    json_t *both = json_array();
    json_array_append_new(both, document_reference(SCHEMAS, base));
    json_array_append_new(both, narrow);
    json_t *schema = json_object();
    document_set(schema, "allOf", both);
    return schema;
}

static json_t *refusal(const struct model *model, const json_t *errors)
{
    char description[SOURCE_PATH_BYTES] = "";
    json_t *examples = json_object();
    for (size_t i = 0; i < json_array_size(errors); i++) {
        const char *name = json_string_value(json_array_get(errors, i));
        const char *text = error_text(model, name);
        char before[SOURCE_PATH_BYTES];
        memcpy(before, description, sizeof before);
        join(description, sizeof description, before, i == 0 ? "" : " ", text);
        json_t *body = json_object();
        document_set(body, "error", json_string(name));
        json_t *example = json_object();
        document_set(example, "summary", json_string(text));
        document_set(example, "value", body);
        document_set(examples, name, example);
    }
    json_t *response = json_object();
    json_t *both = content(JSON, error_schema("http_error", errors), examples);
    json_t *problem = content(PROBLEM, error_schema("problem", errors), json_object());
    json_object_update(both, problem);
    json_decref(problem);
    document_set(response, "description", json_string(description));
    document_set(response, "content", both);
    return response;
}

static json_t *responses(const struct model *model, const struct unit *unit,
                         json_t *schemas)
{
    json_t *responses = json_object();
    const char *status;
    json_t *answer;
    json_t *answers = json_object_get(unit->source, "answers");
    json_object_foreach(answers, status, answer)
    {
        const json_t *errors = json_object_get(answer, "errors");
        const char *other_status = json_string_value(json_object_get(answer, "same_as"));
        const json_t *body = json_object_get(
            other_status == NULL ? answer : json_object_get(answers, other_status),
            "body");
        json_t *response = errors != NULL ? refusal(model, errors) : json_object();
        if (errors == NULL)
            document_set(response, "description",
                         json_string(document_text(answer, "description")));
        headers_add(response, answer, status);
        const char *media = json_string_value(json_object_get(unit->source, "media"));
        if (body != NULL)
            document_set(response, "content",
                         content(media == NULL ? JSON : media,
                                 named_schema(schemas, body, unit->name, "answer"),
                                 other_status == NULL
                                     ? examples_of(unit->source, "answer")
                                     : json_object()));
        document_set(responses, status, response);
    }
    json_t *other = json_object();
    document_set(other, "description", json_string("Any other error."));
    document_set(other, "content",
                 content(JSON, document_reference(SCHEMAS, "http_error"), json_object()));
    document_set(responses, "default", other);
    return responses;
}

static json_t *request_body(const struct unit *unit, json_t *schemas)
{
    const json_t *schema = json_object_get(unit->source, "body");
    json_t *body = json_object();
    document_set(body, "required",
                 json_boolean(json_array_size(json_object_get(schema, "required")) > 0));
    document_set(body, "content",
                 content(JSON, named_schema(schemas, schema, unit->name, "request"),
                         examples_of(unit->source, "request")));
    return body;
}

/* Without a token where anybody may; else with one. */
static json_t *security(const struct unit *unit)
{
    json_t *bearer = json_object();
    document_set(bearer, "bearer", json_array());
    json_t *ways = json_array();
    for (size_t i = 0; i < json_array_size(unit->roles); i++)
        if (strcmp(json_string_value(json_array_get(unit->roles, i)), "anybody") == 0)
            json_array_append_new(ways, json_object());
    json_array_append_new(ways, bearer);
    return ways;
}

static json_t *operation(const struct model *model, const struct unit *unit,
                         json_t *schemas)
{
    const json_t *description = json_object_get(unit->source, "description");
    json_t *tags = json_array();
    json_array_append_new(tags, json_string(unit->group));
    json_t *parameters = json_array();
    parameters_add(parameters, unit->source);

    json_t *operation = json_object();
    document_set(operation, "operationId", json_string(unit->name));
    document_set(operation, "summary", json_string(unit->summary));
    document_set(operation, "description",
                 description == NULL ? json_string(unit->summary)
                                     : json_deep_copy(description));
    document_set(operation, "tags", tags);
    document_set(operation, "security", security(unit));
    document_set(operation, "x-roles", json_deep_copy(unit->roles));
    if (unit->scope != NULL)
        document_set(operation, "x-scope", json_string(unit->scope));
    document_set(operation, "x-tier", json_string(unit->tier));
    if (json_array_size(parameters) > 0)
        document_set(operation, "parameters", parameters);
    else
        json_decref(parameters);
    if (unit->schemas[SCHEMA_BODY] != NULL)
        document_set(operation, "requestBody", request_body(unit, schemas));
    document_set(operation, "responses", responses(model, unit, schemas));
    return operation;
}

static json_t *paths(const struct model *model, json_t *schemas)
{
    json_t *paths = json_object();
    for (size_t i = 0; i < model->unit_count; i++) {
        const struct unit *unit = &model->units[i];
        if (unit->direction != UNIT_REQUEST)
            continue;
        char method[NAME_BYTES] = "";
        if (strlen(unit->method) >= sizeof method)
            fail(unit->name, "the method is too long");
        for (size_t k = 0; unit->method[k] != '\0'; k++)
            method[k] = (char)tolower((unsigned char)unit->method[k]);
        if (json_object_get(paths, unit->path) == NULL)
            document_set(paths, unit->path, json_object());
        document_set(json_object_get(paths, unit->path), method,
                     operation(model, unit, schemas));
    }
    return paths;
}

/* A problem document says all that the error does. */
static json_t *problem_schema(const struct model *model, const json_t *schemas)
{
    json_t *problem = document_schema(json_object_get(model->errors, "problem"));
    json_t *error = json_deep_copy(
        json_object_get(json_object_get(schemas, "http_error"), "properties"));
    if (json_object_update_missing(json_object_get(problem, "properties"), error) != 0)
        fail("errors.json", "problem: no memory");
    json_decref(error);
    return problem;
}

json_t *openapi_make(const struct model *model)
{
    json_t *schemas = document_shared(model);
    document_set(schemas, "http_error",
                 document_schema(json_object_get(model->errors, "http_error")));
    document_set(schemas, "problem", problem_schema(model, schemas));
    json_t *bearer = json_object();
    document_set(bearer, "type", json_string("http"));
    document_set(bearer, "scheme", json_string("bearer"));
    document_set(bearer, "description",
                 json_string(document_text(model->about, "bearer")));
    json_t *ways = json_object();
    document_set(ways, "bearer", bearer);
    json_t *server = json_object();
    document_set(server, "url", json_string("/"));
    document_set(server, "description",
                 json_string("The hub that served this document."));
    json_t *servers = json_array();
    json_array_append_new(servers, server);

    json_t *root = json_object();
    document_set(root, "openapi", json_string("3.1.0"));
    document_set(root, "info", document_info(model, document_text(model->about, "http")));
    document_set(root, "servers", servers);
    document_set(root, "tags", document_tags(model, UNIT_REQUEST, UNIT_REQUEST));
    document_set(root, "paths", paths(model, schemas));
    json_t *components = json_object();
    document_set(components, "schemas", schemas);
    document_set(components, "securitySchemes", ways);
    document_set(root, "components", components);
    document_prune(root);
    return root;
}
