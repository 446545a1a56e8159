#include "core/log_check.h"

#include "base/ensure.h"
#include "core/event_log.h"
#include "core/task.h"
#include "os/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAMES_MAX = 3,
    WORDS_ROOM = 4096,
};

/* One event of some task. */
struct told {
    uint64_t task;
    enum message_type type;
};

struct log {
    struct told *told;
    size_t count;
    size_t room;
};

/* How each entry of a history is told. */
static const enum message_type TOLD_AS[EVENT_COUNT][NAMES_MAX] = {
    [EVENT_QUEUED] = { MESSAGE_EVENT_TASK_SUBMITTED, MESSAGE_EVENT_TASK_QUEUED,
                       MESSAGE_EVENT_TASK_REQUEUED },
    [EVENT_SCHEDULED] = { MESSAGE_EVENT_TASK_SUBMITTED, MESSAGE_EVENT_TASK_SCHEDULED },
    [EVENT_BLOCKED] = { MESSAGE_EVENT_TASK_SUBMITTED },
    [EVENT_ASSIGNED] = { MESSAGE_EVENT_TASK_ASSIGNED },
    [EVENT_ACCEPTED] = { MESSAGE_EVENT_TASK_ACCEPTED },
    [EVENT_COMPLETED] = { MESSAGE_EVENT_TASK_COMPLETED },
    [EVENT_RETRY] = { MESSAGE_EVENT_TASK_FAILED },
    [EVENT_RECLAIMED] = { MESSAGE_EVENT_TASK_RECLAIMED },
    [EVENT_DEAD_LETTER] = { MESSAGE_EVENT_TASK_DEAD_LETTER },
    [EVENT_AGENT_BLOCKED] = { MESSAGE_EVENT_TASK_AGENT_BLOCKED },
    [EVENT_AGENT_UNBLOCKED] = { MESSAGE_EVENT_TASK_AGENT_UNBLOCKED },
    [EVENT_CANCELLED] = { MESSAGE_EVENT_TASK_CANCELLED },
};

static char text[WORDS_ROOM];

static void told_add(struct step *step, struct log *log, const struct event *event)
{
    const struct field_table *table = MESSAGE_ROWS[event->message.type].table;
    struct slice id;
    if (MESSAGE_ROWS[event->message.type].event_class != EVENT_CLASS_TASK)
        return;
    ENSURE(slice_equal_text(table->fields[0].name, "task_id"));
    memcpy(&id, (const char *)&event->message.as + table->fields[0].offset, sizeof id);
    if (log->count == log->room) {
        log->room = log->room == 0 ? 1024 : 2 * log->room;
        log->told = realloc(log->told, log->room * sizeof *log->told);
        ENSURE(log->told != NULL);
    }
    struct told *told = &log->told[log->count++];
    told->type = event->message.type;
    ENSURE(task_number(step, id, &told->task));
}

static void log_read(struct step *step, struct log *log)
{
    struct event event;
    for (uint64_t i = 1; event_load(step, i, &event); i++) {
        told_add(step, log, &event);
        arena_clear(step->effects->arena);
    }
}

static bool is_told_as(enum task_event event, enum message_type type)
{
    for (int i = 0; i < NAMES_MAX; i++)
        if (TOLD_AS[event][i] == type)
            return true;
    return false;
}

/* The entries kept are the last ones. */
static bool task_is_told(struct step *step, const struct log *log, struct task *task)
{
    struct task_history history;
    uint32_t position = task->history_next;
    size_t at = log->count;
    size_t told = 0;
    for (size_t i = 0; i < log->count; i++)
        told += log->told[i].task == task->number;
    bool imported = task->number < TASK_NUMBER_FIRST;
    if (!imported && told != task->history_next)
        return false;
    while (task_history_walk(step, task, &position, &history)) {
        do {
            if (at == 0)
                return false;
            at--;
        } while (log->told[at].task != task->number);
        /* What was before came with it. */
        if (imported && log->told[at].type == MESSAGE_EVENT_TASK_IMPORTED)
            return true;
        if (!is_told_as(history.event, log->told[at].type))
            return false;
    }
    return true;
}

static void tasks_check(struct step *step, const struct log *log)
{
    struct number_key start;
    struct slice key;
    struct slice value;
    struct task task;
    uint64_t next = 0;
    while (text[0] == '\0' &&
           step_first_from(step, TABLE_TASK, key_one(&start, next), &key, &value)) {
        uint64_t number = key_number(step, key, 0);
        ENSURE(task_load(step, number, &task));
        if (!task_is_told(step, log, &task))
            snprintf(text, sizeof text, "task %llx is not told as it happened",
                     (unsigned long long)number);
        arena_clear(step->effects->arena);
        next = number + 1;
    }
}

static void chain_check(struct fleet *fleet)
{
    struct core_chain chain;
    enum err err =
        core_chain_verify(memory_transaction(fleet->store), digest_sha256, &chain);
    if (err != ERR_OK)
        snprintf(text, sizeof text, "the log cannot be read: %s", err_name(err));
    else if (chain.broken_at != 0)
        snprintf(text, sizeof text, "event %llu: %s", (unsigned long long)chain.broken_at,
                 chain.text);
    else if (chain.first != 1)
        snprintf(text, sizeof text, "the log does not begin at its beginning");
}

const char *log_check(struct fleet *fleet)
{
    struct arena arena;
    struct effects effects;
    struct log log = { 0 };
    arena_init(&arena, (size_t)16 << 20);
    effects_init(&effects, &arena);
    struct step step = fleet_step(fleet);
    step.effects = &effects;

    text[0] = '\0';
    chain_check(fleet);
    if (text[0] == '\0') {
        log_read(&step, &log);
        tasks_check(&step, &log);
    }
    if (text[0] == '\0' && step_failed(&step))
        snprintf(text, sizeof text, "a row cannot be read: %s", err_name(step.err));
    free(log.told);
    arena_finish(&arena);
    return text[0] == '\0' ? NULL : text;
}

const char *log_words(struct fleet *fleet, uint64_t after)
{
    struct step step = fleet_step(fleet);
    struct event event;
    size_t size = 0;
    text[0] = '\0';
    for (uint64_t i = after + 1; event_load(&step, i, &event); i++) {
        struct slice name = MESSAGE_ROWS[event.message.type].name;
        int added = snprintf(text + size, sizeof text - size, "%s%.*s",
                             size == 0 ? "" : " ", (int)name.size, name.data);
        ENSURE(added > 0 && (size_t)added < sizeof text - size);
        size += (size_t)added;
    }
    return text;
}
