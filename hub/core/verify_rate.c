#include "core/rate.h"
#include "core/verify.h"

static bool rate_is_sound(struct rate rate)
{
    return rate.capacity > 0 && rate.capacity <= RATE_CAPACITY_MAX &&
           rate.per_minute > 0 && rate.per_minute <= RATE_CAPACITY_MAX;
}

static void override_row(struct verify *verify, struct slice key, struct slice value)
{
    struct rate_override override;
    (void)value;
    if (!rate_override_load(&verify->step, key, &override)) {
        verify_broken(verify, "a limit's name is misshapen");
        return;
    }
    verify_holds(verify, !rate_override_is_empty(&override), "a limit limits nothing");
    for (int tier = 0; tier < RATE_TIERS; tier++)
        verify_holds(verify, !override.set[tier] || rate_is_sound(override.rates[tier]),
                     "a limit is out of range");
}

static void exempt_row(struct verify *verify, struct slice key, struct slice value)
{
    verify_mark(verify, value);
    verify_holds(verify, rate_name_is_valid(key), "a name without limits is misshapen");
}

void verify_rates(struct verify *verify)
{
    uint64_t overrides = verify_walk(verify, TABLE_RATE, override_row);
    uint64_t exempt = verify_walk(verify, TABLE_RATE_EXEMPT, exempt_row);
    if (verify->text == NULL)
        verify_holds(verify,
                     overrides == step_counter(&verify->step, COUNTER_RATE_OVERRIDES) &&
                         exempt == step_counter(&verify->step, COUNTER_RATE_EXEMPT),
                     "the count of limits is wrong");
}
