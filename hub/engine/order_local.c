#include "engine/order.h"

#include "engine/fleet_clock.h"
#include "os/clock.h"
#include "os/entropy.h"
#include "os/ring.h"

#include <stdlib.h>
#include <string.h>

/* Drawn from the kernel at once, handed out piece by piece. */
#define ENTROPY_STOCK ((size_t)4096)

struct order_local {
    struct order base;
    struct ring *const *rings;
    uint32_t ring_count;
    uint32_t next_ring;
    uint64_t sequence;
    const struct fleet_clock *clock;
    size_t entropy_left;
    uint8_t entropy[ENTROPY_STOCK];
};

static void order_local_stamp(struct order *base, struct command *command)
{
    struct order_local *order = (struct order_local *)base;

    if (order->entropy_left < sizeof command->entropy) {
        entropy_fill(order->entropy, sizeof order->entropy);
        order->entropy_left = sizeof order->entropy;
    }
    order->entropy_left -= sizeof command->entropy;
    memcpy(command->entropy, order->entropy + order->entropy_left,
           sizeof command->entropy);
    command->sequence = ++order->sequence;
    command->now_ms = fleet_clock_now(order->clock);
    command->wall_ms = clock_wall_ms();
}

void command_from_envelope(struct command *command, const struct envelope *envelope)
{
    *command = (struct command){
        .origin = envelope->origin,
        .actor = envelope->actor,
        .role = envelope->role,
        .scopes = envelope->scopes,
        .digest_present = envelope->digest_present,
        .address = envelope->address,
        .credential_present = envelope->credential_present,
        .minted = envelope->minted,
        .message = &envelope->message,
    };
    memcpy(command->digest, envelope->digest, sizeof command->digest);
    memcpy(command->credential, envelope->credential, sizeof command->credential);
    memcpy(command->minted_digest, envelope->minted_digest,
           sizeof command->minted_digest);
    memcpy(command->minted_prefix, envelope->minted_prefix,
           sizeof command->minted_prefix);
}

static uint32_t order_local_take(struct order *base, struct ordered *batch, uint32_t max)
{
    struct order_local *order = (struct order_local *)base;
    uint32_t taken = 0;

    /* In turn, one ring at a time: no door can shut another out. */
    for (uint32_t i = 0; i < order->ring_count && taken < max; i++) {
        struct ring *ring = order->rings[order->next_ring];
        order->next_ring = (order->next_ring + 1) % order->ring_count;

        struct envelope *envelope;
        while (taken < max && (envelope = ring_pop(ring)) != NULL) {
            struct ordered *ordered = &batch[taken++];
            ordered->envelope = envelope;
            command_from_envelope(&ordered->command, envelope);
            order_local_stamp(base, &ordered->command);
        }
    }
    return taken;
}

static void order_local_destroy(struct order *base)
{
    free(base);
}

static const struct order_methods METHODS = {
    .take = order_local_take,
    .stamp = order_local_stamp,
    .destroy = order_local_destroy,
};

struct order *order_local_create(struct ring *const *rings, uint32_t count,
                                 uint64_t sequence, const struct fleet_clock *clock)
{
    struct order_local *order = calloc(1, sizeof *order);
    if (order == NULL)
        return NULL;
    order->base.methods = &METHODS;
    order->rings = rings;
    order->ring_count = count;
    order->sequence = sequence;
    order->clock = clock;
    return &order->base;
}
