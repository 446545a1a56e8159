/*
 * Goal: a mailbox holds what a small model of it holds, whatever is done in whatever
 * order.
 * Method: agents come and go, write to each other, publish and acknowledge at random,
 * from a fixed seed; mailboxes, histories and fan-outs are kept small. The tables are
 * verified all along.
 */
#include "core/scene.h"
#include "core/talk.h"

#include "cmocka_all.h"

enum {
    MODEL_NAMES = 5,
    MODEL_KEPT = 6,
    MODEL_ROUNDS = 4000,
};

/* What a mailbox should hold: sequences [first, last], and who is subscribed. */
struct model {
    int64_t first[MODEL_NAMES];
    int64_t last[MODEL_NAMES];
    bool here[MODEL_NAMES];
    bool joined[MODEL_NAMES];
};

static uint64_t random_state;

static size_t draw(size_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state % below);
}

static void model_put(struct model *model, size_t to)
{
    model->last[to]++;
    if (model->last[to] - model->first[to] + 1 > MODEL_KEPT)
        model->first[to]++;
}

static void model_act(struct fleet *fleet, struct model *model, const char *const *names)
{
    size_t who = draw(MODEL_NAMES);
    size_t other = draw(MODEL_NAMES);
    uint64_t link = 100 + who;
    switch (draw(6)) {
    case 0:
        if (!model->here[who])
            scene_identify(fleet, (struct scene_agent){ names[who], link }, 0);
        else
            scene_link_closed(fleet, link);
        model->here[who] = !model->here[who];
        break;
    case 1:
        talk_say(fleet, names[who], names[other], "{}", NULL);
        if (!model->here[other])
            model_put(model, other);
        break;
    case 2:
        talk_acknowledge(fleet, names[who], model->first[who]);
        if (model->first[who] <= model->last[who])
            model->first[who]++;
        break;
    case 3:
        talk_join(fleet, names[who], "general");
        model->joined[who] = true;
        break;
    default:
        talk_publish(fleet, names[who], "general");
        fleet_settle(fleet);
        for (size_t i = 0; i < MODEL_NAMES; i++) {
            if (i != who && model->joined[i] && !model->here[i])
                model_put(model, i);
        }
        break;
    }
}

static void mailboxes_are_those_of_a_small_model(void **state)
{
    (void)state;
    struct fleet space;
    struct fleet *fleet = &space;
    fleet_init(fleet);
    static const char *const names[MODEL_NAMES] = { "v", "w", "x", "y", "z" };
    struct model model = { .first = { 1, 1, 1, 1, 1 } };
    random_state = 0x9E3779B97F4A7C15;
    fleet->settings.mailbox_max = MODEL_KEPT;
    fleet->settings.messages_max = 20;
    fleet->settings.channel_messages_max = 7;
    fleet->settings.fanout_max = 2;
    talk_channel(fleet, "general");
    for (int round = 0; round < MODEL_ROUNDS; round++) {
        model_act(fleet, &model, names);
        size_t who = draw(MODEL_NAMES);
        const struct message_get_mailbox_answer *box = talk_mailbox(fleet, names[who], 0);
        assert_int_equal(box->count, model.last[who] - model.first[who] + 1);
        if (box->count > 0)
            assert_int_equal(talk_mail(box, 0)->seq, model.first[who]);
        if (round % 100 == 0)
            fleet_verify(fleet);
    }
    fleet_finish(fleet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mailboxes_are_those_of_a_small_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
