#include "support/wire/bench.h"

#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

enum { BYTES_MAX = 4 * 1024 * 1024 };

int bench_setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    assert_int_equal(wire_create(&bench->wire), ERR_OK);
    bench->reader = wire_reader_create(bench->wire);
    assert_non_null(bench->reader);
    arena_init(&bench->arena, BYTES_MAX);
    buffer_init(&bench->buffer, BYTES_MAX);
    *state = bench;
    return 0;
}

int bench_teardown(void **state)
{
    struct bench *bench = *state;
    buffer_finish(&bench->buffer);
    arena_finish(&bench->arena);
    wire_reader_destroy(bench->reader);
    wire_destroy(bench->wire);
    free(bench);
    return 0;
}

bool bench_inbound(struct bench *bench, const char *text)
{
    return wire_parse_socket(bench->reader, DIRECTION_SOCKET_IN, slice_from_text(text),
                             &bench->arena, &bench->message, &bench->refusal);
}

bool bench_outbound(struct bench *bench, const char *text)
{
    return wire_parse_socket(bench->reader, DIRECTION_SOCKET_OUT, slice_from_text(text),
                             &bench->arena, &bench->message, &bench->refusal);
}

bool bench_request(struct bench *bench, enum message_type type,
                   const struct wire_parameter *parameters, size_t count,
                   const char *body)
{
    return wire_parse_request(bench->reader, type, parameters, count,
                              slice_from_text(body), &bench->arena, &bench->message,
                              &bench->refusal);
}

const char *bench_text(struct bench *bench, const struct message *message)
{
    buffer_clear(&bench->buffer);
    wire_render(message, &bench->buffer);
    buffer_append_byte(&bench->buffer, '\0');
    assert_false(buffer_failed(&bench->buffer));
    return bench->buffer.data;
}

const char *bench_refusal_text(struct bench *bench, bool http)
{
    struct message answer;
    wire_refusal_message(&bench->refusal, http, &bench->arena, &answer);
    return bench_text(bench, &answer);
}
