/*
 * table.h - the core's tables and their keys, in one place.
 *
 * Numbers in keys are 8 bytes, big-endian, so that memcmp is their order. A task is
 * known by its number, an agent by a number of its own: ids are as long as a client
 * likes, keys are not.
 * Every value starts with a version byte.
 *
 *   place          1                       sequence, clock, epoch
 *   counter        counter                 the last number given out, or a count
 *   stats          1                       tasks by state and lane
 *   task           task                    the head
 *   blob           owner, kind, piece      payloads in pieces
 *   history        task, index             one event
 *   task_state     state, task             index
 *   task_agent     agent, task             index: tasks by assignee
 *   ready          set, lane, task         queued tasks by what they need
 *   waiter         task, dependent         who waits for a task
 *   deadline       clock(1) due(8) kind(1) subject: time-ordered
 *   agent          agent                   what changes often
 *   agent_id       id (bytes)              the agent's number
 *   link           link                    the agent behind a socket
 *   connected      agent                   index
 *   holding        agent, task             who holds what
 *   idle           set, order, agent       agents with a free slot, by ability
 *   set            set                     users of an interned capability set
 *   set_hash       hash, set               to find it again
 *   token          digest(32)              key ring
 *   token_agent    see token.h             index
 *   idempotency    see idempotency.h
 */
#ifndef CORE_TABLE_H
#define CORE_TABLE_H

enum table {
    TABLE_PLACE,
    TABLE_COUNTER,
    TABLE_STATS,
    TABLE_TASK,
    TABLE_BLOB,
    TABLE_HISTORY,
    TABLE_TASK_STATE,
    TABLE_TASK_AGENT,
    TABLE_READY,
    TABLE_WAITER,
    TABLE_DEADLINE,
    TABLE_AGENT,
    TABLE_AGENT_ID,
    TABLE_LINK,
    TABLE_CONNECTED,
    TABLE_HOLDING,
    TABLE_IDLE,
    TABLE_SET,
    TABLE_SET_HASH,
    TABLE_TOKEN,
    TABLE_TOKEN_AGENT,
    TABLE_IDEMPOTENCY,
    TABLE_COUNT
};

/* Rows of TABLE_COUNTER. */
enum counter {
    COUNTER_TASK_LAST = 1,   /* highest task number given out */
    COUNTER_AGENT_LAST = 2,  /* highest agent number given out */
    COUNTER_SET_LAST = 3,    /* highest capability set number given out */
    COUNTER_SETS = 4,        /* capability sets alive */
    COUNTER_CONNECTED = 5,   /* agents connected */
    COUNTER_LANE_PASSES = 6, /* how often each lane was passed over; see lane.h */
};

#endif
