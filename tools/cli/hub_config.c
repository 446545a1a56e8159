/* drover hub config: what is set while the hub runs, shown and changed. */
#include "cli/hub_config.h"

#include "cli/request.h"
#include "cli/screen.h"

#include <stdio.h>
#include <stdlib.h>

enum { NUMBER_BYTES = 24 };

static const struct entry {
    const char *option;
    const char *field;
    enum message_type put;
    enum message_type get;
    const char *shown; /* of what GET answers */
} ENTRIES[] = {
    { "--heartbeat", "heartbeat_interval_ms", MESSAGE_PUT_HEARTBEAT_INTERVAL,
      MESSAGE_GET_HEARTBEAT_INTERVAL, "heartbeat_interval_ms" },
    { "--mailbox-retention", "mailbox_ttl_ms", MESSAGE_PUT_MAILBOX_RETENTION,
      MESSAGE_GET_MAILBOX_RETENTION, "mailbox_ttl_ms" },
    { "--default-repo", "url", MESSAGE_PUT_DEFAULT_REPO, MESSAGE_GET_DEFAULT_REPO,
      "default_repo" },
};

enum { ENTRY_COUNT = sizeof ENTRIES / sizeof ENTRIES[0] };

static enum outcome entry_put(struct invocation *invocation, const struct entry *entry)
{
    char number[NUMBER_BYTES];
    const char *value = given_value(invocation, entry->option);
    int64_t ms;
    struct answer answer;
    struct filling filling = { entry->field, slice_from_text(value) };
    if (value == NULL)
        return OUTCOME_OK;
    if (entry->put != MESSAGE_PUT_DEFAULT_REPO) {
        if (!duration_read(value, &ms))
            return complain(OUTCOME_USAGE, "%s wants a time, as 30s or 7d, not %s",
                            entry->option, value);
        (void)snprintf(number, sizeof number, "%lld", (long long)ms);
        filling.text = slice_from_text(number);
    }
    enum outcome outcome = request_call(invocation, entry->put, &filling, 1, &answer);
    if (outcome == OUTCOME_OK && answer.outcome != OUTCOME_OK)
        outcome = answer_tell(invocation, &answer);
    return outcome;
}

static enum outcome entry_show(struct invocation *invocation, const struct entry *entry,
                               bool first)
{
    struct answer answer;
    struct buffer line;
    enum outcome outcome = request_call(invocation, entry->get, NULL, 0, &answer);
    if (outcome == OUTCOME_OK && answer.outcome != OUTCOME_OK)
        outcome = answer_tell(invocation, &answer);
    if (outcome != OUTCOME_OK)
        return outcome;
    const struct json_node *value = member_of(&answer, answer.root, entry->shown);
    struct slice text = value == NULL ? SLICE_OF("null") : value->raw;
    buffer_init(&line, 65536);
    text_escape(text, false, "", &line);
    if (invocation->json)
        (void)printf("%s\"%s\":%.*s", first ? "{" : ",", entry->shown, (int)text.size,
                     text.data);
    else
        (void)printf("%s: %.*s\n", entry->shown, (int)line.size, line.data);
    buffer_finish(&line);
    return OUTCOME_OK;
}

enum outcome hub_config_run(struct invocation *invocation)
{
    enum outcome outcome = OUTCOME_OK;
    for (size_t i = 0; i < ENTRY_COUNT && outcome == OUTCOME_OK; i++)
        outcome = entry_put(invocation, &ENTRIES[i]);
    for (size_t i = 0; i < ENTRY_COUNT && outcome == OUTCOME_OK; i++)
        outcome = entry_show(invocation, &ENTRIES[i], i == 0);
    if (outcome == OUTCOME_OK && invocation->json)
        (void)puts("}");
    return outcome;
}
