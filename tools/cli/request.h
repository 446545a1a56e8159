/*
 * request.h - the request a command line makes: the route's row says where each field
 * stands and of what kind it is, the command's row which option or argument fills it.
 */
#ifndef CLI_REQUEST_H
#define CLI_REQUEST_H

#include "cli/command.h"

/* A field filled by the command itself; whatever the line says of it does not count. Of
 * objects and of what is opaque the text is JSON. */
struct filling {
    const char *field;
    struct slice text;
};

/* Asks the hub. OUTCOME_OK: *ret_answer is what became of it, good or bad, and not told
 * yet; else there was nothing to ask, and why is said on standard error. */
enum outcome request_call(struct invocation *invocation, enum message_type route,
                          const struct filling *fillings, size_t count,
                          struct answer *ret_answer);

/* The same for the command's own route; an answer that is not good is told. */
enum outcome command_call(struct invocation *invocation, const struct filling *fillings,
                          size_t count, struct answer *ret_answer);

#endif
