#include "schemac/document.h"

#include "schemac/fail.h"

#include <string.h>

static bool is_frame(const struct unit *unit)
{
    return unit->direction == UNIT_SOCKET_IN || unit->direction == UNIT_SOCKET_OUT;
}

static json_t *tags_of(const struct unit *unit)
{
    json_t *tag = json_object();
    document_set(tag, "name", json_string(unit->group));
    json_t *tags = json_array();
    json_array_append_new(tags, tag);
    return tags;
}

static json_t *message(const struct unit *unit)
{
    json_t *message = json_object();
    document_set(message, "name", json_string(unit->wire));
    document_set(message, "title", json_string(unit->wire));
    document_set(message, "summary", json_string(unit->summary));
    document_set(message, "tags", tags_of(unit));
    document_set(message, "contentType", json_string("application/json"));
    document_set(message, "payload", document_schema(unit->source));

    json_t *shown = json_array();
    const json_t *examples = json_object_get(unit->source, "examples");
    for (size_t i = 0; i < json_array_size(examples); i++) {
        json_t *example = json_object();
        document_set(example, "name", json_string(unit->wire));
        document_set(example, "payload", json_deep_copy(json_array_get(examples, i)));
        json_array_append_new(shown, example);
    }
    document_set(message, "examples", shown);
    return message;
}

/* The unit that is sent under this name. */
static const struct unit *sent(const struct model *model, const char *wire)
{
    for (size_t i = 0; i < model->unit_count; i++)
        if (model->units[i].direction == UNIT_SOCKET_OUT &&
            strcmp(model->units[i].wire, wire) == 0)
            return &model->units[i];
    fail(wire, "an answer that is no message of the hub's");
}

static json_t *reply(const struct model *model, const struct unit *unit)
{
    json_t *messages = json_array();
    const json_t *answers = json_object_get(unit->source, "x-answers");
    for (size_t i = 0; i < json_array_size(answers); i++)
        json_array_append_new(
            messages,
            document_reference(
                "#/channels/ws/messages/",
                sent(model, json_string_value(json_array_get(answers, i)))->name));
    json_t *reply = json_object();
    document_set(reply, "channel", document_reference("#/channels/", "ws"));
    document_set(reply, "messages", messages);
    return reply;
}

static json_t *operation(const struct model *model, const struct unit *unit)
{
    bool received = unit->direction == UNIT_SOCKET_IN;
    json_t *messages = json_array();
    json_array_append_new(messages,
                          document_reference("#/channels/ws/messages/", unit->name));
    json_t *operation = json_object();
    document_set(operation, "action", json_string(received ? "receive" : "send"));
    document_set(operation, "channel", document_reference("#/channels/", "ws"));
    document_set(operation, "description", json_string(unit->summary));
    document_set(operation, "tags", tags_of(unit));
    document_set(operation, "messages", messages);
    if (received) {
        document_set(operation, "reply", reply(model, unit));
        document_set(operation, "x-roles", json_deep_copy(unit->roles));
        if (unit->scope != NULL)
            document_set(operation, "x-scope", json_string(unit->scope));
        document_set(operation, "x-tier", json_string(unit->tier));
    } else {
        document_set(operation, "x-slow-reader", json_string(unit->slow_reader));
    }
    return operation;
}

static json_t *server(const char *protocol, const char *description)
{
    json_t *host = json_object();
    document_set(host, "default", json_string("127.0.0.1:4000"));
    document_set(host, "description", json_string("Where the hub listens."));
    json_t *variables = json_object();
    document_set(variables, "host", host);
    json_t *server = json_object();
    document_set(server, "host", json_string("{host}"));
    document_set(server, "protocol", json_string(protocol));
    document_set(server, "description", json_string(description));
    document_set(server, "variables", variables);
    return server;
}

static json_t *channel(const struct model *model)
{
    json_t *messages = json_object();
    for (size_t i = 0; i < model->unit_count; i++)
        if (is_frame(&model->units[i]))
            document_set(
                messages, model->units[i].name,
                document_reference("#/components/messages/", model->units[i].name));
    json_t *channel = json_object();
    document_set(channel, "address", json_string("/ws"));
    document_set(channel, "description",
                 json_string("One connection of one agent. Text frames only."));
    document_set(channel, "messages", messages);
    document_set(channel, "x-errors",
                 json_deep_copy(json_object_get(model->errors, "errors")));
    document_set(channel, "x-close-codes",
                 json_deep_copy(json_object_get(model->errors, "close_codes")));
    return channel;
}

/* What stands beside a reference is nothing in the JSON Schema that AsyncAPI reads. */
static void references_strip(json_t *value)
{
    json_t *reference = json_object_get(value, "$ref");
    if (reference != NULL) {
        json_incref(reference);
        json_object_clear(value);
        document_set(value, "$ref", reference);
        return;
    }
    const char *key;
    json_t *member;
    size_t at;
    json_object_foreach(value, key, member) references_strip(member);
    json_array_foreach(value, at, member) references_strip(member);
}

json_t *asyncapi_make(const struct model *model)
{
    json_t *info = document_info(model, document_text(model->about, "socket"));
    document_set(info, "tags", document_tags(model, UNIT_SOCKET_IN, UNIT_SOCKET_OUT));
    json_t *servers = json_object();
    document_set(servers, "plain", server("ws", "On loopback."));
    document_set(servers, "secure", server("wss", "With a certificate."));
    json_t *channels = json_object();
    document_set(channels, "ws", channel(model));

    json_t *operations = json_object();
    json_t *messages = json_object();
    for (size_t i = 0; i < model->unit_count; i++) {
        const struct unit *unit = &model->units[i];
        if (!is_frame(unit))
            continue;
        char name[NAME_BYTES];
        join(name, sizeof name, unit->direction == UNIT_SOCKET_IN ? "receive" : "send",
             "_", unit->wire);
        document_set(operations, name, operation(model, unit));
        document_set(messages, unit->name, message(unit));
    }
    json_t *components = json_object();
    document_set(components, "messages", messages);
    document_set(components, "schemas", document_shared(model));

    json_t *root = json_object();
    document_set(root, "asyncapi", json_string("3.0.0"));
    document_set(root, "info", info);
    document_set(root, "defaultContentType", json_string("application/json"));
    document_set(root, "servers", servers);
    document_set(root, "channels", channels);
    document_set(root, "operations", operations);
    document_set(root, "components", components);
    document_prune(root);
    references_strip(root);
    return root;
}
