#include "store/replace.h"

#include "os/file.h"
#include "store/place.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct names {
    char data[PLACE_PATH_BYTES];
    char previous[PLACE_PATH_BYTES];
};

static bool names_make(const char *directory, struct names *names)
{
    return path_join(names->data, sizeof names->data, directory, PLACE_DATA) &&
           path_join(names->previous, sizeof names->previous, directory,
                     REPLACE_PREVIOUS);
}

static int ask(int (*mark)(void *context), void *context)
{
    return mark == NULL ? 0 : mark(context);
}

static int sync_names(const char *directory)
{
    return directory_sync(directory) == ERR_OK ? 0 : EIO;
}

/* There is none when the first store of a directory is a restored one. */
static int previous_keep(const struct names *names)
{
    return link(names->data, names->previous) == 0 || errno == ENOENT ? 0 : errno;
}

int replace_run(const char *directory, const char *file, int (*mark)(void *context),
                void *context)
{
    struct names names;
    if (!names_make(directory, &names))
        return ENAMETOOLONG;

    (void)unlink(names.previous);
    int code = ask(mark, context);
    if (code == 0)
        code = previous_keep(&names);
    if (code == 0)
        code = sync_names(directory);
    if (code == 0)
        code = ask(mark, context);
    if (code == 0 && rename(file, names.data) != 0)
        code = errno;
    if (code == 0)
        code = ask(mark, context);
    if (code == 0)
        code = sync_names(directory);
    return code == 0 ? ask(mark, context) : code;
}

bool replace_is_pending(const char *directory)
{
    struct names names;
    struct stat status;
    return names_make(directory, &names) && lstat(names.previous, &status) == 0;
}

enum err replace_settle(const char *directory, bool good)
{
    struct names names;
    if (!names_make(directory, &names))
        return ERR_LIMIT;
    /* Two names of one file: a rename does nothing, so the one goes in any case. */
    int code = good ? 0 : rename(names.previous, names.data);
    if (code == 0)
        code = unlink(names.previous);
    if (code != 0 && errno != ENOENT)
        return errno == ENOSPC || errno == EDQUOT ? ERR_NO_SPACE : ERR_IO;
    return directory_sync(directory);
}

void replace_forget(const char *directory, const char *made)
{
    static const char *const FILES[] = { PLACE_DATA, PLACE_LOCK, PLACE_HUB_LOCK };
    char inside[PLACE_PATH_BYTES];
    char path[PLACE_PATH_BYTES];
    if (!path_join(inside, sizeof inside, directory, made))
        return;
    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++)
        if (path_join(path, sizeof path, inside, FILES[i]))
            (void)unlink(path);
    (void)rmdir(inside);
}
