#include "core/agent.h"
#include "core/box.h"
#include "core/deadline.h"
#include "core/handlers.h"
#include "core/mailbox.h"
#include "core/presence.h"

enum {
    FRAME_MESSAGES_MAX = 100,
    READ_LIMIT_DEFAULT = 100,
};

/* A name without a mailbox has an empty one. */
static void page_of(struct step *step, struct slice id, uint64_t since, size_t limit,
                    size_t bytes_max, struct box_page *ret_page)
{
    struct box box = { .number = 0 };
    box_find(step, id, &box);
    box_read(step, box.number, since, limit, bytes_max, ret_page);
}

void mailbox_push(struct step *step, uint64_t since, bool has_epoch, uint64_t epoch)
{
    struct box_page page;
    struct message message = { .type = MESSAGE_MAILBOX };
    uint64_t own = step_epoch(step);
    page_of(step, step_actor(step), has_epoch && epoch != own ? 0 : since,
            FRAME_MESSAGES_MAX, BOX_FRAME_BYTES_MAX, &page);
    message.as.mailbox = (struct message_mailbox){
        .messages = page.messages,
        .last_seq = (int64_t)page.last,
        .count = (int64_t)page.messages.count,
        .more = page.more,
        .epoch = (int64_t)own,
    };
    step_send(step, step->command->origin.link, &message);
}

void on_mailbox_read(struct step *step, const struct message_mailbox_read *message)
{
    struct agent agent;
    if (presence_asker(step, &agent))
        mailbox_push(step, (uint64_t)message->since, message->has_epoch,
                     (uint64_t)message->epoch);
}

static void acknowledge(struct step *step, struct slice id, int64_t sequence)
{
    struct box box;
    if (box_find(step, id, &box))
        box_acknowledge(step, &box, (uint64_t)sequence);
}

void on_mailbox_ack(struct step *step, const struct message_mailbox_ack *message)
{
    struct agent agent;
    struct message acked = { .type = MESSAGE_MAILBOX_ACKED };
    if (!presence_asker(step, &agent))
        return;
    acknowledge(step, step_actor(step), message->seq);
    acked.as.mailbox_acked.up_to = message->seq;
    step_answer(step, &acked, 0);
}

/* One's own mailbox alone; an admin may look into any. */
static bool owner_is_asker(struct step *step, struct slice id)
{
    const struct command *command = step->command;
    if (slice_is_present(command->actor) && slice_equal(command->actor, id))
        return true;
    if (command->role == ROLE_ADMIN)
        return true;
    step_refuse(step, ERROR_UNAUTHORIZED);
    return false;
}

void on_get_mailbox(struct step *step, const struct message_get_mailbox *message)
{
    struct box_page page;
    struct message answer = { .type = MESSAGE_GET_MAILBOX_ANSWER };
    size_t limit = message->has_limit && message->limit > 0 ? (size_t)message->limit
                                                            : READ_LIMIT_DEFAULT;
    if (!owner_is_asker(step, message->agent_id))
        return;
    page_of(step, message->agent_id, (uint64_t)message->since,
            limit < BOX_LIMIT_MAX ? limit : BOX_LIMIT_MAX, BOX_PAGE_BYTES_MAX, &page);
    answer.as.get_mailbox_answer = (struct message_get_mailbox_answer){
        .agent_id = message->agent_id,
        .messages = page.messages,
        .last_seq = (int64_t)page.last,
        .count = (int64_t)page.messages.count,
        .more = page.more,
        .epoch = (int64_t)step_epoch(step),
    };
    step_answer(step, &answer, 0);
}

void on_post_mailbox_ack(struct step *step,
                         const struct message_post_mailbox_ack *message)
{
    struct message answer = { .type = MESSAGE_POST_MAILBOX_ACK_ANSWER };
    if (!owner_is_asker(step, message->agent_id))
        return;
    acknowledge(step, message->agent_id, message->seq);
    answer.as.post_mailbox_ack_answer.status = SLICE_OF("acked");
    answer.as.post_mailbox_ack_answer.up_to = message->seq;
    step_answer(step, &answer, 0);
}

static void sweep_start(struct step *step)
{
    deadline_add_number(step, CLOCK_FLEET, step->command->now_ms, DEADLINE_MAIL_SWEEP, 0);
}

void on_post_mailbox_evict(struct step *step,
                           const struct message_post_mailbox_evict *message)
{
    (void)message;
    struct message answer = { .type = MESSAGE_POST_MAILBOX_EVICT_ANSWER };
    sweep_start(step);
    answer.as.post_mailbox_evict_answer.status = SLICE_OF("eviction_triggered");
    step_answer(step, &answer, 0);
}

void on_get_mailbox_retention(struct step *step,
                              const struct message_get_mailbox_retention *message)
{
    (void)message;
    struct message answer = { .type = MESSAGE_GET_MAILBOX_RETENTION_ANSWER };
    answer.as.get_mailbox_retention_answer.mailbox_ttl_ms = box_ttl_ms(step);
    step_answer(step, &answer, 0);
}

void on_put_mailbox_retention(struct step *step,
                              const struct message_put_mailbox_retention *message)
{
    struct message answer = { .type = MESSAGE_PUT_MAILBOX_RETENTION_ANSWER };
    step_counter_put(step, COUNTER_MAIL_TTL_MS, (uint64_t)message->mailbox_ttl_ms);
    sweep_start(step);
    answer.as.put_mailbox_retention_answer.mailbox_ttl_ms = message->mailbox_ttl_ms;
    answer.as.put_mailbox_retention_answer.status = SLICE_OF("updated");
    step_answer(step, &answer, 0);
}
