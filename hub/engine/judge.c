#include "engine/judge.h"

#include "base/ensure.h"
#include "schema/schema.h"

#include <stdlib.h>
#include <string.h>

enum {
    DEPTH_MAX = 64,
    PROGRAM_MAX = 20000,
    PATTERN_BYTES_MAX = 512,
    PAYLOAD_DEPTH_MAX = 512, /* of references as well as of values */
};

static const struct schema_limits LIMITS = {
    .text_bytes_max = 64 * 1024,
    .nodes_max = JUDGE_NODES_MAX,
    .depth_max = DEPTH_MAX,
    .program_max = PROGRAM_MAX,
    .pattern_bytes_max = PATTERN_BYTES_MAX,
};

struct kept {
    uint64_t number;
    struct schema *schema; /* NULL: the place is free */
    uint64_t used;         /* rises */
};

struct keeper {
    struct judge judge;
    struct schema_set *set; /* holds no document: it brings the limits */
    struct schema_run *run;
    struct json *json;
    uint64_t uses;
    struct kept kept[JUDGE_KEPT_MAX];
};

static struct keeper *keeper_of(struct judge *judge)
{
    return (struct keeper *)judge;
}

static struct kept *kept_find(struct keeper *keeper, uint64_t number)
{
    for (size_t i = 0; i < JUDGE_KEPT_MAX; i++)
        if (keeper->kept[i].schema != NULL && keeper->kept[i].number == number)
            return &keeper->kept[i];
    return NULL;
}

static bool knows(struct judge *judge, uint64_t number)
{
    return kept_find(keeper_of(judge), number) != NULL;
}

static void kept_drop(struct kept *kept)
{
    schema_destroy(kept->schema);
    *kept = (struct kept){ 0 };
}

/* The place of this number, a free one, or that of the schema used longest ago. */
static struct kept *kept_make_room(struct keeper *keeper, uint64_t number)
{
    struct kept *oldest = kept_find(keeper, number);
    for (size_t i = 0; i < JUDGE_KEPT_MAX && oldest == NULL; i++)
        if (keeper->kept[i].schema == NULL)
            return &keeper->kept[i];
    if (oldest == NULL) {
        oldest = &keeper->kept[0];
        for (size_t i = 1; i < JUDGE_KEPT_MAX; i++)
            if (keeper->kept[i].used < oldest->used)
                oldest = &keeper->kept[i];
    }
    kept_drop(oldest);
    return oldest;
}

static enum err learn(struct judge *judge, uint64_t number, struct slice text,
                      struct judge_problem *ret_problem)
{
    struct keeper *keeper = keeper_of(judge);
    struct kept *kept = kept_make_room(keeper, number);
    struct schema_problem problem = { .pointer = "", .reason = "" };
    enum err err = schema_compile(keeper->set, text, SCHEMA_STRICT | SCHEMA_FORMATS,
                                  &kept->schema, &problem);
    _Static_assert(sizeof problem.pointer == sizeof ret_problem->pointer &&
                       sizeof problem.reason == sizeof ret_problem->reason,
                   "they are copied whole");
    memcpy(ret_problem->pointer, problem.pointer, sizeof problem.pointer);
    memcpy(ret_problem->reason, problem.reason, sizeof problem.reason);
    if (err != ERR_OK) {
        *kept = (struct kept){ 0 };
        return err;
    }
    kept->number = number;
    kept->used = ++keeper->uses;
    return ERR_OK;
}

static void flaws_take(const struct keeper *keeper, struct judge_verdict *verdict)
{
    size_t count = schema_violation_count(keeper->run);
    for (size_t i = 0; i < count && verdict->count < JUDGE_FLAWS_MAX; i++) {
        const struct schema_violation *violation = schema_violation_at(keeper->run, i);
        verdict->flaws[verdict->count++] = (struct judge_flaw){
            .pointer = violation->instance_location,
            .keyword = violation->keyword,
            .detail = violation->detail.size > 0 ? violation->detail
                                                 : SLICE_OF("not an allowed value"),
        };
    }
}

static enum err judge_payload(struct judge *judge, uint64_t number, struct slice payload,
                              struct judge_verdict *ret_verdict)
{
    struct keeper *keeper = keeper_of(judge);
    struct kept *kept = kept_find(keeper, number);
    struct json_problem problem;
    bool valid = false;
    ENSURE(kept != NULL);
    kept->used = ++keeper->uses;
    *ret_verdict = (struct judge_verdict){ .judgement = JUDGED_VALID };

    /* It was parsed at the door; a value alone is shorter and flatter than its message. */
    enum err err = json_parse(keeper->json, payload, &problem);
    if (err != ERR_OK)
        return err == ERR_MEMORY ? err : ERR_CORRUPT;
    const struct json_node *root = json_root(keeper->json);
    err = schema_validate(kept->schema, keeper->run, keeper->json, root, false, &valid);
    if (err == ERR_OK && !valid) {
        ret_verdict->judgement = JUDGED_INVALID;
        err =
            schema_validate(kept->schema, keeper->run, keeper->json, root, true, &valid);
        if (err == ERR_OK)
            flaws_take(keeper, ret_verdict);
        /* That it is invalid is known; why takes more steps than there are. */
        if (err == ERR_LIMIT)
            err = ERR_OK;
    }
    if (err == ERR_LIMIT) {
        ret_verdict->judgement = JUDGED_TOO_COMPLEX;
        err = ERR_OK;
    }
    return err;
}

static const struct judge_methods METHODS = {
    .knows = knows,
    .learn = learn,
    .judge = judge_payload,
};

struct judge *judge_create(uint32_t steps_max)
{
    struct keeper *keeper = calloc(1, sizeof *keeper);
    if (keeper == NULL)
        return NULL;
    keeper->judge.methods = &METHODS;
    keeper->set = schema_set_create();
    keeper->run = schema_run_create();
    keeper->json = json_create(&JSON_LIMITS_DEFAULT);
    if (keeper->set == NULL || keeper->run == NULL || keeper->json == NULL) {
        judge_destroy(&keeper->judge);
        return NULL;
    }
    schema_set_limit(keeper->set, &LIMITS);
    schema_run_limit(keeper->run, steps_max, PAYLOAD_DEPTH_MAX);
    return &keeper->judge;
}

void judge_destroy(struct judge *judge)
{
    if (judge == NULL)
        return;
    struct keeper *keeper = keeper_of(judge);
    judge_forget(judge);
    schema_set_destroy(keeper->set);
    schema_run_destroy(keeper->run);
    json_destroy(keeper->json);
    free(keeper);
}

void judge_forget(struct judge *judge)
{
    struct keeper *keeper = keeper_of(judge);
    for (size_t i = 0; i < JUDGE_KEPT_MAX; i++)
        kept_drop(&keeper->kept[i]);
}
