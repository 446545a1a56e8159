/*
 * Goal: everybody has what is due to it and no more, however many names there are.
 * Method: a room of a few places, virtual time, and a slow model beside it.
 */
#include "gate/limit.h"
#include "gate/rates.h"

#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

enum {
    PLACES = 16,
    NAMES = 64,
    STEPS = 200000,
    SLOW_MS = 6000, /* for one token of a heavy bucket */
};

static struct rates *rates;

static int begin(void **state)
{
    (void)state;
    struct limits limits;
    limits_init(&limits);
    limits.rates.subjects_max = PLACES;
    rates = rates_create(&limits.rates);
    return rates == NULL;
}

static int end(void **state)
{
    (void)state;
    rates_destroy(rates);
    return 0;
}

static struct rate_answer ask(const char *name, uint32_t role, enum rate_channel channel,
                              enum message_tier tier, int64_t now_ms)
{
    struct rate_asker asker = { slice_from_text(name), role, SLICE_OF("10.0.0.1") };
    return rates_take(rates, &asker, channel, tier, now_ms);
}

static int allowed(const char *name, uint32_t role, enum rate_channel channel,
                   enum message_tier tier, int64_t now_ms)
{
    int count = 0;
    while (count < 100000 && ask(name, role, channel, tier, now_ms).word == METER_ALLOWED)
        count++;
    return count;
}

static void an_agent_has_v11s_numbers_on_either_channel(void **state)
{
    (void)state;
    for (int channel = 0; channel < RATE_CHANNELS; channel++) {
        enum rate_channel on = (enum rate_channel)channel;
        assert_int_equal(allowed("ada", ROLE_AGENT, on, TIER_LIGHT, 0), 120);
        assert_int_equal(allowed("ada", ROLE_AGENT, on, TIER_NORMAL, 0), 60);
        assert_int_equal(allowed("ada", ROLE_AGENT, on, TIER_HEAVY, 0), 10);
    }
}

static void tiers_without_a_limit_ask_nobody(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_false(ask("ada", ROLE_AGENT, RATE_HTTP, TIER_NONE, 0).limited);
        assert_false(ask("ada", ROLE_AGENT, RATE_SOCKET, TIER_REPORT, 0).limited);
    }
}

static void each_role_has_numbers_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(allowed("ada", ROLE_SUBMITTER, RATE_HTTP, TIER_HEAVY, 0), 60000);
    assert_int_equal(allowed("ada", ROLE_VIEWER, RATE_HTTP, TIER_HEAVY, 0), 60);
    assert_int_equal(allowed("ada", ROLE_OPERATOR, RATE_HTTP, TIER_HEAVY, 0), 6000);
    assert_int_equal(allowed("ada", ROLE_ADMIN, RATE_HTTP, TIER_HEAVY, 0), 6000);
    assert_int_equal(allowed("ada", ROLE_AGENT, RATE_HTTP, TIER_HEAVY, 0), 10);
}

static void whoever_has_no_name_counts_by_its_network(void **state)
{
    (void)state;
    struct rate_asker asker = { .role = ROLE_ANYBODY,
                                .address = SLICE_OF("2001:db8:1:2::1") };
    for (int i = 0; i < 10; i++)
        assert_int_equal(rates_take(rates, &asker, RATE_HTTP, TIER_HEAVY, 0).word,
                         METER_ALLOWED);
    asker.address = SLICE_OF("2001:db8:1:2:ffff::9");
    assert_int_equal(rates_take(rates, &asker, RATE_HTTP, TIER_HEAVY, 0).word,
                     METER_VIOLATED);
    asker.address = SLICE_OF("2001:db8:1:3::1");
    assert_int_equal(rates_take(rates, &asker, RATE_HTTP, TIER_HEAVY, 0).word,
                     METER_ALLOWED);
}

static void numbers_of_its_own_are_in_force_at_once_and_start_full(void **state)
{
    (void)state;
    struct rate_override override = { .set[RATE_HEAVY] = true,
                                      .rates[RATE_HEAVY] = { 3, 60 } };
    allowed("ada", ROLE_AGENT, RATE_HTTP, TIER_HEAVY, 0);
    assert_int_equal(rates_override(rates, SLICE_OF("ada"), &override), ERR_OK);
    assert_int_equal(allowed("ada", ROLE_AGENT, RATE_HTTP, TIER_HEAVY, 0), 3);
    assert_int_equal(allowed("ada", ROLE_AGENT, RATE_SOCKET, TIER_HEAVY, 0), 3);
    assert_int_equal(allowed("ada", ROLE_AGENT, RATE_HTTP, TIER_NORMAL, 0), 60);
    assert_int_equal(rates_override(rates, SLICE_OF("ada"), &(struct rate_override){ 0 }),
                     ERR_OK);
    assert_int_equal(allowed("ada", ROLE_AGENT, RATE_HTTP, TIER_HEAVY, 0), 10);
    assert_int_equal(map_count(rates->rules), 0);
}

static void who_is_exempt_has_no_limits_until_it_has_them_again(void **state)
{
    (void)state;
    allowed("ada", ROLE_AGENT, RATE_HTTP, TIER_HEAVY, 0);
    assert_int_equal(rates_exempt(rates, SLICE_OF("ada"), true), ERR_OK);
    assert_int_equal(allowed("ada", ROLE_AGENT, RATE_HTTP, TIER_HEAVY, 0), 100000);
    assert_false(ask("ada", ROLE_AGENT, RATE_HTTP, TIER_HEAVY, 0).limited);
    assert_int_equal(rates_exempt(rates, SLICE_OF("ada"), false), ERR_OK);
    assert_int_equal(allowed("ada", ROLE_AGENT, RATE_HTTP, TIER_HEAVY, 0), 10);
    assert_int_equal(map_count(rates->rules), 0);
}

static void a_crowd_of_names_refills_nobody(void **state)
{
    (void)state;
    char name[32];
    assert_int_equal(allowed("ada", ROLE_AGENT, RATE_HTTP, TIER_HEAVY, 0), 10);
    for (int i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "crowd-%d", i);
        ask(name, ROLE_AGENT, RATE_HTTP, TIER_HEAVY, 0);
    }
    assert_int_equal(allowed("ada", ROLE_AGENT, RATE_HTTP, TIER_HEAVY, 0), 0);
}

static void names_whose_buckets_are_full_make_way(void **state)
{
    (void)state;
    char name[32];
    for (int i = 0; i < 10 * PLACES; i++) {
        snprintf(name, sizeof name, "now-and-then-%d", i);
        assert_int_equal(
            ask(name, ROLE_AGENT, RATE_HTTP, TIER_HEAVY, i * SLOW_MS).remaining, 9);
        struct slice text = slice_from_text(name);
        assert_non_null(subjects_find(rates->subjects, RATE_AGENT, text));
    }
}

static uint32_t random_next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* What a bucket lets through in a time, from full on. */
static int64_t due(int64_t elapsed_ms)
{
    return 10 + elapsed_ms / SLOW_MS;
}

/* A greedy name asks without rest and lets others crowd the room in between; they ask as
 * they like. */
static void no_crowd_gives_anybody_more_than_its_due(void **state)
{
    (void)state;
    char name[32];
    uint32_t random = 4711;
    int64_t now_ms = 0;
    int64_t greedy = 0;
    int64_t others[NAMES] = { 0 };
    for (int i = 0; i < STEPS; i++) {
        now_ms += random_next(&random) % 100;
        greedy += ask("greedy", ROLE_AGENT, RATE_SOCKET, TIER_HEAVY, now_ms).word ==
                  METER_ALLOWED;
        for (uint32_t n = random_next(&random) % 8; n > 0; n--) {
            uint32_t who = random_next(&random) % NAMES;
            snprintf(name, sizeof name, "other-%u", who);
            others[who] += ask(name, ROLE_AGENT, RATE_SOCKET, TIER_HEAVY, now_ms).word ==
                           METER_ALLOWED;
        }
    }
    assert_true(greedy <= due(now_ms));
    /* Of two shared buckets the one may let through what the other does not. */
    for (int who = 0; who < NAMES; who++)
        assert_true(others[who] <= 2 * due(now_ms));
}

static void a_table_without_room_shares_and_never_grows(void **state)
{
    (void)state;
    char name[32];
    uint32_t position = 0;
    int count = 0;
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "busy-%d", i);
        ask(name, ROLE_AGENT, RATE_SOCKET, TIER_HEAVY, 0);
    }
    while (subjects_next(rates->subjects, &position) != NULL)
        count++;
    assert_int_equal(count, PLACES);
}

static void the_figures_name_who_went_too_far(void **state)
{
    (void)state;
    struct buffer text;
    buffer_init(&text, 1 << 20);
    allowed("ada", ROLE_AGENT, RATE_HTTP, TIER_HEAVY, 0);
    ask("bob", ROLE_AGENT, RATE_SOCKET, TIER_LIGHT, 0);
    rates_exempt(rates, SLICE_OF("cy"), true);
    rates_render_usage(rates, 0, &text);
    assert_false(buffer_failed(&text));
    static const char *const PARTS[] = {
        "\"agents\":[{\"agent_id\":\"ada\",\"role\":\"agent\",",
        "\"heavy\":{\"remaining\":0,\"capacity\":10,\"usage_pct\":100}",
        "\"violations\":{\"consecutive\":1,\"total_in_window\":1},\"rate_limited\":true",
        "\"light\":{\"remaining\":119,\"capacity\":120,\"usage_pct\":0}",
        "\"exempt\":true",
        "\"total_violations_1h\":1,\"active_rate_limited\":1,\"exempt_count\":1",
        "\"top_offenders\":[{\"agent_id\":\"ada\",\"violations\":1}]",
    };
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++)
        if (memmem(text.data, text.size, PARTS[i], strlen(PARTS[i])) == NULL)
            fail_msg("%s is not in %.*s", PARTS[i], (int)text.size, text.data);
    buffer_finish(&text);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(an_agent_has_v11s_numbers_on_either_channel),
        CASE(tiers_without_a_limit_ask_nobody),
        CASE(each_role_has_numbers_of_its_own),
        CASE(whoever_has_no_name_counts_by_its_network),
        CASE(numbers_of_its_own_are_in_force_at_once_and_start_full),
        CASE(who_is_exempt_has_no_limits_until_it_has_them_again),
        CASE(a_crowd_of_names_refills_nobody),
        CASE(names_whose_buckets_are_full_make_way),
        CASE(no_crowd_gives_anybody_more_than_its_due),
        CASE(a_table_without_room_shares_and_never_grows),
        CASE(the_figures_name_who_went_too_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
