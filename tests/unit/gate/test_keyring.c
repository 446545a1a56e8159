/* Goal: a digest opens for its agent, until its time is over or it is taken away. */
#include "gate/keyring.h"

#include "cmocka_all.h"

static const uint8_t ONE[DIGEST_BYTES] = { 1 };
static const uint8_t TWO[DIGEST_BYTES] = { 2 };

static enum err add(struct keyring *keyring, const uint8_t *digest, const char *actor,
                    uint32_t role, int64_t expires_ms)
{
    const struct key key = { .actor = slice_from_text(actor),
                             .role = role,
                             .scopes = SCOPES_ALL,
                             .expires_wall_ms = expires_ms };
    return keyring_add(keyring, digest, &key);
}

static void an_agent_may_have_several_tokens(void **state)
{
    (void)state;
    struct keyring *keyring = keyring_create(16);

    assert_int_equal(add(keyring, ONE, "ada", ROLE_AGENT, 0), ERR_OK);
    assert_int_equal(add(keyring, TWO, "ada", ROLE_VIEWER, 0), ERR_OK);
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

    assert_int_equal(add(keyring, ONE, "ada", ROLE_AGENT, 1000), ERR_OK);
    assert_non_null(keyring_find(keyring, ONE, 999));
    assert_null(keyring_find(keyring, ONE, 1000));
    keyring_destroy(keyring);
}

static void a_full_ring_takes_no_more_and_loses_nothing(void **state)
{
    (void)state;
    struct keyring *keyring = keyring_create(1);

    assert_int_equal(add(keyring, ONE, "ada", ROLE_AGENT, 0), ERR_OK);
    assert_int_equal(add(keyring, TWO, "bob", ROLE_AGENT, 0), ERR_LIMIT);
    assert_int_equal(add(keyring, ONE, "ada", ROLE_ADMIN, 0), ERR_OK);
    assert_int_equal(keyring_find(keyring, ONE, 0)->role, ROLE_ADMIN);
    assert_int_equal(keyring_count(keyring), 1);
    keyring_destroy(keyring);
}

static void a_use_is_told_once_in_a_while(void **state)
{
    (void)state;
    struct keyring *keyring = keyring_create(16);
    const int64_t now_ms = INT64_C(1) << 40;

    assert_false(keyring_use(keyring, ONE, now_ms));
    assert_int_equal(add(keyring, ONE, "ada", ROLE_AGENT, 0), ERR_OK);
    assert_true(keyring_use(keyring, ONE, now_ms));
    assert_false(keyring_use(keyring, ONE, now_ms));
    /* What the key may do changes, when it was used does not. */
    assert_int_equal(add(keyring, ONE, "ada", ROLE_AGENT, now_ms * 2), ERR_OK);
    assert_false(keyring_use(keyring, ONE, now_ms + USED_EVERY_MS - 1));
    assert_true(keyring_use(keyring, ONE, now_ms + USED_EVERY_MS));
    /* A clock that was set back is believed. */
    assert_true(keyring_use(keyring, ONE, now_ms));
    keyring_destroy(keyring);
}

static void a_key_that_is_not_told_again_leaves_the_ring(void **state)
{
    (void)state;
    struct keyring *keyring = keyring_create(16);

    assert_int_equal(add(keyring, ONE, "ada", ROLE_AGENT, 0), ERR_OK);
    assert_int_equal(add(keyring, TWO, "bob", ROLE_AGENT, 0), ERR_OK);
    assert_int_equal(keyring_sweep(keyring), 0);
    keyring_renew(keyring);
    assert_non_null(keyring_find(keyring, TWO, 0));
    assert_int_equal(add(keyring, ONE, "ada", ROLE_AGENT, 0), ERR_OK);
    assert_int_equal(keyring_sweep(keyring), 1);
    assert_non_null(keyring_find(keyring, ONE, 0));
    assert_null(keyring_find(keyring, TWO, 0));
    assert_int_equal(keyring_sweep(keyring), 0);
    keyring_destroy(keyring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_agent_may_have_several_tokens),
        cmocka_unit_test(a_token_ends_with_its_time),
        cmocka_unit_test(a_key_that_is_not_told_again_leaves_the_ring),
        cmocka_unit_test(a_use_is_told_once_in_a_while),
        cmocka_unit_test(a_full_ring_takes_no_more_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
