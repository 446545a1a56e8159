#include "wire/private.h"

#include "base/ensure.h"

/* A type nobody knows is named in the refusal when it is no longer than this. */
enum { MESSAGE_TYPE_ECHO_MAX = 64 };

/* Everything one parse needs, so that its steps can be told apart. */
struct parse {
    struct wire_reader *reader;
    struct arena *arena;
    struct message *message;
    struct refusal *refusal;
};

static struct parse parse_begin(struct wire_reader *reader, struct arena *arena,
                                struct message *message, struct refusal *refusal)
{
    *refusal = (struct refusal){ 0 };
    return (struct parse){ reader, arena, message, refusal };
}

static bool refuse(struct parse *parse, const char *field, const char *error,
                   const char *detail, const struct json_node *value)
{
    refusal_add(parse->refusal, parse->arena, slice_from_text(field), error,
                slice_from_text(detail), value);
    return false;
}

static bool text_read(struct parse *parse, struct slice text)
{
    struct json_problem problem = { 0 };
    enum err err = json_parse(parse->reader->json, text, &problem);
    if (err == ERR_OK)
        return true;
    if (err == ERR_MEMORY) {
        parse->refusal->code = ERROR_UNAVAILABLE;
        return false;
    }
    parse->refusal->code = ERROR_INVALID_JSON;
    parse->refusal->offset = problem.offset;
    parse->refusal->text = slice_from_text(problem.reason);
    return false;
}

/* What a message's members at one place must be. */
struct part {
    const struct schema *schema; /* NULL: nothing is to be checked */
    struct slice schema_text;
    const struct field_table *table;
    enum field_place place;
};

static void violations_add(struct parse *parse, const struct part *part)
{
    struct json_problem problem;
    const struct json *schema = parse->reader->schema;
    if (json_parse(parse->reader->schema, part->schema_text, &problem) != ERR_OK)
        schema = NULL;
    refusal_add_violations(parse->refusal, parse->arena, parse->reader->run, part->table,
                           schema);
}

/* Adds what the schema finds wrong with the object. */
static bool object_check(struct parse *parse, const struct part *part,
                         const struct json *json, const struct json_node *object)
{
    if (part->schema == NULL)
        return true;
    bool valid = false;
    struct schema_run *run = parse->reader->run;
    enum err err = schema_validate(part->schema, run, json, object, false, &valid);
    if (err == ERR_OK && valid)
        return true;
    if (err == ERR_OK)
        err = schema_validate(part->schema, run, json, object, true, &valid);
    if (err == ERR_OK)
        violations_add(parse, part);
    else if (err == ERR_LIMIT)
        refuse(parse, "", "invalid_value", "too much to check", NULL);
    else
        parse->refusal->code = ERROR_UNAVAILABLE;
    return false;
}

/* Checks the object and reads its members into the message. */
static bool object_read(struct parse *parse, const struct part *part,
                        const struct json *json, const struct json_node *object)
{
    struct decode_problem problem;
    if (!object_check(parse, part, json, object))
        return false;
    if (decode_object(json, object, part->table, part->place, parse->arena,
                      &parse->message->as, &problem))
        return true;
    refusal_add_decode_problem(parse->refusal, parse->arena, &problem);
    return false;
}

static bool is_object(struct parse *parse, const struct json_node *root)
{
    return root->kind == JSON_OBJECT ||
           refuse(parse, "", "wrong_type", "expected object", root);
}

/* The message's type by its "type" member; MESSAGE_NONE when refused. */
static enum message_type type_read(struct parse *parse, enum message_direction direction,
                                   const struct json_node *root)
{
    const struct json_node *type =
        json_member(parse->reader->json, root, SLICE_OF("type"));
    if (type == NULL || type->kind == JSON_NULL) {
        refuse(parse, "type", "required", "field is required", NULL);
        return MESSAGE_NONE;
    }
    if (type->kind != JSON_STRING) {
        refuse(parse, "type", "wrong_type", "expected string", type);
        return MESSAGE_NONE;
    }

    enum message_type found = wire_find(parse->reader->wire, direction, type->value.text);
    if (found == MESSAGE_NONE) {
        parse->refusal->unknown_type = true;
        if (type->raw.size <= MESSAGE_TYPE_ECHO_MAX)
            parse->refusal->message_type = arena_copy(parse->arena, type->value.text);
        refuse(parse, "type", "unknown_message_type", "no message has this type", type);
        return MESSAGE_NONE;
    }
    parse->refusal->message_type = MESSAGE_ROWS[found].name;
    return found;
}

static struct part body_part(const struct wire *wire, enum message_type type)
{
    return (struct part){ wire->schemas[type].body, MESSAGE_ROWS[type].schema,
                          MESSAGE_ROWS[type].table, FIELD_IN_BODY };
}

/* Clients of v1.1 leave what their agent wrote about tokens inside the result. */
static void tokens_used_find(const struct json *json, const struct json_node *root,
                             struct message *message)
{
    if (message->type != MESSAGE_TASK_COMPLETE ||
        message->as.task_complete.has_tokens_used)
        return;
    const struct json_node *result = json_member(json, root, SLICE_OF("result"));
    const struct json_node *tokens =
        result == NULL ? NULL : json_member(json, result, SLICE_OF("tokens_used"));
    if (tokens == NULL || tokens->kind != JSON_NUMBER || !tokens->integer ||
        tokens->value.number < 0 || tokens->value.number > WIRE_INTEGER_MAX)
        return;
    message->as.task_complete.has_tokens_used = true;
    message->as.task_complete.tokens_used = tokens->value.number;
}

bool wire_parse_socket(struct wire_reader *reader, enum message_direction direction,
                       struct slice text, struct arena *arena,
                       struct message *ret_message, struct refusal *ret_refusal)
{
    ENSURE(direction == DIRECTION_SOCKET_IN || direction == DIRECTION_SOCKET_OUT);
    struct parse parse = parse_begin(reader, arena, ret_message, ret_refusal);
    if (!text_read(&parse, text))
        return false;
    const struct json_node *root = json_root(reader->json);
    if (!is_object(&parse, root))
        return false;
    enum message_type type = type_read(&parse, direction, root);
    if (type == MESSAGE_NONE)
        return false;

    struct part part = body_part(reader->wire, type);
    *ret_message = (struct message){ .type = type };
    if (!object_read(&parse, &part, reader->json, root))
        return false;
    decode_defaults(part.table, &ret_message->as);
    tokens_used_find(reader->json, root, ret_message);
    return true;
}

static void parameter_write(struct json_writer *writer, const struct field *field,
                            struct slice value)
{
    int64_t number;
    json_key(writer, field->name);
    if (field->kind == FIELD_INTEGER && slice_parse_i64(value, &number))
        json_i64(writer, number);
    else if (field->kind == FIELD_BOOL &&
             (slice_equal_text(value, "true") || slice_equal_text(value, "false")))
        json_raw(writer, value);
    else
        json_string(writer, value);
}

static bool is_repeated(const struct wire_parameter *parameters, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (parameters[i].place == parameters[at].place &&
            slice_equal(parameters[i].name, parameters[at].name))
            return true;
    return false;
}

/* The known parameters of one place as the text of an object: from here on they are
 * read as a body is. */
static void parameters_write(struct parse *parse, const struct field_table *table,
                             enum field_place place,
                             const struct wire_parameter *parameters, size_t count)
{
    struct json_writer writer;
    buffer_clear(&parse->reader->text);
    json_writer_init(&writer, &parse->reader->text);
    json_object_begin(&writer);
    for (size_t i = 0; i < count; i++) {
        if (parameters[i].place != place)
            continue;
        const struct field *field = decode_field_find(table, place, parameters[i].name);
        if (field == NULL)
            continue;
        if (is_repeated(parameters, i))
            refusal_add(parse->refusal, parse->arena, field->name, "invalid_value",
                        SLICE_OF("given more than once"), NULL);
        else
            parameter_write(&writer, field, parameters[i].value);
    }
    json_object_end(&writer);
}

static bool has_place(const struct field_table *table, enum field_place place)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->fields[i].place == place)
            return true;
    return false;
}

static bool parameters_read(struct parse *parse, const struct part *part,
                            const struct wire_parameter *parameters, size_t count)
{
    if (!has_place(part->table, part->place))
        return true;
    struct json_problem problem;
    struct json *json = parse->reader->parameters;
    parameters_write(parse, part->table, part->place, parameters, count);
    if (buffer_failed(&parse->reader->text) ||
        json_parse(json, buffer_slice(&parse->reader->text), &problem) != ERR_OK) {
        /* Too long, or with a byte that no text holds. */
        parse->refusal->code = ERROR_BAD_REQUEST;
        return false;
    }
    return object_read(parse, part, json, json_root(json));
}

static bool body_read(struct parse *parse, const struct part *part, struct slice body)
{
    if (part->schema == NULL)
        return true;
    /* No body at all says what an empty object says. */
    if (!text_read(parse, body.size == 0 ? SLICE_OF("{}") : body))
        return false;
    const struct json_node *root = json_root(parse->reader->json);
    return is_object(parse, root) && object_read(parse, part, parse->reader->json, root);
}

bool wire_parse_request(struct wire_reader *reader, enum message_type type,
                        const struct wire_parameter *parameters, size_t parameter_count,
                        struct slice body, struct arena *arena,
                        struct message *ret_message, struct refusal *ret_refusal)
{
    ENSURE(type > MESSAGE_NONE && type < MESSAGE_COUNT);
    const struct message_row *row = &MESSAGE_ROWS[type];
    ENSURE(row->direction == DIRECTION_HTTP_REQUEST);
    struct parse parse = parse_begin(reader, arena, ret_message, ret_refusal);
    *ret_message = (struct message){ .type = type };

    const struct wire_schemas *schemas = &reader->wire->schemas[type];
    const struct part parts[] = {
        { schemas->path, row->schema_path, row->table, FIELD_IN_PATH },
        { schemas->query, row->schema_query, row->table, FIELD_IN_QUERY },
        { schemas->headers, row->schema_headers, row->table, FIELD_IN_HEADER },
    };
    const struct part body_rule = body_part(reader->wire, type);
    /* Every place is read, so that one answer names all that is wrong. */
    bool read = true;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        read &= parameters_read(&parse, &parts[i], parameters, parameter_count);
    read &= body_read(&parse, &body_rule, body);
    if (!read || ret_refusal->item_count > 0)
        return false;
    decode_defaults(row->table, &ret_message->as);
    return true;
}

bool wire_parse_answer(struct wire_reader *reader, enum message_type type,
                       struct slice body, struct arena *arena,
                       struct message *ret_message, struct refusal *ret_refusal)
{
    ENSURE(type > MESSAGE_NONE && type < MESSAGE_COUNT);
    ENSURE(MESSAGE_ROWS[type].direction == DIRECTION_HTTP_ANSWER);
    struct parse parse = parse_begin(reader, arena, ret_message, ret_refusal);
    const struct part part = body_part(reader->wire, type);
    *ret_message = (struct message){ .type = type };
    return body_read(&parse, &part, body);
}
