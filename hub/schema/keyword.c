#include "schema/keyword.h"

const struct keyword_row KEYWORDS[KEYWORD_COUNT] = {
    [KEYWORD_NONE] = { .name = SLICE("") },
#define KEYWORD(NAME, text, vocabulary, holds, shape)                                    \
    [KEYWORD_##                                                                          \
        NAME] = { SLICE(text), VOCABULARY_##vocabulary, HOLDS_##holds, SHAPE_##shape },
#include "schema/keywords.inc"
#undef KEYWORD
};

enum keyword keyword_find(struct slice name)
{
    for (int i = KEYWORD_NONE + 1; i < KEYWORD_COUNT; i++)
        if (slice_equal(KEYWORDS[i].name, name))
            return (enum keyword)i;
    return KEYWORD_NONE;
}

unsigned vocabulary_find(struct slice uri)
{
    static const struct {
        struct slice name;
        unsigned bit;
    } ROWS[] = {
        { SLICE("core"), VOCABULARY_CORE },
        { SLICE("applicator"), VOCABULARY_APPLICATOR },
        { SLICE("unevaluated"), VOCABULARY_UNEVALUATED },
        { SLICE("validation"), VOCABULARY_VALIDATION },
        { SLICE("meta-data"), VOCABULARY_META_DATA },
        { SLICE("format-annotation"), VOCABULARY_FORMAT_ANNOTATION },
        { SLICE("format-assertion"),
          VOCABULARY_FORMAT_ANNOTATION | VOCABULARY_FORMAT_ASSERTION },
        { SLICE("content"), VOCABULARY_CONTENT },
    };
    static const struct slice FRONT =
        SLICE("https://json-schema.org/draft/2020-12/vocab/");

    if (!slice_starts_with(uri, FRONT))
        return 0;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        if (slice_equal(slice_skip(uri, FRONT.size), ROWS[i].name))
            return ROWS[i].bit;
    return 0;
}
