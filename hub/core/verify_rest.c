#include "core/verify.h"

#include "core/agent.h"
#include "core/blob.h"
#include "core/config.h"
#include "core/deadline.h"
#include "core/reset.h"
#include "core/set.h"
#include "core/token.h"

enum {
    MATCH_PAIRS_MAX = 1000000, /* more are not compared: that would take too long */
};

static void set_row(struct verify *verify, struct slice key, struct slice value)
{
    struct set set;
    uint64_t users = 0;
    (void)value;
    if (!verify_key(verify, key, 1))
        return;
    uint64_t number = key_number(&verify->step, key, 0);
    verify_holds(verify, set_load(&verify->step, number, &set), "a set has no items");
    verify_holds(verify, number <= step_counter(&verify->step, COUNTER_SET_LAST),
                 "a set's number was never given out");
    verify_holds(verify,
                 step_get_number(&verify->step, TABLE_SET, key, &users) &&
                     users == (uintptr_t)map_get(verify->set_users, key),
                 "a set has another number of users");
}

static void set_hash_row(struct verify *verify, struct slice key, struct slice value)
{
    struct number_key set;
    verify_mark(verify, value);
    if (verify_key(verify, key, 2))
        verify_holds(verify,
                     step_has(&verify->step, TABLE_SET,
                              key_one(&set, key_number(&verify->step, key, 1))),
                     "a hash names a set that is not there");
}

/* Reading the whole payload checks its other pieces. */
static bool piece_is_needed(struct verify *verify, uint64_t owner, enum blob_kind kind,
                            uint64_t piece)
{
    struct slice whole = blob_get(&verify->step, owner, kind);
    return slice_is_present(whole) &&
           (piece == 0 || piece <= (whole.size - 1) / BLOB_PIECE_BYTES);
}

static void blob_row(struct verify *verify, struct slice key, struct slice value)
{
    struct number_key owner;
    (void)value;
    if (!verify_key(verify, key, 3))
        return;
    enum table table = TABLE_TASK;
    uint64_t number = key_number(&verify->step, key, 0);
    enum blob_kind kind = (enum blob_kind)key_number(&verify->step, key, 1);
    verify_holds(verify,
                 piece_is_needed(verify, number, kind, key_number(&verify->step, key, 2)),
                 "a piece belongs to no payload");
    switch (kind) {
    case BLOB_TASK_BODY:
    case BLOB_TASK_RESULT:
    case BLOB_TASK_ERROR:
    case BLOB_TASK_NOTE:
    case BLOB_TASK_WAITS:
    case BLOB_TASK_BLOCKED:
        break;
    case BLOB_AGENT_PROFILE:
        table = TABLE_AGENT;
        break;
    case BLOB_SET:
        table = TABLE_SET;
        break;
    case BLOB_LETTER:
        table = TABLE_LETTER;
        break;
    case BLOB_CHANNEL:
        table = TABLE_CHANNEL;
        break;
    case BLOB_JOB_RESULTS:
        table = TABLE_JOB;
        break;
    case BLOB_SCHEMA_TEXT:
        verify->schema_texts += key_number(&verify->step, key, 2) == 0;
        return;
    case BLOB_IDEMPOTENCY:
        return;
    case BLOB_RESET:
        verify_holds(verify, number == 1, "a reset stands elsewhere");
        verify->resets -= key_number(&verify->step, key, 2) == 0;
        return;
    case BLOB_SAID:
        verify_holds(verify, number == 1, "what was said to all stands elsewhere");
        return;
    case BLOB_CONFIG:
        verify_holds(verify, number > 0 && number <= CONFIG_TEXT_LAST,
                     "a setting of an unknown kind");
        return;
    default:
        verify_broken(verify, "a payload of an unknown kind");
        return;
    }
    verify_holds(verify, step_has(&verify->step, table, key_one(&owner, number)),
                 "a payload has no owner");
}

/* Due rows that only say "go on here" belong to no head. */
static void deadline_row(struct verify *verify, struct slice key, struct slice value)
{
    struct unpack unpack = unpack_start(key);
    verify_mark(verify, value);
    uint8_t clock = unpack_u8(&unpack);
    int64_t due_ms = unpack_i64(&unpack);
    enum deadline_kind kind = (enum deadline_kind)unpack_u8(&unpack);
    verify_holds(verify, !unpack.failed && clock <= CLOCK_WALL,
                 "a deadline is misshapen");
    if (kind == DEADLINE_TASK || kind == DEADLINE_TASK_WALL || kind == DEADLINE_GRACE ||
        kind == DEADLINE_FEED || kind == DEADLINE_FEED_LINGER || kind == DEADLINE_RATE ||
        kind == DEADLINE_RETENTION) {
        verify->deadlines--;
    } else if (kind == DEADLINE_IDEMPOTENCY) {
        verify->remembered++;
        verify_holds(verify, step_has(&verify->step, TABLE_IDEMPOTENCY, unpack.rest),
                     "a deadline remembers a submit that is forgotten");
    } else if (kind == DEADLINE_MAIL) {
        verify->mail_deadlines--;
    } else if (kind == DEADLINE_EVENTS) {
        verify->event_deadlines--;
    } else if (kind == DEADLINE_FANOUT) {
        verify->fanout_deadlines--;
    } else if (kind == DEADLINE_TOKEN) {
        struct token token;
        verify->token_deadlines++;
        verify_holds(
            verify,
            clock == CLOCK_WALL && unpack.rest.size == DIGEST_BYTES &&
                token_load(&verify->step, (const uint8_t *)unpack.rest.data, &token) &&
                token.expires_ms == due_ms,
            "a deadline ends no token");
    } else if (kind == DEADLINE_RESET) {
        struct reset reset;
        verify_holds(verify, reset_load(&verify->step, &reset) && reset.due_ms == due_ms,
                     "a reset goes on that was never begun");
        verify->resets++;
    } else if (kind == DEADLINE_JOB_WAIT) {
        verify->job_deadlines--;
    } else if (kind == DEADLINE_BACKUP || kind == DEADLINE_COMPACT ||
               kind == DEADLINE_SCRUB) {
        verify->upkeep_deadlines--;
    } else if (kind == DEADLINE_MAIL_SWEEP) {
        verify_holds(verify, unpack.rest.size == 8, "a sweep has no place");
    } else {
        verify_holds(verify, kind >= DEADLINE_MATCH && kind <= DEADLINE_RESEND,
                     "a deadline of an unknown kind");
    }
}

static void token_row(struct verify *verify, struct slice key, struct slice value)
{
    (void)value;
    struct token token;
    if (key.size != DIGEST_BYTES ||
        !token_load(&verify->step, (const uint8_t *)key.data, &token)) {
        verify_broken(verify, "a token cannot be read");
        return;
    }
    if (token.expires_ms != 0)
        verify->token_deadlines--;
    verify_holds(verify, token.rotated ? token.expires_ms != 0 : true,
                 "a token that was rotated out has no end");
}

static void token_agent_row(struct verify *verify, struct slice key, struct slice value)
{
    verify_mark(verify, value);
    verify_holds(verify,
                 key.size > DIGEST_BYTES &&
                     step_has(&verify->step, TABLE_TOKEN,
                              slice_skip(key, key.size - DIGEST_BYTES)),
                 "an index names a token that is not there");
}

static uint64_t token_count(struct verify *verify)
{
    struct token_walk walk = { 0 };
    struct token token;
    uint64_t count = 0;
    while (token_next(&verify->step, &walk, &token)) {
        count++;
        arena_clear(&verify->arena);
    }
    return count;
}

static void count_row(struct verify *verify, struct slice key, struct slice value)
{
    (void)key;
    verify_holds(verify, value.size > 0, "a row is empty");
}

/* The next set with a row in a table; false at the end. */
static bool line_next(struct verify *verify, enum table table, uint64_t *set)
{
    struct number_key start;
    struct slice key;
    struct slice unused;
    if (*set == UINT64_MAX ||
        !step_first_from(&verify->step, table, key_one(&start, *set + 1), &key, &unused))
        return false;
    *set = key_number(&verify->step, key, 0);
    return true;
}

static bool match_is_pending(struct verify *verify)
{
    struct step *step = &verify->step;
    char start = CLOCK_FLEET;
    struct slice from = slice_make(&start, 1);
    struct slice key;
    struct slice unused;
    /* They stand at the very front, or behind what is due as well. */
    struct packed_key packed;
    while (step_first_from(step, TABLE_DEADLINE, from, &key, &unused)) {
        struct unpack unpack = unpack_start(key);
        uint8_t clock = unpack_u8(&unpack);
        unpack_i64(&unpack);
        enum deadline_kind kind = (enum deadline_kind)unpack_u8(&unpack);
        if (clock != CLOCK_FLEET)
            return false;
        if (kind == DEADLINE_MATCH || kind == DEADLINE_MATCH_TASK)
            return true;
        struct buffer *next = packed_key_start(&packed);
        buffer_append_slice(next, key);
        buffer_append_byte(next, '\0');
        from = packed_slice(step, next);
    }
    return false;
}

/* No agent with room may cover a ready task, unless a match goes on at the next tick. */
static void check_match(struct verify *verify)
{
    uint64_t needed = 0;
    uint64_t pairs = 0;
    if (match_is_pending(verify))
        return;
    while (line_next(verify, TABLE_READY, &needed)) {
        struct slice wants = set_packed(&verify->step, needed);
        uint64_t offered = 0;
        while (line_next(verify, TABLE_IDLE, &offered) && pairs++ < MATCH_PAIRS_MAX) {
            struct slice has = blob_peek(&verify->step, offered, BLOB_SET);
            verify_holds(verify, !set_packed_covers(&verify->step, has, wants),
                         "a ready task and an idle agent have not met");
        }
        arena_clear(&verify->arena);
    }
    uint64_t agent = 0;
    while (line_next(verify, TABLE_READY_PIN, &agent)) {
        struct agent row;
        verify_holds(verify, agent_load(&verify->step, agent, &row) && !row.idle,
                     "a task and the agent it is for have not met");
    }
}

void verify_rest(struct verify *verify)
{
    uint64_t sets = verify_walk(verify, TABLE_SET, set_row);
    uint64_t hashes = verify_walk(verify, TABLE_SET_HASH, set_hash_row);
    if (verify->text == NULL)
        verify_holds(verify,
                     sets == hashes && sets == map_count(verify->set_users) &&
                         sets == step_counter(&verify->step, COUNTER_SETS),
                     "the count of capability sets is wrong");
    verify_walk(verify, TABLE_BLOB, blob_row);
    verify_walk(verify, TABLE_DEADLINE, deadline_row);
    if (verify->text == NULL)
        verify_holds(verify,
                     verify->deadlines == 0 && verify->mail_deadlines == 0 &&
                         verify->resets == 0 && verify->fanout_deadlines == 0 &&
                         verify->event_deadlines == 0,
                     "a deadline belongs to nothing");
    if (verify->text == NULL)
        verify_holds(verify, verify->job_deadlines == 0 && verify->upkeep_deadlines == 0,
                     "a deadline belongs to no job and to no backup");
    uint64_t tokens = verify_walk(verify, TABLE_TOKEN, token_row);
    uint64_t indexed = verify_walk(verify, TABLE_TOKEN_AGENT, token_agent_row);
    if (verify->text == NULL)
        verify_holds(verify, tokens == indexed && tokens == token_count(verify),
                     "a token is in no index");
    if (verify->text == NULL)
        verify_holds(verify, verify->token_deadlines == 0, "a token does not end");
    verify_holds(verify, step_counter(&verify->step, COUNTER_HEARTBEAT_MS) <= INT64_MAX,
                 "the heartbeat is out of range");
    uint64_t remembered = verify_walk(verify, TABLE_IDEMPOTENCY, count_row);
    if (verify->text == NULL)
        verify_holds(verify, remembered == verify->remembered,
                     "a submit is remembered without end");
    if (verify->text == NULL)
        check_match(verify);
}
