/* The event log: listed, followed, and its chain verified beside a hub that stands still. */
#include "cli/hub_program.h"
#include "cli/listing.h"
#include "cli/request.h"
#include "os/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    PAUSE_MS = 1000,        /* between two looks at a log with nothing new */
    AWAY_MAX_MS = 60000,    /* so long the hub may be away */
    REQUEST_MAX_MS = 30000, /* for one look */
    NUMBER_BYTES = 24,
    DATA_BYTES_MAX = 1 << 20,
};

static void data_cell(const struct answer *answer, const struct json_node *item,
                      struct table *table)
{
    const struct json_node *data = member_of(answer, item, "data");
    table_cell(table, data == NULL ? SLICE_OF("") : data->raw);
}

static const struct listing EVENTS = {
    .member = "events",
    .columns = { { .head = "EVENT", .field = "sequence", .kind = COLUMN_NUMBER },
                 { .head = "TIME", .field = "timestamp", .kind = COLUMN_TIME },
                 { .head = "TYPE", .field = "type" },
                 { .head = "ACTOR", .field = "actor" },
                 { .head = "DATA", .cell = data_cell } },
};

/* The reader's place, as decimal texts; empty: at the end. */
struct place {
    char since[NUMBER_BYTES];
    char epoch[NUMBER_BYTES];
};

static void gap_tell(const struct answer *answer)
{
    const struct json_node *gap = member_of(answer, answer->root, "gap");
    if (gap == NULL || gap->kind != JSON_OBJECT)
        return;
    struct slice reason = member_text(answer, gap, "reason");
    (void)fprintf(stderr,
                  "drover: events are missing here (%.*s); the oldest kept is %lld\n",
                  (int)reason.size, reason.size > 0 ? reason.data : "",
                  (long long)member_number(answer, gap, "oldest"));
}

static bool event_show(const struct invocation *invocation, const struct answer *answer,
                       const struct json_node *event)
{
    if (invocation->json)
        return printf("%.*s\n", (int)event->raw.size, event->raw.data) > 0;
    struct table row;
    table_init(&row, 5);
    const struct json_node *number = member_of(answer, event, "sequence");
    struct slice actor = member_text(answer, event, "actor");
    table_cell(&row, number == NULL ? SLICE_OF("-") : number->raw);
    table_cell_time(&row, member_number(answer, event, "timestamp"));
    table_cell(&row, member_text(answer, event, "type"));
    table_cell(&row, actor.size > 0 ? actor : SLICE_OF("-"));
    data_cell(answer, event, &row);
    bool shown = table_show(&row, "");
    table_finish(&row);
    return shown;
}

static bool page_show(const struct invocation *invocation, const struct answer *answer)
{
    gap_tell(answer);
    const struct json_node *list = member_of(answer, answer->root, "events");
    if (list == NULL || list->kind != JSON_ARRAY)
        return true;
    for (const struct json_node *event = json_child(answer->tape, list); event != NULL;
         event = json_after(answer->tape, list, event))
        if (!event_show(invocation, answer, event))
            return false;
    return fflush(stdout) == 0;
}

static void place_take(struct place *place, const struct answer *answer)
{
    (void)snprintf(place->since, sizeof place->since, "%lld",
                   (long long)member_number(answer, answer->root, "last"));
    (void)snprintf(place->epoch, sizeof place->epoch, "%lld",
                   (long long)member_number(answer, answer->root, "epoch"));
}

static enum outcome page_ask(struct invocation *invocation, const struct place *place,
                             struct answer *ret_answer)
{
    struct filling fillings[4];
    size_t count = 0;
    const char *kinds = given_value(invocation, "--kinds");
    if (place->since[0] != '\0')
        fillings[count++] = (struct filling){ "since", slice_from_text(place->since) };
    else
        fillings[count++] = (struct filling){ "tail", SLICE_OF("0") };
    if (place->epoch[0] != '\0')
        fillings[count++] = (struct filling){ "epoch", slice_from_text(place->epoch) };
    if (kinds != NULL)
        fillings[count++] = (struct filling){ "kinds", slice_from_text(kinds) };
    invocation->settings.timeout_ms = REQUEST_MAX_MS;
    return request_call(invocation, MESSAGE_GET_EVENTS, fillings, count, ret_answer);
}

static void pause_ms(int64_t ms)
{
    (void)usleep((useconds_t)ms * 1000);
}

/* A hub that restarts, or asks for patience, is waited for. */
static bool may_wait(const struct answer *answer, bool was_there, int64_t *away_since_ms)
{
    int64_t now_ms = clock_monotonic_ms();
    bool away = answer->outcome == OUTCOME_UNAVAILABLE ||
                answer->outcome == OUTCOME_TIMEOUT || answer->status == 429;
    if (!away || !was_there)
        return false;
    if (*away_since_ms == 0)
        *away_since_ms = now_ms;
    return now_ms - *away_since_ms < AWAY_MAX_MS;
}

static enum outcome follow_run(struct invocation *invocation)
{
    struct place place = { "", "" };
    int64_t away_since_ms = 0;
    bool was_there = false;
    int64_t until_ms = invocation->timeout_ms > 0
                           ? clock_monotonic_ms() + invocation->timeout_ms
                           : INT64_MAX;
    const char *since = given_value(invocation, "--since");
    const char *epoch = given_value(invocation, "--epoch");
    (void)snprintf(place.since, sizeof place.since, "%s", since == NULL ? "" : since);
    (void)snprintf(place.epoch, sizeof place.epoch, "%s", epoch == NULL ? "" : epoch);
    while (clock_monotonic_ms() < until_ms) {
        struct answer answer;
        enum outcome outcome = page_ask(invocation, &place, &answer);
        if (outcome != OUTCOME_OK)
            return outcome;
        if (answer.outcome != OUTCOME_OK) {
            if (!may_wait(&answer, was_there, &away_since_ms))
                return answer_tell(invocation, &answer);
            pause_ms(PAUSE_MS);
            continue;
        }
        was_there = true;
        away_since_ms = 0;
        if (!page_show(invocation, &answer))
            return OUTCOME_FAILED;
        place_take(&place, &answer);
        const struct json_node *more = member_of(&answer, answer.root, "more");
        if (more == NULL || more->kind != JSON_TRUE)
            pause_ms(PAUSE_MS);
    }
    return OUTCOME_OK;
}

static enum outcome verify_run(struct invocation *invocation)
{
    const char *directory =
        invocation->argument_count > 0 ? invocation->arguments[0] : "drover-data";
    return hub_program_become(
        (const char *const[]){ "--verify-events", directory, NULL });
}

static const struct command COMMANDS[] = {
    { .name = "list",
      .route = MESSAGE_GET_EVENTS,
      .list = &EVENTS,
      .options = { { .name = "--since", .value = "NUMBER", .field = "since" },
                   { .name = "--epoch", .value = "NUMBER", .field = "epoch" },
                   { .name = "--tail", .value = "NUMBER", .field = "tail" },
                   { .name = "--kinds", .value = "LIST", .field = "kinds" },
                   { .name = "--limit", .value = "NUMBER", .field = "limit" } } },
    { .name = "follow",
      .route = MESSAGE_GET_EVENTS,
      .run = follow_run,
      .summary = "Shows events as they happen, through restarts of the hub.",
      .options = { { .name = "--since",
                     .value = "NUMBER",
                     .field = "since",
                     .help = "Without it: what happens from now on." },
                   { .name = "--epoch", .value = "NUMBER", .field = "epoch" },
                   { .name = "--kinds", .value = "LIST", .field = "kinds" } } },
    { .name = "verify",
      .route = MESSAGE_NONE,
      .run = verify_run,
      .summary = "Verifies the chain of events of a store that no hub has open.",
      .arguments = { { .name = "[DIRECTORY]",
                       .help = "A data directory, or a backup; else ./drover-data." } } },
};

const struct command_group EVENTS_GROUP = { "events", COMMANDS,
                                            sizeof COMMANDS / sizeof COMMANDS[0] };
