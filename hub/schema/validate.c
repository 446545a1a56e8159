#include "schema/run.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS_MAX = 1000 * 1000, DEPTH_MAX = 512 };

/* Scratch memory in words: what every run has, and where it stops growing. */
#define SCRATCH_FIRST ((size_t)1024)
#define SCRATCH_MAX ((size_t)4 * 1024 * 1024)

/* Of the texts of one validation's violations. */
#define TEXTS_MAX ((size_t)1024 * 1024)

struct schema_run *schema_run_create(void)
{
    struct schema_run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return NULL;
    arena_init(&run->texts, TEXTS_MAX);
    run->steps_max = STEPS_MAX;
    run->depth_max = DEPTH_MAX;
    run->seed = (uint64_t)(uintptr_t)run;
    run->scratch = malloc(SCRATCH_FIRST * sizeof *run->scratch);
    run->scratch_room = SCRATCH_FIRST;
    run->patterns = pattern_scratch_create();
    if (run->scratch == NULL || run->patterns == NULL) {
        schema_run_destroy(run);
        return NULL;
    }
    return run;
}

void schema_run_destroy(struct schema_run *run)
{
    if (run == NULL)
        return;
    pattern_scratch_destroy(run->patterns);
    arena_finish(&run->texts);
    free(run->scratch);
    free(run);
}

void schema_run_limit(struct schema_run *run, uint32_t steps_max, uint32_t depth_max)
{
    run->steps_max = steps_max;
    run->depth_max = depth_max;
}

bool run_fail(struct schema_run *run, enum err err)
{
    if (run->err == ERR_OK)
        run->err = err;
    run->steps = 0;
    return false;
}

bool run_spend(struct schema_run *run, uint32_t steps)
{
    if (run->steps < steps)
        return run_fail(run, ERR_LIMIT);
    run->steps -= steps;
    return true;
}

bool scratch_take(struct schema_run *run, size_t words, size_t *ret_at)
{
    size_t needed = run->scratch_used + words;
    if (needed > run->scratch_room) {
        size_t room = run->scratch_room;
        while (room < needed)
            room *= 2;
        uint64_t *scratch =
            room > SCRATCH_MAX ? NULL : realloc(run->scratch, room * sizeof *scratch);
        if (scratch == NULL)
            return run_fail(run, ERR_LIMIT);
        run->scratch = scratch;
        run->scratch_room = room;
    }
    *ret_at = run->scratch_used;
    memset(run->scratch + run->scratch_used, 0, words * sizeof *run->scratch);
    run->scratch_used = needed;
    return true;
}

void scratch_return(struct schema_run *run, size_t at)
{
    run->scratch_used = at;
}

bool track_open(struct schema_run *run, uint32_t count, struct track *ret_track)
{
    ret_track->words = (size_t)count / 64 + 1;
    return scratch_take(run, ret_track->words, &ret_track->at);
}

void track_close(struct schema_run *run, const struct track *track)
{
    scratch_return(run, track->at);
}

static void track_merge(struct schema_run *run, const struct track *to,
                        const struct track *from)
{
    for (size_t i = 0; i < to->words; i++)
        run->scratch[to->at + i] |= run->scratch[from->at + i];
}

static const uint8_t KIND_TYPES[] = {
    [JSON_NULL] = TYPE_NULL,     [JSON_FALSE] = TYPE_BOOLEAN, [JSON_TRUE] = TYPE_BOOLEAN,
    [JSON_NUMBER] = TYPE_NUMBER, [JSON_STRING] = TYPE_STRING, [JSON_ARRAY] = TYPE_ARRAY,
    [JSON_OBJECT] = TYPE_OBJECT,
};

static bool type_matches(unsigned types, const struct json_node *node)
{
    if ((types & KIND_TYPES[node->kind]) != 0)
        return true;
    if (node->kind != JSON_NUMBER || (types & TYPE_INTEGER) == 0)
        return false;
    if (node->integer)
        return true;
    struct decimal decimal = decimal_read(node->raw);
    return decimal_is_whole(&decimal);
}

static bool group_run(const struct turn *turn)
{
    switch ((enum json_kind)turn->node->kind) {
    case JSON_NUMBER:
        return number_run(turn);
    case JSON_STRING:
        return string_run(turn);
    case JSON_ARRAY:
        return array_run(turn);
    case JSON_OBJECT:
        return object_run(turn);
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE:
        break;
    }
    return true;
}

static bool checks_run(const struct turn *turn)
{
    const uint32_t *first = turn->rule->first;
    if (first[0] == first[GROUP_COUNT]) /* nothing but a type */
        return true;
    bool valid = any_run(turn);
    if (!valid && !turn->run->collecting)
        return false;
    return group_run(turn) && valid;
}

/* A rule with unevaluated* sees what it and its own parts evaluate, not what its
 * neighbours do; what it learns is told upwards when it holds. */
static bool watched_run(const struct turn *outer)
{
    struct schema_run *run = outer->run;
    struct track own;
    struct turn turn = *outer;
    if (!track_open(run, turn.node->count, &own))
        return false;
    turn.track = &own;
    bool valid = checks_run(&turn);
    if (valid && outer->track != NULL)
        track_merge(run, outer->track, &own);
    track_close(run, &own);
    return valid;
}

bool rule_run(struct schema_run *run, uint32_t rule, const struct json_node *node,
              struct track *track, const struct place *place)
{
    if (rule == RULE_ALWAYS)
        return true;
    struct turn turn = { run, &run->schema->rules[rule], node, track, place };
    if (run->steps == 0 || place->depth >= run->depth_max)
        return run_fail(run, ERR_LIMIT);
    run->steps--;

    if (rule == RULE_NEVER)
        return violation_add(&turn, (enum keyword)place->keyword, node,
                             SLICE_OF("nothing is allowed here"));
    if (!type_matches(turn.rule->types, node))
        return violation_add(&turn, KEYWORD_TYPE, node, SLICE_OF("is of another type"));
    if ((turn.rule->watches_members && node->kind == JSON_OBJECT) ||
        (turn.rule->watches_items && node->kind == JSON_ARRAY))
        return watched_run(&turn);
    return checks_run(&turn);
}

bool rule_try(const struct turn *turn, uint32_t rule, const struct json_node *node,
              const struct place *place)
{
    struct schema_run *run = turn->run;
    bool collecting = run->collecting;
    bool tracks = turn->track != NULL && node == turn->node;
    struct track own;
    if (tracks && !track_open(run, node->count, &own))
        return false;
    run->collecting = false;
    bool valid = rule_run(run, rule, node, tracks ? &own : NULL, place);
    run->collecting = collecting;
    if (tracks) {
        if (valid)
            track_merge(run, turn->track, &own);
        track_close(run, &own);
    }
    return valid;
}

static bool pass_run(struct schema_run *run, bool collect)
{
    const struct place start = { .index = RULE_NONE };
    run->err = ERR_OK;
    run->steps = run->steps_max;
    run->scratch_used = 0;
    run->collecting = collect;
    return rule_run(run, run->schema->root, &run->nodes[run->start], NULL, &start);
}

enum err schema_validate(const struct schema *schema, struct schema_run *run,
                         const struct json *json, const struct json_node *node,
                         bool collect, bool *ret_valid)
{
    uint32_t count;
    run->schema = schema;
    run->json = json;
    run->nodes = json_nodes(json, &count);
    run->start = (uint32_t)(node - run->nodes);
    run->violation_count = 0;

    bool valid = pass_run(run, false);
    if (run->err != ERR_OK)
        return run->err;
    if (!valid && collect) {
        /* Told from the first pass: looking on after a failure may cost more than the
         * budget, and then what was found until there is told. */
        arena_clear(&run->texts);
        pass_run(run, true);
        run->err = ERR_OK;
    }
    *ret_valid = valid;
    return ERR_OK;
}

size_t schema_violation_count(const struct schema_run *run)
{
    return run->violation_count;
}

const struct schema_violation *schema_violation_at(const struct schema_run *run,
                                                   size_t index)
{
    return &run->violations[index];
}
