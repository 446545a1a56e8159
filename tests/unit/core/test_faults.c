/*
 * Goal: whatever call of the store fails, in whatever command, the command fails with
 * that error, nothing is half done, and it can be tried again. The same story always
 * leaves the same bytes.
 * Method: the long story, with every call of every command failing once before it is
 * let through.
 */
#include "core/story.h"

#include "base/ensure.h"

#include "cmocka_all.h"

static uint64_t faults; /* tried in all */
static bool seen[MESSAGE_COUNT];

static void assert_unchanged(struct fleet *fleet, const struct memory_store *before)
{
    ENSURE(memory_store_equal(before, fleet->store));
}

static void fail_at_every_call(struct fleet *fleet, const struct message *message,
                               enum err injected)
{
    struct memory_store *before = memory_store_copy(fleet->store);
    struct command command = fleet->command;
    for (uint64_t call = 1;; call++) {
        struct memory_store *untouched = fleet->store;
        fleet->store = memory_store_copy(before);
        memory_fail_at(fleet->store, call, injected);
        fleet->command = command;
        enum err err = fleet_try(fleet, message);
        if (err != ERR_OK) {
            ENSURE(err == injected);
            assert_unchanged(fleet, before);
        }
        memory_store_destroy(fleet->store);
        fleet->store = untouched;
        if (err == ERR_OK)
            break;
        faults++;
    }
    fleet->command = command;
    memory_store_destroy(before);
}

static void fail_for_memory(struct fleet *fleet, const struct message *message)
{
    struct memory_store *before = memory_store_copy(fleet->store);
    struct command command = fleet->command;
    size_t bytes_max = fleet->arena.bytes_max;
    arena_finish(&fleet->arena);
    arena_init(&fleet->arena, 0);
    enum err err = fleet_try(fleet, message);
    ENSURE(err == ERR_MEMORY || (err == ERR_OK && fleet->effects.count == 0));
    if (err != ERR_OK)
        assert_unchanged(fleet, before);
    memory_store_destroy(fleet->store);
    fleet->store = before;
    fleet->command = command;
    arena_finish(&fleet->arena);
    arena_init(&fleet->arena, bytes_max);
}

static void before_each(struct fleet *fleet, const struct message *message)
{
    seen[message->type] = true;
    fail_at_every_call(fleet, message, ERR_IO);
    fail_for_memory(fleet, message);
}

static void every_call_of_every_command_may_fail(void **state)
{
    (void)state;
    struct fleet fleet;
    struct fleet smooth;
    fleet_init(&fleet);
    fleet_init(&smooth);
    fleet.before = before_each;
    story_tell(&fleet);
    story_tell(&smooth);
    fleet_verify(&fleet);
    assert_true(faults > 1000);

    /* The faults have left no trace. */
    assert_true(memory_store_equal(fleet.store, smooth.store));
    fleet_finish(&fleet);
    fleet_finish(&smooth);
}

static void the_story_has_every_command(void **state)
{
    (void)state;
#define ROW(NAME, name) assert_true(seen[MESSAGE_##NAME]);
    MESSAGE_COMMANDS(ROW)
#undef ROW
}

static void a_full_map_is_told_as_such(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    struct message message = { .type = MESSAGE_POST_TASK };
    message.as.post_task.description = SLICE_OF("x");
    fleet_as_client(&fleet, "submitter", ROLE_SUBMITTER);
    fail_at_every_call(&fleet, &message, ERR_MAP_FULL);
    fleet_finish(&fleet);
}

static void the_same_story_leaves_the_same_bytes(void **state)
{
    (void)state;
    struct fleet one;
    struct fleet other;
    fleet_init(&one);
    fleet_init(&other);
    story_tell(&one);
    story_tell(&other);
    assert_true(memory_store_equal(one.store, other.store));
    assert_int_equal(one.effects.count, other.effects.count);
    fleet_finish(&one);
    fleet_finish(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_of_every_command_may_fail),
        cmocka_unit_test(the_story_has_every_command),
        cmocka_unit_test(a_full_map_is_told_as_such),
        cmocka_unit_test(the_same_story_leaves_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
