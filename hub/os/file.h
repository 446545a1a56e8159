/*
 * file.h - small files, whole: configuration, tokens, certificates, locks.
 *
 * Never for the store's own files while it is open.
 */
#ifndef OS_FILE_H
#define OS_FILE_H

#include "base/buffer.h"
#include "base/err.h"

/* Appends the file's bytes. ERR_LIMIT when it is longer than `bytes_max` (or than the
 * buffer's own bound), ERR_NOT_FOUND, ERR_IO. */
enum err file_read(const char *path, size_t bytes_max, struct buffer *buffer);

/* The whole file or the old one, whatever happens: written beside it with mode 0600,
 * synced, renamed over, and the directory synced. */
enum err file_write(const char *path, struct slice bytes);

enum err file_remove(const char *path); /* ERR_NOT_FOUND when it is not there */

/* As file_read's errors; never opens the file. */
enum err file_size(const char *path, uint64_t *ret_bytes);

/* Makes the directory (not its parents) with mode 0700, or tightens an existing one to
 * that. ERR_INVALID when the path is something else, ERR_IO. */
enum err directory_make(const char *path);

enum err directory_sync(const char *path);

/* The directory that `path` is in: then a power failure leaves it its name. */
enum err directory_sync_above(const char *path);

/* Of files that are open: as file_read(); all of the bytes, however many calls that takes;
 * and all that was written, on the disk. */
enum err file_get(int fd, size_t bytes_max, struct buffer *buffer);
enum err file_put(int fd, struct slice bytes);
enum err file_sync(int fd);

/* What the errno of a call on a file means here. */
enum err file_err(int code);

/* "directory/name" with a NUL; false when it does not fit. */
bool path_join(char *target, size_t size, const char *directory, const char *name);

/* A lock that ends with the process. ERR_EXISTS: another process holds it, and not only
 * for a moment (what a killed one started may have it a little longer). */
struct file_lock {
    int fd;
};

enum err file_lock_take(const char *path, struct file_lock *ret_lock);
void file_lock_release(struct file_lock *lock);

#endif
