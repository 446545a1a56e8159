/*
 * help.h - what schemas/ says of each field of a request, for people.
 *
 * A table by itself: whoever does not show help does not carry it.
 */
#ifndef MESSAGE_HELP_H
#define MESSAGE_HELP_H

#include "message/message.h"

#include <stddef.h>

struct field_help {
    const char *name; /* on the wire; of a member of an object: bind.kind */
    const char *text; /* whole sentences */
};

struct route_help {
    const struct field_help *fields;
    size_t count;
};

/* Indexed by enum message_type; empty where there is no request. */
extern const struct route_help ROUTE_HELP[MESSAGE_COUNT];

#endif
