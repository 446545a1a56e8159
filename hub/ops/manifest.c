#include "ops/manifest.h"

#include "base/hash.h"
#include "json/json.h"
#include "json/writer.h"

#include <string.h>

static void tables_write(struct json_writer *writer, const struct manifest *manifest)
{
    json_key_text(writer, "tables");
    json_array_begin(writer);
    for (size_t i = 0; i < manifest->table_count; i++) {
        json_object_begin(writer);
        json_key_text(writer, "table");
        json_string_text(writer, manifest->tables[i].name);
        json_key_text(writer, "records");
        json_u64(writer, manifest->tables[i].records);
        json_key_text(writer, "bytes");
        json_u64(writer, manifest->tables[i].bytes);
        json_object_end(writer);
    }
    json_array_end(writer);
}

void manifest_write(const struct manifest *manifest, struct buffer *buffer)
{
    const struct {
        const char *key;
        uint64_t value;
    } NUMBERS[] = {
        { "format", MANIFEST_FORMAT },
        { "instance", manifest->instance },
        { "epoch", manifest->epoch },
        { "sequence", manifest->sequence },
        { "task_last", manifest->task_last },
        { "bytes", manifest->bytes },
        { "records", manifest->records },
        { "event_last", manifest->event_last },
        { "store_version", manifest->store_version },
    };
    struct json_writer writer;
    json_writer_init(&writer, buffer);
    json_object_begin(&writer);
    json_key_text(&writer, "name");
    json_string_text(&writer, manifest->name);
    json_key_text(&writer, "hub_version");
    json_string_text(&writer, manifest->hub_version);
    for (size_t i = 0; i < sizeof NUMBERS / sizeof NUMBERS[0]; i++) {
        json_key_text(&writer, NUMBERS[i].key);
        json_u64(&writer, NUMBERS[i].value);
    }
    json_key_text(&writer, "now_ms");
    json_i64(&writer, manifest->now_ms);
    json_key_text(&writer, "created_at");
    json_i64(&writer, manifest->created_ms);
    json_key_text(&writer, "sha256");
    json_string_text(&writer, manifest->sha256);
    tables_write(&writer, manifest);
    json_object_end(&writer);
    buffer_append_byte(buffer, '\n');
}

struct reading {
    const struct json *json;
    const struct json_node *object;
    bool failed;
};

static const struct json_node *member(struct reading *reading, const char *key,
                                      enum json_kind kind)
{
    const struct json_node *node =
        json_member(reading->json, reading->object, slice_from_text(key));
    if (node == NULL || node->kind != kind) {
        reading->failed = true;
        return NULL;
    }
    return node;
}

static uint64_t number_of(struct reading *reading, const char *key)
{
    const struct json_node *node = member(reading, key, JSON_NUMBER);
    if (node == NULL || !node->integer || node->value.number < 0) {
        reading->failed = true;
        return 0;
    }
    return (uint64_t)node->value.number;
}

/* Of a member that came later: 0 where there is none. */
static uint64_t number_if(struct reading *reading, const char *key)
{
    bool there =
        json_member(reading->json, reading->object, slice_from_text(key)) != NULL;
    return there ? number_of(reading, key) : 0;
}

/* The first version was not told. */
static uint32_t version_of(struct reading *reading)
{
    uint64_t version = number_if(reading, "store_version");
    if (version > UINT32_MAX)
        reading->failed = true;
    return version == 0 ? 1 : (uint32_t)version;
}

/* `size` holds a NUL, too. */
static void text_of(struct reading *reading, const char *key, char *target, size_t size)
{
    const struct json_node *node = member(reading, key, JSON_STRING);
    if (node == NULL || node->value.text.size >= size ||
        slice_find(node->value.text, '\0') < node->value.text.size) {
        reading->failed = true;
        return;
    }
    memcpy(target, node->value.text.data, node->value.text.size);
    target[node->value.text.size] = '\0';
}

static void tables_read(struct reading *reading, struct manifest *manifest)
{
    const struct json_node *array = member(reading, "tables", JSON_ARRAY);
    if (array == NULL || array->count > MANIFEST_TABLES_MAX) {
        reading->failed = true;
        return;
    }
    for (const struct json_node *item = json_child(reading->json, array); item != NULL;
         item = json_after(reading->json, array, item)) {
        struct reading inner = { reading->json, item, false };
        struct manifest_table *table = &manifest->tables[manifest->table_count++];
        text_of(&inner, "table", table->name, sizeof table->name);
        table->records = number_of(&inner, "records");
        table->bytes = number_of(&inner, "bytes");
        reading->failed = reading->failed || inner.failed;
    }
}

static enum err members_read(struct reading *reading, struct manifest *manifest)
{
    uint64_t format = number_of(reading, "format");
    if (!reading->failed && format > MANIFEST_FORMAT)
        return ERR_UNSUPPORTED;
    text_of(reading, "name", manifest->name, sizeof manifest->name);
    text_of(reading, "hub_version", manifest->hub_version, sizeof manifest->hub_version);
    text_of(reading, "sha256", manifest->sha256, sizeof manifest->sha256);
    manifest->instance = number_of(reading, "instance");
    manifest->epoch = number_of(reading, "epoch");
    manifest->sequence = number_of(reading, "sequence");
    manifest->task_last = number_of(reading, "task_last");
    manifest->event_last = number_if(reading, "event_last");
    manifest->bytes = number_of(reading, "bytes");
    manifest->records = number_of(reading, "records");
    manifest->store_version = version_of(reading);
    manifest->now_ms = (int64_t)number_of(reading, "now_ms");
    manifest->created_ms = (int64_t)number_of(reading, "created_at");
    tables_read(reading, manifest);
    uint8_t digest[MANIFEST_DIGEST_BYTES / 2];
    if (!hex_decode(digest, sizeof digest, slice_from_text(manifest->sha256)))
        reading->failed = true;
    return reading->failed ? ERR_INVALID : ERR_OK;
}

enum err manifest_read(struct slice text, struct manifest *ret_manifest)
{
    struct json_problem problem;
    struct json *json = json_create(&JSON_LIMITS_DEFAULT);
    if (json == NULL)
        return ERR_MEMORY;
    memset(ret_manifest, 0, sizeof *ret_manifest);
    enum err err = json_parse(json, text, &problem);
    if (err == ERR_OK) {
        struct reading reading = { json, json_root(json), false };
        err = members_read(&reading, ret_manifest);
    } else if (err != ERR_MEMORY) {
        err = ERR_INVALID;
    }
    json_destroy(json);
    return err;
}
