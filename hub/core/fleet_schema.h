/*
 * fleet_schema.h - the fleet's own JSON Schemas: rows, and what they are bound to.
 *
 * A name has a head and a row per version; versions rise by one, and the oldest go. The
 * text of each version stands in a blob under a number that is never given out again:
 * what a number stands for never changes.
 */
#ifndef CORE_FLEET_SCHEMA_H
#define CORE_FLEET_SCHEMA_H

#include "core/judge.h"
#include "core/step.h"

enum {
    SCHEMA_NAME_BYTES_MAX = 64,
    SCHEMA_TEXT_BYTES_MAX = 64 * 1024,
    /* No setting allows more. */
    SCHEMAS_MAX = 1000,
    SCHEMA_VERSIONS_MAX = 100,
};

/* Stored: never renumber. */
enum schema_part {
    PART_NONE,    /* bound to nothing */
    PART_PAYLOAD, /* a task's metadata */
    PART_RESULT,  /* what its agent reports */
    PART_MESSAGE, /* what is said in a channel */
    PART_COUNT
};

struct fleet_schema {
    struct slice name;
    uint32_t first;   /* versions kept: [first, current] */
    uint32_t current; /* 0: there is no such schema */
    enum schema_part part;
    struct slice kind; /* of tasks; with PART_MESSAGE the channel's name */
};

struct schema_version {
    uint64_t text; /* its number */
    uint32_t bytes;
    int64_t created_ms; /* wall */
    struct slice created_by;
};

/* Of the parts of a task. */
bool schema_part_parse(struct slice word, enum schema_part *ret_part);

/* False: no such schema. Slices live in the arena. */
bool fleet_schema_load(struct step *step, struct slice name,
                       struct fleet_schema *ret_schema);
bool schema_version_load(struct step *step, struct slice name, uint32_t version,
                         struct schema_version *ret_version);

/* The schema bound to a part of this kind's tasks, or to this channel; false: none. */
bool fleet_schema_bound(struct step *step, enum schema_part part, struct slice kind,
                        struct fleet_schema *ret_schema);

/* Goes through the names in order: start with an empty name. */
bool fleet_schema_next(struct step *step, struct slice after,
                       struct fleet_schema *ret_schema);

/* Makes the text the current version and drops those past settings->schema_versions_max. */
void fleet_schema_add_version(struct step *step, struct fleet_schema *schema,
                              struct slice text);

/* Writes the head; bindings move from `was` (current 0: it is new). */
void fleet_schema_save(struct step *step, const struct fleet_schema *schema,
                       const struct fleet_schema *was);
void fleet_schema_remove(struct step *step, const struct fleet_schema *schema);

/* The binding as an answer shows it; NULL when there is none. */
struct message_schema_bind *schema_bind_view(struct step *step,
                                             const struct fleet_schema *schema);

/* Names what GET shows of this version, for If-Match: another name when the text, what
 * it is bound to or whether it is current is another. Never 0. */
uint64_t schema_tag(const struct fleet_schema *schema, uint32_t number,
                    const struct schema_version *version);

/* TABLE_TASK_KIND's key, for the task or (UINT64_MAX) behind all tasks of the kind. */
struct slice task_kind_key(struct step *step, struct packed_key *packed,
                           struct slice kind, uint64_t task);

/* The step judges by a stored version: false when it cannot (the asker is refused), or
 * the step has failed. */
bool schema_judge(struct step *step, const struct schema_version *version,
                  struct slice payload, struct judge_verdict *ret_verdict);

/* The flaws as items of `errors`, in the arena. */
struct message_list schema_flaw_items(struct step *step, struct slice field,
                                      const struct judge_verdict *verdict);

#endif
