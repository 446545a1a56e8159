/* drover message, channel, mailbox: what agents say to each other. */
#include "cli/listing.h"
#include "cli/request.h"

#include <stdio.h>

static enum outcome line_end(struct buffer *line)
{
    bool whole = !buffer_failed(line);
    if (whole)
        (void)printf("%.*s\n", (int)line->size, line->size > 0 ? line->data : "");
    buffer_finish(line);
    return whole ? OUTCOME_OK : complain(OUTCOME_FAILED, "the answer cannot be shown");
}

static void member_append(const struct answer *answer, const char *before,
                          const char *name, struct buffer *line)
{
    const struct json_node *member = member_of(answer, answer->root, name);
    if (member == NULL || member->kind == JSON_NULL)
        return;
    buffer_append_text(line, before);
    text_escape(member->kind == JSON_STRING ? member->value.text : member->raw, true,
                "  ", line);
}

static enum outcome sent_show(const struct answer *answer)
{
    struct buffer line;
    buffer_init(&line, 4096);
    member_append(answer, "", "id", &line);
    member_append(answer, " ", "delivery", &line);
    member_append(answer, " seq ", "seq", &line);
    return line_end(&line);
}

static const struct listing MESSAGES = {
    .member = "messages",
    .columns = { { .head = "MESSAGE", .field = "id" },
                 { .head = "AT", .field = "timestamp", .kind = COLUMN_TIME },
                 { .head = "FROM", .field = "from" },
                 { .head = "TO", .field = "to" },
                 { .head = "CHANNEL", .field = "channel" },
                 { .head = "TYPE", .field = "type" },
                 { .head = "PAYLOAD", .field = "payload", .kind = COLUMN_JSON } },
    .page = "1000",
};

static const struct command COMMANDS[] = {
    { .name = "send",
      .route = MESSAGE_POST_MESSAGE,
      .show = sent_show,
      .arguments = { { .name = "PAYLOAD",
                       .field = "payload",
                       .help = "A JSON object." } },
      .options = { { .name = "--to", .value = "AGENT", .field = "to" },
                   { .name = "--type", .value = "TYPE", .field = "type" },
                   { .name = "--reply-to", .value = "MESSAGE", .field = "reply_to" } } },
    { .name = "list",
      .route = MESSAGE_GET_MESSAGES,
      .list = &MESSAGES,
      .options = { { .name = "--from", .value = "AGENT", .field = "from" },
                   { .name = "--to", .value = "AGENT", .field = "to" },
                   { .name = "--channel", .value = "CHANNEL", .field = "channel" },
                   { .name = "--after",
                     .value = "WHEN",
                     .field = "start_time",
                     .form = FORM_MOMENT },
                   { .name = "--before",
                     .value = "WHEN",
                     .field = "end_time",
                     .form = FORM_MOMENT },
                   { .name = "--limit", .value = "N", .field = "limit" },
                   { .name = "--cursor", .value = "CURSOR", .field = "cursor" },
                   { .name = "--all", .help = "Page after page, to the end." } } },
};

const struct command_group MESSAGE_GROUP = { "message", COMMANDS,
                                             sizeof COMMANDS / sizeof COMMANDS[0] };

static enum outcome channel_show(const struct answer *answer)
{
    struct buffer line;
    const struct json_node *list = member_of(answer, answer->root, "subscribers");
    buffer_init(&line, (size_t)4 * 1024 * 1024);
    member_append(answer, "channel      ", "name", &line);
    member_append(answer, "\ndescription  ", "description", &line);
    member_append(answer, "\ncreated by   ", "created_by", &line);
    member_append(answer, "\nsubscribers  ", "subscriber_count", &line);
    for (const struct json_node *item = list != NULL && list->kind == JSON_ARRAY
                                            ? json_child(answer->tape, list)
                                            : NULL;
         item != NULL; item = json_after(answer->tape, list, item)) {
        buffer_append_text(&line, "\n  ");
        text_escape(item->value.text, false, "", &line);
    }
    return line_end(&line);
}

static const struct listing CHANNELS = {
    .member = "channels",
    .columns = { { .head = "CHANNEL", .field = "name" },
                 { .head = "SUBSCRIBERS",
                   .field = "subscriber_count",
                   .kind = COLUMN_NUMBER },
                 { .head = "CREATED", .field = "created_at", .kind = COLUMN_TIME },
                 { .head = "DESCRIPTION", .field = "description" } },
};

static const struct listing SAID = {
    .member = "messages",
    .columns = { { .head = "SEQ", .field = "seq", .kind = COLUMN_NUMBER },
                 { .head = "AT", .field = "stored_at", .kind = COLUMN_TIME },
                 { .head = "FROM", .field = "message.from" },
                 { .head = "TYPE", .field = "message.type" },
                 { .head = "PAYLOAD", .field = "message.payload", .kind = COLUMN_JSON } },
};

static const struct command CHANNEL_COMMANDS[] = {
    { .name = "list",
      .route = MESSAGE_GET_CHANNELS,
      .list = &CHANNELS,
      .options = { { .name = "--limit", .value = "N", .field = "limit" },
                   { .name = "--cursor", .value = "CURSOR", .field = "cursor" },
                   { .name = "--all", .help = "Page after page, to the end." } } },
    { .name = "create",
      .route = MESSAGE_POST_CHANNEL,
      .done = "created",
      .arguments = { { .name = "CHANNEL", .field = "name" } },
      .options = { { .name = "--description",
                     .value = "TEXT",
                     .field = "description" } } },
    { .name = "show",
      .route = MESSAGE_GET_CHANNEL,
      .show = channel_show,
      .arguments = { { .name = "CHANNEL", .field = "channel" } } },
    { .name = "history",
      .route = MESSAGE_GET_CHANNEL_HISTORY,
      .list = &SAID,
      .arguments = { { .name = "CHANNEL", .field = "channel" } },
      .options = { { .name = "--since", .value = "SEQ", .field = "since" },
                   { .name = "--before", .value = "SEQ", .field = "before" },
                   { .name = "--limit", .value = "N", .field = "limit" } } },
    { .name = "publish",
      .route = MESSAGE_POST_CHANNEL_PUBLISH,
      .show = sent_show,
      .arguments = { { .name = "CHANNEL", .field = "channel" },
                     { .name = "PAYLOAD",
                       .field = "payload",
                       .help = "A JSON object." } },
      .options = { { .name = "--type", .value = "TYPE", .field = "type" },
                   { .name = "--reply-to", .value = "MESSAGE", .field = "reply_to" } } },
};

const struct command_group CHANNEL_GROUP = {
    "channel", CHANNEL_COMMANDS, sizeof CHANNEL_COMMANDS / sizeof CHANNEL_COMMANDS[0]
};

static const struct listing MAIL = {
    .member = "messages",
    .columns = { { .head = "SEQ", .field = "seq", .kind = COLUMN_NUMBER },
                 { .head = "AT", .field = "timestamp", .kind = COLUMN_TIME },
                 { .head = "FROM", .field = "from" },
                 { .head = "CHANNEL", .field = "channel" },
                 { .head = "TYPE", .field = "type" },
                 { .head = "PAYLOAD", .field = "payload", .kind = COLUMN_JSON } },
};

/* With a time it is set, without one told. */
static enum outcome retention_run(struct invocation *invocation)
{
    struct answer answer;
    struct buffer line;
    enum outcome outcome =
        request_call(invocation,
                     invocation->argument_count > 0 ? MESSAGE_PUT_MAILBOX_RETENTION
                                                    : MESSAGE_GET_MAILBOX_RETENTION,
                     NULL, 0, &answer);
    if (outcome == OUTCOME_OK)
        outcome = answer_tell(invocation, &answer);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (invocation->json)
        return answer_print(&answer);
    buffer_init(&line, 256);
    buffer_append_i64(&line, member_number(&answer, answer.root, "mailbox_ttl_ms"));
    buffer_append_text(&line, " ms");
    return line_end(&line);
}

static const struct command MAILBOX_COMMANDS[] = {
    { .name = "read",
      .route = MESSAGE_GET_MAILBOX,
      .list = &MAIL,
      .arguments = { { .name = "AGENT", .field = "agent_id" } },
      .options = { { .name = "--since", .value = "SEQ", .field = "since" },
                   { .name = "--limit", .value = "N", .field = "limit" } } },
    { .name = "ack",
      .route = MESSAGE_POST_MAILBOX_ACK,
      .done = "acknowledged",
      .arguments = { { .name = "AGENT", .field = "agent_id" },
                     { .name = "SEQ", .field = "seq" } } },
    { .name = "retention",
      .route = MESSAGE_PUT_MAILBOX_RETENTION,
      .run = retention_run,
      .summary = "Tells how long a mailbox keeps a message, or sets it.",
      .arguments = { { .name = "[TIME]",
                       .field = "mailbox_ttl_ms",
                       .help = "12h and 7d are times.",
                       .form = FORM_DURATION } } },
};

const struct command_group MAILBOX_GROUP = {
    "mailbox", MAILBOX_COMMANDS, sizeof MAILBOX_COMMANDS / sizeof MAILBOX_COMMANDS[0]
};
