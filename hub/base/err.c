#include "base/err.h"

#include "base/ensure.h"

static const char *const NAMES[ERR_COUNT] = {
    [ERR_OK] = "ok",
    [ERR_NOT_FOUND] = "not_found",
    [ERR_EXISTS] = "exists",
    [ERR_INVALID] = "invalid",
    [ERR_LIMIT] = "limit",
    [ERR_MEMORY] = "memory",
    [ERR_MAP_FULL] = "map_full",
    [ERR_NO_SPACE] = "no_space",
    [ERR_IO] = "io",
    [ERR_CORRUPT] = "corrupt",
    [ERR_TIMEOUT] = "timeout",
    [ERR_CLOSED] = "closed",
    [ERR_UNSUPPORTED] = "unsupported",
};

const char *err_name(enum err err)
{
    ENSURE(err >= 0 && err < ERR_COUNT);
    return NAMES[err];
}
