/*
 * directories.h - where things go that have a place in the data directory unless a setting
 * says another.
 */
#ifndef APP_DIRECTORIES_H
#define APP_DIRECTORIES_H

#include "app/config.h"

enum { DIRECTORY_BYTES = 4200 };

/* ERR_LIMIT: the path is too long. */
enum err directory_backups(const struct config *config, char ret_path[DIRECTORY_BYTES]);
enum err directory_journal(const struct config *config, char ret_path[DIRECTORY_BYTES]);

#endif
