#include "core/queue_look.h"

#include "base/ensure.h"
#include "core/task.h"

#include <stdio.h>
#include <string.h>

static void as_agent(struct queue_check *check, int agent, uint64_t link)
{
    fleet_as_agent(&check->fleet, LOOK_AGENTS[agent], link);
}

static struct slice_list capability_list(unsigned capabilities,
                                         struct slice space[CHECK_CAPABILITIES])
{
    static const char *const NAMES[CHECK_CAPABILITIES] = { "git", "rust", "web", "gpu" };
    struct slice_list list = { .items = space };
    for (unsigned i = 0; i < CHECK_CAPABILITIES; i++) {
        if ((capabilities & (1u << i)) != 0)
            space[list.count++] = slice_from_text(NAMES[i]);
    }
    return list;
}

/* Room for what a submit's message points at. */
struct submit_space {
    struct slice needs[CHECK_CAPABILITIES];
    struct slice depends[MODEL_DEPENDS_MAX];
    char ids[MODEL_DEPENDS_MAX][TASK_ID_BYTES + 1];
    char key[8];
};

static struct message submit_message(const struct queue_check *check,
                                     const struct model_submit *submit,
                                     struct submit_space *space)
{
    static const char *const LANES[] = { "urgent", "high", "normal", "low" };
    struct message message = { .type = MESSAGE_POST_TASK };
    struct message_post_task *post = &message.as.post_task;

    post->description = SLICE_OF("do it");
    post->metadata = SLICE_OF("{ \"a\":1}");
    post->priority = slice_from_text(LANES[submit->lane]);
    post->has_max_retries = true;
    post->max_retries = submit->attempts_max;
    post->has_not_before = submit->not_before_wall_ms != 0;
    post->not_before = submit->not_before_wall_ms;
    post->has_complete_by = submit->complete_by_wall_ms != MODEL_NEVER;
    post->complete_by = post->has_complete_by ? submit->complete_by_wall_ms : 0;
    post->needed_capabilities = capability_list(submit->needs, space->needs);
    post->depends_on.items = space->depends;
    for (size_t i = 0; i < submit->depend_count; i++) {
        uint64_t number = check->model.tasks[submit->depends[i]].number;
        snprintf(space->ids[i], sizeof space->ids[i], "task-%016llx",
                 (unsigned long long)number);
        post->depends_on.items[i] = slice_from_text(space->ids[i]);
        post->depends_on.count++;
    }
    return message;
}

static struct message as_frame(const struct message_post_task *post)
{
    struct message message = { .type = MESSAGE_TASK_SUBMIT };
    message.as.task_submit = (struct message_task_submit){
        .description = post->description,
        .priority = post->priority,
        .metadata = post->metadata,
        .max_retries = post->max_retries,
        .has_max_retries = post->has_max_retries,
        .complete_by = post->complete_by,
        .has_complete_by = post->has_complete_by,
        .not_before = post->not_before,
        .has_not_before = post->has_not_before,
        .depends_on = post->depends_on,
        .needed_capabilities = post->needed_capabilities,
    };
    return message;
}

/* The number of the task made; 0 and a difference when none was. */
static uint64_t submitted_number(struct queue_check *check, uint64_t link)
{
    const struct effect *answer = fleet_answer(&check->fleet);
    const struct message *sent = fleet_sent(&check->fleet, link, MESSAGE_TASK_SUBMITTED);
    uint64_t number = 0;
    if (sent != NULL)
        number = look_number(check, sent->as.task_submitted.task_id);
    else if (answer != NULL && answer->message.type == MESSAGE_POST_TASK_ANSWER)
        number = look_number(check, answer->message.as.post_task_answer.task_id);
    else
        look_breaks(check, "a submit was refused", 0, 0);
    return number;
}

static void set_key(struct queue_check *check, struct message_post_task *post, int key,
                    bool same, struct submit_space *space)
{
    if (key == MODEL_NOBODY)
        return;
    snprintf(space->key, sizeof space->key, "k%d", key);
    post->idempotency_key = slice_from_text(space->key);
    check->fleet.command.digest_present = true;
    memset(check->fleet.command.digest, same ? 7 : 9, DIGEST_BYTES);
}

void check_submit(struct queue_check *check, const struct model_submit *submit, int agent,
                  int key)
{
    struct submit_space space;
    struct model_submit numbered = *submit;
    struct message message = submit_message(check, submit, &space);
    uint64_t link = agent == MODEL_NOBODY ? 0 : check->model.agents[agent].link;

    ENSURE(check->model.task_count < MODEL_TASKS_MAX);
    look_before(check);
    if (link != 0) {
        as_agent(check, agent, link);
        model_heard(&check->model, agent, link);
        message = as_frame(&message.as.post_task);
    } else {
        fleet_as_client(&check->fleet, "submitter", ROLE_SUBMITTER);
        set_key(check, &message.as.post_task, key, true, &space);
    }
    fleet_do(&check->fleet, &message);
    numbered.number = submitted_number(check, link);
    if (check->model.task_count > 0 &&
        numbered.number <= check->model.tasks[check->model.task_count - 1].number)
        look_breaks(check, "a new task's number did not rise", numbered.number, 0);
    model_submit(&check->model, &numbered);
    look_trace(
        check, "submit %llx, lane %u, needs %x, attempts %u, waits %zu, %lld, %lld",
        (unsigned long long)numbered.number, submit->lane, submit->needs,
        submit->attempts_max, submit->depend_count, (long long)submit->not_before_wall_ms,
        (long long)submit->complete_by_wall_ms);
    look_effects(check);
    if (link == 0 && key != MODEL_NOBODY)
        check->keys[key] = (struct check_key){ true, numbered.number };
    check->taken++;
    look_settle(check);
}

void check_submit_again(struct queue_check *check, int key, bool same)
{
    struct submit_space space;
    struct message message = { .type = MESSAGE_POST_TASK };

    look_before(check);
    message.as.post_task.description = SLICE_OF("do it");
    fleet_as_client(&check->fleet, "submitter", ROLE_SUBMITTER);
    set_key(check, &message.as.post_task, key, same, &space);
    fleet_do(&check->fleet, &message);
    look_effects(check);

    const struct effect *answer = fleet_answer(&check->fleet);
    if (!same && (check->reply.type != MESSAGE_HTTP_ERROR ||
                  strcmp(check->reply.word, "idempotency_conflict") != 0))
        look_breaks(check, "a key was taken for two requests", (uint64_t)key, 0);
    if (same && (answer == NULL || !answer->replayed ||
                 submitted_number(check, 0) != check->keys[key].number))
        look_breaks(check, "a key made a second task", (uint64_t)key, 0);
    look_settle(check);
}

void check_identify(struct queue_check *check, int agent, uint64_t link,
                    unsigned capabilities, unsigned slots_max)
{
    struct slice space[CHECK_CAPABILITIES];
    struct message message = { .type = MESSAGE_IDENTIFY };
    uint64_t old_link = check->model.agents[agent].link;

    message.as.identify = (struct message_identify){
        .agent_id = slice_from_text(LOOK_AGENTS[agent]),
        .capabilities = capability_list(capabilities, space),
        .has_max_concurrent = true,
        .max_concurrent = slots_max,
    };
    look_before(check);
    as_agent(check, agent, link);
    model_identify(&check->model, agent, link, capabilities, slots_max);
    for (size_t i = 0; i < check->model.task_count; i++) {
        const struct model_task *task = &check->model.tasks[i];
        check->resends[i] = task->state == MODEL_ASSIGNED && task->holder == agent;
    }
    look_trace(check, "%s identifies on link %llu, can %x, takes %u", LOOK_AGENTS[agent],
               (unsigned long long)link, capabilities, slots_max);
    fleet_do(&check->fleet, &message);
    look_effects(check);
    if (check->reply.type != MESSAGE_IDENTIFIED)
        look_breaks(check, "identify was not answered", check->reply.type, 0);
    bool closes = fleet_count(&check->fleet, EFFECT_CLOSE) == 1 &&
                  fleet_count(&check->fleet, EFFECT_BIND) == 1;
    if (old_link != 0 && old_link != link && !closes)
        look_breaks(check, "an older connection was not closed", old_link, link);
    look_settle(check);
}

void check_link_closed(struct queue_check *check, uint64_t link)
{
    const struct message message = { .type = MESSAGE_LINK_CLOSED };
    look_before(check);
    fleet_as_hub(&check->fleet);
    check->fleet.command.origin.link = link;
    look_trace(check, "link %llu is closed", (unsigned long long)link);
    model_link_closed(&check->model, link);
    fleet_do(&check->fleet, &message);
    look_effects(check);
    look_settle(check);
}

void check_hub_started(struct queue_check *check)
{
    const struct message message = { .type = MESSAGE_HUB_STARTED };
    look_before(check);
    fleet_as_hub(&check->fleet);
    look_trace(check, "the hub starts");
    model_hub_started(&check->model);
    fleet_do(&check->fleet, &message);
    look_effects(check);
    look_settle(check);
}

static struct message report_message(enum message_type type, struct slice id,
                                     uint64_t generation)
{
    struct message message = { .type = type };
    int64_t number = (int64_t)generation;
    bool given = generation != 0;

    if (type == MESSAGE_TASK_ACCEPTED)
        message.as.task_accepted = (struct message_task_accepted){ id, number, given };
    else if (type == MESSAGE_TASK_PROGRESS)
        message.as.task_progress = (struct message_task_progress){
            .task_id = id, .generation = number, .has_generation = given
        };
    else if (type == MESSAGE_LEASE_RENEW)
        message.as.lease_renew = (struct message_lease_renew){ id, number };
    else if (type == MESSAGE_TASK_COMPLETE)
        message.as.task_complete =
            (struct message_task_complete){ .task_id = id, .generation = number };
    else if (type == MESSAGE_TASK_FAILED)
        message.as.task_failed =
            (struct message_task_failed){ .task_id = id, .generation = number };
    else if (type == MESSAGE_TASK_CANCELLED)
        message.as.task_cancelled = (struct message_task_cancelled){ id, number };
    else
        message.as.task_recovering.task_id = id;
    return message;
}

static enum model_answer model_report_of(struct queue_check *check,
                                         enum message_type type, int agent, int task,
                                         uint64_t *generation)
{
    struct model *model = &check->model;
    if (type == MESSAGE_TASK_ACCEPTED)
        return model_accepted(model, agent, task, *generation);
    if (type == MESSAGE_TASK_PROGRESS)
        return model_progress(model, agent, task, *generation);
    if (type == MESSAGE_LEASE_RENEW)
        return model_renew(model, agent, task, *generation);
    if (type == MESSAGE_TASK_COMPLETE)
        return model_complete(model, agent, task, *generation);
    if (type == MESSAGE_TASK_FAILED)
        return model_failed(model, agent, task, *generation);
    if (type == MESSAGE_TASK_RECOVERING)
        return model_recovering(model, agent, task, generation);
    return model_killed(model, agent, task, *generation);
}

static const struct {
    enum message_type type;
    const char *word;
} REPLIES[] = {
    [MODEL_ACCEPTED] = { MESSAGE_TASK_ACK, "accepted" },
    [MODEL_COMPLETE] = { MESSAGE_TASK_ACK, "complete" },
    [MODEL_RETRIED] = { MESSAGE_TASK_ACK, "retried" },
    [MODEL_DEAD_LETTER] = { MESSAGE_TASK_ACK, "dead_letter" },
    [MODEL_CANCEL_SEEN] = { MESSAGE_TASK_ACK, "cancelled" },
    [MODEL_RENEWED] = { MESSAGE_LEASE_RENEWED, "" },
    [MODEL_CONTINUE] = { MESSAGE_TASK_CONTINUE, "" },
    [MODEL_REASSIGN] = { MESSAGE_TASK_REASSIGN, "" },
    [MODEL_SILENCE] = { MESSAGE_NONE, "" },
    [MODEL_REFUSED] = { MESSAGE_ERROR, NULL },
};

static void compare_reply(struct queue_check *check, enum model_answer answer,
                          uint64_t generation)
{
    if (check->reply.type != REPLIES[answer].type ||
        (REPLIES[answer].word != NULL &&
         strcmp(check->reply.word, REPLIES[answer].word) != 0))
        look_breaks_word(check, "the reply to a report (model's, core's)", answer,
                         check->reply.type, check->reply.word);
    if (answer == MODEL_CONTINUE && check->reply.generation != generation)
        look_breaks(check, "the generation to go on with", generation,
                    check->reply.generation);
    check->refused += answer == MODEL_REFUSED;
    check->taken += answer != MODEL_REFUSED;
}

void check_report(struct queue_check *check, enum message_type type, int agent,
                  uint64_t link, int task, uint64_t generation)
{
    char id[TASK_ID_BYTES + 1];
    snprintf(id, sizeof id, "task-%016llx",
             (unsigned long long)check->model.tasks[task].number);
    struct message message = report_message(type, slice_from_text(id), generation);

    look_before(check);
    as_agent(check, agent, link);
    bool heard = model_heard(&check->model, agent, link);
    fleet_do(&check->fleet, &message);
    enum model_answer answer = MODEL_SILENCE;
    if (heard)
        answer = model_report_of(check, type, agent, task, &generation);
    look_trace(check, "%s on link %llu: %.*s of %s, generation %llu -> %d",
               LOOK_AGENTS[agent], (unsigned long long)link,
               (int)MESSAGE_ROWS[type].name.size, MESSAGE_ROWS[type].name.data, id,
               (unsigned long long)generation, (int)answer);
    look_effects(check);
    /* To a link that nobody is behind any more it may say so, or nothing. */
    if (heard || strcmp(check->reply.word, "not_identified") != 0)
        compare_reply(check, answer, generation);
    look_settle(check);
}

static void compare_http(struct queue_check *check, bool taken, enum message_type type)
{
    if (taken ? check->reply.type != type
              : strcmp(check->reply.word, "invalid_state") != 0)
        look_breaks(check, "the answer to a request (taken, core's type)", taken,
                    check->reply.type);
}

void check_cancel(struct queue_check *check, int task)
{
    struct message message = { .type = MESSAGE_POST_TASK_CANCEL };
    char id[TASK_ID_BYTES + 1];
    snprintf(id, sizeof id, "task-%016llx",
             (unsigned long long)check->model.tasks[task].number);
    message.as.post_task_cancel.task_id = slice_from_text(id);

    look_before(check);
    fleet_as_client(&check->fleet, "operator", ROLE_OPERATOR);
    bool taken = model_cancel(&check->model, task);
    look_trace(check, "cancel %s", id);
    fleet_do(&check->fleet, &message);
    look_effects(check);
    compare_http(check, taken, MESSAGE_POST_TASK_CANCEL_ANSWER);
    look_settle(check);
}

void check_retry(struct queue_check *check, int task)
{
    struct message message = { .type = MESSAGE_POST_TASK_RETRY };
    char id[TASK_ID_BYTES + 1];
    snprintf(id, sizeof id, "task-%016llx",
             (unsigned long long)check->model.tasks[task].number);
    message.as.post_task_retry.task_id = slice_from_text(id);

    look_before(check);
    fleet_as_client(&check->fleet, "operator", ROLE_OPERATOR);
    bool taken = model_retry(&check->model, task);
    look_trace(check, "retry %s", id);
    fleet_do(&check->fleet, &message);
    look_effects(check);
    compare_http(check, taken, MESSAGE_POST_TASK_RETRY_ANSWER);
    look_settle(check);
}
