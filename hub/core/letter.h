/*
 * letter.h - a message that was said, kept for those who read it later.
 *
 * Letters are numbered without gaps. The history of all messages is the letters from
 * COUNTER_LETTER_FIRST on; an older one lives on while a mailbox, a channel or a fan-out
 * uses it, and goes with its last user.
 *
 *   letter_index   LETTER_OF_SENDER, hash, letter      of the history only
 *                  LETTER_TO, hash, letter
 *                  LETTER_IN_CHANNEL, channel, letter
 *                  LETTER_REPLY, parent, letter
 *
 * A letter answers an older one or none, so threads have no cycles.
 */
#ifndef CORE_LETTER_H
#define CORE_LETTER_H

#include "core/step.h"

/* Stored: never renumber. */
enum letter_index {
    LETTER_OF_SENDER = 1,
    LETTER_TO = 2,
    LETTER_IN_CHANNEL = 3,
    LETTER_REPLY = 4,
};

struct letter {
    uint64_t number;
    uint64_t id;        /* shown as 16 hex digits */
    int64_t wall_ms;    /* when it was said */
    int64_t ordered_ms; /* the same, never less than its predecessor's */
    uint32_t users;
    uint64_t parent;  /* the letter it answers, when that one was known; else 0 */
    uint64_t channel; /* 0: none */
    uint64_t channel_sequence;
    struct slice from;
    struct slice to; /* absent: everybody, or a channel */
    struct slice type;
    struct slice reply_to; /* as the sender wrote it */
    struct slice channel_name;
    struct slice payload; /* original bytes */
};

/* Numbers a new letter and puts it into the history, its one user so far. The id, the
 * times and the parent are filled in. Forgets the oldest beyond messages_max. */
void letter_store(struct step *step, struct letter *letter);

/* Head and text; the text is in the arena. */
bool letter_load(struct step *step, uint64_t number, struct letter *ret_letter);

/* The head alone. */
bool letter_head(struct step *step, uint64_t number, struct letter *ret_letter);
bool letter_unpack(struct step *step, uint64_t number, struct slice value,
                   struct letter *ret_letter);

/* `users` more, or one less: the last one takes the letter with it. */
void letter_use(struct step *step, uint64_t number, uint32_t users);
void letter_let_go(struct step *step, uint64_t number);

/* The history's first and last letter; first > last when it is empty. */
uint64_t letter_first(struct step *step);
uint64_t letter_last(struct step *step);

/* A letter of the history by the id people write. */
bool letter_find(struct step *step, struct slice id, uint64_t *ret_number);

/* 16 hex digits, in the arena. */
struct slice letter_id(struct step *step, const struct letter *letter);

/* The first letter from `from` on in an index. */
bool letter_indexed(struct step *step, enum letter_index index, uint64_t subject,
                    uint64_t from, uint64_t *ret_number);

/* What LETTER_OF_SENDER and LETTER_TO are kept under. */
uint64_t letter_hash(struct slice id);

/* As people see it, and how long that is written out. */
void letter_view(struct step *step, const struct letter *letter,
                 struct message_stored_message *ret_view);
size_t letter_bytes(const struct letter *letter);

#endif
