#include "os/counter.h"

#include "base/ensure.h"

#include <stddef.h>

struct counters COUNTERS;

enum { KIND_counter = 0, KIND_gauge = 1 };

static const struct counter_row ROWS[COUNTER_COUNT] = {
#define COUNTER_TEXT(NAME, name, kind, help)                                             \
    [COUNTER_##NAME] = { #name, (help), KIND_##kind },
    COUNTER_ROWS(COUNTER_TEXT)
#undef COUNTER_TEXT
};

const struct counter_row *counter_row(enum counter counter)
{
    ENSURE((unsigned)counter < COUNTER_COUNT);
    return &ROWS[counter];
}
