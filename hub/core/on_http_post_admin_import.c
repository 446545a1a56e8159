#include "core/blob.h"
#include "core/config.h"
#include "core/handlers.h"
#include "core/import.h"

enum {
    REFUSED_LISTED_MAX = 1000,
};

struct tally {
    struct step *step;
    struct message_post_admin_import_answer *answer;
    struct message_import_refused *refused;
};

static void tally_add(struct tally *tally, const char *kind, struct slice name,
                      enum import_outcome outcome)
{
    struct message_post_admin_import_answer *answer = tally->answer;
    if (outcome == IMPORT_DONE) {
        answer->imported++;
    } else if (outcome == IMPORT_PRESENT) {
        answer->present++;
    } else if (answer->refused.count < REFUSED_LISTED_MAX) {
        tally->refused[answer->refused.count++] = (struct message_import_refused){
            .kind = slice_from_text(kind),
            .name = name,
            .reason =
                outcome == IMPORT_NO_ROOM ? SLICE_OF("no_room") : SLICE_OF("invalid"),
        };
    }
}

#define EACH(tally, message, list, type, take, word, label)                              \
    do {                                                                                 \
        const struct type *items = (message)->list.items;                                \
        for (size_t i = 0; i < (message)->list.count && !step_failed((tally)->step);     \
             i++)                                                                        \
            tally_add((tally), (word), items[i].label, take((tally)->step, &items[i]));  \
    } while (false)

static void config_take(struct tally *tally,
                        const struct message_post_admin_import_config *config)
{
    struct step *step = tally->step;
    if (config == NULL)
        return;
    if (config->has_heartbeat_interval_ms)
        step_counter_put(step, COUNTER_HEARTBEAT_MS,
                         (uint64_t)config->heartbeat_interval_ms);
    if (config->has_mailbox_ttl_ms)
        step_counter_put(step, COUNTER_MAIL_TTL_MS, (uint64_t)config->mailbox_ttl_ms);
    if (config->default_repo.size > 0)
        blob_put(step, CONFIG_DEFAULT_REPO, BLOB_CONFIG, config->default_repo);
    tally_add(tally, "config", SLICE_OF("config"), IMPORT_DONE);
}

void on_post_admin_import(struct step *step,
                          const struct message_post_admin_import *message)
{
    struct message answer = { .type = MESSAGE_POST_ADMIN_IMPORT_ANSWER };
    struct tally tally = {
        .step = step,
        .answer = &answer.as.post_admin_import_answer,
        .refused = step_take_many(step, REFUSED_LISTED_MAX, sizeof *tally.refused),
    };
    if (tally.refused == NULL)
        return;
    tally.answer->refused.items = tally.refused;
    config_take(&tally, message->config);
    EACH(&tally, message, tokens, message_import_token, import_token, "token", agent_id);
    EACH(&tally, message, channels, message_import_channel, import_channel, "channel",
         name);
    EACH(&tally, message, messages, message_import_message, import_letter, "message", id);
    EACH(&tally, message, mailboxes, message_import_mailbox, import_mailbox, "mailbox",
         agent_id);
    EACH(&tally, message, tasks, message_import_task, import_task, "task", id);
    step_answer(step, &answer, 0);
}
