/*
 * keyword.h - every keyword of draft 2020-12, as one table.
 */
#ifndef SCHEMA_KEYWORD_H
#define SCHEMA_KEYWORD_H

#include "base/slice.h"

/* What a dialect may switch on and off. */
enum vocabulary {
    VOCABULARY_CORE = 1,
    VOCABULARY_APPLICATOR = 2,
    VOCABULARY_UNEVALUATED = 4,
    VOCABULARY_VALIDATION = 8,
    VOCABULARY_META_DATA = 16,
    VOCABULARY_FORMAT_ANNOTATION = 32,
    VOCABULARY_FORMAT_ASSERTION = 64,
    VOCABULARY_CONTENT = 128,
};

/* All but the assertion of formats. */
enum { VOCABULARY_STANDARD = 0xff & ~VOCABULARY_FORMAT_ASSERTION };

/* Where a keyword's value holds schemas. */
enum keyword_holds {
    HOLDS_NOTHING,
    HOLDS_SCHEMA,
    HOLDS_SCHEMA_LIST,
    HOLDS_SCHEMA_MAP,
};

/* The shape of a keyword's value. */
enum keyword_shape {
    SHAPE_ANY,
    SHAPE_STRING,
    SHAPE_BOOLEAN,
    SHAPE_NUMBER,
    SHAPE_COUNT, /* a whole number, zero or more */
    SHAPE_ARRAY,
    SHAPE_OBJECT,
    SHAPE_STRINGS, /* an array of them */
    SHAPE_SCHEMA,  /* an object, true or false */
    SHAPE_SCHEMAS, /* an array of them, one or more */
    SHAPE_SCHEMA_MAP,
};

enum keyword {
    KEYWORD_NONE, /* unknown */
#define KEYWORD(NAME, text, vocabulary, holds, shape) KEYWORD_##NAME,
#include "schema/keywords.inc"
#undef KEYWORD
    KEYWORD_COUNT
};

struct keyword_row {
    struct slice name;
    unsigned vocabulary; /* enum vocabulary */
    enum keyword_holds holds;
    enum keyword_shape shape;
};

extern const struct keyword_row KEYWORDS[KEYWORD_COUNT];

/* KEYWORD_NONE when unknown. */
enum keyword keyword_find(struct slice name);

/* The vocabulary's bit, or 0 when its URI is unknown. */
unsigned vocabulary_find(struct slice uri);

#endif
