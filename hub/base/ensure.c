#include "base/ensure.h"

#include <stdio.h>
#include <stdlib.h>

void ensure_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "broken invariant: %s at %s:%d\n", condition, file, line);
    abort();
}
