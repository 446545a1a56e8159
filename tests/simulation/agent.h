/*
 * agent.h - agents that connect, take tasks, work, report and, when the seed says so,
 * do all of that badly.
 */
#ifndef SIMULATION_AGENT_H
#define SIMULATION_AGENT_H

#include "gate/gate.h"
#include "simulation/plan.h"

struct sim;

enum { JOBS_MAX = 8, NO_CONNECTION = UINT32_MAX, TASK_ID_SPACE = 24 };

enum job_state {
    JOB_NONE,
    JOB_WORKING,
    JOB_REPORTED, /* until the hub has said that it took it */
};

struct job {
    enum job_state state;
    uint32_t serial; /* tells a slot's jobs apart */
    char id[TASK_ID_SPACE];
    int64_t generation;
    int64_t lease_ms;
    int64_t ends_ms;
    bool fails;
    bool large;
    bool blocked;
    bool mute; /* sends no heartbeat until it is too late */
    unsigned tries;
};

struct agent_actor {
    char id[32];
    char token[TOKEN_TEXT_BYTES];
    bool has_token;
    bool revoked;       /* the token was, and the agent does not know yet */
    uint32_t abilities; /* bits */
    unsigned slots;     /* that it says it has */
    uint32_t connection;
    bool identified;
    bool connecting; /* an AGENDA_CONNECT is on the agenda */
    unsigned tries;
    struct job jobs[JOBS_MAX];
    uint32_t serial;
};

struct agents {
    struct sim *sim;
    struct agent_actor agents[AGENTS_MAX];
    unsigned count;
};

void agents_init(struct agents *agents, struct sim *sim);

/* Tokens are handed to it and taken away behind its back. */
void agent_token(struct agents *agents, uint32_t agent,
                 const char token[TOKEN_TEXT_BYTES]);
void agent_revoked(struct agents *agents, uint32_t agent);

void agent_connect_later(struct agents *agents, uint32_t agent, int64_t wait_ms);
void agent_connect(struct agents *agents, uint32_t agent);

/* It leaves, with or without a word. */
void agent_disconnect(struct agents *agents, uint32_t agent, bool half_open);

/* A connection broke, or the hub closed it. */
void agent_lost(struct agents *agents, uint32_t connection);

void agent_hear(struct agents *agents, uint32_t connection, struct slice frame);
void agent_work(struct agents *agents, uint32_t agent, uint64_t job);

/* Things it does unasked: a message, a channel, a word about somebody else's task. */
void agent_chatter(struct agents *agents, uint32_t agent);
void agent_misbehave(struct agents *agents, uint32_t agent);

/* From now on it does everything right, and everything it is asked. */
void agent_make_good(struct agents *agents, uint32_t agent);

#endif
