#include "base/ensure.h"
#include "core/table.h"
#include "simulation/judge.h"
#include "simulation/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void breaks(struct audit *audit, const char *text, uint64_t number)
{
    char about[32];
    (void)snprintf(about, sizeof about, "number %llx", (unsigned long long)number);
    sim_break(audit->sim, text, about);
}

static struct step reading(struct audit *audit, struct effects *effects)
{
    arena_clear(&audit->arena);
    effects_init(effects, &audit->arena);
    return (struct step){ .settings = &audit->sim->plan.settings, .effects = effects };
}

static void number_bytes(uint64_t number, char bytes[8])
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(number >> (56 - 8 * i));
}

/* The first row of a table with this number or a higher one. */
static bool row_next(struct transaction *rows, enum table table, uint64_t *number,
                     struct slice *ret_value)
{
    char from[8];
    struct slice key;
    number_bytes(*number, from);
    if (transaction_first_from(rows, table, slice_make(from, sizeof from), &key,
                               ret_value) != ERR_OK)
        return false;
    *number = 0;
    for (size_t i = 0; i < key.size; i++)
        *number = *number << 8 | (uint8_t)key.data[i];
    return true;
}

/* P6: whatever anybody holds of it is of an earlier generation. */
static void judge_task(struct audit *audit, const struct audit_task *old,
                       struct audit_task *task)
{
    const struct task *row = &task->row;
    if (old == NULL) {
        breaks(audit, "a restored task was never there", row->number);
        return;
    }
    if (row->generation <= old->row.generation)
        breaks(audit, "a restore did not raise a generation past the old store's",
               row->number);
    if (row->held || row->state == TASK_ASSIGNED || row->state == TASK_WORKING)
        breaks(audit, "a restored task is held", row->number);
    task->needs = old->needs;
}

static void tasks_read(struct audit *audit, struct map *old, struct transaction *rows)
{
    uint64_t number = 0;
    struct slice value;
    for (; row_next(rows, TABLE_TASK, &number, &value); number++) {
        struct effects effects;
        struct step step = reading(audit, &effects);
        struct audit_task *task = audit_task_add(audit, number);
        if (!task_unpack(&step, number, value, &task->row))
            breaks(audit, "a restored task cannot be read", number);
        struct audit_task *before = map_remove(old, slice_make(&number, sizeof number));
        judge_task(audit, before, task);
        free(before);
        task->completed = task->row.state == TASK_COMPLETED;
        audit->open += !task_state_is_end(task->row.state);
        audit->dead += task->row.state == TASK_DEAD_LETTER;
        if (task->row.state == TASK_QUEUED)
            audit_ready_enter(audit, task);
    }
}

static void agents_read(struct audit *audit, struct map *old, struct transaction *rows)
{
    uint64_t number = 0;
    struct slice value;
    for (; row_next(rows, TABLE_AGENT, &number, &value); number++) {
        struct effects effects;
        struct step step = reading(audit, &effects);
        struct slice key = slice_make(&number, sizeof number);
        struct audit_agent *agent = map_remove(old, key);
        if (agent == NULL || !agent_unpack(&step, number, value, &agent->row)) {
            breaks(audit, "a restored agent was never there", number);
            return;
        }
        agent->held = 0;
        if (agent->row.link != 0 || agent->row.held != 0)
            breaks(audit, "an agent is connected to a restored store", number);
        ENSURE(map_put(audit->agents, key, agent, NULL) == ERR_OK);
    }
}

/* What is left of the old ones is not in the backup. */
static void tasks_gone(struct audit *audit, struct map *old)
{
    size_t position = 0;
    struct slice key;
    void *value;
    while (map_next(old, &position, &key, &value)) {
        char bytes[8];
        uint64_t number = ((struct audit_task *)value)->row.number;
        char *mark = malloc(1);
        void *before = NULL;
        ENSURE(mark != NULL);
        number_bytes(number, bytes);
        ENSURE(map_put(audit->gone, slice_make(bytes, sizeof bytes), mark, &before) ==
               ERR_OK);
        free(before);
    }
}

void judge_restored(struct audit *audit, struct transaction *rows,
                    const struct core_place *place)
{
    struct map *old_tasks = audit->tasks;
    struct map *old_agents = audit->agents;
    struct slice value;
    audit->tasks = audit_map_create();
    audit->agents = audit_map_create();
    audit->ready_count = 0;
    audit->open = 0;
    audit->dead = 0;
    tasks_read(audit, old_tasks, rows);
    agents_read(audit, old_agents, rows);
    tasks_gone(audit, old_tasks);
    audit_map_destroy(old_tasks);
    audit_map_destroy(old_agents);
    /* Of an empty log only the place tells how far it has come. */
    uint64_t first = 0;
    audit->event_last = place->event_last;
    audit->event_first =
        row_next(rows, TABLE_EVENT, &first, &value) ? first : place->event_last + 1;
}
