#include "simulation/ledger.h"

#include "base/ensure.h"
#include "json/writer.h"
#include "simulation/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_BYTES_MAX ((size_t)64 * 1024 * 1024)

/* FNV-1a (Fowler, Noll and Vo). */
uint64_t bytes_hash(struct slice bytes)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < bytes.size; i++)
        hash = (hash ^ (uint8_t)bytes.data[i]) * 0x100000001b3;
    return hash;
}

/* The hub counts on the fleet's clock, which is never ahead of ours. */
bool ledger_key_lasts(const struct clients *clients, const struct submission *submission)
{
    const struct sim *sim = clients->sim;
    return submission->state != SUBMISSION_TAKEN ||
           sim->monotonic_ms - submission->taken_ms <
               sim->plan.settings.idempotency_ms / 2;
}

void submission_description(const struct submission *submission, struct buffer *text)
{
    buffer_append_text(text, "work \xc3\xa9 \"");
    buffer_append_u64(text, submission->number);
    buffer_append_text(text, "\" ");
    for (size_t i = 0; i < submission->pad; i++)
        buffer_append_byte(text, (char)('a' + (submission->number + i * i) % 26));
}

/* With blanks and numbers that a reader who prints it anew would change. */
void submission_metadata(const struct submission *submission, struct buffer *text)
{
    buffer_append_text(text, "{ \"n\" : ");
    buffer_append_u64(text, submission->number);
    buffer_append_text(text, ".0e0,\"u\":\"\\u00e9\", \"pad\":\"");
    for (size_t i = 0; i < submission->pad; i++)
        buffer_append_byte(text, (char)('A' + (submission->number + i) % 26));
    buffer_append_text(text, "\"}");
}

static void body_needs(struct json_writer *writer, uint32_t needs)
{
    json_key_text(writer, "needed_capabilities");
    json_array_begin(writer);
    for (unsigned i = 0; i < CAPABILITIES; i++) {
        char name[] = { 'c', (char)('0' + i), 0 };
        if ((needs >> i & 1) != 0)
            json_string(writer, slice_from_text(name));
    }
    json_array_end(writer);
}

void submission_body(const struct clients *clients, const struct submission *submission,
                     bool other, struct buffer *body)
{
    static const char *const LANES[] = { "urgent", "high", "normal", "low" };
    struct json_writer writer;
    struct buffer text;
    buffer_init(&text, ANSWER_BYTES_MAX);
    submission_description(submission, &text);
    if (other)
        buffer_append_text(&text, "or something else");
    json_writer_init(&writer, body);
    json_object_begin(&writer);
    json_key_text(&writer, "description");
    json_string(&writer, buffer_slice(&text));
    buffer_clear(&text);
    submission_metadata(submission, &text);
    json_key_text(&writer, "metadata");
    json_raw(&writer, buffer_slice(&text));
    json_key_text(&writer, "priority");
    json_string(&writer, slice_from_text(LANES[submission->lane]));
    body_needs(&writer, submission->needs);
    if (submission->attempts > 0) {
        json_key_text(&writer, "max_retries");
        json_i64(&writer, submission->attempts);
    }
    if (submission->not_before_ms > 0) {
        json_key_text(&writer, "not_before");
        json_i64(&writer, submission->not_before_ms);
    }
    if (submission->complete_by_ms > 0) {
        json_key_text(&writer, "complete_by");
        json_i64(&writer, submission->complete_by_ms);
    }
    json_key_text(&writer, "depends_on");
    json_array_begin(&writer);
    for (unsigned i = 0; i < submission->depend_count; i++)
        json_string(&writer,
                    slice_from_text(clients->submissions[submission->depends[i]].id));
    json_array_end(&writer);
    json_object_end(&writer);
    ENSURE(!buffer_failed(body));
    buffer_finish(&text);
}

static void breaks(struct clients *clients, const struct submission *submission,
                   const char *text, uint16_t status)
{
    char about[96];
    (void)snprintf(about, sizeof about, "submission %u, task %s, status %u",
                   submission->number, submission->id, status);
    sim_break(clients->sim, text, about);
}

static void hear_taken(struct clients *clients, struct submission *submission,
                       uint16_t status, const struct message_post_task_answer *answer)
{
    char id[ID_BYTES];
    (void)snprintf(id, sizeof id, "%.*s", (int)answer->task_id.size,
                   answer->task_id.data);
    if (submission->state == SUBMISSION_TAKEN) {
        if (submission->keyed && strcmp(submission->id, id) != 0 &&
            ledger_key_lasts(clients, submission))
            breaks(clients, submission, "one key made two tasks", status);
        return;
    }
    submission->state = SUBMISSION_TAKEN;
    submission->taken_ms = clients->sim->monotonic_ms;
    memcpy(submission->id, id, sizeof id);
}

/* What is refused for good, and what may be tried again. */
static void hear_refused(struct clients *clients, struct submission *submission,
                         uint16_t status)
{
    if (status == ERROR_ROWS[ERROR_IDEMPOTENCY_CONFLICT].status &&
        submission->state != SUBMISSION_LOST)
        breaks(clients, submission, "a key met itself and was called a conflict", status);
    if (status == ERROR_ROWS[ERROR_VALIDATION_FAILED].status &&
        submission->state == SUBMISSION_OPEN)
        submission->state = SUBMISSION_REFUSED;
}

static void hear_conflict(struct clients *clients, struct submission *submission,
                          uint16_t status)
{
    if (status < 300 && submission->state != SUBMISSION_LOST &&
        ledger_key_lasts(clients, submission))
        breaks(clients, submission, "a key took another request for its own", status);
}

/* Of what was asked before nobody can say how it will have ended. */
static void hear_finished(struct clients *clients, const struct client_request *request,
                          struct submission *submission, const struct message_task *task)
{
    const struct finished *finished = map_get(clients->finished, task->id);
    bool completed = slice_equal_text(task->state, "completed");
    if (finished == NULL || finished->moment > request->moment)
        return;
    if (!completed)
        breaks(clients, submission, "a completion that was acknowledged is gone", 200);
    else if (task->generation != finished->shown ||
             bytes_hash(task->result) != finished->result_hash)
        breaks(clients, submission, "another result stands where one was acknowledged",
               200);
}

static void hear_shown(struct clients *clients, const struct client_request *request,
                       uint16_t status, const struct message_task *task)
{
    struct submission *submission = &clients->submissions[request->about];
    struct buffer text;
    buffer_init(&text, ANSWER_BYTES_MAX);
    submission_description(submission, &text);
    if (!slice_equal(task->description, buffer_slice(&text)))
        breaks(clients, submission, "a description is not what was submitted", status);
    buffer_clear(&text);
    submission_metadata(submission, &text);
    if (!slice_equal(task->metadata, buffer_slice(&text)))
        breaks(clients, submission, "metadata are not the bytes that were submitted",
               status);
    buffer_finish(&text);
    hear_finished(clients, request, submission, task);
    clients->shown++;
    submission->ended = slice_equal_text(task->state, "completed") ||
                        slice_equal_text(task->state, "cancelled") ||
                        slice_equal_text(task->state, "dead_letter");
}

static void hear_success(struct clients *clients, struct client_request *request,
                         uint16_t status, const struct message *answer)
{
    struct sim *sim = clients->sim;
    struct submission *submission =
        request->purpose >= PURPOSE_SUBMIT && request->purpose != PURPOSE_WATCH
            ? &clients->submissions[request->about]
            : NULL;
    switch (request->purpose) {
    case PURPOSE_MINT:
        if (request->about < AGENTS_MAX) {
            agent_token(&sim->agents, request->about, request->minted);
        } else {
            memcpy(clients->token, request->minted, TOKEN_TEXT_BYTES);
            clients->has_token = true;
        }
        break;
    case PURPOSE_REVOKE:
        agent_revoked(&sim->agents, request->about);
        break;
    case PURPOSE_SUBMIT:
        hear_taken(clients, submission, status, &answer->as.post_task_answer);
        break;
    case PURPOSE_CONFLICT:
        hear_conflict(clients, submission, status);
        break;
    case PURPOSE_SHOW:
        hear_shown(clients, request, status, &answer->as.get_task_answer);
        break;
    case PURPOSE_CANCEL:
    case PURPOSE_RETRY:
    case PURPOSE_WATCH:
        break;
    }
}

/* The row of a route's success answer stands behind its own. */
static bool answer_parse(struct clients *clients, const struct client_request *request,
                         struct slice body, struct arena *arena, struct message *answer)
{
    struct refusal refusal = { 0 };
    enum message_type type = (enum message_type)(request->type + 1);
    if (request->purpose == PURPOSE_MINT)
        return true; /* the door fills the token in, and there is no door here */
    if (wire_parse_answer(clients->sim->reader, type, body, arena, answer, &refusal))
        return true;
    char about[96];
    (void)snprintf(about, sizeof about, "%.*s: %.*s", (int)MESSAGE_ROWS[type].name.size,
                   MESSAGE_ROWS[type].name.data,
                   (int)(refusal.item_count > 0 ? refusal.items[0].field.size : 0),
                   refusal.item_count > 0 ? refusal.items[0].field.data : "");
    sim_break(clients->sim, "an answer is not what its schema says", about);
    return false;
}

/* A submission that a restore took away may have come again, as another task. */
static bool is_there_by_now(const struct clients *clients,
                            const struct client_request *request)
{
    const struct submission *submission = &clients->submissions[request->about];
    return submission->state != SUBMISSION_LOST &&
           strcmp(request->texts[0], submission->id) == 0;
}

void clients_hear(struct clients *clients, uint32_t number, uint16_t status,
                  struct slice body)
{
    struct client_request *request = clients_request(clients, number);
    if (request->answered)
        return;
    request->answered = true;
    /* What was said in a history that was given up has no meaning any more. */
    if (request->restores != clients->sim->restores)
        return;
    if (status >= 300) {
        /* A name may have so many tokens: those whose text was lost make room. */
        if (request->purpose == PURPOSE_MINT && request->about < AGENTS_MAX &&
            status == ERROR_ROWS[ERROR_VALIDATION_FAILED].status)
            clients_revoke(clients, request->about);
        if (request->purpose == PURPOSE_SUBMIT)
            hear_refused(clients, &clients->submissions[request->about], status);
        if (request->purpose == PURPOSE_SHOW && status == 404 &&
            is_there_by_now(clients, request))
            breaks(clients, &clients->submissions[request->about],
                   "a task that was acknowledged is not there", status);
        return;
    }
    struct arena arena;
    struct message answer = { 0 };
    arena_init(&arena, ANSWER_BYTES_MAX);
    if (answer_parse(clients, request, body, &arena, &answer))
        hear_success(clients, request, status, &answer);
    arena_finish(&arena);
}

void clients_finished(struct clients *clients, struct slice task_id, int64_t generation,
                      struct slice result)
{
    struct finished *finished = map_get(clients->finished, task_id);
    if (finished != NULL) {
        if (finished->generation != generation ||
            finished->result_hash != bytes_hash(result))
            sim_break(clients->sim, "two completions of one task were acknowledged",
                      NULL);
        return;
    }
    /* A report from before a restore, of a completion that is in the backup. */
    uint64_t number;
    int64_t shown = generation;
    const struct audit_task *task =
        task_id_parse(task_id, &number) ? audit_task(&clients->sim->audit, number) : NULL;
    if (clients->sim->restores > 0 && task != NULL && task->completed)
        shown = (int64_t)task->row.generation;
    finished = calloc(1, sizeof *finished);
    ENSURE(finished != NULL);
    *finished =
        (struct finished){ generation, shown, bytes_hash(result), ++clients->moment };
    ENSURE(map_put(clients->finished, task_id, finished, NULL) == ERR_OK);
}

void clients_backed_up(struct clients *clients)
{
    for (uint32_t i = 0; i < clients->submission_count; i++) {
        struct submission *submission = &clients->submissions[i];
        submission->backed_up = submission->state == SUBMISSION_TAKEN;
    }
}

/* A completion that is not in the backup may come a second time, from somebody else. */
static void finished_restored(struct clients *clients)
{
    struct map *old = clients->finished;
    size_t position = 0;
    struct slice key;
    void *value;
    clients->finished = map_create((struct siphash_key){ { 3, 4 } }, 1 << 24);
    ENSURE(clients->finished != NULL);
    while (map_next(old, &position, &key, &value)) {
        struct finished *finished = value;
        uint64_t number;
        ENSURE(task_id_parse(key, &number));
        const struct audit_task *task = audit_task(&clients->sim->audit, number);
        if (task == NULL || !task->completed) {
            free(finished);
            continue;
        }
        finished->shown = (int64_t)task->row.generation;
        ENSURE(map_put(clients->finished, key, finished, NULL) == ERR_OK);
    }
    map_destroy(old);
}

void clients_restored(struct clients *clients)
{
    for (uint32_t i = 0; i < clients->submission_count; i++) {
        struct submission *submission = &clients->submissions[i];
        uint64_t number;
        if (submission->state != SUBMISSION_TAKEN)
            continue;
        ENSURE(task_id_parse(slice_from_text(submission->id), &number));
        if (audit_task(&clients->sim->audit, number) != NULL)
            continue;
        if (submission->backed_up)
            breaks(clients, submission, "a restore lost what was in its backup", 0);
        submission->state = SUBMISSION_LOST;
    }
    finished_restored(clients);
}
