/*
 * Any bytes as a command journal: as a segment's file, or as the commands of a record. They
 * are refused or taken, and a command that is taken is packed and read as the same again.
 */
#include "base/ensure.h"
#include "base/pack.h"
#include "engine/command_pack.h"
#include "store/journal_read.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { AS_SEGMENT = 's', ARENA_BYTES_MAX = 1 << 20, PACKED_BYTES_MAX = 1 << 22 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void command_again(const struct command *command)
{
    struct buffer first;
    struct buffer second;
    struct arena arena;
    struct message message;
    struct command again;
    buffer_init(&first, PACKED_BYTES_MAX);
    buffer_init(&second, PACKED_BYTES_MAX);
    arena_init(&arena, ARENA_BYTES_MAX);
    command_pack(command, &first);
    ENSURE(!buffer_failed(&first));
    struct unpack unpack = unpack_start(buffer_slice(&first));
    ENSURE(command_unpack(&unpack, &arena, &message, &again) && unpack_done(&unpack));
    command_pack(&again, &second);
    ENSURE(slice_equal(buffer_slice(&first), buffer_slice(&second)));
    arena_finish(&arena);
    buffer_finish(&first);
    buffer_finish(&second);
}

static void commands_read(struct slice commands)
{
    struct unpack unpack = unpack_start(commands);
    struct arena arena;
    struct message message;
    struct command command;
    arena_init(&arena, ARENA_BYTES_MAX);
    while (unpack.rest.size > 0 && command_unpack(&unpack, &arena, &message, &command))
        command_again(&command);
    arena_finish(&arena);
}

/* One directory for all inputs of this process; it goes with the last one. */
static char place[] = "/tmp/fuzz_journal_XXXXXX";

static void place_remove(void)
{
    char name[sizeof place + SEGMENT_NAME_BYTES + 1];
    char file[SEGMENT_NAME_BYTES];
    segment_name(1, file);
    (void)snprintf(name, sizeof name, "%s/%s", place, file);
    (void)unlink(name);
    (void)rmdir(place);
}

static int place_open(void)
{
    static int fd = -1;
    if (fd < 0) {
        ENSURE(mkdtemp(place) != NULL && atexit(place_remove) == 0);
        fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ENSURE(fd >= 0);
    }
    return fd;
}

static void segment_read(struct slice bytes)
{
    char name[SEGMENT_NAME_BYTES];
    struct segment_reader reader;
    struct segment_record record;
    int directory = place_open();
    segment_name(1, name);
    int fd = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ENSURE(fd >= 0 && write(fd, bytes.data, bytes.size) == (ssize_t)bytes.size);
    (void)close(fd);
    if (segment_open(directory, 1, &reader) != ERR_OK)
        return;
    enum err err;
    while ((err = segment_next(&reader, &record)) == ERR_OK)
        commands_read(record.commands);
    ENSURE(err == ERR_NOT_FOUND || err == ERR_MEMORY);
    segment_close(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct slice bytes = slice_make(data + 1, size - 1);
    if (data[0] == AS_SEGMENT)
        segment_read(bytes);
    else
        commands_read(bytes);
    return 0;
}
