/*
 * agent.h - what the commands about agents share.
 */
#ifndef CLI_AGENT_H
#define CLI_AGENT_H

#include "cli/command.h"

enum outcome drain_run(struct invocation *invocation);
enum outcome drain_show(const struct answer *answer);

#endif
