/*
 * tls.h - certificates, keys, and what is spoken with them.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/err.h"

/* ERR_INVALID: one of the files cannot be used, and why is logged. */
enum err tls_check_files(const char *certificate, const char *key);

/* For the library's context of its TLS library. */
int tls_harden(void *context);

#endif
