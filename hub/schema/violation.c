#include "schema/pointer.h"
#include "schema/run.h"

#define LOCATION_BYTES_MAX ((size_t)64 * 1024)

/* The chain stands newest first: recursion, bounded by the run's depth, turns it. */
static void place_append(struct buffer *target, const struct place *place)
{
    if (place->up == NULL)
        return;
    place_append(target, place->up);
    pointer_append_token(target, KEYWORDS[place->keyword].name);
    if (place->name != NULL)
        pointer_append_token(target, *place->name);
    if (place->index != RULE_NONE) {
        buffer_append_byte(target, '/');
        buffer_append_u64(target, place->index);
    }
}

static struct slice location_keep(struct schema_run *run, struct buffer *text)
{
    struct slice kept = { NULL, 0 };
    if (!buffer_failed(text))
        kept = arena_copy(&run->texts, buffer_slice(text));
    buffer_clear(text);
    return slice_is_present(kept) ? kept : SLICE_OF("");
}

bool violation_add(const struct turn *turn, enum keyword keyword,
                   const struct json_node *node, struct slice detail)
{
    struct schema_run *run = turn->run;
    if (!run->collecting || run->err != ERR_OK ||
        run->violation_count == SCHEMA_VIOLATIONS_MAX)
        return false;

    struct buffer text;
    buffer_init(&text, LOCATION_BYTES_MAX);
    struct schema_violation *violation = &run->violations[run->violation_count++];
    *violation = (struct schema_violation){
        .keyword = KEYWORDS[keyword].name,
        .detail = detail,
        .value = node,
    };
    pointer_append_path(&text, run->nodes, run->start, (uint32_t)(node - run->nodes));
    violation->instance_location = location_keep(run, &text);
    place_append(&text, turn->place);
    /* `false` has no keyword inside it: the way to it ends with the one that holds it. */
    if (turn->rule != &run->schema->rules[RULE_NEVER])
        pointer_append_token(&text, KEYWORDS[keyword].name);
    violation->keyword_location = location_keep(run, &text);
    buffer_finish(&text);
    return false;
}
