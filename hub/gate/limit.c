#include "gate/limit.h"

#include "base/ensure.h"
#include "gate/gate.h"
#include "os/counter.h"

enum {
    WARNING_SHARE = 5, /* less than one part in so many left */
    FLOOD_MS = 10 * 1000,
    STRANGER_REFUSALS_MAX = 32,
    REPORTS_PER_TASK = 16,
    TASK_REPORTS_MAX = 1 << 20,
    SUBJECTS_MAX = 8192,
};

static const enum setting SETTINGS[RATE_CLASSES][RATE_TIERS] = {
    [RATE_ANYBODY] = { SETTING_RATE_ANYBODY_LIGHT, SETTING_RATE_ANYBODY_NORMAL,
                       SETTING_RATE_ANYBODY_HEAVY },
    [RATE_AGENT] = { SETTING_RATE_AGENT_LIGHT, SETTING_RATE_AGENT_NORMAL,
                     SETTING_RATE_AGENT_HEAVY },
    [RATE_SUBMITTER] = { SETTING_RATE_SUBMITTER_LIGHT, SETTING_RATE_SUBMITTER_NORMAL,
                         SETTING_RATE_SUBMITTER_HEAVY },
    [RATE_VIEWER] = { SETTING_RATE_VIEWER_LIGHT, SETTING_RATE_VIEWER_NORMAL,
                      SETTING_RATE_VIEWER_HEAVY },
    [RATE_OPERATOR] = { SETTING_RATE_OPERATOR_LIGHT, SETTING_RATE_OPERATOR_NORMAL,
                        SETTING_RATE_OPERATOR_HEAVY },
    [RATE_ADMIN] = { SETTING_RATE_ADMIN_LIGHT, SETTING_RATE_ADMIN_NORMAL,
                     SETTING_RATE_ADMIN_HEAVY },
};

static uint32_t number_of(int64_t (*number)(const void *, enum setting), const void *from,
                          enum setting setting)
{
    int64_t found = number(from, setting);
    ENSURE(found > 0 && found <= UINT32_MAX);
    return (uint32_t)found;
}

void limits_read(struct limits *limits, int64_t (*number)(const void *, enum setting),
                 const void *from)
{
    for (int whose = 0; whose < RATE_CLASSES; whose++)
        for (int tier = 0; tier < RATE_TIERS; tier++) {
            uint32_t rate = number_of(number, from, SETTINGS[whose][tier]);
            limits->rates.defaults.of[whose][tier] = (struct rate){ rate, rate };
        }
    limits->rates.window_ms = number(from, SETTING_RATE_WINDOW_MS);
    limits->rates.subjects_max = SUBJECTS_MAX;
    uint32_t reports = number_of(number, from, SETTING_RATE_REPORTS);
    limits->reports = (struct rate){ reports, reports };
    limits->refusals_max = number_of(number, from, SETTING_RATE_REFUSALS_MAX);
}

static int64_t fallback_of(const void *unused, enum setting setting)
{
    int64_t number = 0;
    (void)unused;
    ENSURE(slice_parse_i64(SETTING_ROWS[setting].fallback, &number));
    return number;
}

void limits_init(struct limits *limits)
{
    limits_read(limits, fallback_of, NULL);
}

/* The core leaves who goes too far out of the line: only agents stand in it. */
static struct envelope *word_for_core(struct gate *gate, const struct rate_asker *asker)
{
    struct envelope *envelope =
        asker->role == ROLE_AGENT ? gate_envelope(gate, 0, SLICE_OF("")) : NULL;
    if (envelope == NULL)
        return NULL;
    envelope->role = ROLE_HUB;
    envelope->message.type = MESSAGE_RATE_VIOLATED;
    envelope->message.as.rate_violated = (struct message_rate_violated){
        .agent_id = arena_copy(&envelope->arena, asker->actor),
        .for_ms = gate->options.limits.rates.window_ms,
    };
    if (!arena_failed(&envelope->arena))
        return envelope;
    envelope_destroy(envelope);
    return NULL;
}

static void refuse_frame(struct gate *gate, const struct limit_frame *frame,
                         struct slice tier, int64_t retry_ms, struct verdict *verdict)
{
    struct message message = { .type = MESSAGE_RATE_LIMITED };
    counter_add(COUNTER_RATE_REFUSED, 1);
    message.as.rate_limited = (struct message_rate_limited){
        .retry_after_ms = retry_ms,
        .tier = tier,
        .message_type = frame->message_type,
        .request_id = frame->request_id,
    };
    gate_answer(gate, &message, 0, verdict);
    verdict->retry_after_ms = retry_ms;
}

/* Who goes on asking whatever it is told is closed, and kept out for a while. */
static void count_refusal(struct gate *gate, struct allowance *allowance,
                          const struct rate_asker *asker, struct gate_time now,
                          struct verdict *verdict)
{
    if (allowance->refused == 0 ||
        now.monotonic_ms - allowance->refused_since_ms >= FLOOD_MS) {
        allowance->refused = 0;
        allowance->refused_since_ms = now.monotonic_ms;
    }
    if (++allowance->refused < gate->options.limits.refusals_max)
        return;
    counter_add(COUNTER_LINKS_FLOODING, 1);
    rates_block(gate->rates, asker, RATE_SOCKET, TIER_HEAVY, now.monotonic_ms);
    verdict->close = CLOSE_RATE;
}

static void warn(struct gate *gate, const struct rate_answer *answer,
                 struct verdict *verdict)
{
    struct message message = { .type = MESSAGE_RATE_LIMIT_WARNING };
    if ((uint64_t)answer->remaining * WARNING_SHARE >= answer->rate.capacity)
        return;
    message.as.rate_limit_warning = (struct message_rate_limit_warning){
        .tier = rate_tier_name(answer->tier),
        .remaining = answer->remaining,
        .capacity = answer->rate.capacity,
    };
    gate_notice(gate, &message, verdict);
}

static void count_report(struct gate *gate, struct allowance *allowance,
                         const struct rate_asker *asker, struct gate_time now,
                         struct verdict *verdict)
{
    struct rate rate = gate->options.limits.reports;
    int64_t retry_ms = 0;
    if (allowance->task_reports > 0) {
        allowance->task_reports--;
        return;
    }
    if (allowance->reports.rate.per_minute == 0)
        bucket_init(&allowance->reports,
                    (struct bucket_rate){ rate.capacity, rate.per_minute },
                    now.monotonic_ms);
    if (!bucket_take(&allowance->reports, now.monotonic_ms, &retry_ms) &&
        !rates_is_exempt(gate->rates, asker->actor))
        verdict->pause_ms = retry_ms;
}

bool limit_frame(struct gate *gate, struct allowance *allowance,
                 const struct rate_asker *asker, const struct limit_frame *frame,
                 struct gate_time now, struct verdict *verdict)
{
    if (frame->tier == TIER_REPORT) {
        count_report(gate, allowance, asker, now, verdict);
        return true;
    }
    struct rate_answer answer =
        rates_take(gate->rates, asker, RATE_SOCKET, frame->tier, now.monotonic_ms);
    if (answer.word == METER_ALLOWED) {
        if (answer.limited)
            warn(gate, &answer, verdict);
        return true;
    }
    refuse_frame(gate, frame, rate_tier_name(answer.tier), answer.retry_ms, verdict);
    count_refusal(gate, allowance, asker, now, verdict);
    if (answer.word == METER_VIOLATED)
        verdict->word = word_for_core(gate, asker);
    return false;
}

bool limit_first_identify(struct gate *gate, const struct rate_asker *asker,
                          struct gate_time now, struct verdict *verdict)
{
    static const struct limit_frame frame = { TIER_HEAVY, SLICE("identify"), { 0 } };
    int64_t left_ms =
        rates_wait_left_ms(gate->rates, asker, RATE_SOCKET, TIER_HEAVY, now.monotonic_ms);
    if (left_ms == 0)
        return true;
    refuse_frame(gate, &frame, rate_tier_name(RATE_HEAVY), left_ms, verdict);
    verdict->close = CLOSE_RATE;
    return false;
}

void limit_stranger(struct allowance *allowance, struct verdict *verdict)
{
    if (++allowance->refused < STRANGER_REFUSALS_MAX || verdict->close != CLOSE_NONE)
        return;
    counter_add(COUNTER_LINKS_FLOODING, 1);
    verdict->close = CLOSE_RATE;
}

void limit_task_given(struct allowance *allowance)
{
    if (allowance->task_reports <= TASK_REPORTS_MAX - REPORTS_PER_TASK)
        allowance->task_reports += REPORTS_PER_TASK;
}

bool limit_request(struct gate *gate, const struct rate_asker *asker,
                   enum message_tier tier, struct gate_time now,
                   struct rate_answer *ret_answer, struct verdict *verdict)
{
    *ret_answer = rates_take(gate->rates, asker, RATE_HTTP, tier, now.monotonic_ms);
    if (ret_answer->word == METER_ALLOWED)
        return true;
    gate_refuse_rate(gate, ret_answer->retry_ms, rate_tier_name(ret_answer->tier),
                     verdict);
    if (ret_answer->word == METER_VIOLATED)
        verdict->word = word_for_core(gate, asker);
    return false;
}
