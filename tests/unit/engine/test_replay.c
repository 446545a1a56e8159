/*
 * Goal: what the journal kept, applied to an older copy, gives the store back as it was at
 * any commit, byte for byte; and what is missing is said, never made up.
 * Method: an engine is turned by hand; after each turn all rows are digested, and copies
 * are brought to each of those states.
 */
#include "engine/command_pack.h"
#include "engine/replay.h"
#include "engine/turn.h"
#include "os/secret.h"
#include "support/engine/bench_engine.h"

#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((uint64_t)1024 * 1024)

enum { STATES_MAX = 200 };

static const struct bench_engine_options KEPT = { 64 * MIB, 256 * MIB, 64, NULL, true };

/* The store as it was after some commit. */
struct state {
    struct core_place place;
    uint8_t digest[SECRET_DIGEST_BYTES];
};

static struct bench_engine bench;
static struct state states[STATES_MAX];
static size_t state_count;
static struct journal_line line;

static void rows_digest(struct transaction *transaction, uint8_t *ret_digest)
{
    struct digest *digest = digest_create();
    for (unsigned table = 0; table < CORE_TABLE_COUNT; table++) {
        char after[TRANSACTION_KEY_BYTES_MAX + 1] = { 0 };
        struct slice from = slice_make(after, 0);
        struct slice key;
        struct slice value;
        while (transaction_first_from(transaction, table, from, &key, &value) == ERR_OK) {
            uint32_t sizes[] = { table, (uint32_t)key.size, (uint32_t)value.size };
            digest_add(digest, slice_make(sizes, sizeof sizes));
            digest_add(digest, key);
            digest_add(digest, value);
            memcpy(after, key.data, key.size);
            after[key.size] = 0;
            from = slice_make(after, key.size + 1);
        }
    }
    digest_end(digest, ret_digest);
}

static struct state state_of(struct store *store)
{
    struct state state;
    struct store_reader *reader = store_reader_create(store);
    struct transaction *rows = store_reader_begin(reader);
    rows_digest(rows, state.digest);
    assert_int_equal(core_place_read(rows, &state.place), ERR_OK);
    store_reader_end(reader);
    store_reader_destroy(reader);
    return state;
}

static void turn(void)
{
    assert_true(engine_turn(bench.engine));
    while (engine_turn(bench.engine))
        continue;
    bench_engine_count(&bench, "");
    assert_true(state_count < STATES_MAX);
    struct state state = state_of(bench.store);
    if (state_count == 0 ||
        states[state_count - 1].place.sequence != state.place.sequence)
        states[state_count++] = state;
}

static void path_of(const char *name, char *path, size_t size)
{
    (void)snprintf(path, size, "%s/%s", bench.directory, name);
}

/* A copy of the store as it is now, in a folder of that name. */
static void copy_make(const char *name)
{
    char path[256];
    char data[300];
    path_of(name, path, sizeof path);
    (void)snprintf(data, sizeof data, "%s/data.mdb", path);
    assert_int_equal(mkdir(path, 0700), 0);
    int fd = open(data, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(store_copy(bench.store, fd, false), ERR_OK);
    (void)close(fd);
}

static struct store *copy_open(const char *name, uint64_t bytes_first)
{
    char path[256];
    struct store *store;
    struct store_problem problem;
    path_of(name, path, sizeof path);
    struct store_options options = {
        .directory = path,
        .tables = CORE_TABLES,
        .table_count = CORE_TABLE_COUNT,
        .bytes_first = bytes_first,
        .bytes_max = 256 * MIB,
        .forced_file_system = true,
    };
    assert_int_equal(store_open(&options, &store, &problem), ERR_OK);
    return store;
}

static enum err replay_to(struct store *store, uint64_t sequence,
                          struct store_problem *problem)
{
    struct replay_options options = {
        .store = store,
        .journal = bench.journal_directory,
        .line = line,
        .sequence = sequence,
        .digest = digest_sha256,
    };
    struct replay_result result;
    return replay_run(&options, &result, problem);
}

static int begin(void **state)
{
    struct core_figures figures;
    (void)state;
    bench_engine_start(&bench, &KEPT);
    assert_int_equal(core_figures_read(store_batch(bench.store), &figures), ERR_OK);
    store_abort(bench.store);
    line = (struct journal_line){ figures.instance, figures.place.epoch };
    state_count = 0;
    copy_make("base");
    return 0;
}

static int end(void **state)
{
    (void)state;
    bench_engine_finish(&bench);
    return 0;
}

static void schema_put(const char *name, const char *text)
{
    struct envelope *envelope =
        bench_engine_envelope(&bench, "root", 9, MESSAGE_PUT_SCHEMA);
    envelope->role = ROLE_ADMIN;
    envelope->origin.request = 1;
    envelope->message.as.put_schema.name = slice_from_text(name);
    envelope->message.as.put_schema.schema = slice_from_text(text);
    assert_true(door_push(bench.door, envelope));
}

/* A bit of everything: agents, tasks that are held and done, letters, schemas. */
static void life(int rounds)
{
    char description[3000];
    memset(description, 'd', sizeof description - 1);
    bench_engine_identify(&bench, "boss", 0);
    bench_engine_identify(&bench, "ann", 1);
    turn();
    schema_put("order", "{\"type\":\"object\"}");
    turn();
    for (int i = 0; i < rounds; i++) {
        description[100 + i * 7 % 2000] = '\0';
        for (int j = 0; j < 3; j++)
            bench_engine_submit(&bench, "boss", 0, description);
        description[100 + i * 7 % 2000] = 'd';
        struct envelope *letter =
            bench_engine_envelope(&bench, "ann", 1, MESSAGE_MESSAGE);
        letter->message.as.message.to = SLICE_OF("boss");
        letter->message.as.message.payload = SLICE_OF("{\"n\":1}");
        assert_true(door_push(bench.door, letter));
        turn();
        if (i % 5 == 4) {
            struct envelope *closed =
                bench_engine_envelope(&bench, "ann", 1, MESSAGE_LINK_CLOSED);
            closed->role = ROLE_HUB;
            assert_true(door_push(bench.door, closed));
            bench_engine_identify(&bench, "ann", 1);
            turn();
        }
    }
}

static void any_commit_is_given_back_byte_for_byte(void **unused)
{
    (void)unused;
    life(20);
    assert_true(state_count > 20);
    struct store_problem problem;
    struct store *store = copy_open("base", 64 * MIB);
    for (size_t i = 0; i < state_count; i++) {
        enum err err = replay_to(store, states[i].place.sequence, &problem);
        if (err != ERR_OK)
            fail_msg("%s: %s", err_name(err), problem.text);
        struct state state = state_of(store);
        assert_memory_equal(state.digest, states[i].digest, sizeof state.digest);
        assert_int_equal(state.place.event_last, states[i].place.event_last);
    }
    store_close(store);
}

static void a_map_that_fills_while_it_is_played_back_is_grown(void **unused)
{
    (void)unused;
    life(30);
    struct store_problem problem;
    struct store *store = copy_open("base", MIB / 4);
    assert_int_equal(replay_to(store, UINT64_MAX, &problem), ERR_OK);
    struct state state = state_of(store);
    assert_memory_equal(state.digest, states[state_count - 1].digest,
                        sizeof state.digest);
    store_close(store);
}

static void the_history_goes_on_after_a_restart(void **unused)
{
    (void)unused;
    life(3);
    bench_engine_restart(&bench, &KEPT);
    life(3);
    bench_engine_restart(&bench, &KEPT);
    states[state_count++] = state_of(bench.store);
    struct store_problem problem;
    struct store *store = copy_open("base", 64 * MIB);
    for (size_t i = 0; i < state_count; i++) {
        assert_int_equal(replay_to(store, states[i].place.sequence, &problem), ERR_OK);
        struct state state = state_of(store);
        assert_memory_equal(state.digest, states[i].digest, sizeof state.digest);
    }
    store_close(store);
}

static void a_run_without_the_journal_is_a_gap_that_is_told(void **unused)
{
    (void)unused;
    struct bench_engine_options without = KEPT;
    without.journal = false;
    life(2);
    bench_engine_restart(&bench, &without);
    life(2);
    bench_engine_restart(&bench, &KEPT);
    copy_make("later");
    uint64_t gap_end = state_of(bench.store).place.sequence;
    life(2);
    struct store_problem problem;
    struct store *store = copy_open("base", 64 * MIB);
    assert_int_equal(replay_to(store, UINT64_MAX, &problem), ERR_NOT_FOUND);
    assert_non_null(strstr(problem.text, "nothing between the commands"));
    store_close(store);

    store = copy_open("later", 64 * MIB);
    assert_int_equal(replay_to(store, UINT64_MAX, &problem), ERR_OK);
    struct state state = state_of(store);
    assert_memory_equal(state.digest, states[state_count - 1].digest,
                        sizeof state.digest);
    store_close(store);

    struct journal_figures figures;
    assert_int_equal(journal_look(bench.journal_directory, 0, &figures), ERR_OK);
    assert_true(figures.begin <= gap_end);
    assert_true(figures.begin > states[3].place.sequence);
}

/* The n-th commit from now fails: its record must not be part of the history. */
struct commit_fault {
    int countdown;
};

static int commit_fails(void *context, enum store_call call)
{
    struct commit_fault *fault = context;
    return call == STORE_CALL_COMMIT && fault->countdown > 0 && --fault->countdown == 0
               ? ENOSPC
               : 0;
}

static void a_commit_that_failed_is_no_part_of_the_history(void **unused)
{
    (void)unused;
    struct commit_fault fault = { 0 };
    struct store_fault hook = { .before = commit_fails, .context = &fault };
    struct bench_engine_options bad = KEPT;
    bad.fault = &hook;
    bench_engine_restart(&bench, &bad);
    life(2);
    for (int i = 0; i < 5; i++) {
        fault.countdown = 1;
        bench_engine_submit(&bench, "boss", 0, "once more");
        turn();
    }
    life(1);
    struct store_problem problem;
    struct journal_figures figures;
    struct store *store = copy_open("base", 64 * MIB);
    assert_int_equal(journal_look(bench.journal_directory, 0, &figures), ERR_OK);
    assert_true(figures.begin <= state_of(store).place.sequence);
    assert_int_equal(replay_to(store, UINT64_MAX, &problem), ERR_OK);
    struct state state = state_of(store);
    assert_memory_equal(state.digest, states[state_count - 1].digest,
                        sizeof state.digest);
    store_close(store);
}

static enum err find(uint64_t event, struct replay_commit *commit,
                     struct store_problem *problem)
{
    return replay_find(bench.journal_directory, &line, event, commit, problem);
}

static void the_commit_with_an_event_is_found(void **unused)
{
    (void)unused;
    life(5);
    const struct state *last = &states[state_count - 1];
    struct replay_commit commit;
    struct store_problem problem;
    for (uint64_t event = states[0].place.event_last + 1; event <= last->place.event_last;
         event++) {
        assert_int_equal(find(event, &commit, &problem), ERR_OK);
        size_t i = 0;
        while (states[i].place.event_last < event)
            i++;
        assert_int_equal(commit.after, states[i].place.sequence);
        assert_int_equal(commit.event_last, states[i].place.event_last);
    }
    assert_int_equal(find(UINT64_MAX, &commit, &problem), ERR_OK);
    assert_int_equal(commit.after, last->place.sequence);
}

static void an_event_the_journal_does_not_have_is_told_from_one_it_has(void **unused)
{
    (void)unused;
    life(1);
    const struct state *last = &states[state_count - 1];
    struct replay_commit commit;
    struct store_problem problem;
    assert_int_equal(find(last->place.event_last + 1, &commit, &problem), ERR_NOT_FOUND);
    assert_non_null(strstr(problem.text, "ends with event"));
    /* The first start of a store is before its journal. */
    assert_int_equal(find(1, &commit, &problem), ERR_NOT_FOUND);
    assert_non_null(strstr(problem.text, "begins with event"));
}

static void a_command_is_the_same_after_it_was_packed(void **unused)
{
    (void)unused;
    struct message message = { .type = MESSAGE_TASK_SUBMIT };
    message.as.task_submit.description = SLICE_OF("dig");
    message.as.task_submit.metadata = SLICE_OF("{\"a\":1}");
    const struct command command = {
        .sequence = 7,
        .now_ms = -1,
        .wall_ms = 1767225600000,
        .entropy = { 1, 2, 3 },
        .origin = { .link = 5, .request = 6 },
        .actor = SLICE("ann"),
        .role = ROLE_AGENT,
        .scopes = SCOPES_ALL,
        .digest_present = true,
        .digest = { 9 },
        .address = SLICE("192.0.2.1"),
        .minted = true,
        .minted_digest = { 8 },
        .minted_prefix = "abcdefg",
        .message = &message,
    };
    struct buffer first;
    struct buffer second;
    struct arena arena;
    struct message unpacked_message;
    struct command unpacked;
    buffer_init(&first, MIB);
    buffer_init(&second, MIB);
    arena_init(&arena, MIB);
    command_pack(&command, &first);
    struct unpack unpack = unpack_start(buffer_slice(&first));
    assert_true(command_unpack(&unpack, &arena, &unpacked_message, &unpacked));
    assert_true(unpack_done(&unpack));
    command_pack(&unpacked, &second);
    assert_true(slice_equal(buffer_slice(&first), buffer_slice(&second)));
    assert_int_equal(unpacked.message->type, MESSAGE_TASK_SUBMIT);
    assert_true(slice_equal_text(unpacked.message->as.task_submit.description, "dig"));
    assert_false(unpacked.credential_present);

    /* Cut anywhere, it is refused. */
    for (size_t i = 0; i < first.size; i++) {
        struct unpack cut = unpack_start(slice_make(first.data, i));
        assert_false(command_unpack(&cut, &arena, &unpacked_message, &unpacked));
    }
    arena_finish(&arena);
    buffer_finish(&first);
    buffer_finish(&second);
}

/* Such a member is left out when a message is packed. */
static void no_command_holds_another_message(void **unused)
{
    (void)unused;
    for (int i = 0; i < MESSAGE_COUNT; i++) {
        const struct message_row *row = &MESSAGE_ROWS[i];
        if (row->kind != KIND_COMMAND || row->table == NULL)
            continue;
        for (size_t j = 0; j < row->table->count; j++)
            assert_int_not_equal(row->table->fields[j].kind, FIELD_MESSAGE);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(any_commit_is_given_back_byte_for_byte),
        CASE(a_map_that_fills_while_it_is_played_back_is_grown),
        CASE(the_history_goes_on_after_a_restart),
        CASE(a_run_without_the_journal_is_a_gap_that_is_told),
        CASE(a_commit_that_failed_is_no_part_of_the_history),
        CASE(the_commit_with_an_event_is_found),
        CASE(an_event_the_journal_does_not_have_is_told_from_one_it_has),
        cmocka_unit_test(a_command_is_the_same_after_it_was_packed),
        cmocka_unit_test(no_command_holds_another_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
