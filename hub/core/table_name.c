#include "core/table_name.h"

#include "core/core.h"

/* AgentCom v1.1's files: all of what was in them is in our one. */
static const struct slice V11_TABLES[] = {
    SLICE("task_queue"),      SLICE("task_dead_letter"), SLICE("agent_mailbox"),
    SLICE("message_history"), SLICE("agent_channels"),   SLICE("channel_history"),
    SLICE("agentcom_config"), SLICE("thread_messages"),  SLICE("thread_replies"),
};

bool table_name_known(struct slice name)
{
    for (size_t i = 0; i < sizeof V11_TABLES / sizeof V11_TABLES[0]; i++)
        if (slice_equal(V11_TABLES[i], name))
            return true;
    for (unsigned i = 0; i < CORE_TABLE_COUNT; i++)
        if (slice_equal_text(name, CORE_TABLES[i]))
            return true;
    return false;
}
