/*
 * import.h - what another hub knew, taken over with its ids, times and states.
 *
 * Whatever is there already stays as it is and is counted as present, so that the same
 * export may be sent again. What cannot be taken is named and leaves the rest alone.
 */
#ifndef CORE_IMPORT_H
#define CORE_IMPORT_H

#include "core/step.h"

enum import_outcome {
    IMPORT_DONE,
    IMPORT_PRESENT,
    IMPORT_INVALID, /* it contradicts itself, or what is there */
    IMPORT_NO_ROOM, /* a bound of this hub is reached */
};

enum import_outcome import_token(struct step *step,
                                 const struct message_import_token *token);
enum import_outcome import_task(struct step *step,
                                const struct message_import_task *task);
enum import_outcome import_channel(struct step *step,
                                   const struct message_import_channel *channel);

/* A message of a channel's history, or in a mailbox. */
enum import_outcome import_letter(struct step *step,
                                  const struct message_import_message *message);

/* A mailbox goes on behind a sequence that its reader knows. */
enum import_outcome import_mailbox(struct step *step,
                                   const struct message_import_mailbox *mailbox);

#endif
