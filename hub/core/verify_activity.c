#include "core/verify.h"

#include "core/activity.h"

static void activity_row(struct verify *verify, struct slice key, struct slice value)
{
    struct packed_key packed;
    struct activity activity;
    struct agent agent;
    if (!activity_unpack(&verify->step, key, value, &activity))
        return;
    bool connected = agent_load_id(&verify->step, key, &agent) && agent.link != 0;
    verify_holds(verify, activity.connected == connected,
                 "an agent's activity and its presence disagree");
    struct buffer *gone = packed_key_start(&packed);
    pack_u64(gone, activity.gone_hour);
    buffer_append_slice(gone, key);
    verify_holds(verify,
                 step_has(&verify->step, TABLE_ACTIVITY_GONE, buffer_slice(gone)) ==
                     !activity.connected,
                 "the index of those who are gone disagrees");
    verify->gone += !activity.connected;
}

static void gone_row(struct verify *verify, struct slice key, struct slice value)
{
    (void)key;
    verify_mark(verify, value);
}

void verify_activity(struct verify *verify)
{
    uint64_t rows = verify_walk(verify, TABLE_ACTIVITY, activity_row);
    uint64_t gone = verify_walk(verify, TABLE_ACTIVITY_GONE, gone_row);
    if (verify->text != NULL)
        return;
    verify_holds(verify, gone == verify->gone, "somebody is called gone who is not");
    verify_holds(verify, rows == step_counter(&verify->step, COUNTER_ACTIVITIES),
                 "the count of those who were active is wrong");
    verify_holds(verify, activity_said_read(&verify->step),
                 "what was said to all cannot be read");
}
