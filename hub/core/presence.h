/*
 * presence.h - who is connected, and who is told.
 */
#ifndef CORE_PRESENCE_H
#define CORE_PRESENCE_H

#include "core/agent.h"

/*
 * The agent behind the socket the command came from. One that was unresponsive has said
 * something now and is back in line; core_apply() looks for work for it once the command
 * is done. False: nobody is behind it, and it has been told so (or the step has failed).
 */
bool presence_asker(struct step *step, struct agent *ret_agent);

/* The number of the agent bound to a link. */
bool presence_of_link(struct step *step, uint64_t link, uint64_t *ret_agent);

/* The agent as others see it, in the arena; NULL when the step fails. */
struct message_agent *presence_view(struct step *step, const struct agent *agent);

/* What the event log is told. */
void presence_log_joined(struct step *step, const struct agent *agent,
                         const struct agent_profile *profile);
void presence_log_left(struct step *step, const struct agent *agent, struct slice reason);
void presence_log_status(struct step *step, const struct agent_profile *profile);

/* agent_joined to all but its own link; nothing in a large fleet. */
void presence_tell_joined(struct step *step, const struct agent *agent);

/* status_changed to all; nothing in a large fleet. */
void presence_tell_changed(struct step *step, const struct agent *agent);

/* The agent's link is gone: out of the indexes, and its grace starts when it holds
 * anything. Saves it. */
void presence_drop(struct step *step, struct agent *agent);

/* Likewise, and the others are told. */
void presence_leave(struct step *step, struct agent *agent);

#endif
