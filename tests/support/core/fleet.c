#include "core/fleet.h"

#include "base/ensure.h"
#include "engine/judge.h"
#include "os/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CAPABILITIES_GIVEN_MAX = 16,
};

void fleet_init(struct fleet *fleet)
{
    *fleet = (struct fleet){
        .store = memory_store_create(CORE_TABLE_COUNT),
        .settings = {
            .acceptance_ms = 60 * 1000,
            .lease_ms = 5 * 60 * 1000,
            .reconnect_grace_ms = 30 * 1000,
            .retry_delay_ms = 0,
            .idempotency_ms = 24 * 60 * 60 * 1000,
            .attempts_default = 3,
            .attempts_max = 100,
            .history_max = 50,
            .presence_events_agents_max = 100,
            .tasks_open_max = 1000000,
            .capability_sets_max = 10000,
            .messages_max = 10000,
            .mailbox_max = 100,
            .mailboxes_max = 100000,
            .channel_messages_max = 200,
            .channels_max = 10000,
            .fanout_max = 128,
            .mailbox_ttl_ms = (int64_t)7 * 24 * 60 * 60 * 1000,
            .schemas_max = 256,
            .schema_versions_max = 20,
            .schema_payloads_checked = 100,
            .schema_steps_max = 100000,
            .presence_subscribers_max = 100,
            .presence_interval_ms = 200,
            .heartbeat_max_ms = 30 * 1000,
            .activities_max = 10000,
            .event_classes = UINT32_MAX,
            .digest = digest_sha256,
            .judge = judge_create(100000),
        },
        .command = { .now_ms = 1000, .wall_ms = 1767225600000 },
    };
    fleet->judge = fleet->settings.judge;
    arena_init(&fleet->arena, (size_t)64 << 20);
    fleet_as_hub(fleet);
}

void fleet_finish(struct fleet *fleet)
{
    judge_destroy(fleet->judge);
    memory_store_destroy(fleet->store);
    arena_finish(&fleet->arena);
}

void fleet_as_client(struct fleet *fleet, const char *actor, uint32_t role)
{
    fleet->command.origin.link = FLEET_HTTP_LINK;
    fleet->command.actor = slice_from_text(actor);
    fleet->command.role = role;
    fleet->command.scopes = SCOPES_ALL;
}

void fleet_as_agent(struct fleet *fleet, const char *actor, uint64_t link)
{
    fleet->command.origin.link = link;
    fleet->command.actor = slice_from_text(actor);
    fleet->command.role = ROLE_AGENT;
    fleet->command.scopes = SCOPES_ALL;
}

void fleet_as_hub(struct fleet *fleet)
{
    fleet->command.origin.link = 0;
    fleet->command.actor = (struct slice){ 0 };
    fleet->command.role = ROLE_HUB;
    fleet->command.scopes = SCOPES_ALL;
}

void fleet_pass(struct fleet *fleet, int64_t ms)
{
    fleet->command.now_ms += ms;
    fleet->command.wall_ms += ms;
}

static enum err apply(struct fleet *fleet, struct transaction *transaction)
{
    struct command *command = &fleet->command;
    command->sequence++;
    for (size_t i = 0; i < sizeof command->entropy; i++)
        command->entropy[i] = (uint8_t)(command->sequence * 31 + i * 7);

    enum err err = core_apply(&fleet->settings, transaction, command, &fleet->effects);
    if (err == ERR_OK && memory_writes(fleet->store) > 0)
        err = core_seal(transaction, command->sequence, command->now_ms);
    if (err == ERR_OK)
        memory_commit(fleet->store);
    else {
        memory_rollback(fleet->store);
        judge_forget(fleet->judge);
    }
    return err;
}

static enum err ask(struct fleet *fleet, struct transaction *transaction)
{
    memory_set_read_only(fleet->store, true);
    enum err err =
        core_query(&fleet->settings, transaction, &fleet->command, &fleet->effects);
    memory_set_read_only(fleet->store, false);
    if (err != ERR_OK)
        memory_rollback(fleet->store);
    return err;
}

enum err fleet_try(struct fleet *fleet, const struct message *message)
{
    struct transaction *transaction = memory_transaction(fleet->store);

    arena_clear(&fleet->arena);
    effects_init(&fleet->effects, &fleet->arena);
    fleet->command.message = message;
    fleet->command.origin.request = 0;
    if (fleet->command.origin.link == FLEET_HTTP_LINK)
        fleet->command.origin.request = ++fleet->request;
    if (MESSAGE_ROWS[message->type].kind == KIND_QUERY)
        return ask(fleet, transaction);
    return apply(fleet, transaction);
}

void fleet_do(struct fleet *fleet, const struct message *message)
{
    if (fleet->before != NULL)
        fleet->before(fleet, message);
    enum err err = fleet_try(fleet, message);
    if (err != ERR_OK) {
        fprintf(stderr, "the core failed: %s\n", err_name(err));
        abort();
    }
}

int64_t fleet_next_due_ms(struct fleet *fleet)
{
    int64_t wait_ms;
    enum err err =
        core_next_due_ms(memory_transaction(fleet->store), fleet->command.now_ms,
                         fleet->command.wall_ms, &wait_ms);
    ENSURE(err == ERR_OK);
    return wait_ms;
}

void fleet_settle(struct fleet *fleet)
{
    struct command asker = fleet->command;
    const struct message tick = { .type = MESSAGE_TICK };

    fleet_as_hub(fleet);
    for (unsigned i = 0; fleet_next_due_ms(fleet) == 0; i++) {
        ENSURE(i < 100000);
        fleet_do(fleet, &tick);
    }
    fleet->command.origin = asker.origin;
    fleet->command.actor = asker.actor;
    fleet->command.role = asker.role;
    fleet->command.scopes = SCOPES_ALL;
}

const struct effect *fleet_answer(const struct fleet *fleet)
{
    const struct effect *found = NULL;
    for (const struct effect *effect = fleet->effects.first; effect != NULL;
         effect = effect->next) {
        if (effect->kind != EFFECT_ANSWER)
            continue;
        ENSURE(found == NULL);
        ENSURE(effect->request == fleet->command.origin.request);
        found = effect;
    }
    return found;
}

const struct message *fleet_sent(const struct fleet *fleet, uint64_t link,
                                 enum message_type type)
{
    for (const struct effect *effect = fleet->effects.first; effect != NULL;
         effect = effect->next) {
        if (effect->kind == EFFECT_SEND && effect->link == link &&
            effect->message.type == type)
            return &effect->message;
    }
    return NULL;
}

size_t fleet_count(const struct fleet *fleet, enum effect_kind kind)
{
    size_t count = 0;
    for (const struct effect *effect = fleet->effects.first; effect != NULL;
         effect = effect->next)
        count += effect->kind == kind;
    return count;
}

struct step fleet_step(struct fleet *fleet)
{
    return (struct step){
        .settings = &fleet->settings,
        .transaction = memory_transaction(fleet->store),
        .command = &fleet->command,
        .effects = &fleet->effects,
    };
}

void fleet_verify(struct fleet *fleet)
{
    const char *text = "";
    enum err err = core_verify(memory_transaction(fleet->store), &text);
    if (err != ERR_OK) {
        fprintf(stderr, "the tables do not fit together: %s: %s\n", err_name(err), text);
        abort();
    }
}

void fleet_identify(struct fleet *fleet, const char *agent, uint64_t link,
                    const char *const *capabilities, int64_t slots)
{
    struct slice items[CAPABILITIES_GIVEN_MAX];
    struct message message = { .type = MESSAGE_IDENTIFY };
    struct message_identify *identify = &message.as.identify;

    *identify = (struct message_identify){
        .agent_id = slice_from_text(agent),
        .capabilities.items = items,
        .has_max_concurrent = true,
        .max_concurrent = slots,
    };
    while (capabilities != NULL && capabilities[identify->capabilities.count] != NULL) {
        size_t at = identify->capabilities.count++;
        ENSURE(at < CAPABILITIES_GIVEN_MAX);
        items[at] = slice_from_text(capabilities[at]);
    }
    fleet_as_agent(fleet, agent, link);
    fleet_do(fleet, &message);
}

struct slice fleet_submit(struct fleet *fleet, const char *description)
{
    struct message message = { .type = MESSAGE_POST_TASK };
    message.as.post_task.description = slice_from_text(description);
    fleet_as_client(fleet, "submitter", ROLE_SUBMITTER);
    fleet_do(fleet, &message);
    const struct effect *answer = fleet_answer(fleet);
    ENSURE(answer != NULL && answer->message.type == MESSAGE_POST_TASK_ANSWER);
    return answer->message.as.post_task_answer.task_id;
}
