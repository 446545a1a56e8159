#include "cli/listing.h"
#include "cli/request.h"
#include "json/writer.h"

#include <stdio.h>
#include <string.h>

static const char *const TIERS[] = { "light", "normal", "heavy" };
static const char *const OPTIONS[] = { "--light", "--normal", "--heavy" };

enum { TIER_COUNT = 3, LIMIT_BYTES_MAX = 96 };

/* How much of the bucket that is used most: "80 % heavy". */
static void usage_cell(const struct answer *answer, const struct json_node *item,
                       const char *channel, struct table *table)
{
    const struct json_node *tiers = member_of(answer, item, channel);
    char text[48] = "0 %";
    int64_t most = 0;
    for (int i = 0; i < TIER_COUNT; i++) {
        const struct json_node *usage = member_of(answer, tiers, TIERS[i]);
        int64_t percent = member_number(answer, usage, "usage_pct");
        if (percent <= most)
            continue;
        most = percent;
        (void)snprintf(text, sizeof text, "%lld %% %s", (long long)percent, TIERS[i]);
    }
    table_cell_text(table, text);
}

static void socket_cell(const struct answer *answer, const struct json_node *item,
                        struct table *table)
{
    usage_cell(answer, item, "ws", table);
}

static void http_cell(const struct answer *answer, const struct json_node *item,
                      struct table *table)
{
    usage_cell(answer, item, "http", table);
}

static void violations_cell(const struct answer *answer, const struct json_node *item,
                            struct table *table)
{
    char text[32];
    const struct json_node *violations = member_of(answer, item, "violations");
    (void)snprintf(text, sizeof text, "%lld",
                   (long long)member_number(answer, violations, "total_in_window"));
    table_cell_text(table, text);
}

static const struct listing USAGE = {
    .member = "agents",
    .columns = { { .head = "NAME", .field = "agent_id" },
                 { .head = "ROLE", .field = "role" },
                 { .head = "SOCKET", .cell = socket_cell },
                 { .head = "HTTP", .cell = http_cell },
                 { .head = "VIOLATIONS", .cell = violations_cell },
                 { .head = "LIMITED", .field = "rate_limited", .kind = COLUMN_YES },
                 { .head = "EXEMPT", .field = "exempt", .kind = COLUMN_YES } },
};

/* "120", or "100 + 50/min" where the one is not the other; "-": as the role's. */
static void limit_cell(const struct answer *answer, const struct json_node *limit,
                       struct table *table)
{
    char text[64] = "-";
    int64_t capacity = member_number(answer, limit, "capacity");
    int64_t per_minute = member_number(answer, limit, "refill_rate_per_min");
    if (limit != NULL && capacity == per_minute)
        (void)snprintf(text, sizeof text, "%lld", (long long)capacity);
    else if (limit != NULL)
        (void)snprintf(text, sizeof text, "%lld + %lld/min", (long long)capacity,
                       (long long)per_minute);
    table_cell_text(table, text);
}

/* One row for each member of the object. */
static void limits_add(const struct answer *answer, const char *member, const char *kind,
                       struct table *table)
{
    const struct json_node *all = member_of(answer, answer->root, member);
    const struct json_node *name = all != NULL ? json_child(answer->tape, all) : NULL;
    while (name != NULL) {
        const struct json_node *tiers = json_after(answer->tape, all, name);
        table_cell_text(table, kind);
        table_cell(table, name->value.text);
        for (int i = 0; i < TIER_COUNT; i++)
            limit_cell(answer, member_of(answer, tiers, TIERS[i]), table);
        name = json_after(answer->tape, all, tiers);
    }
}

static void exempt_add(const struct answer *answer, struct table *table)
{
    const struct json_node *list = member_of(answer, answer->root, "whitelist");
    for (const struct json_node *name = list != NULL ? json_child(answer->tape, list)
                                                     : NULL;
         name != NULL; name = json_after(answer->tape, list, name)) {
        table_cell_text(table, "name");
        table_cell(table, name->value.text);
        for (int i = 0; i < TIER_COUNT; i++)
            table_cell_text(table, "exempt");
    }
}

static enum outcome limits_show(const struct answer *answer)
{
    static const char *const HEADS[] = { "OF", "NAME", "LIGHT", "NORMAL", "HEAVY" };
    enum { COLUMNS = sizeof HEADS / sizeof HEADS[0] };
    struct table table;
    table_init(&table, COLUMNS);
    for (size_t i = 0; i < COLUMNS; i++)
        table_cell_text(&table, HEADS[i]);
    limits_add(answer, "role_defaults", "role", &table);
    limits_add(answer, "overrides", "name", &table);
    exempt_add(answer, &table);
    bool shown = table_show(&table, "");
    table_finish(&table);
    return shown ? OUTCOME_OK : complain(OUTCOME_FAILED, "the limits cannot be shown");
}

/* "100" or "100/50": so many at once, and so many a minute. */
static bool limit_read(const char *word, char text[LIMIT_BYTES_MAX])
{
    struct slice all = slice_from_text(word);
    struct slice first = slice_make(all.data, slice_find(all, '/'));
    struct slice second = first.size < all.size ? slice_skip(all, first.size + 1) : first;
    uint64_t capacity;
    uint64_t per_minute;
    if (!slice_parse_u64(first, &capacity) || !slice_parse_u64(second, &per_minute))
        return false;
    int size = snprintf(text, LIMIT_BYTES_MAX,
                        "{\"capacity\":%llu,\"refill_rate_per_min\":%llu}",
                        (unsigned long long)capacity, (unsigned long long)per_minute);
    return size > 0 && size < LIMIT_BYTES_MAX;
}

static enum outcome set_run(struct invocation *invocation)
{
    char texts[TIER_COUNT][LIMIT_BYTES_MAX];
    struct filling fillings[TIER_COUNT];
    struct answer answer;
    size_t count = 0;
    for (int i = 0; i < TIER_COUNT; i++) {
        const char *word = given_value(invocation, OPTIONS[i]);
        if (word == NULL)
            continue;
        if (!limit_read(word, texts[count]))
            return complain(OUTCOME_USAGE, "%s wants NUMBER or NUMBER/NUMBER",
                            OPTIONS[i]);
        fillings[count] = (struct filling){ TIERS[i], slice_from_text(texts[count]) };
        count++;
    }
    if (count == 0)
        return complain(OUTCOME_USAGE, "say one of --light, --normal and --heavy");
    enum outcome outcome = command_call(invocation, fillings, count, &answer);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (invocation->json)
        return answer_print(&answer);
    (void)printf("%s updated\n", invocation->arguments[0]);
    return OUTCOME_OK;
}

#define NAME_ARGUMENT                                                                    \
    {                                                                                    \
        {                                                                                \
            .name = "NAME", .field = "agent_id"                                          \
        }                                                                                \
    }

static const struct command COMMANDS[] = {
    { .name = "list", .route = MESSAGE_GET_RATE_USAGE, .list = &USAGE },
    { .name = "show", .route = MESSAGE_GET_RATE_LIMITS, .show = limits_show },
    { .name = "set",
      .route = MESSAGE_PUT_RATE_LIMIT,
      .run = set_run,
      .arguments = NAME_ARGUMENT,
      .options = { { .name = "--light",
                     .value = "N[/M]",
                     .help = "Of tier light N at once and M a minute; N without M." },
                   { .name = "--normal", .value = "N[/M]", .help = "Of tier normal." },
                   { .name = "--heavy", .value = "N[/M]", .help = "Of tier heavy." } } },
    { .name = "clear",
      .route = MESSAGE_DELETE_RATE_LIMIT,
      .done = "has the defaults",
      .arguments = NAME_ARGUMENT },
    { .name = "exempt",
      .route = MESSAGE_POST_RATE_WHITELIST,
      .done = "has no limits",
      .arguments = NAME_ARGUMENT },
    { .name = "unexempt",
      .route = MESSAGE_DELETE_RATE_WHITELIST,
      .done = "has limits again",
      .arguments = NAME_ARGUMENT },
};

const struct command_group RATE_GROUP = { "rate", COMMANDS,
                                          sizeof COMMANDS / sizeof COMMANDS[0] };
