#include "net/door_route.h"

#include "base/ensure.h"
#include "gate/failures.h"
#include "gate/rates.h"
#include "net/document.h"
#include "net/parking.h"
#include "net/state.h"
#include "os/clock.h"
#include "os/log.h"

#include <stdio.h>

enum {
    GATE_ANSWER_BYTES_MAX = 8 * 1024 * 1024,
    ACTION_BYTES = 256, /* about what an envelope for an action takes */
    PARAMETERS_BYTES = 96,
    WORD_BYTES_MAX = 64,
};

static void (*const ANSWERS[MESSAGE_COUNT])(struct link *, const struct envelope *) = {
#define ROW(NAME, name) [MESSAGE_##NAME] = door_##name,
    MESSAGE_DOORS(ROW)
#undef ROW
};

void door_route_answer(struct link *link, const struct envelope *asked)
{
    struct answer_facts facts;
    enum message_type type = link->exchange->type;
    if (document_answer(link->exchange, &facts)) {
        exchange_answer_with(link, &facts);
        return;
    }
    ENSURE(ANSWERS[type] != NULL);
    ANSWERS[type](link, asked);
}

/* Behind a route's row stands that of its success answer. */
static uint16_t success_of(const struct link *link)
{
    return MESSAGE_ROWS[link->exchange->type + 1].status;
}

/* Says what was written into `text`, and lets go of it. */
static void answer_text(struct link *link, struct buffer *text)
{
    if (buffer_failed(text))
        exchange_refuse_code(link, ERROR_UNAVAILABLE, NULL);
    else
        exchange_answer_with(link, &(struct answer_facts){ .status = success_of(link),
                                                           .body = buffer_slice(text) });
    buffer_finish(text);
}

void door_get_validation(struct link *link, const struct envelope *asked)
{
    struct buffer text;
    (void)asked;
    buffer_init(&text, GATE_ANSWER_BYTES_MAX);
    failures_render(link->net->gate->failures, clock_monotonic_ms(), &text);
    answer_text(link, &text);
}

void door_get_rate_limits(struct link *link, const struct envelope *asked)
{
    struct buffer text;
    (void)asked;
    buffer_init(&text, GATE_ANSWER_BYTES_MAX);
    rates_render_limits(link->net->gate->rates, &text);
    answer_text(link, &text);
}

void door_get_rate_whitelist(struct link *link, const struct envelope *asked)
{
    struct buffer text;
    (void)asked;
    buffer_init(&text, GATE_ANSWER_BYTES_MAX);
    rates_render_exempt(link->net->gate->rates, &text);
    answer_text(link, &text);
}

void door_get_rate_usage(struct link *link, const struct envelope *asked)
{
    struct buffer text;
    (void)asked;
    buffer_init(&text, GATE_ANSWER_BYTES_MAX);
    rates_render_usage(link->net->gate->rates, clock_monotonic_ms(), &text);
    answer_text(link, &text);
}

void door_get_livez(struct link *link, const struct envelope *asked)
{
    struct message message = { .type = MESSAGE_GET_LIVEZ_ANSWER };
    (void)asked;
    message.as.get_livez_answer.status = SLICE_OF("ok");
    exchange_answer_message(link, &message, success_of(link));
}

void door_get_readyz(struct link *link, const struct envelope *asked)
{
    struct message message = { .type = MESSAGE_GET_READYZ_ANSWER };
    const struct net *net = link->net;
    (void)asked;
    if (engine_is_broken(net->options.engine) ||
        engine_intake_closed(net->options.engine) || net->quiet) {
        exchange_refuse_code(link, ERROR_UNAVAILABLE, NULL);
        return;
    }
    message.as.get_readyz_answer.status = SLICE_OF("ok");
    exchange_answer_message(link, &message, success_of(link));
}

/* The log is the process's own: no table knows its level. */
/* The event log hears of it first, with who asked; false: it cannot, so nothing may be
 * done. */
static bool audit(struct link *link, const struct envelope *asked,
                  const struct message_door_action *action)
{
    struct net *net = link->net;
    struct envelope *told =
        gate_envelope(net->gate, ACTION_BYTES, slice_from_text(link->address));
    if (told == NULL)
        return false;
    told->actor = arena_copy(&told->arena, asked->actor);
    told->role = asked->role;
    told->message.type = MESSAGE_DOOR_ACTION;
    told->message.as.door_action = *action;
    told->message.as.door_action.parameters =
        arena_copy(&told->arena, action->parameters);
    if (!arena_failed(&told->arena) && parking_push(net, told))
        return true;
    envelope_destroy(told);
    return false;
}

static bool audit_level(struct link *link, const struct envelope *asked, bool known)
{
    char text[PARAMETERS_BYTES];
    struct slice word = slice_cut(asked->message.as.put_log_level.level, WORD_BYTES_MAX);
    (void)snprintf(text, sizeof text, "level=%.*s", (int)word.size, word.data);
    const struct message_door_action action = {
        .action = MESSAGE_ROWS[MESSAGE_PUT_LOG_LEVEL].name,
        .parameters = slice_from_text(text),
        .status = known ? success_of(link) : ERROR_ROWS[ERROR_INVALID_LEVEL].status,
        .error = known ? (struct slice){ 0 } : ERROR_ROWS[ERROR_INVALID_LEVEL].name,
    };
    return audit(link, asked, &action);
}

void door_put_log_level(struct link *link, const struct envelope *asked)
{
    struct message message = { .type = MESSAGE_PUT_LOG_LEVEL_ANSWER };
    struct slice word = asked->message.as.put_log_level.level;
    struct slice words[LOG_LEVEL_COUNT];
    enum log_level level;
    bool known = log_level_parse(word, &level);

    if (!audit_level(link, asked, known)) {
        exchange_refuse_code(link, ERROR_UNAVAILABLE, NULL);
        return;
    }
    if (!known) {
        for (unsigned i = 0; i < LOG_LEVEL_COUNT; i++)
            words[i] = slice_from_text(log_level_name((enum log_level)i));
        wire_error_message(ERROR_INVALID_LEVEL, true, &message);
        message.as.http_error.valid = (struct slice_list){ words, LOG_LEVEL_COUNT };
        exchange_answer_message(link, &message, ERROR_ROWS[ERROR_INVALID_LEVEL].status);
        return;
    }
    log_set_level(level);
    /* Whoever reads the log is told where its silence, or its noise, begins. */
    log_write(level > LOG_LEVEL_NOTICE ? level : LOG_LEVEL_NOTICE, "log_level_set",
              (const struct log_field[]){ LOG_TEXT("level", word),
                                          LOG_TEXT("triggered_by", asked->actor) },
              2);
    message.as.put_log_level_answer.status = SLICE_OF("ok");
    message.as.put_log_level_answer.level = word;
    exchange_answer_message(link, &message, success_of(link));
}
