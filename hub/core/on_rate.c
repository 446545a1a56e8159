#include "core/handlers.h"
#include "core/rate.h"
#include "core/refuse.h"

static bool name_is_good(struct step *step, struct slice name, enum error_code code,
                         struct slice field)
{
    if (rate_name_is_valid(name))
        return true;
    step_refuse_item(step, code, field, SLICE_OF("too_long"),
                     SLICE_OF("the name is empty, too long or has a NUL in it"));
    return false;
}

void on_put_rate_limit(struct step *step, const struct message_put_rate_limit *message)
{
    const struct message_rate_limit *said[RATE_TIERS] = {
        [RATE_LIGHT] = message->light,
        [RATE_NORMAL] = message->normal,
        [RATE_HEAVY] = message->heavy,
    };
    struct rate_override override = { 0 };
    for (int tier = 0; tier < RATE_TIERS; tier++) {
        if (said[tier] == NULL)
            continue;
        override.set[tier] = true;
        override.rates[tier] = (struct rate){ (uint32_t)said[tier]->capacity,
                                              (uint32_t)said[tier]->refill_rate_per_min };
    }
    if (!name_is_good(step, message->agent_id, ERROR_INVALID_OVERRIDES,
                      SLICE_OF("agent_id")))
        return;
    if (rate_override_is_empty(&override)) {
        step_refuse_item(step, ERROR_INVALID_OVERRIDES, SLICE_OF(""),
                         SLICE_OF("required"),
                         SLICE_OF("one of light, normal and heavy is required"));
        return;
    }
    if (!rate_override_put(step, message->agent_id, &override)) {
        step_refuse(step, ERROR_TOO_MANY_RATE_LIMITS);
        return;
    }
    struct message_rate_override *view = step_take(step, sizeof *view);
    if (view == NULL)
        return;
    *view =
        (struct message_rate_override){ message->light, message->normal, message->heavy };
    struct message answer = { .type = MESSAGE_PUT_RATE_LIMIT_ANSWER };
    answer.as.put_rate_limit_answer = (struct message_put_rate_limit_answer){
        .status = SLICE_OF("updated"),
        .agent_id = message->agent_id,
        .overrides = view,
    };
    step_answer(step, &answer, 0);
}

void on_delete_rate_limit(struct step *step,
                          const struct message_delete_rate_limit *message)
{
    if (!name_is_good(step, message->agent_id, ERROR_VALIDATION_FAILED,
                      SLICE_OF("agent_id")))
        return;
    rate_override_remove(step, message->agent_id);
    struct message answer = { .type = MESSAGE_DELETE_RATE_LIMIT_ANSWER };
    answer.as.delete_rate_limit_answer.status = SLICE_OF("removed");
    answer.as.delete_rate_limit_answer.agent_id = message->agent_id;
    step_answer(step, &answer, 0);
}

static bool list_has(const struct slice_list *list, struct slice name)
{
    for (size_t i = 0; i < list->count; i++)
        if (slice_equal(list->items[i], name))
            return true;
    return false;
}

/* Those who are not on the list any more; the schema bounds both. */
static void exempt_remove_others(struct step *step, const struct slice_list *list)
{
    struct slice name = SLICE_OF("");
    while (rate_exempt_next(step, name, &name))
        if (!list_has(list, name))
            rate_exempt_remove(step, name);
}

static struct slice_list exempt_list(struct step *step)
{
    struct slice_list list = { 0 };
    struct slice name = SLICE_OF("");
    list.items = step_take_many(step, RATE_EXEMPT_MAX, sizeof *list.items);
    while (list.items != NULL && list.count < RATE_EXEMPT_MAX &&
           rate_exempt_next(step, name, &name))
        list.items[list.count++] = name;
    return list;
}

void on_put_rate_whitelist(struct step *step,
                           const struct message_put_rate_whitelist *message)
{
    for (size_t i = 0; i < message->agent_ids.count; i++)
        if (!name_is_good(step, message->agent_ids.items[i], ERROR_INVALID_WHITELIST,
                          SLICE_OF("agent_ids")))
            return;
    exempt_remove_others(step, &message->agent_ids);
    for (size_t i = 0; i < message->agent_ids.count && !step_failed(step); i++)
        rate_exempt_put(step, message->agent_ids.items[i]);
    struct message answer = { .type = MESSAGE_PUT_RATE_WHITELIST_ANSWER };
    answer.as.put_rate_whitelist_answer.status = SLICE_OF("updated");
    answer.as.put_rate_whitelist_answer.whitelist = exempt_list(step);
    step_answer(step, &answer, 0);
}

void on_post_rate_whitelist(struct step *step,
                            const struct message_post_rate_whitelist *message)
{
    if (!name_is_good(step, message->agent_id, ERROR_INVALID_AGENT_ID,
                      SLICE_OF("agent_id")))
        return;
    if (!rate_exempt_put(step, message->agent_id)) {
        step_refuse(step, ERROR_TOO_MANY_RATE_LIMITS);
        return;
    }
    struct message answer = { .type = MESSAGE_POST_RATE_WHITELIST_ANSWER };
    answer.as.post_rate_whitelist_answer.status = SLICE_OF("added");
    answer.as.post_rate_whitelist_answer.agent_id = message->agent_id;
    step_answer(step, &answer, 0);
}

void on_delete_rate_whitelist(struct step *step,
                              const struct message_delete_rate_whitelist *message)
{
    if (!name_is_good(step, message->agent_id, ERROR_VALIDATION_FAILED,
                      SLICE_OF("agent_id")))
        return;
    rate_exempt_remove(step, message->agent_id);
    struct message answer = { .type = MESSAGE_DELETE_RATE_WHITELIST_ANSWER };
    answer.as.delete_rate_whitelist_answer.status = SLICE_OF("removed");
    answer.as.delete_rate_whitelist_answer.agent_id = message->agent_id;
    step_answer(step, &answer, 0);
}

/* Who is exempt by now went too far before it was. */
void on_rate_violated(struct step *step, const struct message_rate_violated *message)
{
    struct agent agent;
    if (rate_name_is_valid(message->agent_id) &&
        !step_has(step, TABLE_RATE_EXEMPT, message->agent_id) &&
        agent_load_id(step, message->agent_id, &agent))
        rate_hold_back(step, &agent, message->for_ms);
}
