/*
 * callbacks.h - the library's calls, each handed to the verb that serves it.
 */
#ifndef NET_CALLBACKS_H
#define NET_CALLBACKS_H

#include <libwebsockets.h>

int net_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                 size_t size);

#endif
