/*
 * Goal: the judge says the same however much it has forgotten, and is bounded.
 * Method: small schemas under numbers, judged before and after others took their place.
 */
#include "engine/judge.h"

#include "cmocka_all.h"

#include <string.h>

enum { STEPS = 1000 };

static struct judge *judge;
static struct judge_problem problem;

static int begin(void **state)
{
    (void)state;
    judge = judge_create(STEPS);
    return judge == NULL;
}

static int end(void **state)
{
    (void)state;
    judge_destroy(judge);
    return 0;
}

static enum err learn(uint64_t number, const char *text)
{
    return judge->methods->learn(judge, number, slice_from_text(text), &problem);
}

static struct judge_verdict verdict_on(uint64_t number, const char *payload)
{
    struct judge_verdict verdict;
    assert_int_equal(
        judge->methods->judge(judge, number, slice_from_text(payload), &verdict), ERR_OK);
    return verdict;
}

static void a_flaw_is_named_with_its_place_and_keyword(void **state)
{
    (void)state;
    assert_int_equal(learn(1, "{\"properties\":{\"a/b\":{\"type\":\"integer\"}}}"),
                     ERR_OK);
    assert_int_equal(verdict_on(1, "{\"a/b\":1}").judgement, JUDGED_VALID);
    struct judge_verdict verdict = verdict_on(1, "{\"a/b\":\"x\"}");
    assert_int_equal(verdict.judgement, JUDGED_INVALID);
    assert_int_equal(verdict.count, 1);
    assert_true(slice_equal_text(verdict.flaws[0].pointer, "/a~1b"));
    assert_true(slice_equal_text(verdict.flaws[0].keyword, "type"));
}

static void a_number_that_is_learnt_again_stands_for_the_new_text(void **state)
{
    (void)state;
    assert_int_equal(learn(JUDGE_CANDIDATE, "true"), ERR_OK);
    assert_int_equal(verdict_on(JUDGE_CANDIDATE, "1").judgement, JUDGED_VALID);
    assert_int_equal(learn(JUDGE_CANDIDATE, "false"), ERR_OK);
    assert_int_equal(verdict_on(JUDGE_CANDIDATE, "1").judgement, JUDGED_INVALID);
    assert_int_equal(learn(JUDGE_CANDIDATE, "{\"type\":1}"), ERR_INVALID);
    assert_false(judge->methods->knows(judge, JUDGE_CANDIDATE));
}

static void the_schema_used_longest_ago_goes_first(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= JUDGE_KEPT_MAX; i++)
        assert_int_equal(learn(i, "true"), ERR_OK);
    verdict_on(1, "{}");
    assert_int_equal(learn(1000, "true"), ERR_OK);
    assert_true(judge->methods->knows(judge, 1));
    assert_false(judge->methods->knows(judge, 2));
    assert_true(judge->methods->knows(judge, 1000));
    judge_forget(judge);
    assert_false(judge->methods->knows(judge, 1));
}

static void what_costs_too_much_is_no_verdict(void **state)
{
    (void)state;
    static char payload[8000];
    assert_int_equal(learn(1, "{\"items\":{\"allOf\":[{},{},{\"type\":\"integer\"}]}}"),
                     ERR_OK);
    memset(payload, '[', 1);
    for (size_t i = 0; i < 3000; i++)
        memcpy(payload + 1 + 2 * i, "0,", 2);
    memcpy(payload + 6001, "0]", 3);
    struct judge_verdict verdict = verdict_on(1, payload);
    assert_int_equal(verdict.judgement, JUDGED_TOO_COMPLEX);
    assert_int_equal(verdict.count, 0);
    assert_int_equal(verdict_on(1, "[0,1]").judgement, JUDGED_VALID);
}

static void what_is_too_large_or_points_elsewhere_is_not_taken(void **state)
{
    (void)state;
    static char many[3 * (JUDGE_NODES_MAX + 10)] = "{\"enum\":[0";
    size_t size = strlen(many);
    for (size_t i = 0; i < JUDGE_NODES_MAX; i++, size += 2)
        memcpy(many + size, ",0", 2);
    memcpy(many + size, "]}", 3);
    assert_int_equal(learn(1, many), ERR_LIMIT);
    assert_true(problem.reason[0] != '\0');
    assert_int_equal(learn(1, "{\"$ref\":\"http://127.0.0.1/s.json\"}"), ERR_INVALID);
    assert_int_equal(learn(1, "{\"minimun\":1}"), ERR_INVALID);
    assert_int_equal(learn(1, "{\"format\":\"colour\"}"), ERR_INVALID);
    assert_int_equal(learn(1, "{\"x-colour\":1,\"format\":\"date\"}"), ERR_OK);
    assert_int_equal(verdict_on(1, "\"2026-02-30\"").judgement, JUDGED_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_flaw_is_named_with_its_place_and_keyword, begin,
                                        end),
        cmocka_unit_test_setup_teardown(
            a_number_that_is_learnt_again_stands_for_the_new_text, begin, end),
        cmocka_unit_test_setup_teardown(the_schema_used_longest_ago_goes_first, begin,
                                        end),
        cmocka_unit_test_setup_teardown(what_costs_too_much_is_no_verdict, begin, end),
        cmocka_unit_test_setup_teardown(
            what_is_too_large_or_points_elsewhere_is_not_taken, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
