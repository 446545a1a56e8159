/* Goal: a digest opens for its agent, until its time is over or it is taken away. */
#include "gate/keyring.h"

#include "cmocka_all.h"

static const uint8_t ONE[DIGEST_BYTES] = { 1 };
static const uint8_t TWO[DIGEST_BYTES] = { 2 };

static void an_agent_may_have_several_tokens(void **state)
{
    (void)state;
    struct keyring *keyring = keyring_create(16);

    assert_int_equal(keyring_add(keyring, ONE, SLICE_OF("ada"), ROLE_AGENT, 0), ERR_OK);
    assert_int_equal(keyring_add(keyring, TWO, SLICE_OF("ada"), ROLE_VIEWER, 0), ERR_OK);
    assert_true(slice_equal_text(keyring_find(keyring, ONE, 0)->actor, "ada"));
    assert_int_equal(keyring_find(keyring, TWO, 0)->role, ROLE_VIEWER);
    keyring_remove(keyring, ONE);
    assert_null(keyring_find(keyring, ONE, 0));
    assert_non_null(keyring_find(keyring, TWO, 0));
    keyring_destroy(keyring);
}

static void a_token_ends_with_its_time(void **state)
{
    (void)state;
    struct keyring *keyring = keyring_create(16);

    assert_int_equal(keyring_add(keyring, ONE, SLICE_OF("ada"), ROLE_AGENT, 1000),
                     ERR_OK);
    assert_non_null(keyring_find(keyring, ONE, 999));
    assert_null(keyring_find(keyring, ONE, 1000));
    keyring_destroy(keyring);
}

static void a_full_ring_takes_no_more_and_loses_nothing(void **state)
{
    (void)state;
    struct keyring *keyring = keyring_create(1);

    assert_int_equal(keyring_add(keyring, ONE, SLICE_OF("ada"), ROLE_AGENT, 0), ERR_OK);
    assert_int_equal(keyring_add(keyring, TWO, SLICE_OF("bob"), ROLE_AGENT, 0),
                     ERR_LIMIT);
    assert_int_equal(keyring_add(keyring, ONE, SLICE_OF("ada"), ROLE_ADMIN, 0), ERR_OK);
    assert_int_equal(keyring_find(keyring, ONE, 0)->role, ROLE_ADMIN);
    assert_int_equal(keyring_count(keyring), 1);
    keyring_destroy(keyring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_agent_may_have_several_tokens),
        cmocka_unit_test(a_token_ends_with_its_time),
        cmocka_unit_test(a_full_ring_takes_no_more_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
