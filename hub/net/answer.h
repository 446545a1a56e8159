/*
 * answer.h - the bytes of an HTTP answer.
 *
 * Ownership  An answer owns its bytes: head and body in one piece, with the library's
 *            headroom before them.
 */
#ifndef NET_ANSWER_H
#define NET_ANSWER_H

#include "base/buffer.h"
#include "base/err.h"
#include "gate/rates.h"

/* How the asker wants it. */
struct answer_style {
    bool head_only;   /* HEAD */
    bool problem;     /* RFC 9457 documents for errors */
    bool keep;        /* the connection stays */
    bool old_version; /* HTTP/1.0: keeping must be said */
};

/* What is said besides status and body. */
struct answer_facts {
    uint16_t status;
    struct slice body;       /* a JSON object */
    struct slice allow;      /* 405 */
    struct slice etag;       /* without quotes; absent: the answer may not be kept */
    int64_t retry_after_ms;  /* 0: nothing */
    struct rate_answer rate; /* not limited: nothing */
    bool replayed;
    bool upgrade; /* 426 */
};

struct answer {
    char *bytes; /* ANSWER_HEADROOM, then `size`; NULL: none */
    size_t size;
};

enum {
    ANSWER_HEADROOM = 32,
    ANSWER_NOT_MODIFIED = 304, /* the one status whose answer is all head */
};

/* ERR_MEMORY. */
enum err answer_make(const struct answer_style *style, const struct answer_facts *facts,
                     struct answer *ret_answer);

/* Wipes and frees. */
void answer_finish(struct answer *answer);

/* A member whose text is known to this room alone; no character of it needs an escape. */
struct answer_member {
    const char *name;
    struct slice text;
};

/* Appends `body`, a JSON object, with the members' texts put where they stand empty, and
 * behind the opening brace where they do not stand at all. */
void answer_fill(struct buffer *buffer, struct slice body,
                 const struct answer_member *members, size_t count);

#endif
