#include "engine/command_pack.h"

#include "base/pack.h"
#include "message/pack.h"
#include "message/row.h"

#include <string.h>

enum {
    FLAG_DIGEST = 1,
    FLAG_CREDENTIAL = 2,
    FLAG_MINTED = 4,
    FLAGS_ALL = 7,
};

static uint8_t flags_of(const struct command *command)
{
    return (uint8_t)((command->digest_present ? FLAG_DIGEST : 0) |
                     (command->credential_present ? FLAG_CREDENTIAL : 0) |
                     (command->minted ? FLAG_MINTED : 0));
}

void command_pack(const struct command *command, struct buffer *buffer)
{
    const struct message *message = command->message;
    const struct message_row *of = &MESSAGE_ROWS[message->type];
    bool cut;
    pack_u64(buffer, command->sequence);
    pack_i64(buffer, command->now_ms);
    pack_i64(buffer, command->wall_ms);
    buffer_append(buffer, command->entropy, sizeof command->entropy);
    pack_u64(buffer, command->origin.link);
    pack_u64(buffer, command->origin.request);
    pack_slice(buffer, command->actor);
    pack_u32(buffer, command->role);
    pack_u64(buffer, command->scopes);
    pack_slice(buffer, command->address);
    pack_u8(buffer, flags_of(command));
    if (command->digest_present)
        buffer_append(buffer, command->digest, sizeof command->digest);
    if (command->credential_present)
        buffer_append(buffer, command->credential, sizeof command->credential);
    if (command->minted) {
        buffer_append(buffer, command->minted_digest, sizeof command->minted_digest);
        buffer_append(buffer, command->minted_prefix, sizeof command->minted_prefix);
    }
    pack_u8(buffer, (uint8_t)of->direction);
    pack_slice(buffer, of->name);
    message_pack(of->table, &message->as, MESSAGE_TEXT_WHOLE, buffer, &cut);
}

static void bytes_take(struct unpack *unpack, void *target, size_t size)
{
    struct slice bytes = unpack_bytes(unpack, size);
    if (bytes.size == size)
        memcpy(target, bytes.data, size);
}

static uint8_t digests_unpack(struct unpack *unpack, struct command *command)
{
    uint8_t flags = unpack_u8(unpack);
    command->digest_present = (flags & FLAG_DIGEST) != 0;
    command->credential_present = (flags & FLAG_CREDENTIAL) != 0;
    command->minted = (flags & FLAG_MINTED) != 0;
    if (command->digest_present)
        bytes_take(unpack, command->digest, sizeof command->digest);
    if (command->credential_present)
        bytes_take(unpack, command->credential, sizeof command->credential);
    if (command->minted) {
        bytes_take(unpack, command->minted_digest, sizeof command->minted_digest);
        bytes_take(unpack, command->minted_prefix, sizeof command->minted_prefix);
    }
    return flags;
}

bool command_unpack(struct unpack *unpack, struct arena *arena,
                    struct message *ret_message, struct command *ret_command)
{
    struct command command = { .sequence = unpack_u64(unpack) };
    command.now_ms = unpack_i64(unpack);
    command.wall_ms = unpack_i64(unpack);
    bytes_take(unpack, command.entropy, sizeof command.entropy);
    command.origin.link = unpack_u64(unpack);
    command.origin.request = unpack_u64(unpack);
    command.actor = unpack_slice(unpack);
    command.role = unpack_u32(unpack);
    command.scopes = unpack_u64(unpack);
    command.address = unpack_slice(unpack);
    uint8_t flags = digests_unpack(unpack, &command);
    uint8_t direction = unpack_u8(unpack);
    const struct message_row *of =
        message_row_find((enum message_direction)direction, unpack_slice(unpack));
    if (unpack->failed || flags > FLAGS_ALL || of == NULL || of->kind != KIND_COMMAND)
        return false;
    ret_message->type = (enum message_type)(of - MESSAGE_ROWS);
    if (!message_unpack(of->table, unpack, arena, &ret_message->as))
        return false;
    command.message = ret_message;
    *ret_command = command;
    return true;
}
