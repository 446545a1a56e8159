/*
 * Goal: one subscriber is one name, however many addresses it was given.
 */
#include "gate/address.h"

#include "cmocka_all.h"

static void assert_same(const char *one, const char *other, bool same)
{
    struct in6_addr first;
    struct in6_addr second;
    assert_int_equal(slice_equal(address_network(slice_from_text(one), &first),
                                 address_network(slice_from_text(other), &second)),
                     same);
}

static void an_ipv6_address_counts_by_its_network(void **state)
{
    (void)state;
    assert_same("2001:db8:1:2::1", "2001:db8:1:2:ffff::1", true);
    assert_same("2001:db8:1:2::1", "2001:0DB8:1:2::2", true);
    assert_same("2001:db8:1:2::1", "2001:db8:1:3::1", false);
}

static void any_other_text_is_itself(void **state)
{
    (void)state;
    assert_same("10.0.0.1", "10.0.0.1", true);
    assert_same("10.0.0.1", "10.0.0.2", false);
    assert_same("", "", true);
    assert_same("", "10.0.0.1", false);
    assert_same("a name that is far too long to be the text of any address",
                "a name that is far too long to be the text of any address", true);
    assert_same("a name that is far too long to be the text of any address",
                "a name that is far too long to be the text of any addresz", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ipv6_address_counts_by_its_network),
        cmocka_unit_test(any_other_text_is_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
