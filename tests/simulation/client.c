#include "simulation/client.h"

#include "base/ensure.h"
#include "simulation/ledger.h"
#include "simulation/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RETRY_MS = 2000,
    RETRY_MS_MAX = 120000,
    NOT_BEFORE_MS_MAX = 7200000,
    PAD_MAX = 5000,
    BODY_BYTES_MAX = 1 << 20,
};

void clients_init(struct clients *clients, struct sim *sim)
{
    static const struct siphash_key KEY = { { 3, 4 } };
    *clients = (struct clients){ .sim = sim };
    clients->finished = map_create(KEY, 1 << 24);
    ENSURE(clients->finished != NULL);
}

void clients_finish(struct clients *clients)
{
    size_t position = 0;
    struct slice key;
    void *value;
    for (uint32_t i = 0; i < clients->request_count; i++) {
        free(clients->requests[i]->body);
        free(clients->requests[i]);
    }
    while (map_next(clients->finished, &position, &key, &value))
        free(value);
    map_destroy(clients->finished);
    free(clients->requests);
    free(clients->submissions);
}

struct client_request *clients_request(struct clients *clients, uint32_t number)
{
    ENSURE(number < clients->request_count);
    return clients->requests[number];
}

static struct client_request *request_add(struct clients *clients, enum purpose purpose,
                                          uint32_t about, enum message_type type)
{
    if (clients->request_count == clients->request_room) {
        clients->request_room =
            clients->request_room == 0 ? 64 : clients->request_room * 2;
        clients->requests =
            realloc(clients->requests, clients->request_room * sizeof(void *));
        ENSURE(clients->requests != NULL);
    }
    struct client_request *request = calloc(1, sizeof *request);
    ENSURE(request != NULL);
    request->purpose = purpose;
    request->about = about;
    request->type = type;
    request->moment = ++clients->moment;
    bool admin = purpose == PURPOSE_MINT || purpose == PURPOSE_REVOKE;
    const char *token = admin ? clients->sim->hub.admin_token : clients->token;
    (void)snprintf(request->authorization, sizeof request->authorization, "Bearer %.*s",
                   (int)TOKEN_TEXT_BYTES, token);
    clients->requests[clients->request_count++] = request;
    return request;
}

static void request_text(struct client_request *request, enum field_place place,
                         struct slice name, const char *text)
{
    size_t at = request->parameter_count++;
    ENSURE(at < PARAMETERS_MAX);
    (void)snprintf(request->texts[at], sizeof request->texts[at], "%s", text);
    request->parameters[at] =
        (struct wire_parameter){ place, name, slice_from_text(request->texts[at]) };
}

static void request_body(struct client_request *request, struct slice body)
{
    request->body = malloc(body.size + 1);
    ENSURE(request->body != NULL);
    memcpy(request->body, body.data, body.size);
    request->body_size = body.size;
}

/* Everything requested goes out in the same way. */
static void request_send(struct clients *clients)
{
    struct sim *sim = clients->sim;
    uint32_t number = clients->request_count - 1;
    if (sim_fault(sim, POINT_NET_DROP))
        return;
    agenda_add(&sim->agenda, sim->monotonic_ms + network_delay_ms(&sim->network),
               AGENDA_REQUEST, number, 0, (struct slice){ 0 });
}

void clients_answer(struct clients *clients, uint32_t number, uint16_t status,
                    struct slice body)
{
    struct sim *sim = clients->sim;
    clients_request(clients, number)->restores = sim->restores;
    if (sim_fault(sim, POINT_NET_ANSWER_LOST))
        return;
    agenda_add(&sim->agenda, sim->monotonic_ms + network_delay_ms(&sim->network),
               AGENDA_ANSWER, number, status, body);
}

static void mint(struct clients *clients, uint32_t about, const char *name,
                 const char *role)
{
    struct client_request *request =
        request_add(clients, PURPOSE_MINT, about, MESSAGE_POST_ADMIN_TOKEN);
    char body[128];
    int size =
        snprintf(body, sizeof body, "{\"agent_id\":\"%s\",\"role\":\"%s\"}", name, role);
    request_body(request, slice_make(body, (size_t)size));
    request_send(clients);
}

void clients_mint(struct clients *clients, uint32_t agent)
{
    mint(clients, agent, clients->sim->agents.agents[agent].id, "agent");
}

void clients_mint_own(struct clients *clients)
{
    mint(clients, AGENTS_MAX, "clients", "operator");
}

void clients_revoke(struct clients *clients, uint32_t agent)
{
    struct client_request *request =
        request_add(clients, PURPOSE_REVOKE, agent, MESSAGE_DELETE_ADMIN_TOKEN);
    request_text(request, FIELD_IN_PATH, SLICE_OF("agent_id"),
                 clients->sim->agents.agents[agent].id);
    request_send(clients);
}

static void submission_key(const struct submission *submission, char key[KEY_BYTES])
{
    (void)snprintf(key, KEY_BYTES, "key-%u", submission->number);
}

static void submission_send(struct clients *clients, uint32_t number, bool other,
                            enum purpose purpose)
{
    const struct submission *submission = &clients->submissions[number];
    struct client_request *request =
        request_add(clients, purpose, number, MESSAGE_POST_TASK);
    struct buffer body;
    buffer_init(&body, BODY_BYTES_MAX);
    submission_body(clients, submission, other, &body);
    request_body(request, buffer_slice(&body));
    buffer_finish(&body);
    if (submission->keyed) {
        char key[KEY_BYTES];
        submission_key(submission, key);
        request_text(request, FIELD_IN_HEADER, SLICE_OF("idempotency-key"), key);
    }
    request_send(clients);
}

static int64_t retry_ms(const struct submission *submission)
{
    int64_t wait_ms = (int64_t)RETRY_MS
                      << (submission->tries < 6 ? submission->tries : 6);
    return wait_ms < RETRY_MS_MAX ? wait_ms : RETRY_MS_MAX;
}

static void retry_later(struct clients *clients, uint32_t number)
{
    struct sim *sim = clients->sim;
    struct submission *submission = &clients->submissions[number];
    agenda_add(&sim->agenda, sim->monotonic_ms + retry_ms(submission), AGENDA_RETRY,
               number, 0, (struct slice){ 0 });
    submission->tries++;
}

static void draw_depends(struct clients *clients, struct submission *submission)
{
    struct dice *dice = &clients->sim->dice;
    unsigned wanted = dice_chance(dice, 150) ? 1 + dice_below(dice, DEPENDS_MAX) : 0;
    for (unsigned i = 0; i < wanted; i++) {
        uint32_t other;
        if (!clients_any(clients, &other) ||
            clients->submissions[other].state != SUBMISSION_TAKEN)
            continue;
        bool twice = false;
        for (unsigned j = 0; j < submission->depend_count; j++)
            twice = twice || submission->depends[j] == other;
        if (!twice)
            submission->depends[submission->depend_count++] = other;
    }
}

void clients_submit(struct clients *clients)
{
    struct sim *sim = clients->sim;
    struct dice *dice = &sim->dice;
    if (clients->submission_count == clients->submission_room) {
        clients->submission_room =
            clients->submission_room == 0 ? 64 : clients->submission_room * 2;
        clients->submissions = realloc(
            clients->submissions, clients->submission_room * sizeof(struct submission));
        ENSURE(clients->submissions != NULL);
    }
    uint32_t number = clients->submission_count;
    struct submission *submission = &clients->submissions[number];
    uint32_t all = (1u << sim->plan.capabilities) - 1;
    *submission = (struct submission){
        .number = number,
        .keyed = dice_chance(dice, 850),
        .needs = dice_few(dice, all),
        .lane = dice_below(dice, sim->plan.lanes),
        .attempts = dice_chance(dice, 500) ? 0 : 1 + dice_below(dice, 5),
        .pad = dice_chance(dice, 50) ? dice_below(dice, PAD_MAX) : dice_below(dice, 60),
    };
    if (dice_chance(dice, 80))
        submission->not_before_ms =
            sim_wall_ms(sim) + dice_between(dice, -60000, NOT_BEFORE_MS_MAX);
    if (dice_chance(dice, 80))
        submission->complete_by_ms =
            sim_wall_ms(sim) + dice_between(dice, 1, NOT_BEFORE_MS_MAX);
    draw_depends(clients, submission);
    clients->submission_count++;
    submission_send(clients, number, false, PURPOSE_SUBMIT);
    retry_later(clients, number);
}

void clients_submit_again(struct clients *clients, uint32_t number)
{
    struct submission *submission = &clients->submissions[number];
    bool open = submission->state == SUBMISSION_OPEN;
    if (submission->state == SUBMISSION_LOST)
        return;
    if (open && !submission->keyed) {
        submission->state = SUBMISSION_UNKNOWN;
        return;
    }
    /* Past its time a key stands for nothing any more. */
    if (!submission->keyed || !ledger_key_lasts(clients, submission))
        return;
    submission_send(clients, number, false, PURPOSE_SUBMIT);
    if (open)
        retry_later(clients, number);
}

void clients_conflict(struct clients *clients)
{
    uint32_t number;
    if (!clients_any(clients, &number))
        return;
    const struct submission *submission = &clients->submissions[number];
    if (submission->state == SUBMISSION_TAKEN && submission->keyed &&
        ledger_key_lasts(clients, submission))
        submission_send(clients, number, true, PURPOSE_CONFLICT);
}

static void about_task(struct clients *clients, uint32_t number, enum purpose purpose,
                       enum message_type type)
{
    const struct submission *submission = &clients->submissions[number];
    if (submission->state != SUBMISSION_TAKEN)
        return;
    struct client_request *request = request_add(clients, purpose, number, type);
    request_text(request, FIELD_IN_PATH, SLICE_OF("task_id"), submission->id);
    request_body(request, SLICE_OF("{}"));
    request_send(clients);
}

void clients_show(struct clients *clients, uint32_t submission)
{
    about_task(clients, submission, PURPOSE_SHOW, MESSAGE_GET_TASK);
}

void clients_cancel(struct clients *clients, uint32_t submission)
{
    about_task(clients, submission, PURPOSE_CANCEL, MESSAGE_POST_TASK_CANCEL);
}

void clients_retry(struct clients *clients, uint32_t submission)
{
    about_task(clients, submission, PURPOSE_RETRY, MESSAGE_POST_TASK_RETRY);
}

void clients_watch(struct clients *clients)
{
    static const enum message_type TYPES[] = {
        MESSAGE_GET_TASKS,        MESSAGE_GET_TASKS_STATS, MESSAGE_GET_TASKS_DEAD_LETTER,
        MESSAGE_GET_AGENTS,       MESSAGE_GET_CHANNELS,    MESSAGE_GET_MESSAGES,
        MESSAGE_GET_ADMIN_TOKENS,
    };
    uint32_t count = sizeof TYPES / sizeof TYPES[0];
    (void)request_add(clients, PURPOSE_WATCH, 0,
                      TYPES[dice_below(&clients->sim->dice, count)]);
    request_send(clients);
}

bool clients_any(struct clients *clients, uint32_t *ret_submission)
{
    if (clients->submission_count == 0)
        return false;
    /* The last ones are where things happen. */
    uint32_t count = clients->submission_count;
    uint32_t back = (uint32_t)dice_tail(&clients->sim->dice, 1, count) - 1;
    *ret_submission = count - 1 - (back < count ? back : count - 1);
    return true;
}
