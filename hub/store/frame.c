#include "store/frame.h"

#include "base/hash.h"

#include <string.h>

static void number_write(uint8_t target[4], uint32_t number)
{
    for (int i = 0; i < 4; i++)
        target[i] = (uint8_t)(number >> (24 - 8 * i));
}

static uint32_t frame_sum(unsigned table, struct slice key, struct slice payload)
{
    uint8_t number[4];
    number_write(number, table);

    uint32_t sum = crc32c_update(0, slice_make(number, sizeof number));
    sum = crc32c_update(sum, key);
    return crc32c_update(sum, payload);
}

void frame_write(void *target, unsigned table, struct slice key, struct slice payload)
{
    uint8_t *bytes = target;

    bytes[0] = FRAME_VERSION;
    number_write(bytes + 1, frame_sum(table, key, payload));
    if (payload.size > 0)
        memcpy(bytes + FRAME_HEAD_BYTES, payload.data, payload.size);
}

bool frame_read(struct slice frame, unsigned table, struct slice key,
                struct slice *ret_payload)
{
    if (frame.size < FRAME_HEAD_BYTES || frame.data[0] != FRAME_VERSION)
        return false;

    struct slice payload = slice_skip(frame, FRAME_HEAD_BYTES);
    uint8_t sum[4];
    number_write(sum, frame_sum(table, key, payload));
    if (memcmp(sum, frame.data + 1, sizeof sum) != 0)
        return false;
    *ret_payload = payload;
    return true;
}
