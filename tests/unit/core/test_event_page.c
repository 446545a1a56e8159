/*
 * Goal: a reader gets every event behind its place once and in order, or is told of a gap
 * and where the log goes on.
 * Method: places of all sorts on a log with two epochs and a beginning that retention
 * took.
 */
#include "cmocka_all.h"

#include "core/event_page.h"
#include "core/scene.h"

static const uint64_t FIRST = 1767225600000;
static const uint64_t SECOND = 1800000000000;

/* Events 1 to 10 are of the first epoch, 11 to 20 of the second. */
static int fleet_open(void **state)
{
    static struct fleet fleet;
    fleet_init(&fleet);
    scene_hub_started(&fleet);
    for (int i = 2; i <= 20; i++) {
        if (i == 11)
            assert_int_equal(core_epoch_start(memory_transaction(fleet.store), SECOND),
                             ERR_OK);
        scene_submit_plain(&fleet);
    }
    *state = &fleet;
    return 0;
}

static int fleet_close(void **state)
{
    fleet_verify(*state);
    fleet_finish(*state);
    return 0;
}

static void forget_to(struct fleet *fleet, uint64_t kept)
{
    fleet->settings.events_max = kept;
    scene_hub_started(fleet);
    fleet_settle(fleet);
    fleet->settings.events_max = 0;
}

/* In the fleet's arena. */
static struct event_page page_of(struct fleet *fleet, struct event_query query)
{
    struct step step = fleet_step(fleet);
    struct event_page page;
    if (query.limit == 0)
        query.limit = 100;
    arena_clear(&fleet->arena);
    assert_true(event_page(&step, &query, &page));
    assert_int_equal(step.err, ERR_OK);
    for (size_t i = 1; i < page.count; i++)
        assert_int_equal(page.events[i].sequence, page.events[i - 1].sequence + 1);
    return page;
}

static struct event_page page_at(struct fleet *fleet, uint64_t since, uint64_t epoch)
{
    return page_of(fleet, (struct event_query){ .has_since = true,
                                                .since = since,
                                                .has_epoch = epoch != 0,
                                                .epoch = epoch });
}

static void assert_goes_on(const struct event_page *page, int64_t from, const char *gap)
{
    assert_true(page->count > 0);
    assert_int_equal(page->events[0].sequence, from);
    if (gap == NULL) {
        assert_null(page->gap);
        return;
    }
    assert_non_null(page->gap);
    assert_true(slice_equal_text(page->gap->reason, gap));
}

static void a_place_that_the_log_knows_goes_on_behind_it(void **state)
{
    struct fleet *fleet = *state;
    struct event_page page = page_at(fleet, 0, FIRST);
    assert_goes_on(&page, 1, NULL);
    assert_int_equal(page.count, 20);
    assert_int_equal(page.last, 20);
    assert_int_equal(page.epoch, SECOND);
    assert_false(page.more);
    page = page_at(fleet, 7, FIRST);
    assert_goes_on(&page, 8, NULL);
    page = page_at(fleet, 10, FIRST);
    assert_goes_on(&page, 11, NULL);
    page = page_at(fleet, 11, SECOND);
    assert_goes_on(&page, 12, NULL);
    page = page_at(fleet, 19, 0);
    assert_goes_on(&page, 20, NULL);
    page = page_at(fleet, 20, SECOND);
    assert_int_equal(page.count, 0);
    assert_null(page.gap);
}

static void a_place_of_undone_events_goes_on_where_the_histories_part(void **state)
{
    struct fleet *fleet = *state;
    /* It has seen events 11 to 14 of the first epoch, which the restore undid. */
    struct event_page page = page_at(fleet, 14, FIRST);
    assert_goes_on(&page, 11, "restored");
    assert_int_equal(page.gap->oldest, 1);
    assert_int_equal(page.gap->epoch, SECOND);
    page = page_at(fleet, 400, FIRST);
    assert_goes_on(&page, 11, "restored");
    /* An epoch that there never was shares nothing. */
    page = page_at(fleet, 5, FIRST - 1);
    assert_goes_on(&page, 1, "restored");
    page = page_at(fleet, 15, SECOND + 1);
    assert_goes_on(&page, 1, "restored");
    page = page_at(fleet, 400, SECOND);
    assert_goes_on(&page, 1, "restored");
}

static void what_retention_took_is_a_gap_up_to_the_oldest(void **state)
{
    struct fleet *fleet = *state;
    forget_to(fleet, 5); /* 17 to 21 are left */
    struct event_page page = page_at(fleet, 3, FIRST);
    assert_goes_on(&page, 17, "expired");
    assert_int_equal(page.gap->oldest, 17);
    page = page_at(fleet, 16, SECOND); /* the last one taken: its epoch is remembered */
    assert_goes_on(&page, 17, NULL);
    page = page_at(fleet, 16, FIRST);
    assert_goes_on(&page, 17, "restored");
    /* Who names no place wants what there is. */
    page = page_of(fleet, (struct event_query){ .has_since = false });
    assert_goes_on(&page, 17, NULL);
}

static void a_filter_moves_the_place_on(void **state)
{
    struct fleet *fleet = *state;
    struct event_page page = page_of(
        fleet, (struct event_query){ .has_since = true, .kinds = SLICE_OF("hub") });
    assert_int_equal(page.count, 1);
    assert_int_equal(page.last, 20);
    page = page_of(fleet, (struct event_query){ .has_since = true,
                                                .since = 1,
                                                .kinds = SLICE_OF("hub_started,audit") });
    assert_int_equal(page.count, 0);
    assert_int_equal(page.last, 20);
    page = page_of(fleet, (struct event_query){ .has_since = true,
                                                .kinds = SLICE_OF("hub,task_submitted"),
                                                .limit = 4 });
    assert_int_equal(page.count, 4);
    assert_int_equal(page.last, 4);
    assert_int_equal(page.epoch, FIRST);
    assert_true(page.more);
}

static void the_end_is_a_place_as_well(void **state)
{
    struct fleet *fleet = *state;
    struct event_page page = page_of(fleet, (struct event_query){ .at_end = true });
    assert_int_equal(page.count, 0);
    assert_int_equal(page.last, 20);
    assert_int_equal(page.epoch, SECOND);
    assert_false(page.more);
    page = page_of(fleet, (struct event_query){ .at_end = true, .tail = 3 });
    assert_goes_on(&page, 18, NULL);
    assert_int_equal(page.count, 3);
    page = page_of(fleet, (struct event_query){ .at_end = true, .tail = 1000 });
    assert_int_equal(page.count, 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fleet_open, fleet_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_place_that_the_log_knows_goes_on_behind_it),
        TEST(a_place_of_undone_events_goes_on_where_the_histories_part),
        TEST(what_retention_took_is_a_gap_up_to_the_oldest),
        TEST(a_filter_moves_the_place_on),
        TEST(the_end_is_a_place_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
