/*
 * settings.h - the numbers the fleet's rules turn on. From the configuration; the same
 * for every command of a run.
 */
#ifndef CORE_SETTINGS_H
#define CORE_SETTINGS_H

#include "base/pack.h"
#include "core/judge.h"

#include <stdint.h>

/* A digest of bytes: SHA-256. A pure function, handed in because the core computes none. */
typedef void event_digest(struct slice bytes, uint8_t ret_digest[]);

struct core_settings {
    int64_t acceptance_ms;      /* from task_assign to task_accepted */
    int64_t lease_ms;           /* renewed by progress and lease_renew */
    int64_t reconnect_grace_ms; /* a lost agent may come back for its tasks */
    int64_t retry_delay_ms;     /* before a failed task is ready again; 0: at once */
    int64_t idempotency_ms;     /* how long a submit is remembered */
    uint32_t attempts_default;
    uint32_t attempts_max;
    uint32_t history_max;                /* events kept per task */
    uint32_t presence_events_agents_max; /* above: joins and leaves are not broadcast */
    uint64_t tasks_open_max; /* tasks not in an end state; past it a submit is refused */
    uint32_t capability_sets_max;
    uint32_t lane_passes_max;      /* then a lane passed over has a turn; 0: never */
    uint32_t messages_max;         /* kept in the history of all messages */
    uint32_t mailbox_max;          /* letters kept per mailbox */
    uint32_t mailboxes_max;        /* mailboxes; past it no new one is opened */
    uint32_t channel_messages_max; /* kept per channel */
    uint32_t channels_max;
    uint32_t fanout_max; /* recipients one command gives a letter to */
    int64_t mailbox_ttl_ms;
    int64_t backup_interval_ms;       /* wall; 0: none by itself */
    int64_t compaction_interval_ms;   /* likewise */
    int64_t scrub_interval_ms;        /* likewise */
    uint32_t schemas_max;             /* names of schemas of the fleet */
    uint32_t schema_versions_max;     /* kept of each */
    uint32_t schema_payloads_checked; /* stored ones that a new version is tried on */
    uint32_t schema_steps_max;        /* what judging one payload may cost */
    int64_t heartbeat_max_ms;         /* agents are told to say something this often */
    uint32_t activities_max;          /* names whose activity is kept */
    uint64_t events_max;              /* events kept; 0: no matter how many */
    int64_t events_ttl_ms;  /* how long an event is kept; 0: no matter how long */
    uint32_t event_classes; /* bits of enum event_class: what is kept at all */
    event_digest *digest;   /* what links the events */
    uint32_t presence_subscribers_max;
    int64_t presence_interval_ms; /* deltas are gathered this long */
    int64_t completed_ttl_ms;     /* how long finished tasks are kept; 0: for ever */
    int64_t cancelled_ttl_ms;
    int64_t dead_letter_ttl_ms;
    uint64_t finished_tasks_max; /* and how many; 0: no matter */
    struct judge *judge; /* of the calling thread; NULL: what needs one is refused */
};

/* The numbers, for who applies the same commands another time; not what is handed in. */
void core_settings_pack(const struct core_settings *settings, struct buffer *buffer);

/* Sets the numbers of `settings` and leaves what is handed in. False: not what
 * core_settings_pack() wrote. */
bool core_settings_unpack(struct slice packed, struct core_settings *settings);

#endif
