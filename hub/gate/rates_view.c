#include "gate/rates.h"

#include "wire/wire.h"

#include <stdlib.h>
#include <string.h>

enum {
    SHOWN_MAX = 1000,
    OFFENDERS_MAX = 3,
    NAME_BYTES_MAX = 512,
    /* Every rule's name with each of its bytes escaped, and its numbers. */
    RULE_BYTES_MAX = NAME_BYTES_MAX * 6 + 256,
    ARENA_BYTES_MAX = 16 * 1024 * 1024,
};

static const struct slice CLASS_NAMES[] = {
    [RATE_ANYBODY] = SLICE("anybody"),     [RATE_AGENT] = SLICE("agent"),
    [RATE_SUBMITTER] = SLICE("submitter"), [RATE_VIEWER] = SLICE("viewer"),
    [RATE_OPERATOR] = SLICE("operator"),   [RATE_ADMIN] = SLICE("admin"),
};

struct named_rule {
    struct slice name;
    const struct rate_rule *rule;
};

static int compare(const void *one, const void *other)
{
    return slice_compare(((const struct named_rule *)one)->name,
                         ((const struct named_rule *)other)->name);
}

/* All rules in the order of their names. */
static struct named_rule *rules_sorted(const struct rates *rates, struct arena *arena,
                                       size_t *ret_count)
{
    size_t count = 0;
    size_t position = 0;
    void *rule;
    struct named_rule *sorted =
        arena_take_many(arena, map_count(rates->rules) + 1, sizeof *sorted);
    *ret_count = 0;
    if (sorted == NULL)
        return NULL;
    while (map_next(rates->rules, &position, &sorted[count].name, &rule))
        sorted[count++].rule = rule;
    qsort(sorted, count, sizeof *sorted, compare);
    *ret_count = count;
    return sorted;
}

static struct slice_list exempt_of(const struct rates *rates, struct arena *arena)
{
    size_t count;
    struct slice_list list = { 0 };
    const struct named_rule *sorted = rules_sorted(rates, arena, &count);
    list.items = arena_take_many(arena, count + 1, sizeof *list.items);
    for (size_t i = 0; list.items != NULL && i < count; i++)
        if (sorted[i].rule->exempt)
            list.items[list.count++] = sorted[i].name;
    return list;
}

static struct message_rate_limits *limits_of(const struct rate rates[RATE_TIERS],
                                             struct arena *arena)
{
    struct message_rate_limits *limits = arena_take(arena, sizeof *limits);
    struct message_rate_limit *each = arena_take_many(arena, RATE_TIERS, sizeof *each);
    if (limits == NULL || each == NULL)
        return NULL;
    for (int tier = 0; tier < RATE_TIERS; tier++)
        each[tier] =
            (struct message_rate_limit){ rates[tier].capacity, rates[tier].per_minute };
    *limits = (struct message_rate_limits){ &each[RATE_LIGHT], &each[RATE_NORMAL],
                                            &each[RATE_HEAVY] };
    return limits;
}

static void write_override(struct json_writer *writer,
                           const struct rate_override *override)
{
    json_object_begin(writer);
    for (int tier = 0; tier < RATE_TIERS; tier++) {
        if (!override->set[tier])
            continue;
        json_key(writer, rate_tier_name((enum rate_tier)tier));
        json_object_begin(writer);
        json_key_text(writer, "capacity");
        json_u64(writer, override->rates[tier].capacity);
        json_key_text(writer, "refill_rate_per_min");
        json_u64(writer, override->rates[tier].per_minute);
        json_object_end(writer);
    }
    json_object_end(writer);
}

/* An object with the names as its members. */
static struct slice overrides_of(const struct rates *rates, struct arena *arena)
{
    size_t count;
    struct buffer text;
    struct json_writer writer;
    const struct named_rule *sorted = rules_sorted(rates, arena, &count);
    buffer_init(&text, (count + 1) * RULE_BYTES_MAX);
    json_writer_init(&writer, &text);
    json_object_begin(&writer);
    for (size_t i = 0; i < count; i++) {
        if (rate_override_is_empty(&sorted[i].rule->override))
            continue;
        json_key(&writer, sorted[i].name);
        write_override(&writer, &sorted[i].rule->override);
    }
    json_object_end(&writer);
    struct slice overrides = buffer_failed(&text)
                                 ? (struct slice){ 0 }
                                 : arena_copy(arena, buffer_slice(&text));
    buffer_finish(&text);
    return overrides;
}

static void render(const struct message *message, struct arena *arena,
                   struct buffer *buffer)
{
    if (arena_failed(arena))
        buffer->failed = true;
    else
        wire_render(message, buffer);
    arena_finish(arena);
}

void rates_render_limits(const struct rates *rates, struct buffer *buffer)
{
    struct arena arena;
    arena_init(&arena, ARENA_BYTES_MAX);
    const struct rate_defaults *defaults = &rates->options.defaults;
    struct message_rate_limits *of[RATE_CLASSES];
    for (int whose = 0; whose < RATE_CLASSES; whose++)
        of[whose] = limits_of(defaults->of[whose], &arena);
    struct message_get_rate_limits_answer_role_defaults roles = {
        of[RATE_ANYBODY], of[RATE_AGENT],    of[RATE_SUBMITTER],
        of[RATE_VIEWER],  of[RATE_OPERATOR], of[RATE_ADMIN],
    };
    struct message message = { .type = MESSAGE_GET_RATE_LIMITS_ANSWER };
    message.as.get_rate_limits_answer = (struct message_get_rate_limits_answer){
        .defaults = roles.agent,
        .overrides = overrides_of(rates, &arena),
        .whitelist = exempt_of(rates, &arena),
        .role_defaults = &roles,
    };
    if (!slice_is_present(message.as.get_rate_limits_answer.overrides))
        buffer->failed = true;
    render(&message, &arena, buffer);
}

void rates_render_exempt(const struct rates *rates, struct buffer *buffer)
{
    struct arena arena;
    arena_init(&arena, ARENA_BYTES_MAX);
    struct message message = { .type = MESSAGE_GET_RATE_WHITELIST_ANSWER };
    message.as.get_rate_whitelist_answer.whitelist = exempt_of(rates, &arena);
    render(&message, &arena, buffer);
}

/* One look at everybody. */
struct look {
    const struct rates *rates;
    int64_t now_ms;
    struct arena *arena;
    struct message_rate_subject *items;
    size_t count;
    bool more;
    int64_t limited;
    struct message_rate_offender offenders[OFFENDERS_MAX];
    size_t offender_count;
};

/* Who is looked at: by its entry, by its rule, or by both. */
struct seen {
    struct slice name;
    enum rate_class whose;
    const struct subject *subject;
    const struct rate_rule *rule;
};

static const struct meter *meter_of(const struct seen *seen, int channel, int tier)
{
    static const struct meter untouched = { 0 };
    if (seen->rule != NULL && seen->rule->override.set[tier])
        return &seen->rule->meters[channel][tier];
    return seen->subject != NULL ? &seen->subject->meters[channel][tier] : &untouched;
}

static struct rate rate_of(const struct look *look, const struct seen *seen, int tier)
{
    return seen->rule != NULL && seen->rule->override.set[tier]
               ? seen->rule->override.rates[tier]
               : look->rates->options.defaults.of[seen->whose][tier];
}

static struct message_rate_usages *usages_of(const struct look *look,
                                             const struct seen *seen, int channel)
{
    struct message_rate_usages *usages = arena_take(look->arena, sizeof *usages);
    struct message_rate_usage *each =
        arena_take_many(look->arena, RATE_TIERS, sizeof *each);
    if (usages == NULL || each == NULL)
        return NULL;
    for (int tier = 0; tier < RATE_TIERS; tier++) {
        struct rate rate = rate_of(look, seen, tier);
        int64_t remaining =
            meter_remaining(meter_of(seen, channel, tier), rate, look->now_ms);
        each[tier] = (struct message_rate_usage){
            .remaining = remaining,
            .capacity = rate.capacity,
            .usage_pct = (rate.capacity - remaining) * 100 / rate.capacity,
        };
    }
    *usages = (struct message_rate_usages){ &each[RATE_LIGHT], &each[RATE_NORMAL],
                                            &each[RATE_HEAVY] };
    return usages;
}

static bool seen_is_limited(const struct look *look, const struct seen *seen,
                            struct message_rate_violations *ret_violations)
{
    bool limited = false;
    *ret_violations = (struct message_rate_violations){ 0 };
    for (int channel = 0; channel < RATE_CHANNELS; channel++)
        for (int tier = 0; tier < RATE_TIERS; tier++) {
            const struct meter *meter = meter_of(seen, channel, tier);
            uint32_t count =
                meter_violations(meter, look->rates->options.window_ms, look->now_ms);
            limited |= meter_wait_left_ms(meter, look->now_ms) > 0;
            ret_violations->total_in_window += count;
            if (count > ret_violations->consecutive)
                ret_violations->consecutive = count;
        }
    return limited;
}

/* Keeps the worst, the worst first. */
static void offender_add(struct look *look, struct slice name, int64_t violations)
{
    struct message_rate_offender offender = { name, violations };
    if (violations == 0)
        return;
    for (size_t i = 0; i < OFFENDERS_MAX; i++) {
        if (i == look->offender_count) {
            look->offenders[look->offender_count++] = offender;
            return;
        }
        if (offender.violations > look->offenders[i].violations) {
            struct message_rate_offender pushed = look->offenders[i];
            look->offenders[i] = offender;
            offender = pushed;
        }
    }
}

static void show(struct look *look, const struct seen *seen, bool limited_only)
{
    struct message_rate_violations violations;
    bool limited = seen_is_limited(look, seen, &violations);
    if (limited_only) {
        look->limited += limited;
        offender_add(look, seen->name, violations.total_in_window);
    }
    if (limited != limited_only)
        return;
    if (look->count == SHOWN_MAX) {
        look->more = true;
        return;
    }
    struct message_rate_violations *kept = arena_take(look->arena, sizeof *kept);
    if (kept == NULL)
        return;
    *kept = violations;
    look->items[look->count++] = (struct message_rate_subject){
        .agent_id = seen->name,
        .role = CLASS_NAMES[seen->whose],
        .ws = usages_of(look, seen, RATE_SOCKET),
        .http = usages_of(look, seen, RATE_HTTP),
        .violations = kept,
        .rate_limited = limited,
        .exempt = seen->rule != NULL && seen->rule->exempt,
    };
}

static bool is_subject(const struct rates *rates, struct slice name)
{
    for (int whose = RATE_AGENT; whose < RATE_CLASSES; whose++)
        if (subjects_find(rates->subjects, (enum rate_class)whose, name) != NULL)
            return true;
    return false;
}

static void show_all(struct look *look, bool limited_only)
{
    const struct rates *rates = look->rates;
    const struct subject *subject;
    uint32_t place = 0;
    size_t position = 0;
    struct seen seen;
    void *rule;
    while ((subject = subjects_next(rates->subjects, &place)) != NULL) {
        seen = (struct seen){ subject_name(subject), subject->whose, subject,
                              map_get(rates->rules, subject_name(subject)) };
        show(look, &seen, limited_only);
    }
    while (map_next(rates->rules, &position, &seen.name, &rule)) {
        if (is_subject(rates, seen.name))
            continue;
        seen.whose = RATE_AGENT;
        seen.subject = NULL;
        seen.rule = rule;
        show(look, &seen, limited_only);
    }
}

static int64_t exempt_count(const struct rates *rates)
{
    size_t position = 0;
    struct slice name;
    void *rule;
    int64_t count = 0;
    while (map_next(rates->rules, &position, &name, &rule))
        count += ((const struct rate_rule *)rule)->exempt;
    return count;
}

void rates_render_usage(const struct rates *rates, int64_t now_ms, struct buffer *buffer)
{
    struct arena arena;
    arena_init(&arena, ARENA_BYTES_MAX);
    struct look look = { .rates = rates, .now_ms = now_ms, .arena = &arena };
    struct message message = { .type = MESSAGE_GET_RATE_USAGE_ANSWER };
    look.items = arena_take_many(&arena, SHOWN_MAX, sizeof *look.items);
    if (look.items != NULL) {
        show_all(&look, true);
        show_all(&look, false);
    }
    message.as.get_rate_usage_answer = (struct message_get_rate_usage_answer){
        .agents = { look.items, look.count },
        .more = look.more,
        .total_violations_1h = (int64_t)hour_total(&rates->violations, now_ms),
        .active_rate_limited = look.limited,
        .exempt_count = exempt_count(rates),
        .top_offenders = { look.offenders, look.offender_count },
    };
    render(&message, &arena, buffer);
}
