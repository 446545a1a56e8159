#include "json/writer.h"
#include "schema/schema.h"

/* What the standard calls an output unit. */
static void unit_write(struct json_writer *writer,
                       const struct schema_violation *violation)
{
    json_object_begin(writer);
    json_key_text(writer, "valid");
    json_bool(writer, false);
    json_key_text(writer, "keywordLocation");
    json_string(writer, violation->keyword_location);
    json_key_text(writer, "instanceLocation");
    json_string(writer, violation->instance_location);
    json_key_text(writer, "error");
    json_string(writer, violation->detail);
    json_object_end(writer);
}

void schema_output_basic(const struct schema_run *run, bool valid,
                         struct json_writer *writer)
{
    json_object_begin(writer);
    json_key_text(writer, "valid");
    json_bool(writer, valid);
    if (!valid) {
        json_key_text(writer, "errors");
        json_array_begin(writer);
        for (size_t i = 0; i < schema_violation_count(run); i++)
            unit_write(writer, schema_violation_at(run, i));
        json_array_end(writer);
    }
    json_object_end(writer);
}
