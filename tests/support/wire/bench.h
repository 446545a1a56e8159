/*
 * bench.h - what every test of wire/ needs: a reader, an arena, and a way to see text.
 */
#ifndef SUPPORT_WIRE_BENCH_H
#define SUPPORT_WIRE_BENCH_H

#include "wire/wire.h"

struct bench {
    struct wire *wire;
    struct wire_reader *reader;
    struct arena arena;
    struct buffer buffer;
    struct message message;
    struct refusal refusal;
};

/* For cmocka_unit_test_setup_teardown: *state becomes a bench. */
int bench_setup(void **state);
int bench_teardown(void **state);

bool bench_inbound(struct bench *bench, const char *text);
bool bench_outbound(struct bench *bench, const char *text);
bool bench_request(struct bench *bench, enum message_type type,
                   const struct wire_parameter *parameters, size_t count,
                   const char *body);

/* The message as text, valid until the next call. */
const char *bench_text(struct bench *bench, const struct message *message);

/* The answer to the bench's refusal as text. */
const char *bench_refusal_text(struct bench *bench, bool http);

#endif
