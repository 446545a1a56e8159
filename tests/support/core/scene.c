#include "core/scene.h"

#include "base/ensure.h"

#include <stdio.h>
#include <string.h>

enum {
    TEXT_ROOM = 2048,
};

/* The id of a task: the text stands in `space`. */
static struct slice scene_id(char space[TASK_ID_BYTES + 1], uint64_t task)
{
    int size =
        snprintf(space, TASK_ID_BYTES + 1, "task-%016llx", (unsigned long long)task);
    ENSURE(size == TASK_ID_BYTES);
    return slice_make(space, TASK_ID_BYTES);
}

static void scene_say(struct fleet *fleet, struct scene_agent agent,
                      const struct message *message)
{
    fleet_as_agent(fleet, agent.name, agent.link);
    fleet_do(fleet, message);
}

uint64_t scene_submit(struct fleet *fleet, struct message_post_task submission)
{
    struct message message = { .type = MESSAGE_POST_TASK, .as.post_task = submission };
    uint64_t number = 0;
    if (!slice_is_present(submission.description))
        message.as.post_task.description = SLICE_OF("sweep the yard");
    fleet_as_client(fleet, "submitter", ROLE_SUBMITTER);
    fleet_do(fleet, &message);
    const struct effect *answer = fleet_answer(fleet);
    ENSURE(answer != NULL && answer->message.type == MESSAGE_POST_TASK_ANSWER);
    ENSURE(task_id_parse(answer->message.as.post_task_answer.task_id, &number));
    return number;
}

uint64_t scene_submit_plain(struct fleet *fleet)
{
    return scene_submit(fleet, (struct message_post_task){ 0 });
}

void scene_identify(struct fleet *fleet, struct scene_agent agent, int64_t slots)
{
    fleet_identify(fleet, agent.name, agent.link, NULL, slots);
}

void scene_accepted(struct fleet *fleet, struct scene_agent agent, uint64_t task,
                    int64_t generation)
{
    char id[TASK_ID_BYTES + 1];
    struct message message = { .type = MESSAGE_TASK_ACCEPTED };
    message.as.task_accepted.task_id = scene_id(id, task);
    message.as.task_accepted.has_generation = generation != SCENE_NO_GENERATION;
    message.as.task_accepted.generation = generation;
    scene_say(fleet, agent, &message);
}

void scene_progress(struct fleet *fleet, struct scene_agent agent, uint64_t task,
                    int64_t generation)
{
    char id[TASK_ID_BYTES + 1];
    struct message message = { .type = MESSAGE_TASK_PROGRESS };
    message.as.task_progress = (struct message_task_progress){
        .task_id = scene_id(id, task),
        .has_generation = generation != SCENE_NO_GENERATION,
        .generation = generation,
        .has_progress = true,
        .progress = 40,
        .note = SLICE_OF("half way"),
    };
    scene_say(fleet, agent, &message);
}

void scene_complete(struct fleet *fleet, struct scene_agent agent, uint64_t task,
                    int64_t generation)
{
    char id[TASK_ID_BYTES + 1];
    struct message message = { .type = MESSAGE_TASK_COMPLETE };
    message.as.task_complete = (struct message_task_complete){
        .task_id = scene_id(id, task),
        .generation = generation,
        .result = SLICE_OF("{\"swept\": true}"),
        .has_tokens_used = true,
        .tokens_used = 12,
    };
    scene_say(fleet, agent, &message);
}

void scene_failed(struct fleet *fleet, struct scene_agent agent, uint64_t task,
                  int64_t generation)
{
    char id[TASK_ID_BYTES + 1];
    struct message message = { .type = MESSAGE_TASK_FAILED };
    message.as.task_failed.task_id = scene_id(id, task);
    message.as.task_failed.generation = generation;
    message.as.task_failed.error = SLICE_OF("no broom");
    scene_say(fleet, agent, &message);
}

void scene_renew(struct fleet *fleet, struct scene_agent agent, uint64_t task,
                 int64_t generation)
{
    char id[TASK_ID_BYTES + 1];
    struct message message = { .type = MESSAGE_LEASE_RENEW };
    message.as.lease_renew.task_id = scene_id(id, task);
    message.as.lease_renew.generation = generation;
    scene_say(fleet, agent, &message);
}

void scene_recovering(struct fleet *fleet, struct scene_agent agent, uint64_t task)
{
    char id[TASK_ID_BYTES + 1];
    struct message message = { .type = MESSAGE_TASK_RECOVERING };
    message.as.task_recovering.task_id = scene_id(id, task);
    scene_say(fleet, agent, &message);
}

void scene_stopped(struct fleet *fleet, struct scene_agent agent, uint64_t task,
                   int64_t generation)
{
    char id[TASK_ID_BYTES + 1];
    struct message message = { .type = MESSAGE_TASK_CANCELLED };
    message.as.task_cancelled.task_id = scene_id(id, task);
    message.as.task_cancelled.generation = generation;
    scene_say(fleet, agent, &message);
}

void scene_blocked(struct fleet *fleet, struct scene_agent agent, uint64_t task,
                   int64_t generation, const char *reason)
{
    char id[TASK_ID_BYTES + 1];
    struct message message = { .type = MESSAGE_TASK_BLOCKED };
    message.as.task_blocked.task_id = scene_id(id, task);
    message.as.task_blocked.generation = generation;
    message.as.task_blocked.reason = slice_from_text(reason);
    fleet_as_agent(fleet, agent.name, agent.link);
    fleet_do(fleet, &message);
}

void scene_unblocked(struct fleet *fleet, struct scene_agent agent, uint64_t task,
                     int64_t generation)
{
    char id[TASK_ID_BYTES + 1];
    struct message message = { .type = MESSAGE_TASK_UNBLOCKED };
    message.as.task_unblocked.task_id = scene_id(id, task);
    message.as.task_unblocked.generation = generation;
    fleet_as_agent(fleet, agent.name, agent.link);
    fleet_do(fleet, &message);
}

void scene_drain(struct fleet *fleet, struct scene_agent agent, bool on)
{
    struct message message = { .type = MESSAGE_AGENT_DRAIN };
    message.as.agent_drain.has_on = true;
    message.as.agent_drain.on = on;
    fleet_as_agent(fleet, agent.name, agent.link);
    fleet_do(fleet, &message);
}

void scene_operate_drain(struct fleet *fleet, const char *agent, bool on)
{
    struct message message = { .type = on ? MESSAGE_POST_AGENT_DRAIN
                                          : MESSAGE_POST_AGENT_RESUME };
    if (on)
        message.as.post_agent_drain.agent_id = slice_from_text(agent);
    else
        message.as.post_agent_resume.agent_id = slice_from_text(agent);
    fleet_as_client(fleet, "ops", ROLE_OPERATOR);
    fleet_do(fleet, &message);
}

void scene_ping(struct fleet *fleet, struct scene_agent agent)
{
    const struct message message = { .type = MESSAGE_PING };
    scene_say(fleet, agent, &message);
}

void scene_link_closed(struct fleet *fleet, uint64_t link)
{
    const struct message message = { .type = MESSAGE_LINK_CLOSED };
    fleet_as_hub(fleet);
    fleet->command.origin.link = link;
    fleet_do(fleet, &message);
}

void scene_hub_started(struct fleet *fleet)
{
    const struct message message = { .type = MESSAGE_HUB_STARTED };
    fleet_as_hub(fleet);
    fleet_do(fleet, &message);
}

void scene_cancel(struct fleet *fleet, uint64_t task)
{
    char id[TASK_ID_BYTES + 1];
    struct message message = { .type = MESSAGE_POST_TASK_CANCEL };
    message.as.post_task_cancel.task_id = scene_id(id, task);
    message.as.post_task_cancel.reason = SLICE_OF("no longer needed");
    fleet_as_client(fleet, "operator", ROLE_OPERATOR);
    fleet_do(fleet, &message);
}

void scene_retry(struct fleet *fleet, uint64_t task)
{
    char id[TASK_ID_BYTES + 1];
    struct message message = { .type = MESSAGE_POST_TASK_RETRY };
    message.as.post_task_retry.task_id = scene_id(id, task);
    fleet_as_client(fleet, "operator", ROLE_OPERATOR);
    fleet_do(fleet, &message);
}

void scene_wait(struct fleet *fleet, int64_t ms)
{
    fleet_pass(fleet, ms);
    fleet_settle(fleet);
    fleet_verify(fleet);
}

struct task scene_task(struct fleet *fleet, uint64_t number)
{
    struct task task;
    struct step step = fleet_step(fleet);
    ENSURE(task_load(&step, number, &task));
    return task;
}

struct agent scene_agent_row(struct fleet *fleet, struct scene_agent agent)
{
    struct agent row;
    struct step step = fleet_step(fleet);
    ENSURE(agent_load_id(&step, slice_from_text(agent.name), &row));
    return row;
}

uint64_t scene_assigned(struct fleet *fleet, uint64_t link)
{
    uint64_t number = 0;
    const struct message *message = fleet_sent(fleet, link, MESSAGE_TASK_ASSIGN);
    if (message != NULL)
        ENSURE(task_id_parse(message->as.task_assign.task_id, &number));
    return number;
}

/* A word as text, valid until the next call. */
static const char *word(struct slice slice)
{
    static char text[TEXT_ROOM];
    ENSURE(slice.size < sizeof text);
    if (slice.size > 0)
        memcpy(text, slice.data, slice.size);
    text[slice.size] = '\0';
    return text;
}

const char *scene_ack(const struct fleet *fleet, uint64_t link)
{
    const struct message *message = fleet_sent(fleet, link, MESSAGE_TASK_ACK);
    return message == NULL ? "" : word(message->as.task_ack.status);
}

const char *scene_error(const struct fleet *fleet, uint64_t link)
{
    const struct message *message = fleet_sent(fleet, link, MESSAGE_ERROR);
    return message == NULL ? "" : word(message->as.error.error);
}

const char *scene_http_error(const struct fleet *fleet)
{
    const struct effect *answer = fleet_answer(fleet);
    if (answer == NULL || answer->message.type != MESSAGE_HTTP_ERROR)
        return "";
    return word(answer->message.as.http_error.error);
}

const char *scene_history(struct fleet *fleet, uint64_t number)
{
    char text[TEXT_ROOM] = "";
    size_t size = 0;
    struct step step = fleet_step(fleet);
    struct task task = scene_task(fleet, number);
    struct task_history history;
    uint32_t position = task.history_next;
    while (task_history_walk(&step, &task, &position, &history)) {
        struct slice name = task_event_name(history.event);
        int added = snprintf(text + size, sizeof text - size, "%s%.*s",
                             size == 0 ? "" : " ", (int)name.size, name.data);
        ENSURE(added > 0 && (size_t)added < sizeof text - size);
        size += (size_t)added;
    }
    return word(slice_make(text, size));
}
