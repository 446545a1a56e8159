#include "cli/schema_file.h"

#include "cli/screen.h"
#include "os/file.h"

#include <stdio.h>
#include <string.h>

#define FILE_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define NODES_MAX (4u * 1000 * 1000)
#define STEPS_MAX (1000u * 1000 * 1000)

enum { NESTING_MAX = 128, RUN_DEPTH_MAX = 512 };

const struct json_limits SCHEMA_FILE_LIMITS = {
    .bytes_max = FILE_BYTES_MAX,
    .nodes_max = NODES_MAX,
    .depth_max = NESTING_MAX,
    .string_bytes_max = FILE_BYTES_MAX,
    .key_bytes_max = FILE_BYTES_MAX,
};

bool schema_tools_init(struct schema_tools *tools)
{
    static const struct schema_limits LIMITS = {
        .text_bytes_max = FILE_BYTES_MAX,
        .nodes_max = NODES_MAX,
        .depth_max = NESTING_MAX,
        .program_max = NODES_MAX,
        .pattern_bytes_max = (size_t)64 * 1024,
    };
    tools->set = schema_set_create();
    tools->run = schema_run_create();
    tools->json = json_create(&SCHEMA_FILE_LIMITS);
    if (tools->set == NULL || tools->run == NULL || tools->json == NULL) {
        (void)complain(OUTCOME_FAILED, "out of memory");
        return false;
    }
    schema_set_limit(tools->set, &LIMITS);
    schema_run_limit(tools->run, STEPS_MAX, RUN_DEPTH_MAX);
    return true;
}

void schema_tools_finish(struct schema_tools *tools)
{
    json_destroy(tools->json);
    schema_run_destroy(tools->run);
    schema_set_destroy(tools->set);
}

enum outcome schema_file_read(const char *path, struct buffer *text)
{
    buffer_init(text, FILE_BYTES_MAX);
    enum err err =
        file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, FILE_BYTES_MAX, text);
    if (err == ERR_OK)
        return OUTCOME_OK;
    if (err == ERR_NOT_FOUND)
        return complain(OUTCOME_NOT_FOUND, "there is no file %s", path);
    if (err == ERR_LIMIT)
        return complain(OUTCOME_FAILED, "%s is too long", path);
    return complain(OUTCOME_FAILED, "%s cannot be read", path);
}

enum outcome outcome_worse(enum outcome one, enum outcome other)
{
    return one > other ? one : other;
}

void schema_line_show(struct buffer *line)
{
    struct buffer harmless;
    buffer_init(&harmless, line->bytes_max * 8);
    text_escape(buffer_slice(line), false, "", &harmless);
    (void)fwrite(buffer_slice(&harmless).data, 1, buffer_slice(&harmless).size, stdout);
    (void)putchar('\n');
    buffer_finish(&harmless);
    buffer_clear(line);
}
