/*
 * box.h - mailboxes: letters for those who were away, in the order they came.
 *
 * A mailbox belongs to a name, not to a connection: whoever has that name reads it, be it
 * over HTTP alone. It is opened with the first letter or subscription and stays, so that
 * its sequence never starts again.
 */
#ifndef CORE_BOX_H
#define CORE_BOX_H

#include "core/step.h"

struct box {
    uint64_t number;
    uint64_t last; /* highest sequence given out */
    uint32_t count;
    int64_t due_ms;  /* wall: when its oldest letter may be too old; 0: it is empty */
    struct slice id; /* in the arena */
};

bool box_load(struct step *step, uint64_t number, struct box *ret_box);
bool box_unpack(struct step *step, uint64_t number, struct slice value,
                struct box *ret_box);
bool box_find(struct step *step, struct slice id, struct box *ret_box);

/* The mailbox of the name, opened if need be. False: there are too many, or the step has
 * failed. */
bool box_open(struct step *step, struct slice id, struct box *ret_box);

/* Puts a letter in, and drops the oldest when there are too many. The caller counts the
 * letter's new user, so that many boxes cost one write. */
void box_add(struct step *step, struct box *box, uint64_t letter);

/* What comes next has a higher sequence than this one. False: it has already. */
bool box_go_on_from(struct step *step, struct box *box, uint64_t sequence);

/* Takes out everything up to a sequence. */
void box_acknowledge(struct step *step, struct box *box, uint64_t sequence);

/* The first letter with a sequence of at least `from`; false when there is none. */
struct box_item {
    uint64_t sequence;
    uint64_t letter;
    int64_t stored_ms; /* wall */
};

bool box_next(struct step *step, uint64_t box, uint64_t from, struct box_item *ret_item);

/* Takes out what is too old; for DEADLINE_MAIL with its due time, and at any time. */
void box_due(struct step *step, uint64_t number, int64_t due_ms);
void box_evict(struct step *step, struct box *box);

/* Looks into every mailbox from `number` on, some in this command. */
void box_sweep(struct step *step, uint64_t number);

/* True when this command may look into no more. */
bool box_is_spent(const struct step *step);

/* How long a letter is kept. */
int64_t box_ttl_ms(struct step *step);

/* A reader's page, written into the mailbox frame and into HTTP's answer alike. */
struct box_page {
    struct message_list messages; /* of struct message_stored_message */
    uint64_t last;                /* the last on the page, or `since` */
    bool more;
};

enum {
    BOX_LIMIT_MAX = 1000,
    BOX_PAGE_BYTES_MAX = 1 << 20,
    BOX_FRAME_BYTES_MAX = 256 * 1024,
};

/* Letters after `since`; always one when there is any. */
void box_read(struct step *step, uint64_t box, uint64_t since, size_t limit,
              size_t bytes_max, struct box_page *ret_page);

#endif
