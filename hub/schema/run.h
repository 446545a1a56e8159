/*
 * run.h - one validation under way, and the files it is spread over.
 */
#ifndef SCHEMA_RUN_H
#define SCHEMA_RUN_H

#include "base/hash.h"
#include "schema/program.h"

/* How a rule was reached: a chain on the C stack, from the newest to the root. */
struct place {
    const struct place *up;
    const struct slice *name; /* of a member, a pattern or a dependency; or NULL */
    uint32_t index;           /* in a list of schemas; RULE_NONE when not in one */
    uint32_t resource;        /* the dynamic scope that was left */
    uint32_t depth;
    uint8_t keyword;
};

/* Which members or items of one instance some keyword has looked at: bits in the run's
 * scratch memory. */
struct track {
    size_t at;
    size_t words;
};

struct schema_run {
    const struct schema *schema;
    const struct json *json;
    const struct json_node *nodes;
    uint32_t start; /* the node validated */
    uint32_t steps;
    uint32_t steps_max;
    uint32_t depth_max;
    enum err err;
    bool collecting;
    uint64_t *scratch;
    size_t scratch_used;
    size_t scratch_room;
    struct pattern_scratch *patterns;
    uint64_t seed; /* of the hashes of uniqueItems */
    struct arena texts;
    struct schema_violation violations[SCHEMA_VIOLATIONS_MAX];
    size_t violation_count;
};

/* One rule at one instance. `track` is NULL when nobody asks what was evaluated. */
struct turn {
    struct schema_run *run;
    const struct rule *rule;
    const struct json_node *node;
    struct track *track;
    const struct place *place;
};

/* False when the budget is spent; the run's err says so. */
bool run_spend(struct schema_run *run, uint32_t steps);
bool run_fail(struct schema_run *run, enum err err);

/* Long texts cost by their length; short ones are part of the step that met them. */
static inline bool run_spend_bytes(struct schema_run *run, size_t bytes)
{
    enum { BYTES_PER_STEP = 64 };
    size_t steps = bytes / BYTES_PER_STEP;
    return steps == 0 ||
           run_spend(run, steps < UINT32_MAX ? (uint32_t)steps : UINT32_MAX);
}

bool rule_run(struct schema_run *run, uint32_t rule, const struct json_node *node,
              struct track *track, const struct place *place);

/* As rule_run, keeping what it evaluated only when it holds, and silently. */
bool rule_try(const struct turn *turn, uint32_t rule, const struct json_node *node,
              const struct place *place);

static inline struct place place_below(const struct turn *turn, enum keyword keyword)
{
    return (struct place){
        .up = turn->place,
        .index = RULE_NONE,
        .resource = turn->rule->resource,
        .depth = turn->place->depth + 1,
        .keyword = (uint8_t)keyword,
    };
}

bool track_open(struct schema_run *run, uint32_t count, struct track *ret_track);
void track_close(struct schema_run *run, const struct track *track);

static inline void track_mark(const struct turn *turn, uint32_t index)
{
    if (turn->track != NULL)
        turn->run->scratch[turn->track->at + index / 64] |= (uint64_t)1 << index % 64;
}

static inline bool track_has(const struct turn *turn, uint32_t index)
{
    return (turn->run->scratch[turn->track->at + index / 64] >> index % 64 & 1) != 0;
}

/* Words of scratch memory, zeroed, until scratch_return; false past its bound. */
bool scratch_take(struct schema_run *run, size_t words, size_t *ret_at);
void scratch_return(struct schema_run *run, size_t at);

/* The groups of checks. True when all hold. */
bool any_run(const struct turn *turn);
bool number_run(const struct turn *turn);
bool string_run(const struct turn *turn);
bool array_run(const struct turn *turn);
bool object_run(const struct turn *turn);

/* A pattern against a text; false too when the budget is spent. */
bool pattern_run(struct schema_run *run, const struct pattern *pattern,
                 struct slice text);

/* Always false; keeps the violation when they are collected. */
bool violation_add(const struct turn *turn, enum keyword keyword,
                   const struct json_node *node, struct slice detail);

/* Equality of JSON values in two tables of nodes; spends steps. */
bool value_equal(struct schema_run *run, const struct json_node *ones, uint32_t one,
                 const struct json_node *others, uint32_t other);
uint64_t value_hash(const struct json_node *nodes, uint32_t node, uint64_t seed);

/* All items of the array differ. */
bool items_unique(struct schema_run *run, const struct json_node *array);

#endif
