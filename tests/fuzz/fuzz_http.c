/*
 * Any bytes as a request, from the route to the answer: what the gate admits the core
 * answers, with JSON that the route's own schema takes, and the tables still fit together.
 *
 * The input is METHOD PATH[?QUERY], lines of headers, an empty line and the body.
 */
#include "fuzz/support.h"

#include "base/hash.h"
#include "gate/request.h"
#include "os/secret.h"

#include <string.h>

enum { PARAMETERS_MAX = 16, KEYS_MAX = 64 };

static const struct gate_time NOW = { 1000, 1000 };

static const struct {
    const char *name; /* its token, too */
    uint32_t role;
} CALLERS[] = {
    { "ada", ROLE_AGENT },      { "sub", ROLE_SUBMITTER }, { "vera", ROLE_VIEWER },
    { "oscar", ROLE_OPERATOR }, { "root", ROLE_ADMIN },
};

struct asked {
    struct request request;
    struct wire_parameter parameters[PARAMETERS_MAX];
    size_t count;
    struct slice body;
};

static struct slice cut(struct slice *rest, char end)
{
    size_t at = slice_find(*rest, end);
    struct slice part = slice_make(rest->data, at);
    *rest = slice_skip(*rest, at < rest->size ? at + 1 : at);
    return part;
}

static void parameter_add(struct asked *asked, enum field_place place, struct slice name,
                          struct slice value)
{
    if (asked->count < PARAMETERS_MAX)
        asked->parameters[asked->count++] = (struct wire_parameter){ place, name, value };
}

static bool request_read(struct slice text, struct asked *asked)
{
    struct slice line = cut(&text, '\n');
    struct slice method = cut(&line, ' ');
    struct slice query = line;
    struct slice path = cut(&query, '?');
    bool other;
    *asked = (struct asked){ .count = 0 };
    asked->request.type = wire_route(method, path, asked->parameters, PARAMETERS_MAX,
                                     &asked->count, &other);
    if (asked->request.type == MESSAGE_NONE)
        return false;
    while (query.size > 0) {
        struct slice value = cut(&query, '&');
        struct slice name = cut(&value, '=');
        parameter_add(asked, FIELD_IN_QUERY, name, value);
    }
    while (text.size > 0 && text.data[0] != '\n') {
        struct slice value = cut(&text, '\n');
        struct slice name = cut(&value, ':');
        if (slice_equal_text(name, "authorization"))
            asked->request.authorization = value;
        else
            parameter_add(asked, FIELD_IN_HEADER, name, value);
    }
    if (text.size > 0)
        asked->body = slice_skip(text, 1);
    asked->request.address = SLICE_OF("192.0.2.1");
    return true;
}

static int64_t plenty(const void *unused, enum setting setting)
{
    (void)unused;
    return SETTING_ROWS[setting].maximum;
}

static struct gate *gate_open(const struct wire *wire)
{
    struct gate_options options = { .wire = wire,
                                    .registration_open = true,
                                    .keys_max = KEYS_MAX,
                                    .message_bytes_max = FUZZ_BYTES_MAX };
    /* No time passes here: what matters lies behind the limits. */
    limits_read(&options.limits, plenty, NULL);
    struct gate *gate = gate_create(&options, NOW);
    ENSURE(gate != NULL);
    for (size_t i = 0; i < sizeof CALLERS / sizeof CALLERS[0]; i++) {
        uint8_t digest[DIGEST_BYTES];
        struct slice name = slice_from_text(CALLERS[i].name);
        digest_sha256(name, digest);
        const struct key key = { .actor = name,
                                 .role = CALLERS[i].role,
                                 .scopes = SCOPES_ALL };
        ENSURE(gate_key_add(gate, digest, &key) == ERR_OK);
    }
    return gate;
}

static void command_try(struct fleet *fleet, const struct envelope *envelope)
{
    char actor[TRANSACTION_KEY_BYTES_MAX];
    ENSURE(envelope->actor.size < sizeof actor);
    if (envelope->actor.size > 0)
        memcpy(actor, envelope->actor.data, envelope->actor.size);
    actor[envelope->actor.size] = '\0';
    fleet_as_client(fleet, actor, envelope->role);
    fleet->command.digest_present = envelope->digest_present;
    memcpy(fleet->command.digest, envelope->digest, DIGEST_BYTES);
    fleet->command.minted = envelope->minted;
    memcpy(fleet->command.minted_digest, envelope->minted_digest, DIGEST_BYTES);
    memcpy(fleet->command.minted_prefix, envelope->minted_prefix,
           sizeof fleet->command.minted_prefix);
    ENSURE(fleet_try(fleet, &envelope->message) == ERR_OK);
    ENSURE(fleet_answer(fleet) != NULL);
}

static void request_try(struct wire *wire, struct wire_reader *reader,
                        const struct asked *asked)
{
    static struct gate *gate;
    struct caller caller;
    struct minted minted;
    struct verdict verdict;
    struct fleet fleet;
    struct origin origin = { .link = FLEET_HTTP_LINK, .request = 1 };
    gate_destroy(gate);
    gate = gate_open(wire);
    if (!request_check(gate, &asked->request, NOW, &caller, &verdict))
        return;
    request_admit(gate, &asked->request, &caller, origin, asked->parameters, asked->count,
                  asked->body, NOW, &minted, &verdict);
    if (verdict.envelope == NULL) {
        ENSURE(verdict.status >= 400);
        return;
    }
    enum message_kind kind = MESSAGE_ROWS[asked->request.type].kind;
    if (kind == KIND_COMMAND || kind == KIND_QUERY) {
        fleet_of_story(&fleet);
        command_try(&fleet, verdict.envelope);
        effects_check(&fleet, reader);
        fleet_verify(&fleet);
        fleet_finish(&fleet);
    }
    envelope_destroy(verdict.envelope);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct wire *wire;
    static struct wire_reader *reader;
    struct asked asked;
    if (reader == NULL) {
        ENSURE(wire_create(&wire) == ERR_OK);
        reader = wire_reader_create(wire);
        ENSURE(reader != NULL);
    }
    if (request_read(slice_make(data, size), &asked))
        request_try(wire, reader, &asked);
    return 0;
}
