/*
 * judge.h - who says whether a payload fits a schema: to the core an interface, for it
 * knows neither JSON nor schemas.
 *
 * A judge is a pure function of the schema's text and the payload's: whatever it keeps
 * may be thrown away at any time, and state stays a function of the ordered commands.
 * Each thread brings its own.
 */
#ifndef CORE_JUDGE_H
#define CORE_JUDGE_H

#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JUDGE_FLAWS_MAX = 10,
    JUDGE_CANDIDATE = 0, /* number of a text that is not stored yet */
};

enum judgement {
    JUDGED_VALID,
    JUDGED_INVALID,
    JUDGED_TOO_COMPLEX, /* the step budget is spent */
};

/* One broken assertion; valid until the judge is asked again. */
struct judge_flaw {
    struct slice pointer; /* into the payload */
    struct slice keyword;
    struct slice detail;
};

struct judge_verdict {
    enum judgement judgement;
    struct judge_flaw flaws[JUDGE_FLAWS_MAX];
    size_t count;
};

/* Why a text is no schema. */
struct judge_problem {
    char pointer[256]; /* into the schema, cut when longer */
    char reason[256];
};

struct judge;

struct judge_methods {
    /* Does it still know the text of this number? */
    bool (*knows)(struct judge *judge, uint64_t number);
    /* Compiles the text and keeps it under its number until it needs the room. What was
     * kept under that number goes first. ERR_INVALID, ERR_LIMIT: see *ret_problem. */
    enum err (*learn)(struct judge *judge, uint64_t number, struct slice text,
                      struct judge_problem *ret_problem);
    /* Judges by a text that it knows. */
    enum err (*judge)(struct judge *judge, uint64_t number, struct slice payload,
                      struct judge_verdict *ret_verdict);
};

struct judge {
    const struct judge_methods *methods;
};

#endif
