#include "core/config.h"

#include "core/blob.h"

enum {
    HEARTBEAT_MS_DEFAULT = 900000, /* what AgentCom v1.1 answers until it is set */
    HEARTBEAT_MS_TOLD_MIN = 1000,
};

int64_t config_heartbeat_ms(struct step *step)
{
    uint64_t set_ms = step_counter(step, COUNTER_HEARTBEAT_MS);
    return set_ms == 0 || set_ms > INT64_MAX ? HEARTBEAT_MS_DEFAULT : (int64_t)set_ms;
}

int64_t config_heartbeat_told_ms(struct step *step)
{
    int64_t heartbeat_ms = config_heartbeat_ms(step);
    int64_t most_ms = step->settings->heartbeat_max_ms;
    if (heartbeat_ms < HEARTBEAT_MS_TOLD_MIN)
        heartbeat_ms = HEARTBEAT_MS_TOLD_MIN;
    return heartbeat_ms < most_ms ? heartbeat_ms : most_ms;
}

struct slice config_default_repo(struct step *step)
{
    return blob_get(step, CONFIG_DEFAULT_REPO, BLOB_CONFIG);
}
