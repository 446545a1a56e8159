#include "sidecar/output.h"

static const struct slice STATUS = SLICE("status");
static const struct slice PROGRESS = SLICE("progress");
static const struct slice NOTE = SLICE("note");
static const struct slice BLOCKED = SLICE("blocked");

enum err output_init(struct output *output, size_t bytes_max)
{
    *output = (struct output){ 0 };
    buffer_init(&output->line, bytes_max);
    buffer_init(&output->result, bytes_max);
    buffer_init(&output->note, NOTE_BYTES_MAX);
    buffer_init(&output->blocked_reason, NOTE_BYTES_MAX);
    output->tape = json_create(&JSON_LIMITS_DEFAULT);
    if (output->tape == NULL || capture_init(&output->text, bytes_max) != ERR_OK) {
        output_finish(output);
        return ERR_MEMORY;
    }
    return ERR_OK;
}

void output_finish(struct output *output)
{
    json_destroy(output->tape);
    output->tape = NULL;
    capture_finish(&output->text);
    buffer_finish(&output->line);
    buffer_finish(&output->result);
    buffer_finish(&output->note);
    buffer_finish(&output->blocked_reason);
}

static bool is_result(const struct json *tape, const struct json_node *root)
{
    const struct json_node *status = json_member(tape, root, STATUS);
    return status != NULL && status->kind == JSON_STRING &&
           (slice_equal_text(status->value.text, "success") ||
            slice_equal_text(status->value.text, "failed"));
}

/* True when the line was progress, which is no part of the text. */
static bool progress_take(struct output *output, const struct json_node *root)
{
    const struct json_node *progress = json_member(output->tape, root, PROGRESS);
    if (progress == NULL || progress->kind != JSON_NUMBER || !progress->integer ||
        progress->value.number < 0 || progress->value.number > 100)
        return false;
    output->progress = progress->value.number;
    output->progress_fresh = true;
    buffer_clear(&output->note);
    const struct json_node *note = json_member(output->tape, root, NOTE);
    if (note != NULL && note->kind == JSON_STRING)
        buffer_append_slice(&output->note, text_head(note->value.text, NOTE_BYTES_MAX));
    return true;
}

/* Likewise for a line that says whether it can go on. */
static bool blocked_take(struct output *output, const struct json_node *root)
{
    const struct json_node *blocked = json_member(output->tape, root, BLOCKED);
    if (blocked == NULL || (blocked->kind != JSON_STRING && blocked->kind != JSON_TRUE &&
                            blocked->kind != JSON_FALSE))
        return false;
    output->blocked = blocked->kind != JSON_FALSE;
    output->blocked_fresh = true;
    buffer_clear(&output->blocked_reason);
    if (blocked->kind == JSON_STRING)
        buffer_append_slice(&output->blocked_reason,
                            text_head(blocked->value.text, NOTE_BYTES_MAX));
    return true;
}

static void line_end(struct output *output, bool broken_off)
{
    struct slice line = buffer_slice(&output->line);
    size_t blank = 0;
    while (blank < line.size && (line.data[blank] == ' ' || line.data[blank] == '\t'))
        blank++;

    struct json_problem problem;
    bool taken = false;
    if (!output->line_is_long && blank < line.size && line.data[blank] == '{' &&
        json_parse(output->tape, line, &problem) == ERR_OK) {
        const struct json_node *root = json_root(output->tape);
        if (is_result(output->tape, root)) {
            buffer_clear(&output->result);
            buffer_append_slice(&output->result, root->raw);
        } else {
            taken = progress_take(output, root) || blocked_take(output, root);
        }
    }
    if (!taken) {
        capture_append(&output->text, line);
        if (!broken_off)
            capture_append(&output->text, SLICE_OF("\n"));
    }
    buffer_clear(&output->line);
    output->line_is_long = false;
}

void output_append(struct output *output, struct slice bytes)
{
    while (bytes.size > 0) {
        size_t length = slice_find(bytes, '\n');
        struct slice part = slice_make(bytes.data, length);
        if (output->line.size + part.size > output->line.bytes_max)
            output->line_is_long = true;
        if (output->line_is_long) {
            capture_append(&output->text, buffer_slice(&output->line));
            capture_append(&output->text, part);
            buffer_clear(&output->line);
        } else {
            buffer_append_slice(&output->line, part);
        }
        if (length == bytes.size)
            break;
        line_end(output, false);
        bytes = slice_skip(bytes, length + 1);
    }
}

void output_end(struct output *output)
{
    if (output->line.size > 0)
        line_end(output, true);
}
