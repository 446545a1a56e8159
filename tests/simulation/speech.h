/*
 * speech.h - what agents say, as text on the wire.
 */
#ifndef SIMULATION_SPEECH_H
#define SIMULATION_SPEECH_H

#include "base/buffer.h"
#include "simulation/agent.h"

enum say {
    SAY_ACCEPTED,
    SAY_PROGRESS,
    SAY_LEASE_RENEW,
    SAY_RECOVERING,
    SAY_CANCELLED,
    SAY_BLOCKED,
    SAY_UNBLOCKED,
};

void say_identify(struct agents *agents, uint32_t agent, unsigned slots);

/* A word about a task: on the agent's connection, when it has one. */
void say_about(struct agents *agents, uint32_t agent, enum say what, const char *task_id,
               int64_t generation);

/* The end of a job: its result, or why there is none. */
void say_report(struct agents *agents, uint32_t agent, const struct job *job,
                int64_t generation);

/* The result of a task's turn: the same whoever does it. */
void say_result(struct buffer *text, struct slice task_id, int64_t generation,
                bool large);

#endif
