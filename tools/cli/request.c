#include "cli/request.h"

#include "json/writer.h"
#include "message/row.h"

#include <stdio.h>
#include <string.h>

#define BODY_BYTES_MAX ((size_t)128 * 1024 * 1024)

enum { PATH_BYTES_MAX = 32768, NAME_BYTES_MAX = 256 };

struct maker {
    struct invocation *invocation;
    const struct message_row *row;
    const struct filling *fillings;
    size_t filling_count;
    struct buffer path;
    struct buffer body;
    struct call call;
    enum outcome outcome;
};

/* What fills a field. */
struct value {
    struct slice text;
    const char *named; /* the option or argument, for what is said of it */
    enum option_form form;
    bool made; /* by the command itself */
};

static bool is_field(const char *field, const char *name)
{
    return field != NULL && strcmp(field, name) == 0;
}

/* The argument's row for the word at `index`; the last row takes all that follow. */
static const struct argument *argument_of(const struct command *command, size_t index)
{
    size_t at = 0;
    while (at < index && at + 1 < ARGUMENTS_MAX &&
           command->arguments[at + 1].name != NULL)
        at++;
    return &command->arguments[at];
}

/* The values of a field, one a call: start with *at 0. */
static bool value_next(const struct maker *maker, const char *name, size_t *at,
                       struct value *ret_value)
{
    const struct invocation *line = maker->invocation;
    for (size_t i = 0; i < maker->filling_count; i++) {
        if (!is_field(maker->fillings[i].field, name))
            continue;
        *ret_value = (struct value){ maker->fillings[i].text, name, FORM_PLAIN, true };
        return (*at)++ == 0;
    }
    while (*at < line->given_count) {
        const struct given *given = &line->given[(*at)++];
        const struct option *option = given->option;
        if (!is_field(option->field, name))
            continue;
        struct slice text =
            option->value != NULL ? slice_from_text(given->value) : SLICE_OF("true");
        *ret_value = (struct value){ text, option->name, option->form, false };
        return true;
    }
    while (*at - line->given_count < line->argument_count) {
        size_t index = (*at)++ - line->given_count;
        const struct argument *argument = argument_of(line->command, index);
        if (!is_field(argument->field, name))
            continue;
        *ret_value = (struct value){ slice_from_text(line->arguments[index]),
                                     argument->name, argument->form, false };
        return true;
    }
    return false;
}

static bool value_last(const struct maker *maker, const char *name,
                       struct value *ret_value)
{
    size_t at = 0;
    bool found = false;
    struct value value;
    while (value_next(maker, name, &at, &value)) {
        *ret_value = value;
        found = true;
    }
    return found;
}

static bool wrong(struct maker *maker, const struct value *value, const char *what)
{
    maker->outcome = complain(OUTCOME_USAGE, "%s %.*s %s", value->named,
                              (int)value->text.size, value->text.data, what);
    return false;
}

static bool number_read(struct maker *maker, const struct value *value,
                        int64_t *ret_number)
{
    /* A value given is the end of a word, so it ends with a zero. */
    if (value->form == FORM_MOMENT && !value->made)
        return moment_read(value->text.data, ret_number) ||
               wrong(maker, value,
                     "is no time: write +10m, 2026-01-02T03:04:05Z or Unix milliseconds");
    if (value->form == FORM_DURATION && !value->made)
        return duration_read(value->text.data, ret_number) ||
               wrong(maker, value, "is no time: write 30, 500ms, 5m, 2h or 1d");
    return slice_parse_i64(value->text, ret_number) ||
           wrong(maker, value, "is no number");
}

static bool json_write(struct maker *maker, const struct value *value,
                       struct json_writer *writer)
{
    struct json_problem problem;
    if (value->made) {
        json_raw(writer, value->text);
        return true;
    }
    struct json *tape = json_create(&JSON_LIMITS_DEFAULT);
    bool parsed = tape != NULL && json_parse(tape, value->text, &problem) == ERR_OK;
    if (parsed)
        json_raw(writer, json_root(tape)->raw);
    else
        maker->outcome = tape == NULL
                             ? complain(OUTCOME_FAILED, "out of memory")
                             : complain(OUTCOME_USAGE, "%s: byte %zu: %s", value->named,
                                        problem.offset, problem.reason);
    json_destroy(tape);
    return parsed;
}

/* "bind.kind", or "kind" alone. Names are short: what does not fit fills nothing. */
static void name_join(char name[NAME_BYTES_MAX], const char *before, const char *member)
{
    int size = snprintf(name, NAME_BYTES_MAX, "%s%s%s", before,
                        before[0] != '\0' ? "." : "", member);
    if (size < 0 || size >= NAME_BYTES_MAX)
        name[0] = '\0';
}

static bool members_write(struct maker *maker, const struct field_table *table,
                          const char *before, struct json_writer *writer);

/* True when anything fills a member of the object. */
static bool object_is_filled(const struct maker *maker, const struct field_table *table,
                             const char *before)
{
    for (size_t i = 0; i < table->count; i++) {
        char name[NAME_BYTES_MAX];
        size_t at = 0;
        struct value value;
        name_join(name, before, table->fields[i].name.data);
        if (value_next(maker, name, &at, &value))
            return true;
    }
    return false;
}

static bool object_write(struct maker *maker, const struct field *field, const char *name,
                         struct json_writer *writer)
{
    if (field->nested == NULL || !object_is_filled(maker, field->nested, name))
        return true;
    json_key(writer, field->name);
    json_object_begin(writer);
    bool written = members_write(maker, field->nested, name, writer);
    json_object_end(writer);
    return written;
}

static bool texts_write(struct maker *maker, const char *name, struct json_writer *writer)
{
    size_t at = 0;
    struct value value;
    json_array_begin(writer);
    while (value_next(maker, name, &at, &value))
        json_string(writer, value.text);
    json_array_end(writer);
    return true;
}

static bool member_write(struct maker *maker, const struct field *field, const char *name,
                         struct json_writer *writer)
{
    struct value value;
    int64_t number;
    if (!value_last(maker, name, &value))
        return field->kind != FIELD_OBJECT || object_write(maker, field, name, writer);
    json_key(writer, field->name);
    switch (field->kind) {
    case FIELD_TEXT:
        json_string(writer, value.text);
        return true;
    case FIELD_INTEGER:
        if (!number_read(maker, &value, &number))
            return false;
        json_i64(writer, number);
        return true;
    case FIELD_BOOL:
        json_bool(writer, slice_equal_text(value.text, "true"));
        return true;
    case FIELD_TEXTS:
        return texts_write(maker, name, writer);
    case FIELD_OPAQUE:
    case FIELD_OBJECT:
    case FIELD_OBJECTS:
    case FIELD_MESSAGE:
        return json_write(maker, &value, writer);
    }
    return false;
}

static bool members_write(struct maker *maker, const struct field_table *table,
                          const char *before, struct json_writer *writer)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        char name[NAME_BYTES_MAX];
        name_join(name, before, field->name.data);
        if (field->place == FIELD_IN_BODY && !member_write(maker, field, name, writer))
            return false;
    }
    return true;
}

static bool body_make(struct maker *maker)
{
    struct json_writer writer;
    if (maker->row->schema.size == 0) {
        /* A POST without a body still says so. */
        if (slice_equal_text(maker->row->method, "POST"))
            maker->call.body = SLICE_OF("");
        return true;
    }
    json_writer_init(&writer, &maker->body);
    json_object_begin(&writer);
    if (!members_write(maker, maker->row->table, "", &writer))
        return false;
    json_object_end(&writer);
    maker->call.body = buffer_slice(&maker->body);
    return true;
}

/* One piece of a path: what would lead to another route is refused here. */
static bool piece_append(struct maker *maker, struct slice name)
{
    char field[NAME_BYTES_MAX];
    struct value value;
    (void)snprintf(field, sizeof field, "%.*s", (int)name.size, name.data);
    if (!value_last(maker, field, &value)) {
        maker->outcome = complain(OUTCOME_USAGE, "%s is missing", field);
        return false;
    }
    if (value.text.size == 0 || slice_find(value.text, '/') < value.text.size ||
        slice_equal_text(value.text, ".") || slice_equal_text(value.text, ".."))
        return wrong(maker, &value, "names nothing");
    url_append(&maker->path, value.text);
    return true;
}

static bool path_make(struct maker *maker)
{
    struct slice pattern = maker->row->path;
    while (pattern.size > 0) {
        size_t plain = slice_find(pattern, '{');
        buffer_append(&maker->path, pattern.data, plain);
        pattern = slice_skip(pattern, plain);
        if (pattern.size == 0)
            break;
        size_t end = slice_find(pattern, '}');
        if (!piece_append(maker, slice_make(pattern.data + 1, end - 1)))
            return false;
        pattern = slice_skip(pattern, end + 1);
    }
    return true;
}

static bool query_append(struct maker *maker, const struct field *field, char *mark,
                         const struct value *value)
{
    int64_t number;
    if (field->kind == FIELD_INTEGER && !number_read(maker, value, &number))
        return false;
    buffer_append_byte(&maker->path, *mark);
    *mark = '&';
    url_append(&maker->path, field->name);
    buffer_append_byte(&maker->path, '=');
    if (field->kind == FIELD_INTEGER)
        buffer_append_i64(&maker->path, number);
    else
        url_append(&maker->path, value->text);
    return true;
}

static bool header_append(struct maker *maker, const struct field *field,
                          const struct value *value)
{
    struct call *call = &maker->call;
    for (size_t i = 0; i < value->text.size; i++)
        if ((unsigned char)value->text.data[i] < ' ')
            return wrong(maker, value, "is not for a header");
    if (call->header_count == CALL_HEADERS_MAX)
        return wrong(maker, value, "is too much");
    call->headers[call->header_count++] =
        (struct call_header){ field->name.data, value->text };
    return true;
}

static bool places_make(struct maker *maker)
{
    char mark = '?';
    const struct field_table *table = maker->row->table;
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        struct value value;
        if ((field->place != FIELD_IN_QUERY && field->place != FIELD_IN_HEADER) ||
            !value_last(maker, field->name.data, &value))
            continue;
        bool added = field->place == FIELD_IN_QUERY
                         ? query_append(maker, field, &mark, &value)
                         : header_append(maker, field, &value);
        if (!added)
            return false;
    }
    return true;
}

enum outcome request_call(struct invocation *invocation, enum message_type route,
                          const struct filling *fillings, size_t count,
                          struct answer *ret_answer)
{
    struct maker maker = { .invocation = invocation,
                           .row = &MESSAGE_ROWS[route],
                           .fillings = fillings,
                           .filling_count = count };
    buffer_init(&maker.path, PATH_BYTES_MAX);
    buffer_init(&maker.body, BODY_BYTES_MAX);
    if (path_make(&maker) && places_make(&maker) && body_make(&maker)) {
        buffer_append_byte(&maker.path, '\0');
        maker.call.method = maker.row->method.data;
        maker.call.path = maker.path.data;
        if (buffer_failed(&maker.path) || buffer_failed(&maker.body))
            maker.outcome = complain(OUTCOME_USAGE, "that is too much for one request");
        else
            *ret_answer = client_call(invocation->client, &maker.call);
    }
    buffer_finish(&maker.path);
    buffer_finish(&maker.body);
    return maker.outcome;
}

enum outcome command_call(struct invocation *invocation, const struct filling *fillings,
                          size_t count, struct answer *ret_answer)
{
    enum outcome outcome =
        request_call(invocation, invocation->command->route, fillings, count, ret_answer);
    return outcome == OUTCOME_OK ? answer_tell(invocation, ret_answer) : outcome;
}
