#include "app/directories.h"

#include "os/file.h"

#include <stdio.h>

static enum err directory_of(const struct config *config, enum setting setting,
                             const char *name, char *path)
{
    if (config_text(config, setting).size == 0)
        return path_join(path, DIRECTORY_BYTES, config_path(config, SETTING_DATA), name)
                   ? ERR_OK
                   : ERR_LIMIT;
    int size = snprintf(path, DIRECTORY_BYTES, "%s", config_path(config, setting));
    return size >= 0 && size < DIRECTORY_BYTES ? ERR_OK : ERR_LIMIT;
}

enum err directory_backups(const struct config *config, char ret_path[DIRECTORY_BYTES])
{
    return directory_of(config, SETTING_BACKUP_DIRECTORY, "backups", ret_path);
}

enum err directory_journal(const struct config *config, char ret_path[DIRECTORY_BYTES])
{
    return directory_of(config, SETTING_JOURNAL_DIRECTORY, "journal", ret_path);
}
