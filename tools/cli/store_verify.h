/*
 * store_verify.h - drover store verify: the store of a hub that runs, or one that lies still.
 */
#ifndef CLI_STORE_VERIFY_H
#define CLI_STORE_VERIFY_H

#include "cli/command.h"

enum outcome store_verify_run(struct invocation *invocation);

#endif
