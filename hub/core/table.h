/*
 * table.h - the core's tables and their keys, in one place.
 *
 * Numbers in keys are 8 bytes, big-endian, so that memcmp is their order. A task is
 * known by its number, an agent by a number of its own: ids are as long as a client
 * likes, keys are not.
 * Every value starts with a version byte.
 *
 *   place          1                       sequence, clock, epoch, last event
 *                  2                       where the event log begins; see event_log.h
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
 *   letter         letter                  a message kept, without its text
 *   letter_id      id(8)                   the letter's number
 *   letter_index   kind, subject, letter   see letter.h
 *   box            box                     a mailbox
 *   box_id         id (bytes)              the mailbox's number
 *   mail           box, sequence           a letter in a mailbox
 *   fanout         letter                  who is still to be given it
 *   channel        channel                 the head
 *   channel_name   name (bytes)            the channel's number
 *   channel_letter channel, sequence       its history
 *   member         channel, box            who is subscribed
 *   member_of      box, channel            index
 *   schema         name                    a schema of the fleet: versions, binding
 *   schema_version name, NUL, version(4)   one version of it
 *   schema_bind    part(1) kind            the name of the schema bound to it
 *   task_kind      kind, NUL, task         index: tasks that have a kind
 *   event          sequence                see event.h
 *   ready_pin      agent, lane, task       queued tasks that are for one agent alone
 *   presence       1                       the feed: see feed.h
 *   presence_change sequence               the agent changed then
 *   presence_agent agent                   its last change
 *   presence_link  link                    who hears of them
 *   activity       id (bytes)              see activity.h
 *   activity_gone  hour, id                index, likewise
 *   rate           name (bytes)            limits of its own; see rate.h
 *   rate_exempt    name (bytes)            index: has no limits
 *   job            job                     work of the ops thread, see job.h
 *   backup         name (bytes)            a backup that was seen, see backup.h
 *   finished       state, ended, task      index: finished tasks that may go
 *   task_alias     number shown            the number of a task that was imported
 *   task_shown     task                    and the one in its id
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
    TABLE_LETTER,
    TABLE_LETTER_ID,
    TABLE_LETTER_INDEX,
    TABLE_BOX,
    TABLE_BOX_ID,
    TABLE_MAIL,
    TABLE_FANOUT,
    TABLE_CHANNEL,
    TABLE_CHANNEL_NAME,
    TABLE_CHANNEL_LETTER,
    TABLE_MEMBER,
    TABLE_MEMBER_OF,
    TABLE_SCHEMA,
    TABLE_SCHEMA_VERSION,
    TABLE_SCHEMA_BIND,
    TABLE_TASK_KIND,
    TABLE_EVENT,
    TABLE_READY_PIN,
    TABLE_PRESENCE,
    TABLE_PRESENCE_CHANGE,
    TABLE_PRESENCE_AGENT,
    TABLE_PRESENCE_LINK,
    TABLE_ACTIVITY,
    TABLE_ACTIVITY_GONE,
    TABLE_RATE,
    TABLE_RATE_EXEMPT,
    TABLE_JOB,
    TABLE_BACKUP,
    TABLE_FINISHED,
    TABLE_TASK_ALIAS,
    TABLE_TASK_SHOWN,
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

    COUNTER_LETTER_LAST = 20,  /* highest letter number given out */
    COUNTER_LETTER_FIRST = 21, /* the oldest letter of the history */
    COUNTER_BOX_LAST = 22,     /* highest mailbox number given out */
    COUNTER_CHANNEL_LAST = 23, /* highest channel number given out */
    COUNTER_MAIL_TTL_MS = 24,  /* retention set by an operator; 0: the setting */

    COUNTER_SCHEMA_TEXT_LAST = 40, /* highest number of a schema's text given out */
    COUNTER_SCHEMAS = 41,          /* schemas of the fleet, by name */

    COUNTER_HEARTBEAT_MS = 130,  /* set by an operator; 0: never set */
    COUNTER_ACTIVITIES = 131,    /* names whose activity is kept */
    COUNTER_TASK_IMPORTED = 132, /* highest number given to an imported task */

    COUNTER_RATE_OVERRIDES = 110, /* rows of TABLE_RATE */
    COUNTER_RATE_EXEMPT = 111,    /* rows of TABLE_RATE_EXEMPT */

    COUNTER_JOB_LAST = 180,       /* highest job number given out */
    COUNTER_JOBS_OPEN = 181,      /* jobs queued or running */
    COUNTER_BACKUP_DUE_MS = 182,  /* wall: the next scheduled backup; 0: none */
    COUNTER_BACKUP_BASE_MS = 183, /* wall: what its interval counts from */
    COUNTER_INSTANCE = 184,       /* tells this store from any other */
    COUNTER_BACKUPS = 185,        /* backups seen */

    COUNTER_RETENTION_MS = 140, /* wall clock: due time of DEADLINE_RETENTION; 0: none */

    COUNTER_COMPACT_DUE_MS = 194,  /* wall: see upkeep.h */
    COUNTER_COMPACT_BASE_MS = 195, /* wall: what its interval counts from */
    COUNTER_SCRUB_DUE_MS = 196,
    COUNTER_SCRUB_BASE_MS = 197,
};

#endif
