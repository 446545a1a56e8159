#include "cli/import.h"

#include "base/hash.h"
#include "os/secret.h"

#include <stdlib.h>

enum {
    ITEMS_PER_PART = 100,
    PREFIX_BYTES = 8,
};
#define PART_BYTES ((size_t)256 * 1024)
#define PART_BYTES_MAX ((size_t)64 * 1024 * 1024)

static const char *const MEMBERS[IMPORT_KINDS] = {
    [IMPORT_TOKENS] = "tokens",     [IMPORT_CHANNELS] = "channels",
    [IMPORT_MESSAGES] = "messages", [IMPORT_MAILBOXES] = "mailboxes",
    [IMPORT_TASKS] = "tasks",
};

static const struct json_node *node_of(const struct import *import,
                                       const struct json_node *object, const char *name)
{
    const struct json_node *node =
        object != NULL ? json_member(import->tape, object, slice_from_text(name)) : NULL;
    return node == NULL || node->kind == JSON_NULL ? NULL : node;
}

static const struct json_node *child_of(const struct import *import,
                                        const struct json_node *list)
{
    return list != NULL ? json_child(import->tape, list) : NULL;
}

static int64_t number_of(const struct import *import, const struct json_node *object,
                         const char *name)
{
    const struct json_node *node = node_of(import, object, name);
    return node != NULL && node->kind == JSON_NUMBER && node->integer ? node->value.number
                                                                      : 0;
}

static enum outcome part_send(struct import *import)
{
    enum outcome outcome = OUTCOME_OK;
    if (import->items == 0)
        return OUTCOME_OK;
    json_array_end(&import->writer);
    json_object_end(&import->writer);
    if (buffer_failed(&import->part))
        outcome = complain(OUTCOME_FAILED, "out of memory");
    else if (!import->dry_run)
        outcome = import_send(import, buffer_slice(&import->part));
    import->items = 0;
    buffer_clear(&import->part);
    return outcome;
}

/* Room for one item of a kind: what is of another kind, or would be too much, goes first. */
static enum outcome item_begin(struct import *import, enum import_kind kind)
{
    enum outcome outcome = OUTCOME_OK;
    if (import->items > 0 && (import->kind != kind || import->items == ITEMS_PER_PART ||
                              import->part.size > PART_BYTES))
        outcome = part_send(import);
    if (import->items == 0) {
        import->kind = kind;
        json_writer_init(&import->writer, &import->part);
        json_object_begin(&import->writer);
        json_key_text(&import->writer, MEMBERS[kind]);
        json_array_begin(&import->writer);
    }
    import->items++;
    import->counts[kind]++;
    json_object_begin(&import->writer);
    return outcome;
}

static void item_end(struct import *import)
{
    json_object_end(&import->writer);
}

static void copy(struct import *import, const struct json_node *object, const char *name)
{
    const struct json_node *node = node_of(import, object, name);
    if (node == NULL)
        return;
    json_key_text(&import->writer, name);
    json_raw(&import->writer, node->raw);
}

static void copy_all(struct import *import, const struct json_node *object,
                     const char *const *names)
{
    for (; *names != NULL; names++)
        copy(import, object, *names);
}

/* The token's text goes no further. */
static enum outcome token_take(struct import *import, const struct json_node *token)
{
    uint8_t digest[SECRET_DIGEST_BYTES];
    char hex[2 * SECRET_DIGEST_BYTES + 1];
    struct slice text = node_of(import, token, "token")->value.text;
    enum outcome outcome = item_begin(import, IMPORT_TOKENS);
    digest_sha256(text, digest);
    hex_encode(hex, digest, sizeof digest);
    copy(import, token, "agent_id");
    json_key_text(&import->writer, "digest");
    json_string(&import->writer, slice_make(hex, sizeof hex - 1));
    json_key_text(&import->writer, "prefix");
    json_string(&import->writer, slice_make(text.data, PREFIX_BYTES));
    item_end(import);
    return outcome;
}

static enum outcome channel_take(struct import *import, const struct json_node *channel)
{
    static const char *const names[] = { "name",       "description", "created_at",
                                         "created_by", "subscribers", NULL };
    enum outcome outcome = item_begin(import, IMPORT_CHANNELS);
    copy_all(import, channel, names);
    item_end(import);
    return outcome;
}

/* A message and where it stands: `place` is "channel" or "mailbox". */
static enum outcome message_take(struct import *import, const char *place,
                                 const struct json_node *name,
                                 const struct json_node *entry,
                                 const struct json_node *message)
{
    static const char *const names[] = { "id",      "from",     "to",        "type",
                                         "payload", "reply_to", "timestamp", NULL };
    enum outcome outcome = item_begin(import, IMPORT_MESSAGES);
    json_key_text(&import->writer, place);
    json_raw(&import->writer, name->raw);
    copy(import, entry, "seq");
    copy_all(import, message, names);
    item_end(import);
    return outcome;
}

static enum outcome history_take(struct import *import, const struct json_node *channel)
{
    const struct json_node *list = node_of(import, channel, "history");
    const struct json_node *name = node_of(import, channel, "name");
    enum outcome outcome = OUTCOME_OK;
    for (const struct json_node *entry = child_of(import, list);
         entry != NULL && outcome == OUTCOME_OK;
         entry = json_after(import->tape, list, entry))
        outcome = message_take(import, "channel", name, entry,
                               node_of(import, entry, "message"));
    return outcome;
}

static enum outcome letters_take(struct import *import, const struct json_node *mailbox)
{
    const struct json_node *list = node_of(import, mailbox, "messages");
    const struct json_node *name = node_of(import, mailbox, "agent_id");
    enum outcome outcome = OUTCOME_OK;
    for (const struct json_node *entry = child_of(import, list);
         entry != NULL && outcome == OUTCOME_OK;
         entry = json_after(import->tape, list, entry))
        outcome = message_take(import, "mailbox", name, entry, entry);
    return outcome;
}

/* Whoever read a mailbox up to a sequence shall find what comes next behind it. */
static enum outcome mailbox_take(struct import *import, const struct json_node *owner)
{
    const struct json_node *root = json_root(import->tape);
    int64_t last = number_of(import, root, "mailbox_last_seq");
    if (last == 0)
        return OUTCOME_OK;
    enum outcome outcome = item_begin(import, IMPORT_MAILBOXES);
    copy(import, owner, "agent_id");
    json_key_text(&import->writer, "last_seq");
    json_i64(&import->writer, last);
    item_end(import);
    return outcome;
}

/* Of an agent whose token comes, too, it is said already. */
static enum outcome mailbox_of_other_take(struct import *import,
                                          const struct json_node *owner)
{
    const struct json_node *list = node_of(import, json_root(import->tape), "tokens");
    struct slice id = node_of(import, owner, "agent_id")->value.text;
    for (const struct json_node *token = child_of(import, list); token != NULL;
         token = json_after(import->tape, list, token)) {
        if (slice_equal(node_of(import, token, "agent_id")->value.text, id))
            return OUTCOME_OK;
    }
    return mailbox_take(import, owner);
}

/* Details are a text with us, whatever they were. */
static void events_copy(struct import *import, const struct json_node *task)
{
    const struct json_node *list = node_of(import, task, "history");
    if (list == NULL)
        return;
    json_key_text(&import->writer, "history");
    json_array_begin(&import->writer);
    for (const struct json_node *event = child_of(import, list); event != NULL;
         event = json_after(import->tape, list, event)) {
        const struct json_node *details = node_of(import, event, "details");
        json_object_begin(&import->writer);
        copy(import, event, "event");
        copy(import, event, "timestamp");
        if (details != NULL) {
            enum { DETAILS_BYTES_MAX = 500 };
            json_key_text(&import->writer, "details");
            json_string(&import->writer,
                        slice_cut(details->kind == JSON_STRING ? details->value.text
                                                               : details->raw,
                                  DETAILS_BYTES_MAX));
        }
        json_object_end(&import->writer);
    }
    json_array_end(&import->writer);
}

static enum outcome task_take(struct import *import, const struct json_node *task)
{
    static const char *const names[] = {
        "id",          "description", "status",      "metadata",    "priority",
        "generation",  "retry_count", "max_retries", "complete_by", "needed_capabilities",
        "assigned_to", "assigned_at", "tokens_used", "last_error",  "submitted_by",
        "created_at",  "updated_at",  NULL
    };
    const struct json_node *result = node_of(import, task, "result");
    enum outcome outcome = item_begin(import, IMPORT_TASKS);
    copy_all(import, task, names);
    if (result != NULL) {
        json_key_text(&import->writer, "result");
        if (result->kind != JSON_OBJECT) {
            json_object_begin(&import->writer);
            json_key_text(&import->writer, "value");
        }
        json_raw(&import->writer, result->raw);
        if (result->kind != JSON_OBJECT)
            json_object_end(&import->writer);
    }
    events_copy(import, task);
    item_end(import);
    return outcome;
}

static enum outcome each(struct import *import, const char *name,
                         enum outcome (*take)(struct import *, const struct json_node *))
{
    const struct json_node *list = node_of(import, json_root(import->tape), name);
    enum outcome outcome = OUTCOME_OK;
    for (const struct json_node *item = child_of(import, list);
         item != NULL && outcome == OUTCOME_OK;
         item = json_after(import->tape, list, item))
        outcome = take(import, item);
    return outcome;
}

struct aged {
    int64_t created_at;
    const struct json_node *task;
};

static int aged_compare(const void *one, const void *other)
{
    const struct aged *a = one;
    const struct aged *b = other;
    if (a->created_at != b->created_at)
        return a->created_at < b->created_at ? -1 : 1;
    return a->task < b->task ? -1 : a->task > b->task;
}

/* The oldest first: so they stand in line. */
static enum outcome tasks_take(struct import *import)
{
    const struct json_node *list = node_of(import, json_root(import->tape), "tasks");
    enum outcome outcome = OUTCOME_OK;
    size_t count = 0;
    if (list == NULL || list->count == 0)
        return OUTCOME_OK;
    struct aged *tasks = calloc(list->count, sizeof *tasks);
    if (tasks == NULL)
        return complain(OUTCOME_FAILED, "out of memory");
    for (const struct json_node *task = child_of(import, list); task != NULL;
         task = json_after(import->tape, list, task))
        tasks[count++] = (struct aged){ number_of(import, task, "created_at"), task };
    qsort(tasks, count, sizeof *tasks, aged_compare);
    for (size_t i = 0; i < count && outcome == OUTCOME_OK; i++)
        outcome = task_take(import, tasks[i].task);
    free(tasks);
    return outcome;
}

static enum outcome config_send(struct import *import)
{
    const struct json_node *config = node_of(import, json_root(import->tape), "config");
    struct buffer body;
    struct json_writer writer;
    if (config == NULL || import->dry_run)
        return OUTCOME_OK;
    buffer_init(&body, PART_BYTES);
    json_writer_init(&writer, &body);
    json_object_begin(&writer);
    json_key_text(&writer, "config");
    json_raw(&writer, config->raw);
    json_object_end(&writer);
    enum outcome outcome = buffer_failed(&body)
                               ? complain(OUTCOME_FAILED, "out of memory")
                               : import_send(import, buffer_slice(&body));
    buffer_finish(&body);
    return outcome;
}

enum outcome import_walk(struct import *import)
{
    buffer_init(&import->part, PART_BYTES_MAX);
    enum outcome outcome = config_send(import);
    if (outcome == OUTCOME_OK)
        outcome = each(import, "tokens", token_take);
    if (outcome == OUTCOME_OK)
        outcome = each(import, "channels", channel_take);
    if (outcome == OUTCOME_OK)
        outcome = each(import, "channels", history_take);
    if (outcome == OUTCOME_OK)
        outcome = each(import, "mailboxes", letters_take);
    if (outcome == OUTCOME_OK)
        outcome = each(import, "tokens", mailbox_take);
    if (outcome == OUTCOME_OK)
        outcome = each(import, "mailboxes", mailbox_of_other_take);
    if (outcome == OUTCOME_OK)
        outcome = tasks_take(import);
    if (outcome == OUTCOME_OK)
        outcome = part_send(import);
    buffer_finish(&import->part);
    return outcome;
}
