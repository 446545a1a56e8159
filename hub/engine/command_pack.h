/*
 * command_pack.h - a command as bytes and back, stamp and all: for the journal.
 *
 * What is unpacked has the same effect on the same tables as what was packed. Figures about
 * the store are left out: only questions bring them.
 */
#ifndef ENGINE_COMMAND_PACK_H
#define ENGINE_COMMAND_PACK_H

#include "core/core.h"

void command_pack(const struct command *command, struct buffer *buffer);

/* The next one of several. Texts borrow from the walked slice, lists are taken from the
 * arena; the command points to `ret_message`. False: not what command_pack() wrote, or a
 * message there is not in this version, or the arena is spent. */
bool command_unpack(struct unpack *unpack, struct arena *arena,
                    struct message *ret_message, struct command *ret_command);

#endif
