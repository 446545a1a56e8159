#include "schemac/model.h"

#include "schemac/fail.h"
#include "schemac/keyword.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key, const char *where)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL)
        fail(where, "\"%s\" is missing or no text", key);
    return text;
}

static enum unit_kind kind_of(const char *word, const char *where)
{
    if (strcmp(word, "command") == 0)
        return UNIT_COMMAND;
    if (strcmp(word, "query") == 0)
        return UNIT_QUERY;
    if (strcmp(word, "door") == 0)
        return UNIT_DOOR;
    fail(where, "kind is command, query or door");
}

static struct unit *unit_add(struct model *model, const char *name, const char *wire)
{
    if (model_find(model, name) != NULL)
        fail(name, "two messages have this name");
    if (model->unit_count == UNITS_MAX)
        fail(name, "too many messages");
    struct unit *unit = &model->units[model->unit_count++];
    join(unit->name, sizeof unit->name, name, "", "");
    join(unit->wire, sizeof unit->wire, wire, "", "");
    unit->tier = "none";
    unit->slow_reader = "close";
    unit->room = "any";
    unit->kind = UNIT_NOTICE;
    return unit;
}

static const char *group_named(const struct model *model, const char *name,
                               const char *where)
{
    const json_t *groups = json_object_get(model->about, "groups");
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const char *known = text_of(json_array_get(groups, i), "name", "about.json");
        if (strcmp(known, name) == 0)
            return known;
    }
    fail(where, "\"%s\" is no group of about.json", name);
}

/* What a page is about, by a member of the file. */
static const char *group_of(const struct model *model, const json_t *root,
                            const char *key, const char *where)
{
    return group_named(model, text_of(root, key, where), where);
}

/* The scope named by a member of the file. Whoever comes with a token must have it: only
 * what no token opens, or what opens without one, names none. */
static const char *scope_of(const struct model *model, const json_t *root,
                            const char *key, const json_t *roles, const char *where)
{
    static const char *const FREE[] = { "anybody", "hub", "bootstrap" };
    const char *name = json_string_value(json_object_get(root, key));
    const json_t *scopes = json_object_get(model->scopes, "scopes");
    for (size_t i = 0; name != NULL && i < json_array_size(scopes); i++) {
        const char *known = text_of(json_array_get(scopes, i), "name", "scopes.json");
        if (strcmp(known, name) == 0)
            return known;
    }
    if (name != NULL)
        fail(where, "\"%s\" is no scope of scopes.json", name);
    for (size_t i = 0; i < json_array_size(roles); i++) {
        const char *role = json_string_value(json_array_get(roles, i));
        for (size_t k = 0; role != NULL && k < sizeof FREE / sizeof FREE[0]; k++)
            if (strcmp(role, FREE[k]) == 0)
                return NULL;
    }
    fail(where, "who comes with a token needs a scope: \"%s\" names one of scopes.json",
         key);
}

/* Of which room in the store it begins something, by a member of the file. */
static const char *room_of(const json_t *root, const char *key)
{
    const char *room = json_string_value(json_object_get(root, key));
    return room == NULL ? "any" : room;
}

static bool is_inbound(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model->socket_in.count; i++)
        if (strcmp(model->socket_in.items[i].name, name) == 0)
            return true;
    return false;
}

/* What every message of a limited tier may be answered with. */
static void limited_answers(json_t *root, const char *tier)
{
    json_t *answers = json_object_get(root, "x-answers");
    if (answers == NULL || strcmp(tier, "none") == 0 || strcmp(tier, "report") == 0)
        return;
    json_array_append_new(answers, json_string("rate_limit_warning"));
    json_array_append_new(answers, json_string("rate_limited"));
}

static void unit_of_socket(struct model *model, const struct source *source,
                           enum unit_direction direction)
{
    json_t *root = source->root;
    if (strcmp(text_of(root, "title", source->path), source->name) != 0)
        fail(source->path, "the title is not the file's name");
    char name[NAME_BYTES];
    bool shared = direction == UNIT_SOCKET_OUT && is_inbound(model, source->name);
    join(name, sizeof name, source->name, shared ? "_out" : "", "");

    struct unit *unit = unit_add(model, name, source->name);
    unit->direction = direction;
    unit->source = root;
    unit->summary = text_of(root, "description", source->path);
    if (direction == UNIT_SOCKET_OUT) {
        unit->slow_reader = text_of(root, "x-slow-reader", source->path);
    } else {
        unit->kind = kind_of(text_of(root, "x-kind", source->path), source->path);
        unit->tier = text_of(root, "x-tier", source->path);
        unit->room = room_of(root, "x-room");
        limited_answers(root, unit->tier);
        unit->roles = json_object_get(root, "x-roles");
        unit->scope = scope_of(model, root, "x-scope", unit->roles, source->path);
    }

    bool socket = direction != UNIT_INTERNAL;
    if (socket)
        unit->group = group_of(model, root, "x-group", source->path);
    const json_t *type = json_object_get(json_object_get(root, "properties"), "type");
    const char *constant = json_string_value(json_object_get(type, "const"));
    if (socket && (constant == NULL || strcmp(constant, source->name) != 0))
        fail(source->path, "\"type\" must be the constant \"%s\"", source->name);

    unit->schemas[SCHEMA_BODY] =
        source_resolve(model->common, root, source->path, source->up);
    struct shape *shape = shape_create(model, name);
    shape_add(model, shape, unit->schemas[SCHEMA_BODY], PLACE_BODY, socket);
    unit->shape = shape;
}

/* An event may have the name of a message: to C it is event_<name>. */
static void unit_of_event(struct model *model, const struct source *source)
{
    json_t *root = source->root;
    if (strcmp(text_of(root, "title", source->path), source->name) != 0)
        fail(source->path, "the title is not the file's name");
    char name[NAME_BYTES];
    join(name, sizeof name, "event", "_", source->name);

    struct unit *unit = unit_add(model, name, source->name);
    unit->direction = UNIT_EVENT;
    unit->source = root;
    unit->summary = text_of(root, "description", source->path);
    unit->event_class = text_of(root, "x-class", source->path);
    unit->group = group_named(model, "events", source->path);
    unit->schemas[SCHEMA_BODY] =
        source_resolve(model->common, root, source->path, source->up);
    struct shape *shape = shape_create(model, name);
    shape_add(model, shape, unit->schemas[SCHEMA_BODY], PLACE_BODY, false);
    unit->shape = shape;
}

static void unit_of_answer(struct model *model, const struct source *source,
                           const char *status, const json_t *answer)
{
    char name[NAME_BYTES];
    join(name, sizeof name, source->name, "_", "answer");
    struct unit *unit = unit_add(model, name, name);
    unit->direction = UNIT_ANSWER;
    unit->status = (int)strtol(status, NULL, 10);
    unit->summary = text_of(answer, "description", source->path);
    unit->schemas[SCHEMA_BODY] = source_resolve(
        model->common, json_object_get(answer, "body"), source->path, source->up);
    unit->shape = shape_for(model, unit->schemas[SCHEMA_BODY], name);
}

/* One that is there to say what to do instead. */
static bool route_never_succeeds(const json_t *root)
{
    const char *status;
    json_t *answer;
    json_object_foreach(json_object_get(root, "answers"), status, answer)
    {
        if (status[0] == '2')
            return false;
    }
    return true;
}

static void answers_read(struct model *model, const struct source *source)
{
    unsigned successes = 0;
    bool never = route_never_succeeds(source->root);
    const char *status;
    json_t *answer;
    json_object_foreach(json_object_get(source->root, "answers"), status, answer)
    {
        if (strlen(status) != 3 || strspn(status, "0123456789") != 3)
            fail(source->path, "\"%s\" is no status", status);
        bool own = status[0] == '2' || (never && json_object_get(answer, "body") != NULL);
        if (!own || json_object_get(answer, "same_as") != NULL)
            continue;
        successes++;
        unit_of_answer(model, source, status, answer);
    }
    if (successes != 1)
        fail(source->path, "a route has one success answer, or one of its own without");
}

static void unit_of_route(struct model *model, const struct source *source)
{
    static const struct {
        const char *key;
        enum field_place place;
    } PLACES[SCHEMA_PLACES] = {
        [SCHEMA_BODY] = { "body", PLACE_BODY },
        [SCHEMA_PATH] = { "path_parameters", PLACE_PATH },
        [SCHEMA_QUERY] = { "query", PLACE_QUERY },
        [SCHEMA_HEADERS] = { "headers", PLACE_HEADER },
    };
    json_t *root = source->root;
    if (strcmp(text_of(root, "name", source->path), source->name) != 0)
        fail(source->path, "the name is not the file's name");

    struct unit *unit = unit_add(model, source->name, source->name);
    unit->direction = UNIT_REQUEST;
    unit->source = root;
    unit->kind = kind_of(text_of(root, "kind", source->path), source->path);
    unit->tier = text_of(root, "tier", source->path);
    unit->room = room_of(root, "room");
    unit->method = text_of(root, "method", source->path);
    unit->path = text_of(root, "path", source->path);
    unit->summary = text_of(root, "summary", source->path);
    unit->roles = json_object_get(root, "roles");
    unit->scope = scope_of(model, root, "scope", unit->roles, source->path);
    unit->group = group_of(model, root, "group", source->path);
    unit->document = json_string_value(json_object_get(root, "document"));
    unit->invalid = json_string_value(json_object_get(root, "invalid"));
    if (unit->document != NULL && unit->kind != UNIT_DOOR)
        fail(source->path, "a document is answered at the door");
    struct shape *shape = shape_create(model, source->name);
    unit->shape = shape;
    for (size_t i = 0; i < SCHEMA_PLACES; i++) {
        json_t *schema = json_object_get(root, PLACES[i].key);
        if (schema == NULL)
            continue;
        unit->schemas[i] =
            source_resolve(model->common, schema, source->path, source->up);
        shape_add(model, shape, unit->schemas[i], PLACES[i].place, false);
    }
    answers_read(model, source);
}

static void unit_of_http_error(struct model *model)
{
    struct unit *unit = unit_add(model, "http_error", "http_error");
    unit->direction = UNIT_ANSWER;
    unit->schemas[SCHEMA_BODY] = source_resolve(
        model->common, json_object_get(model->errors, "http_error"), "errors.json", "");
    unit->summary = text_of(unit->schemas[SCHEMA_BODY], "description", "errors.json");
    unit->shape = shape_for(model, unit->schemas[SCHEMA_BODY], "http_error");
}

static json_t *file_read(const char *folder, const char *name)
{
    char path[SOURCE_PATH_BYTES];
    join(path, sizeof path, folder, "/", name);
    return source_read(path);
}

static void folder_read(struct source_list *list, const char *folder, const char *name)
{
    const char *up = strchr(name, '/') == NULL ? "../" : "../../";
    char path[SOURCE_PATH_BYTES];
    join(path, sizeof path, folder, "/", name);
    source_list_read(list, path, up);
}

struct model *model_create(const char *folder)
{
    struct model *model = calloc(1, sizeof *model);
    if (model == NULL)
        return NULL;
    model->about = file_read(folder, "about.json");
    model->common = file_read(folder, "common.json");
    model->errors = file_read(folder, "errors.json");
    model->config = file_read(folder, "config.json");
    model->scopes = file_read(folder, "scopes.json");
    folder_read(&model->socket_in, folder, "socket/in");
    folder_read(&model->socket_out, folder, "socket/out");
    folder_read(&model->http, folder, "http");
    folder_read(&model->internal, folder, "internal");
    folder_read(&model->events, folder, "event");
    keyword_check(model);

    for (size_t i = 0; i < model->socket_in.count; i++)
        unit_of_socket(model, &model->socket_in.items[i], UNIT_SOCKET_IN);
    for (size_t i = 0; i < model->socket_out.count; i++)
        unit_of_socket(model, &model->socket_out.items[i], UNIT_SOCKET_OUT);
    for (size_t i = 0; i < model->http.count; i++)
        unit_of_route(model, &model->http.items[i]);
    unit_of_http_error(model);
    for (size_t i = 0; i < model->internal.count; i++)
        unit_of_socket(model, &model->internal.items[i], UNIT_INTERNAL);
    for (size_t i = 0; i < model->events.count; i++)
        unit_of_event(model, &model->events.items[i]);
    return model;
}

void model_destroy(struct model *model)
{
    if (model == NULL)
        return;
    for (size_t i = 0; i < model->unit_count; i++)
        for (size_t place = 0; place < SCHEMA_PLACES; place++)
            json_decref(model->units[i].schemas[place]);
    for (size_t i = 0; i < model->shape_count; i++)
        free(model->shapes[i]);
    source_list_free(&model->socket_in);
    source_list_free(&model->socket_out);
    source_list_free(&model->http);
    source_list_free(&model->internal);
    source_list_free(&model->events);
    for (size_t i = 0; i < DOCUMENT_COUNT; i++)
        free(model->documents[i]);
    json_decref(model->about);
    json_decref(model->common);
    json_decref(model->errors);
    json_decref(model->scopes);
    json_decref(model->config);
    free(model);
}

const struct unit *model_find(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model->unit_count; i++)
        if (strcmp(model->units[i].name, name) == 0)
            return &model->units[i];
    return NULL;
}

const struct unit *model_answer(const struct model *model, const struct unit *route)
{
    char name[NAME_BYTES];
    join(name, sizeof name, route->name, "_", "answer");
    const struct unit *answer = model_find(model, name);
    if (answer == NULL)
        fail(route->name, "no success answer");
    return answer;
}
