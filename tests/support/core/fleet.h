/*
 * fleet.h - a core on tables in memory, with a clock and doors of its own, for tests.
 *
 * What the last command asked of the world is kept until the next one. The transaction
 * is committed after every command that succeeded.
 */
#ifndef SUPPORT_CORE_FLEET_H
#define SUPPORT_CORE_FLEET_H

#include "core/core.h"
#include "core/memory_transaction.h"
#include "core/step.h"

enum {
    FLEET_HTTP_LINK = 1000000, /* where the requests of the tests come from */
};

struct fleet {
    struct memory_store *store;
    struct core_settings settings;
    struct arena arena;
    struct effects effects;
    struct command command; /* the next one's times and asker; fleet_as_...() */
    uint64_t request;       /* the last one's number */
    struct judge *judge;    /* the one in settings; fleet_init() made it */

    /* Called by fleet_do() before each command; NULL: nothing. May use fleet_try(). */
    void (*before)(struct fleet *fleet, const struct message *message);
};

/* Everything by default: settings as a hub has them, clocks at an ordinary hour. */
void fleet_init(struct fleet *fleet);
void fleet_finish(struct fleet *fleet);

/* Who sends the next commands: an HTTP client, the socket `link` of an agent, the hub. */
void fleet_as_client(struct fleet *fleet, const char *actor, uint32_t role);
void fleet_as_agent(struct fleet *fleet, const char *actor, uint64_t link);
void fleet_as_hub(struct fleet *fleet);

/* Both clocks go on. */
void fleet_pass(struct fleet *fleet, int64_t ms);

/* Applies a command, or asks a question, by what its row says; aborts on an error. */
void fleet_do(struct fleet *fleet, const struct message *message);

/* As fleet_do() with the error handed back; then nothing is changed. */
enum err fleet_try(struct fleet *fleet, const struct message *message);

/* Ticks until nothing is due. Effects of the last tick alone are kept. */
void fleet_settle(struct fleet *fleet);

/* Milliseconds until a tick has work. */
int64_t fleet_next_due_ms(struct fleet *fleet);

/* The last command's answer to its asker; NULL when there is none. */
const struct effect *fleet_answer(const struct fleet *fleet);

/* The first message of a type sent to a socket; NULL when there is none. */
const struct message *fleet_sent(const struct fleet *fleet, uint64_t link,
                                 enum message_type type);

size_t fleet_count(const struct fleet *fleet, enum effect_kind kind);

/* A step on the tables as they stand, for reading rows with the core's own readers. */
struct step fleet_step(struct fleet *fleet);

/* Aborts with the reason when the tables do not fit together. */
void fleet_verify(struct fleet *fleet);

/* Common commands. */
void fleet_identify(struct fleet *fleet, const char *agent, uint64_t link,
                    const char *const *capabilities, int64_t slots);
struct slice fleet_submit(struct fleet *fleet, const char *description);

#endif
