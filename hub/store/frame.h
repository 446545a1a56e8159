/*
 * frame.h - a record as it lies on disk: version, checksum, payload.
 *
 * The checksum covers the table's number, the key and the payload, so that a record that
 * strays to another place is found out as well as one that changed.
 */
#ifndef STORE_FRAME_H
#define STORE_FRAME_H

#include "base/slice.h"

enum { FRAME_HEAD_BYTES = 5, FRAME_VERSION = 1 };

/* `target` holds FRAME_HEAD_BYTES + payload.size bytes. */
void frame_write(void *target, unsigned table, struct slice key, struct slice payload);

/* False when the frame is not what was written for this place. */
bool frame_read(struct slice frame, unsigned table, struct slice key,
                struct slice *ret_payload);

#endif
