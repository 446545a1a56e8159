#include "core/activity.h"
#include "core/config.h"
#include "core/deadline.h"
#include "core/feed.h"
#include "core/handlers.h"
#include "core/hold.h"
#include "core/mailbox.h"
#include "core/match.h"
#include "core/presence.h"
#include "core/set.h"

static bool identity_is_good(struct step *step, const struct message_identify *message)
{
    struct slice actor = step->command->actor;
    if (!slice_is_present(actor)) {
        step_refuse(step, ERROR_INVALID_TOKEN);
        return false;
    }
    if (!slice_equal(actor, message->agent_id)) {
        step_refuse(step, ERROR_TOKEN_AGENT_MISMATCH);
        return false;
    }
    if (message->agent_id.size == 0 || message->agent_id.size > AGENT_ID_BYTES_MAX) {
        step_refuse_field(step, SLICE_OF("agent_id"), SLICE_OF("too_long"),
                          SLICE_OF("too many bytes"));
        return false;
    }
    return true;
}

/* What the agent can do, as a set; refuses when there are too many sets. */
static bool abilities_read(struct step *step, const struct message_identify *message,
                           uint64_t *ret_set)
{
    struct set set;
    set_make(step, message->capabilities, &set);
    if (!set_fits(&set)) {
        step_refuse_field(step, SLICE_OF("capabilities"), SLICE_OF("too_long"),
                          SLICE_OF("their names are too long together"));
        return false;
    }
    if (set_intern(step, &set, ret_set))
        return true;
    if (!step_failed(step))
        step_refuse(step, ERROR_UNAVAILABLE);
    return false;
}

/* The socket may have spoken for another agent until now. */
static void link_free(struct step *step, uint64_t link, struct slice id)
{
    struct agent other;
    uint64_t number;
    uint64_t own = 0;
    if (!presence_of_link(step, link, &number))
        return;
    agent_number(step, id, &own);
    if (number != own && agent_load(step, number, &other))
        presence_leave(step, &other);
}

/* The newest connection wins. */
static void link_take(struct step *step, struct agent *agent)
{
    struct number_key key;
    uint64_t link = step->command->origin.link;
    if (agent->link == link)
        return;
    if (agent->link != 0) {
        feed_unsubscribe(step, agent->link);
        step_remove(step, TABLE_LINK, key_one(&key, agent->link));
        step_close(step, agent->link, CLOSE_SESSION_REPLACED);
        agent->drains &= (uint8_t)~DRAIN_AGENT;
    } else {
        step_put_mark(step, TABLE_CONNECTED, key_one(&key, agent->number));
        step_counter_move(step, COUNTER_CONNECTED, 1);
    }
    step_put_number(step, TABLE_LINK, key_one(&key, link), agent->number);
    agent->link = link;
}

static void grace_end(struct step *step, struct agent *agent)
{
    if (agent->grace_until_ms == 0)
        return;
    deadline_remove_number(step, CLOCK_FLEET, agent->grace_until_ms, DEADLINE_GRACE,
                           agent->number);
    agent->grace_until_ms = 0;
}

static struct agent_profile profile_of(const struct message_identify *message)
{
    return (struct agent_profile){
        .id = message->agent_id,
        .name = slice_is_present(message->name) ? message->name : message->agent_id,
        .status =
            slice_is_present(message->status) ? message->status : SLICE_OF("connected"),
        .capabilities = message->capabilities,
    };
}

/* A task it has not accepted may never have reached it; one that was cancelled in its
 * absence it has not heard of. For what it works on it speaks itself. */
static void held_remind(struct step *step, const struct agent *agent, uint64_t number)
{
    struct task task;
    if (!task_load(step, number, &task)) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    if (task.state == TASK_CANCELLED)
        hold_tell_to_stop(step, &task, agent, SLICE_OF("cancelled"));
    if (task.state != TASK_ASSIGNED)
        return;
    hold_wait_for_acceptance(step, &task);
    task_save(step, &task);
    if (match_is_spent(step))
        deadline_add_number(step, CLOCK_FLEET, match_later_ms(step), DEADLINE_RESEND,
                            number);
    else
        hold_offer(step, &task, agent);
}

static void held_remind_all(struct step *step, const struct agent *agent)
{
    uint64_t number = 0;
    while (agent_next_held(step, agent->number, number, &number)) {
        held_remind(step, agent, number);
        number++;
    }
}

static void answer_identified(struct step *step, const struct agent *agent,
                              struct slice id)
{
    struct message message = { .type = MESSAGE_IDENTIFIED };
    message.as.identified = (struct message_identified){
        .agent_id = id,
        .lease_ms = step->settings->lease_ms,
        .has_lease_ms = true,
        .reconnect_grace_ms = step->settings->reconnect_grace_ms,
        .has_reconnect_grace_ms = true,
        .heartbeat_interval_ms = config_heartbeat_told_ms(step),
        .has_heartbeat_interval_ms = true,
        .draining = agent->drains != 0,
        .has_draining = agent->drains != 0,
    };
    step_bind(step, agent->link);
    step_answer(step, &message, 0);
}

void on_identify(struct step *step, const struct message_identify *message)
{
    struct agent agent;
    uint64_t set;
    uint64_t link = step->command->origin.link;
    if (link == 0 || !identity_is_good(step, message) ||
        !abilities_read(step, message, &set))
        return;

    link_free(step, link, message->agent_id);
    if (!agent_load_id(step, message->agent_id, &agent))
        agent_create(step, message->agent_id, &agent);
    bool was_connected = agent.link != 0;
    bool same_link = agent.link == link;

    agent_leave_line(step, &agent);
    set_release(step, agent.set);
    agent.set = set;
    agent.slots = message->has_max_concurrent ? (uint32_t)message->max_concurrent : 1;
    agent.unresponsive = false;
    agent.connected_ms = step->command->wall_ms;
    agent.changed_ms = step->command->wall_ms;
    grace_end(step, &agent);
    link_take(step, &agent);
    struct agent_profile profile = profile_of(message);
    agent_profile_save(step, agent.number, &profile);
    feed_touch(step, agent.number);
    agent_save(step, &agent);
    if (!same_link)
        activity_connected(step, message->agent_id);

    answer_identified(step, &agent, message->agent_id);
    if (!was_connected) {
        presence_log_joined(step, &agent, &profile);
        presence_tell_joined(step, &agent);
    }
    if (!same_link)
        held_remind_all(step, &agent);
    if (message->mailbox)
        mailbox_push(step, (uint64_t)message->mailbox_since, message->has_mailbox_epoch,
                     (uint64_t)message->mailbox_epoch);
    match_agent(step, agent.number);
}
