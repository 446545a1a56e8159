#include "simulation/audit.h"

#include "base/ensure.h"
#include "os/secret.h"
#include "simulation/judge.h"
#include "simulation/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 1 << 24 };

void audit_init(struct audit *audit, struct sim *sim)
{
    *audit = (struct audit){ .sim = sim };
    arena_init(&audit->arena, (size_t)64 << 20);
    audit->tasks = audit_map_create();
    audit->agents = audit_map_create();
    audit->gone = audit_map_create();
}

struct map *audit_map_create(void)
{
    static const struct siphash_key KEY = { { 1, 2 } };
    struct map *map = map_create(KEY, ROWS_MAX);
    ENSURE(map != NULL);
    return map;
}

void audit_map_destroy(struct map *map)
{
    size_t position = 0;
    struct slice key;
    void *value;
    while (map_next(map, &position, &key, &value))
        free(value);
    map_destroy(map);
}

void audit_finish(struct audit *audit)
{
    audit_map_destroy(audit->tasks);
    audit_map_destroy(audit->agents);
    audit_map_destroy(audit->gone);
    arena_finish(&audit->arena);
    free(audit->ready);
    free(audit->notes);
}

const struct audit_task *audit_task(const struct audit *audit, uint64_t number)
{
    return map_get(audit->tasks, slice_make(&number, sizeof number));
}

/* A text member of the message, by its name on the wire. */
static struct slice text_member(const struct message *message, const char *name)
{
    const struct field_table *table = MESSAGE_ROWS[message->type].table;
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        if (field->kind == FIELD_TEXT && slice_equal_text(field->name, name))
            return *(const struct slice *)((const char *)&message->as + field->offset);
    }
    return (struct slice){ 0 };
}

static bool number_member(const struct message *message, const char *name,
                          int64_t *ret_number)
{
    const struct field_table *table = MESSAGE_ROWS[message->type].table;
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        const char *as = (const char *)&message->as;
        if (field->kind != FIELD_INTEGER || !slice_equal_text(field->name, name))
            continue;
        if (field->has_offset >= 0 && !*(const bool *)(as + field->has_offset))
            return false;
        memcpy(ret_number, as + field->offset, sizeof *ret_number);
        return true;
    }
    return false;
}

/* The fleet's capabilities are called c0, c1 and so on. */
static uint32_t capability_bits(const struct message *message)
{
    struct slice_list list = { 0 };
    uint32_t bits = 0;
    if (message->type == MESSAGE_IDENTIFY)
        list = message->as.identify.capabilities;
    else if (message->type == MESSAGE_POST_TASK)
        list = message->as.post_task.needed_capabilities;
    else if (message->type == MESSAGE_TASK_SUBMIT)
        list = message->as.task_submit.needed_capabilities;
    for (size_t i = 0; i < list.count; i++)
        bits |= 1u << (list.items[i].data[1] - '0');
    return bits;
}

static struct audit_note *note_add(struct audit *audit)
{
    if (audit->note_count == audit->note_room) {
        audit->note_room = audit->note_room == 0 ? 64 : audit->note_room * 2;
        audit->notes = realloc(audit->notes, audit->note_room * sizeof *audit->notes);
        ENSURE(audit->notes != NULL);
    }
    struct audit_note *note = &audit->notes[audit->note_count++];
    memset(note, 0, sizeof *note);
    return note;
}

void audit_before(struct audit *audit, const struct command *command)
{
    struct audit_note *note = note_add(audit);
    const struct message *message = command->message;
    note->type = message->type;
    note->now_ms = command->now_ms;
    note->wall_ms = command->wall_ms;
    (void)snprintf(note->actor, sizeof note->actor, "%.*s", (int)command->actor.size,
                   command->actor.data == NULL ? "" : command->actor.data);
    (void)task_id_parse(text_member(message, "task_id"), &note->named);
    note->has_generation = number_member(message, "generation", &note->generation);
    note->capabilities = capability_bits(message);
    note->change_from = audit->sim->disk.change_count;
}

void audit_after(struct audit *audit, const struct command *command,
                 const struct effects *effects)
{
    struct audit_note *note = &audit->notes[audit->note_count - 1];
    note->change_to = audit->sim->disk.change_count;
    for (const struct effect *effect = effects->first; effect != NULL;
         effect = effect->next) {
        if (effect->message.type == MESSAGE_LEASE_RENEWED)
            note->promised_ms =
                command->now_ms + effect->message.as.lease_renewed.lease_ms;
    }
    trace_command(&audit->sim->trace, command, effects);
}

void audit_abort(struct audit *audit)
{
    audit->note_count = 0;
    trace_drop(&audit->sim->trace);
}

void audit_commit(struct audit *audit)
{
    for (size_t i = 0; i < audit->note_count && !sim_is_broken(audit->sim); i++) {
        audit->judged++;
        judge_note(audit, &audit->notes[i]);
    }
    audit->note_count = 0;
    audit->commits++;
    trace_keep(&audit->sim->trace);
}

/* P12: every link of the event log's chain, computed anew. */
static void chain_verify(struct audit *audit)
{
    struct sim *sim = audit->sim;
    struct core_chain chain;
    enum err err = core_chain_verify(disk_look(&sim->disk), digest_sha256, &chain);
    disk_look_end(&sim->disk);
    if (err != ERR_OK)
        sim_break(sim, "the event log cannot be read", err_name(err));
    else if (chain.broken_at != 0)
        sim_break(sim, "the chain of events is broken", chain.text);
    else if (chain.count > 0 &&
             (chain.first != audit->event_first || chain.last != audit->event_last))
        sim_break(sim, "events that were committed are gone", NULL);
}

void audit_verify(struct audit *audit)
{
    struct sim *sim = audit->sim;
    const char *text = "";
    bool spoilt = sim->disk.flip_count > 0;
    enum err err = core_verify(disk_look(&sim->disk), &text);
    disk_look_end(&sim->disk);
    if (spoilt && err != ERR_CORRUPT)
        sim_break(sim, "a row that changed by itself was not found", err_name(err));
    if (!spoilt && err != ERR_OK)
        sim_break(sim, "the tables do not fit together", text);
    if (!spoilt)
        chain_verify(audit);
}

static bool agent_can(const struct audit_agent *agent, const struct audit_task *task)
{
    return (task->needs & ~agent->abilities) == 0;
}

void audit_idle_work(struct audit *audit)
{
    size_t position = 0;
    struct slice key;
    void *value;
    while (map_next(audit->agents, &position, &key, &value)) {
        const struct audit_agent *agent = value;
        if (!agent_has_room(&agent->row))
            continue;
        for (size_t i = 0; i < audit->ready_count; i++) {
            if (agent_can(agent, audit->ready[i]))
                sim_break(audit->sim, "a ready task lies beside a free agent for it",
                          agent->id);
        }
    }
}

int64_t audit_not_before_ms(const struct audit *audit)
{
    int64_t last_ms = 0;
    size_t position = 0;
    struct slice key;
    void *value;
    while (map_next(audit->tasks, &position, &key, &value)) {
        const struct audit_task *task = value;
        if (!task_state_is_end(task->row.state) && task->row.not_before_ms > last_ms)
            last_ms = task->row.not_before_ms;
    }
    return last_ms;
}

static void table_must_be_empty(struct audit *audit, enum table table, const char *text)
{
    struct slice key;
    struct slice value;
    struct transaction *rows = disk_look(&audit->sim->disk);
    enum err err = transaction_first_from(rows, table, SLICE_OF(""), &key, &value);
    disk_look_end(&audit->sim->disk);
    if (err != ERR_NOT_FOUND)
        sim_break(audit->sim, text, err_name(err));
}

void audit_all_ended(struct audit *audit)
{
    size_t position = 0;
    struct slice key;
    void *value;
    while (map_next(audit->tasks, &position, &key, &value)) {
        const struct audit_task *task = value;
        char about[96];
        if (task_state_is_end(task->row.state))
            continue;
        (void)snprintf(about, sizeof about, "task %llx is %.*s, generation %llu",
                       (unsigned long long)task->row.number,
                       (int)task_state_name(task->row.state).size,
                       task_state_name(task->row.state).data,
                       (unsigned long long)task->row.generation);
        sim_break(audit->sim, "a task never came to its end", about);
    }
    table_must_be_empty(audit, TABLE_HOLDING, "a task is held after all have ended");
    table_must_be_empty(audit, TABLE_READY, "the queue is not empty at the end");
}
