#include "simulation/trace.h"

#include "base/ensure.h"
#include "json/writer.h"
#include "message/row.h"
#include "simulation/audit.h"
#include "wire/wire.h"

#include <stdio.h>
#include <string.h>

#define PENDING_BYTES_MAX ((size_t)256 * 1024 * 1024)

void trace_init(struct trace *trace, const char *path)
{
    *trace = (struct trace){ .hash = 0x9e3779b97f4a7c15 };
    buffer_init(&trace->pending, PENDING_BYTES_MAX);
    if (path == NULL)
        return;
    trace->file = fopen(path, "we");
    ENSURE(trace->file != NULL);
}

void trace_finish(struct trace *trace)
{
    buffer_finish(&trace->pending);
    if (trace->file != NULL)
        ENSURE(fclose(trace->file) == 0);
}

void trace_number(struct trace *trace, uint64_t number)
{
    uint64_t word = (trace->hash ^ number) * 0xbf58476d1ce4e5b9;
    trace->hash = word ^ (word >> 29);
}

void trace_bytes(struct trace *trace, struct slice bytes)
{
    size_t at = 0;
    trace_number(trace, bytes.size);
    for (; at + 8 <= bytes.size; at += 8) {
        uint64_t word;
        memcpy(&word, bytes.data + at, sizeof word);
        trace_number(trace, word);
    }
    uint64_t rest = 0;
    if (at < bytes.size)
        memcpy(&rest, bytes.data + at, bytes.size - at);
    trace_number(trace, rest);
}

static void member_number(struct json_writer *writer, const char *name, int64_t number)
{
    json_key_text(writer, name);
    json_i64(writer, number);
}

static void member_text(struct json_writer *writer, const char *name, struct slice text)
{
    if (!slice_is_present(text))
        return;
    json_key_text(writer, name);
    json_string(writer, text);
}

static void member_message(struct trace *trace, struct json_writer *writer,
                           const char *name, const struct message *message)
{
    struct buffer text;
    buffer_init(&text, PENDING_BYTES_MAX);
    wire_render(message, &text);
    ENSURE(!buffer_failed(&text));
    json_key_text(writer, name);
    json_raw(writer, buffer_slice(&text));
    buffer_finish(&text);
    (void)trace;
}

/* Path, query and header are not in a body. */
static void member_path(struct json_writer *writer, const struct message *message)
{
    const struct field_table *table = MESSAGE_ROWS[message->type].table;
    json_key_text(writer, "path");
    json_object_begin(writer);
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        struct slice text;
        if (field->place == FIELD_IN_BODY || field->kind != FIELD_TEXT)
            continue;
        memcpy(&text, (const char *)&message->as + field->offset, sizeof text);
        if (!slice_is_present(text))
            continue;
        json_key(writer, field->name);
        json_string(writer, text);
    }
    json_object_end(writer);
}

static void effect_line(struct trace *trace, struct json_writer *writer,
                        const struct effect *effect)
{
    static const char *const KINDS[] = {
        [EFFECT_SEND] = "send",
        [EFFECT_BROADCAST] = "broadcast",
        [EFFECT_ANSWER] = "answer",
        [EFFECT_BIND] = "bind",
        [EFFECT_CLOSE] = "close",
        [EFFECT_KEY_ADD] = "key_add",
        [EFFECT_KEY_REMOVE] = "key_remove",
    };
    size_t kind = (size_t)effect->kind;
    bool is_known = kind < sizeof KINDS / sizeof KINDS[0] && KINDS[kind] != NULL;
    json_object_begin(writer);
    member_text(writer, "kind", slice_from_text(is_known ? KINDS[kind] : "other"));
    member_number(writer, "link", (int64_t)effect->link);
    member_number(writer, "request", (int64_t)effect->request);
    if (effect->message.type != MESSAGE_NONE) {
        const struct message_row *row = &MESSAGE_ROWS[effect->message.type];
        member_number(writer, "status",
                      effect->status != 0 ? effect->status : row->status);
        member_text(writer, "type", row->name);
        member_message(trace, writer, "body", &effect->message);
    }
    json_object_end(writer);
}

static void line_end(struct trace *trace)
{
    buffer_append_byte(&trace->pending, '\n');
    ENSURE(!buffer_failed(&trace->pending));
}

void trace_command(struct trace *trace, const struct command *command,
                   const struct effects *effects)
{
    trace_number(trace, command->sequence);
    trace_number(trace, (uint64_t)command->now_ms);
    trace_number(trace, command->message->type);
    trace_number(trace, effects->count);
    if (trace->file == NULL)
        return;
    struct json_writer writer;
    json_writer_init(&writer, &trace->pending);
    json_object_begin(&writer);
    member_number(&writer, "seq", (int64_t)command->sequence);
    member_number(&writer, "now", command->now_ms);
    member_number(&writer, "wall", command->wall_ms);
    member_text(&writer, "actor", command->actor);
    member_number(&writer, "link", (int64_t)command->origin.link);
    member_number(&writer, "request", (int64_t)command->origin.request);
    member_number(&writer, "role", command->role);
    member_text(&writer, "type", MESSAGE_ROWS[command->message->type].name);
    member_path(&writer, command->message);
    member_message(trace, &writer, "in", command->message);
    json_key_text(&writer, "out");
    json_array_begin(&writer);
    for (const struct effect *effect = effects->first; effect != NULL;
         effect = effect->next)
        effect_line(trace, &writer, effect);
    json_array_end(&writer);
    json_object_end(&writer);
    line_end(trace);
}

void trace_settings(struct trace *trace, const struct core_settings *settings)
{
    if (trace->file == NULL)
        return;
    struct json_writer writer;
    json_writer_init(&writer, &trace->pending);
    json_object_begin(&writer);
    json_key_text(&writer, "settings");
    json_object_begin(&writer);
    member_number(&writer, "acceptance_ms", settings->acceptance_ms);
    member_number(&writer, "lease_ms", settings->lease_ms);
    member_number(&writer, "reconnect_grace_ms", settings->reconnect_grace_ms);
    member_number(&writer, "retry_delay_ms", settings->retry_delay_ms);
    member_number(&writer, "idempotency_ms", settings->idempotency_ms);
    member_number(&writer, "attempts_default", settings->attempts_default);
    member_number(&writer, "attempts_max", settings->attempts_max);
    member_number(&writer, "lane_passes_max", settings->lane_passes_max);
    member_number(&writer, "tasks_open_max", (int64_t)settings->tasks_open_max);
    json_object_end(&writer);
    json_object_end(&writer);
    line_end(trace);
    trace_keep(trace);
}

void trace_backup(struct trace *trace)
{
    if (trace->file == NULL)
        return;
    buffer_append_text(&trace->pending, "{\"backup\":true}");
    line_end(trace);
    trace_keep(trace);
}

void trace_restored(struct trace *trace, const struct audit *audit)
{
    size_t position = 0;
    struct slice key;
    void *value;
    struct json_writer writer;
    trace_number(trace, map_count(audit->tasks));
    if (trace->file == NULL)
        return;
    json_writer_init(&writer, &trace->pending);
    json_object_begin(&writer);
    json_key_text(&writer, "restored");
    json_object_begin(&writer);
    while (map_next(audit->tasks, &position, &key, &value)) {
        const struct audit_task *task = value;
        char id[32];
        (void)snprintf(id, sizeof id, "task-%016llx",
                       (unsigned long long)task->row.number);
        member_number(&writer, id, (int64_t)task->row.generation);
    }
    json_object_end(&writer);
    json_object_end(&writer);
    line_end(trace);
    trace_keep(trace);
}

void trace_keep(struct trace *trace)
{
    if (trace->file != NULL && trace->pending.size > 0)
        ENSURE(fwrite(trace->pending.data, 1, trace->pending.size, trace->file) ==
               trace->pending.size);
    buffer_clear(&trace->pending);
}

void trace_drop(struct trace *trace)
{
    buffer_clear(&trace->pending);
}
