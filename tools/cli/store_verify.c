#include "cli/store_verify.h"

#include "cli/hub_program.h"
#include "cli/job.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SAID_BYTES_MAX = 1 << 20,
    HUB_HAS_IT = 69, /* drover-hub's exit code */
    SIGNALLED = 128,
};

/* Of a job or of a manifest: they speak of the same. */
static void summary_show(const struct answer *answer, const char *list)
{
    const struct json_node *tables = member_of(answer, answer->root, list);
    long long records = 0;
    long long count = 0;
    if (tables != NULL && tables->kind == JSON_ARRAY)
        for (const struct json_node *table = json_child(answer->tape, tables);
             table != NULL; table = json_after(answer->tape, tables, table)) {
            records += (long long)member_number(answer, table, "records");
            count++;
        }
    (void)printf("whole: %lld records in %lld tables, %lld bytes, up to command %lld\n",
                 records, count, (long long)member_number(answer, answer->root, "bytes"),
                 (long long)member_number(answer, answer->root, "sequence"));
}

static enum outcome manifest_show(struct slice text)
{
    struct json_problem problem;
    struct json *tape = json_create(&JSON_LIMITS_DEFAULT);
    if (tape == NULL)
        return complain(OUTCOME_FAILED, "out of memory");
    struct answer answer = { .tape = tape };
    bool good = json_parse(tape, text, &problem) == ERR_OK;
    if (good) {
        answer.root = json_root(tape);
        summary_show(&answer, "tables");
    }
    json_destroy(tape);
    return good ? OUTCOME_OK
                : complain(OUTCOME_FAILED, "drover-hub is of another version");
}

static enum outcome still_verify(const struct invocation *invocation,
                                 const char *directory)
{
    if (invocation->json)
        return hub_program_become(
            (const char *const[]){ "--verify-store", directory, NULL });
    struct buffer said;
    buffer_init(&said, SAID_BYTES_MAX);
    int code = hub_program_run("--verify-store", directory, &said);
    enum outcome outcome = OUTCOME_FAILED;
    if (code == 0)
        outcome = manifest_show(buffer_slice(&said));
    else if (code < 0)
        (void)complain(OUTCOME_FAILED,
                       "drover-hub, which reads the store, is not beside drover");
    else if (code > SIGNALLED)
        (void)complain(OUTCOME_FAILED,
                       "the store is broken: reading it ended drover-hub");
    else if (code == HUB_HAS_IT)
        outcome = OUTCOME_CONFLICT; /* drover-hub has said why */
    buffer_finish(&said);
    return outcome;
}

/* Whatever it takes: the exit status is what was asked for. */
static enum outcome running_verify(struct invocation *invocation)
{
    struct answer answer;
    const struct filling at_once = { "wait", SLICE_OF("false") };
    enum outcome outcome = command_call(invocation, &at_once, 1, &answer);
    if (outcome == OUTCOME_OK)
        outcome = job_follow(invocation, member_number(&answer, answer.root, "job_id"),
                             &answer);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (invocation->json)
        return answer_print(&answer);
    summary_show(&answer, "results");
    return OUTCOME_OK;
}

enum outcome store_verify_run(struct invocation *invocation)
{
    const char *directory = getenv("DROVER_DATA");
    if (invocation->argument_count > 0)
        directory = invocation->arguments[0];
    else if (!given_has(invocation, "--offline"))
        return running_verify(invocation);
    return still_verify(invocation, directory != NULL ? directory : "drover-data");
}
