/* Any bytes: the reader must answer, and what it accepts must read back the same. */
#include "json/json.h"
#include "json/writer.h"

#include "base/ensure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void copy_node(struct json_writer *writer, const struct json_node *nodes,
                      uint32_t at);

static void copy_children(struct json_writer *writer, const struct json_node *nodes,
                          uint32_t at, bool object)
{
    uint32_t child = at + 1;
    for (uint32_t i = 0; i < nodes[at].count; i++) {
        if (object)
            json_key(writer, nodes[child++].value.text);
        copy_node(writer, nodes, child);
        child = nodes[child].after;
    }
    ENSURE(child == nodes[at].after);
}

static void copy_node(struct json_writer *writer, const struct json_node *nodes,
                      uint32_t at)
{
    switch ((enum json_kind)nodes[at].kind) {
    case JSON_OBJECT:
        json_object_begin(writer);
        copy_children(writer, nodes, at, true);
        json_object_end(writer);
        break;
    case JSON_ARRAY:
        json_array_begin(writer);
        copy_children(writer, nodes, at, false);
        json_array_end(writer);
        break;
    case JSON_STRING:
        json_string(writer, nodes[at].value.text);
        break;
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE:
    case JSON_NUMBER:
        json_raw(writer, nodes[at].raw);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json *json = json_create(&JSON_LIMITS_DEFAULT);
    struct json *again = json_create(&JSON_LIMITS_DEFAULT);
    struct json_problem problem = { 0, NULL };
    ENSURE(json != NULL && again != NULL);

    if (json_parse(json, slice_make(data, size), &problem) != ERR_OK) {
        ENSURE(problem.offset <= size && problem.reason != NULL);
    } else {
        uint32_t count;
        uint32_t count_again;
        const struct json_node *nodes = json_nodes(json, &count);
        struct buffer buffer;
        struct json_writer writer;
        buffer_init(&buffer, JSON_LIMITS_DEFAULT.bytes_max);
        json_writer_init(&writer, &buffer);
        copy_node(&writer, nodes, 0);
        if (!buffer_failed(&buffer)) {
            ENSURE(json_parse(again, buffer_slice(&buffer), &problem) == ERR_OK);
            json_nodes(again, &count_again);
            ENSURE(count == count_again);
        }
        buffer_finish(&buffer);
    }
    json_destroy(again);
    json_destroy(json);
    return 0;
}
