/*
 * hub_config.h - drover hub config, which asks several routes.
 */
#ifndef CLI_HUB_CONFIG_H
#define CLI_HUB_CONFIG_H

#include "cli/command.h"

enum outcome hub_config_run(struct invocation *invocation);

#endif
