/*
 * channel.h - named channels: who is subscribed, and what was said there.
 *
 * Subscribers are mailboxes, so that a name without a connection can be one. A publish
 * reaches each of them once; see fanout.h. Sequences count from 1 in each channel.
 */
#ifndef CORE_CHANNEL_H
#define CORE_CHANNEL_H

#include "core/box.h"
#include "core/letter.h"

enum {
    CHANNEL_NAME_BYTES_MAX = 64,
    CHANNELS_PER_AGENT_MAX = 1000,
    CHANNELS_LISTED_MAX = 1000,
    CHANNELS_FRAME_BYTES_MAX = 256 * 1024,
    CHANNELS_ANSWER_BYTES_MAX = 1 << 20,
};

struct channel {
    uint64_t number;
    uint64_t last; /* highest sequence given out */
    uint64_t kept; /* letters in its history: the last ones */
    uint32_t members;
    int64_t created_ms; /* wall */
    struct slice name;  /* in the arena, as created_by */
    struct slice created_by;
};

/* A name as channels are known by: no leading #, lower case, a-z 0-9 - _ only. False
 * when nothing is left, or too much. In the arena. */
bool channel_name(struct step *step, struct slice raw, struct slice *ret_name);

bool channel_load(struct step *step, uint64_t number, struct channel *ret_channel);
bool channel_unpack(struct step *step, uint64_t number, struct slice value,
                    struct channel *ret_channel);

/* By a name as people write it. False: refused with channel_not_found. */
bool channel_find(struct step *step, struct slice raw, struct channel *ret_channel);

/* False: the asker has been refused. */
bool channel_known(struct step *step, struct slice raw, struct channel *ret_channel);

/* A new one of this name, which is free; nobody is told. False: there are too many. */
bool channel_put(struct step *step, struct slice name, struct slice description,
                 struct channel *ret_channel);

bool channel_create(struct step *step, struct slice raw, struct slice description,
                    struct channel *ret_channel);

/* The asker's subscription. */
enum channel_change { CHANNEL_REFUSED, CHANNEL_CHANGED, CHANNEL_UNCHANGED };
/* The owner of a mailbox, opened if need be, hears from now on what is published; nobody is
 * told. Refused: there are too many mailboxes, or it is in too many channels. */
enum channel_change channel_admit(struct step *step, struct channel *channel,
                                  struct slice id, struct box *ret_box);

enum channel_change channel_join(struct step *step, struct channel *channel);
enum channel_change channel_leave(struct step *step, struct channel *channel);

/* Out of all; how many there were. */
uint32_t channel_leave_all(struct step *step);

struct channel_member {
    struct box box;
    uint64_t since; /* the channel's last sequence when it joined */
};

/* The first subscriber with a mailbox number greater than `after`. */
bool channel_member_next(struct step *step, uint64_t channel, uint64_t after,
                         struct channel_member *ret_member);

/* Walks a mailbox's channels by number: start with *channel = 0. */
bool channel_of_box_next(struct step *step, uint64_t box, uint64_t *channel);

/* Says something there. False: the asker has been refused. */
struct channel_saying {
    struct slice channel;
    struct slice type;
    struct slice reply_to;
    struct slice payload;
};

/* The letter's place in the channel, and the channel's history; nobody is given it. */
void channel_keep(struct step *step, struct channel *channel, struct letter *letter);

bool channel_publish(struct step *step, const struct channel_saying *saying,
                     struct letter *ret_letter);

/* The letter of a sequence in the channel's history. False: the step has failed. */
bool channel_letter_load(struct step *step, const struct channel *channel,
                         uint64_t sequence, struct letter *ret_letter);

/* A letter as it goes to subscribers' sockets. */
void channel_message(struct step *step, const struct letter *letter,
                     struct message *ret_message);

/* One page of a channel's history, oldest first: after `since`, or, without it and with
 * `before`, the last ones before that. */
struct channel_look {
    struct slice channel;
    bool has_since;
    uint64_t since;
    bool has_before;
    uint64_t before;
    size_t limit;
    size_t bytes_max;
};

struct channel_page {
    struct slice name;
    struct message_list messages; /* of struct message_channel_entry */
    uint64_t last;                /* highest sequence of the channel */
    bool more;                    /* in the direction asked for */
};

/* An unknown channel has an empty page. */
void channel_history(struct step *step, const struct channel_look *look,
                     struct channel_page *ret_page);

/* Channels by name, after `after` (a name; absent: from the start). */
struct channel_list {
    struct message_list channels; /* of struct message_channel_listed */
    struct slice cursor;          /* absent at the end */
};

void channel_list(struct step *step, struct slice after, size_t limit, size_t bytes_max,
                  struct channel_list *ret_list);

#endif
