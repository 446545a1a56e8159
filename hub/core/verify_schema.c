#include "core/verify.h"

#include "core/blob.h"
#include "core/fleet_schema.h"
#include "core/task.h"

static void schema_row(struct verify *verify, struct slice key, struct slice value)
{
    struct fleet_schema schema;
    struct fleet_schema bound;
    struct schema_version version;
    (void)value;
    if (!fleet_schema_load(&verify->step, key, &schema))
        return;
    verify->schema_versions += schema.current - schema.first + 1;
    for (uint32_t i = schema.first; i <= schema.current && verify->text == NULL; i++)
        verify_holds(verify, schema_version_load(&verify->step, key, i, &version),
                     "a schema lacks a version");
    if (schema.part == PART_NONE)
        return;
    verify->schema_binds++;
    verify_holds(verify,
                 fleet_schema_bound(&verify->step, schema.part, schema.kind, &bound) &&
                     slice_equal(bound.name, key),
                 "a schema's binding is not its own");
}

static void version_row(struct verify *verify, struct slice key, struct slice value)
{
    enum { TAIL = 5 }; /* a NUL and the version */
    struct schema_version version;
    (void)value;
    if (key.size <= TAIL) {
        verify_broken(verify, "a schema's version is misshapen");
        return;
    }
    struct unpack tail = unpack_start(slice_skip(key, key.size - TAIL + 1));
    struct slice name = slice_make(key.data, key.size - TAIL);
    if (!schema_version_load(&verify->step, name, unpack_u32(&tail), &version)) {
        verify_broken(verify, "a schema's version is misshapen");
        return;
    }
    struct slice text = blob_get(&verify->step, version.text, BLOB_SCHEMA_TEXT);
    verify_holds(verify, slice_is_present(text) && text.size == version.bytes,
                 "a schema's version has another text");
    verify_holds(verify,
                 version.text <= step_counter(&verify->step, COUNTER_SCHEMA_TEXT_LAST),
                 "a schema's text has a number that was never given out");
}

static void bind_row(struct verify *verify, struct slice key, struct slice value)
{
    (void)key;
    verify_holds(verify, value.size > 0, "a binding is empty");
}

static void task_kind_row(struct verify *verify, struct slice key, struct slice value)
{
    enum { TAIL = 9 }; /* a NUL and the task */
    struct task_body body;
    verify_mark(verify, value);
    if (key.size <= TAIL) {
        verify_broken(verify, "an index entry is misshapen");
        return;
    }
    uint64_t task = get_u64((const uint8_t *)key.data + key.size - TAIL + 1);
    verify_holds(verify,
                 task_body_load(&verify->step, task, &body) &&
                     slice_equal(body.kind, slice_make(key.data, key.size - TAIL)),
                 "the index by kind names a task of another");
}

void verify_schemas(struct verify *verify)
{
    uint64_t names = verify_walk(verify, TABLE_SCHEMA, schema_row);
    uint64_t versions = verify_walk(verify, TABLE_SCHEMA_VERSION, version_row);
    uint64_t binds = verify_walk(verify, TABLE_SCHEMA_BIND, bind_row);
    uint64_t kinds = verify_walk(verify, TABLE_TASK_KIND, task_kind_row);
    uint64_t texts = verify->schema_texts;
    if (verify->text != NULL)
        return;
    verify_holds(verify, names == step_counter(&verify->step, COUNTER_SCHEMAS),
                 "the count of schemas is wrong");
    verify_holds(verify, versions == verify->schema_versions && versions == texts,
                 "a version belongs to no schema");
    verify_holds(verify, binds == verify->schema_binds, "a binding belongs to no schema");
    verify_holds(verify, kinds == verify->tasks_of_kind,
                 "a task is not in the index by kind");
}
