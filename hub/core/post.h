/*
 * post.h - a message from one to one, or to all.
 */
#ifndef CORE_POST_H
#define CORE_POST_H

#include "core/letter.h"

struct post {
    struct slice to; /* absent or `broadcast`: everybody */
    struct slice type;
    struct slice reply_to;
    struct slice payload;
};

/* Keeps it and sends it on. False: the asker has been refused. *ret_delivery: `delivered`
 * on a socket, or `queued` in a mailbox. */
bool post(struct step *step, const struct post *post, struct slice *ret_id,
          struct slice *ret_delivery);

#endif
