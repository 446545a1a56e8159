#include "gate/rates.h"

#include "base/ensure.h"
#include "gate/address.h"
#include "os/entropy.h"

#include <stdlib.h>
#include <string.h>

enum {
    RULES_MAX = 4096, /* the core allows less */
    ADDRESS_COLUMNS = 2048,
    CROWD_COLUMNS = 128,
    CROWD_KINDS = RATE_CHANNELS * RATE_TIERS,
};

static const struct slice TIER_NAMES[] = { SLICE("light"), SLICE("normal"),
                                           SLICE("heavy") };

struct rates *rates_create(const struct rates_options *options)
{
    struct siphash_key key;
    entropy_fill(&key, sizeof key);
    struct rates *rates = calloc(1, sizeof *rates);
    if (rates == NULL)
        return NULL;
    rates->options = *options;
    rates->rules = map_create(key, RULES_MAX);
    rates->subjects = subjects_create(options->subjects_max);
    rates->addresses = crowd_create(ADDRESS_COLUMNS, CROWD_KINDS);
    bool whole =
        rates->rules != NULL && rates->subjects != NULL && rates->addresses != NULL;
    for (int whose = RATE_AGENT; whose < RATE_CLASSES; whose++) {
        rates->crowds[whose] = crowd_create(CROWD_COLUMNS, CROWD_KINDS);
        whole = whole && rates->crowds[whose] != NULL;
    }
    if (!whole) {
        rates_destroy(rates);
        return NULL;
    }
    return rates;
}

void rates_destroy(struct rates *rates)
{
    if (rates == NULL)
        return;
    size_t position = 0;
    struct slice name;
    void *rule;
    while (rates->rules != NULL && map_next(rates->rules, &position, &name, &rule))
        free(rule);
    map_destroy(rates->rules);
    subjects_destroy(rates->subjects);
    crowd_destroy(rates->addresses);
    for (int whose = 0; whose < RATE_CLASSES; whose++)
        crowd_destroy(rates->crowds[whose]);
    free(rates);
}

enum err rates_forget(struct rates *rates)
{
    struct rates *fresh = rates_create(&rates->options);
    size_t position = 0;
    struct slice name;
    void *rule;
    if (fresh == NULL)
        return ERR_MEMORY;
    while (map_next(rates->rules, &position, &name, &rule))
        memset(((struct rate_rule *)rule)->meters, 0,
               sizeof((struct rate_rule *)rule)->meters);
    struct rates used = *rates;
    *rates = *fresh;
    *fresh = used;
    fresh->rules = rates->rules;
    rates->rules = used.rules;
    rates_destroy(fresh);
    return ERR_OK;
}

static enum rate_class class_of(const struct rate_asker *asker)
{
    if (asker->actor.size == 0)
        return RATE_ANYBODY;
    switch (asker->role) {
    case ROLE_SUBMITTER:
        return RATE_SUBMITTER;
    case ROLE_VIEWER:
        return RATE_VIEWER;
    case ROLE_OPERATOR:
    case ROLE_ENROL: /* who enrols a fleet does the work of an operator */
        return RATE_OPERATOR;
    case ROLE_ADMIN:
        return RATE_ADMIN;
    default:
        return RATE_AGENT;
    }
}

static bool tier_is_limited(enum message_tier tier, enum rate_tier *ret_tier)
{
    if (tier != TIER_LIGHT && tier != TIER_NORMAL && tier != TIER_HEAVY)
        return false;
    *ret_tier = (enum rate_tier)(tier - TIER_LIGHT);
    return true;
}

/* One bucket, wherever it stands: of a rule, of a subject, or shared. */
struct place {
    struct rate rate;
    struct meter *meter; /* NULL: shared */
    struct crowd *crowd;
    struct slice name;
    struct in6_addr space;
    uint32_t kind;
};

/* NULL for a name that shares: it goes on doing so until nothing it owes is lost. */
static struct subject *subject_of(struct rates *rates, enum rate_class whose,
                                  struct slice name, int64_t now_ms)
{
    int64_t window_ms = rates->options.window_ms;
    struct subject *subject = subjects_find(rates->subjects, whose, name);
    if (subject == NULL && crowd_is_fresh(rates->crowds[whose], name, window_ms, now_ms))
        subject = subjects_get(rates->subjects, whose, name, window_ms, now_ms);
    return subject;
}

static void place_find(struct rates *rates, const struct rate_asker *asker,
                       struct rate_rule *rule, enum rate_channel channel,
                       enum rate_tier tier, int64_t now_ms, struct place *place)
{
    enum rate_class whose = class_of(asker);
    *place = (struct place){
        .rate = rates->options.defaults.of[whose][tier],
        .name = asker->actor,
        .kind = (uint32_t)channel * RATE_TIERS + (uint32_t)tier,
    };
    if (whose == RATE_ANYBODY) {
        place->name = address_network(asker->address, &place->space);
        place->crowd = rates->addresses;
        return;
    }
    if (rule != NULL && rule->override.set[tier]) {
        place->rate = rule->override.rates[tier];
        place->meter = &rule->meters[channel][tier];
        return;
    }
    struct subject *subject = subject_of(rates, whose, asker->actor, now_ms);
    if (subject != NULL)
        place->meter = &subject->meters[channel][tier];
    else
        place->crowd = rates->crowds[whose];
}

static struct rate_rule *rule_of(const struct rates *rates,
                                 const struct rate_asker *asker)
{
    if (asker->actor.size == 0 || map_count(rates->rules) == 0)
        return NULL;
    return map_get(rates->rules, asker->actor);
}

struct rate_answer rates_take(struct rates *rates, const struct rate_asker *asker,
                              enum rate_channel channel, enum message_tier tier,
                              int64_t now_ms)
{
    struct rate_answer answer = { .word = METER_ALLOWED };
    struct place place;
    struct rate_rule *rule = rule_of(rates, asker);
    int64_t window_ms = rates->options.window_ms;

    /* The secret of the first administrator has no name, and is good once. */
    if (asker->role == ROLE_BOOTSTRAP || !tier_is_limited(tier, &answer.tier) ||
        (rule != NULL && rule->exempt))
        return answer;
    place_find(rates, asker, rule, channel, answer.tier, now_ms, &place);
    answer.limited = true;
    answer.rate = place.rate;
    const struct meter *meter = place.meter;
    if (place.meter != NULL)
        answer.word =
            meter_take(place.meter, place.rate, window_ms, now_ms, &answer.retry_ms);
    else
        answer.word = crowd_take(place.crowd, place.name, place.kind, place.rate,
                                 window_ms, now_ms, &answer.retry_ms, &meter);
    answer.remaining =
        answer.word == METER_ALLOWED ? meter_remaining(meter, place.rate, now_ms) : 0;
    answer.full_ms = meter_full_ms(meter, now_ms);
    if (answer.word == METER_VIOLATED)
        hour_add(&rates->violations, now_ms);
    return answer;
}

int64_t rates_wait_left_ms(const struct rates *rates, const struct rate_asker *asker,
                           enum rate_channel channel, enum message_tier tier,
                           int64_t now_ms)
{
    enum rate_tier limited;
    struct rate_rule *rule = rule_of(rates, asker);
    if (asker->actor.size == 0 || !tier_is_limited(tier, &limited) ||
        (rule != NULL && rule->exempt))
        return 0;
    if (rule != NULL && rule->override.set[limited])
        return meter_wait_left_ms(&rule->meters[channel][limited], now_ms);
    const struct subject *subject =
        subjects_find(rates->subjects, class_of(asker), asker->actor);
    return subject == NULL
               ? 0
               : meter_wait_left_ms(&subject->meters[channel][limited], now_ms);
}

void rates_block(struct rates *rates, const struct rate_asker *asker,
                 enum rate_channel channel, enum message_tier tier, int64_t now_ms)
{
    struct place place;
    enum rate_tier limited;
    struct rate_rule *rule = rule_of(rates, asker);
    if (!tier_is_limited(tier, &limited) || (rule != NULL && rule->exempt))
        return;
    place_find(rates, asker, rule, channel, limited, now_ms, &place);
    if (place.meter != NULL)
        meter_block(place.meter, place.rate, now_ms);
}

bool rates_is_exempt(const struct rates *rates, struct slice name)
{
    const struct rate_rule *rule = map_get(rates->rules, name);
    return rule != NULL && rule->exempt;
}

/* The rule to be written, its meters forgotten; NULL without memory or past the limit. */
static struct rate_rule *rule_begin(struct rates *rates, struct slice name, enum err *err)
{
    struct rate_rule *rule = map_get(rates->rules, name);
    *err = ERR_OK;
    if (rule == NULL) {
        rule = calloc(1, sizeof *rule);
        *err = rule == NULL ? ERR_MEMORY : map_put(rates->rules, name, rule, NULL);
        if (*err != ERR_OK) {
            free(rule);
            return NULL;
        }
    }
    for (int channel = 0; channel < RATE_CHANNELS; channel++)
        for (int tier = 0; tier < RATE_TIERS; tier++)
            rule->meters[channel][tier] = (struct meter){ 0 };
    subjects_forget(rates->subjects, name);
    return rule;
}

static void rule_end(struct rates *rates, struct slice name, const struct rate_rule *rule)
{
    if (!rule->exempt && rate_override_is_empty(&rule->override))
        free(map_remove(rates->rules, name));
}

enum err rates_override(struct rates *rates, struct slice name,
                        const struct rate_override *override)
{
    enum err err;
    struct rate_rule *rule = rule_begin(rates, name, &err);
    if (rule == NULL)
        return err;
    rule->override = *override;
    rule_end(rates, name, rule);
    return ERR_OK;
}

enum err rates_exempt(struct rates *rates, struct slice name, bool exempt)
{
    enum err err;
    struct rate_rule *rule = rule_begin(rates, name, &err);
    if (rule == NULL)
        return err;
    rule->exempt = exempt;
    rule_end(rates, name, rule);
    return ERR_OK;
}

struct slice rate_tier_name(enum rate_tier tier)
{
    ENSURE((size_t)tier < RATE_TIERS);
    return TIER_NAMES[tier];
}
