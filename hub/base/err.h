/*
 * err.h - the one error type: the world's weather, never a client's mistake.
 *
 * A refusal (unknown task, stale generation) is an answer and no error in C; a bug is
 * an ENSURE. What is left is returned as one of these.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err {
    ERR_OK = 0,
    ERR_NOT_FOUND, /* no such row, file or entry */
    ERR_EXISTS,    /* it is there already, or somebody else holds it */
    ERR_INVALID,   /* input or configuration that does not parse */
    ERR_LIMIT,     /* a bound of ours is reached */
    ERR_MEMORY,    /* allocation failed */
    ERR_MAP_FULL,  /* the store's map is full; growing it may help */
    ERR_NO_SPACE,  /* the disk or the store's largest size is reached */
    ERR_IO,        /* the system refused a read, a write or a sync */
    ERR_CORRUPT,   /* a checksum, version or invariant of stored data is wrong */
    ERR_TIMEOUT,
    ERR_CLOSED,
    ERR_UNSUPPORTED,
    ERR_COUNT
};

/* A fixed snake_case name, never NULL. */
const char *err_name(enum err err);

#endif
