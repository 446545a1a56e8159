#include "schemac/fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

_Noreturn void fail(const char *where, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "schemac: %s: ", where);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

void join(char *target, size_t room, const char *one, const char *separator,
          const char *other)
{
    int size = snprintf(target, room, "%s%s%s", one, separator, other);
    if (size < 0 || (size_t)size >= room)
        fail(one, "the name with \"%s\" behind it is too long", other);
}
