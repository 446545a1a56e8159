#include "core/settings.h"

#include <stddef.h>
#include <string.h>

struct number {
    size_t offset;
    size_t size;
};

#define NUMBER(name)                                                                     \
    {                                                                                    \
        offsetof(struct core_settings, name), sizeof(((struct core_settings *)0)->name)  \
    }

/* All but `digest` and `judge`. */
static const struct number NUMBERS[] = {
    NUMBER(acceptance_ms),
    NUMBER(lease_ms),
    NUMBER(reconnect_grace_ms),
    NUMBER(retry_delay_ms),
    NUMBER(idempotency_ms),
    NUMBER(attempts_default),
    NUMBER(attempts_max),
    NUMBER(history_max),
    NUMBER(presence_events_agents_max),
    NUMBER(tasks_open_max),
    NUMBER(capability_sets_max),
    NUMBER(lane_passes_max),
    NUMBER(messages_max),
    NUMBER(mailbox_max),
    NUMBER(mailboxes_max),
    NUMBER(channel_messages_max),
    NUMBER(channels_max),
    NUMBER(fanout_max),
    NUMBER(mailbox_ttl_ms),
    NUMBER(backup_interval_ms),
    NUMBER(compaction_interval_ms),
    NUMBER(scrub_interval_ms),
    NUMBER(schemas_max),
    NUMBER(schema_versions_max),
    NUMBER(schema_payloads_checked),
    NUMBER(schema_steps_max),
    NUMBER(heartbeat_max_ms),
    NUMBER(activities_max),
    NUMBER(events_max),
    NUMBER(events_ttl_ms),
    NUMBER(event_classes),
    NUMBER(presence_subscribers_max),
    NUMBER(presence_interval_ms),
    NUMBER(completed_ttl_ms),
    NUMBER(cancelled_ttl_ms),
    NUMBER(dead_letter_ttl_ms),
    NUMBER(finished_tasks_max),
};

enum { NUMBER_COUNT = sizeof NUMBERS / sizeof NUMBERS[0] };

void core_settings_pack(const struct core_settings *settings, struct buffer *buffer)
{
    pack_u32(buffer, NUMBER_COUNT);
    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        const char *member = (const char *)settings + NUMBERS[i].offset;
        uint32_t narrow;
        uint64_t wide;
        if (NUMBERS[i].size == sizeof narrow) {
            memcpy(&narrow, member, sizeof narrow);
            wide = narrow;
        } else {
            memcpy(&wide, member, sizeof wide);
        }
        pack_u64(buffer, wide);
    }
}

bool core_settings_unpack(struct slice packed, struct core_settings *settings)
{
    struct core_settings numbers = *settings;
    struct unpack unpack = unpack_start(packed);
    if (unpack_u32(&unpack) != NUMBER_COUNT)
        return false;
    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        char *member = (char *)&numbers + NUMBERS[i].offset;
        uint64_t wide = unpack_u64(&unpack);
        uint32_t narrow = (uint32_t)wide;
        if (NUMBERS[i].size == sizeof wide)
            memcpy(member, &wide, sizeof wide);
        else if (narrow == wide)
            memcpy(member, &narrow, sizeof narrow);
        else
            return false;
    }
    if (!unpack_done(&unpack))
        return false;
    *settings = numbers;
    return true;
}
