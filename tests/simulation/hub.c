#include "simulation/hub.h"

#include "base/ensure.h"
#include "base/hash.h"
#include "engine/turn.h"
#include "os/secret.h"
#include "simulation/sim.h"

#include <stdlib.h>
#include <string.h>

enum {
    KEYS_MAX = 4096,
    DOWN_MS_MAX = 60000,
    MESSAGE_BYTES_MAX = 1 << 20,
};

void hub_init(struct hub *hub, struct sim *sim)
{
    *hub = (struct hub){ .sim = sim, .settings = sim->plan.settings };
}

/* Output law: while a batch is open nothing may go out. */
static void wake(void *context)
{
    struct hub *hub = context;
    if (hub->sim->disk.batch_open && hub->sim->disk.changed)
        sim_break(hub->sim, "something was said before it was committed", NULL);
}

static void store_broke(void *context, enum err err)
{
    struct hub *hub = context;
    (void)err;
    hub->store_broke = true;
}

static struct gate_time gate_now(const struct sim *sim)
{
    return (struct gate_time){ sim->monotonic_ms, sim_wall_ms(sim) };
}

static enum err keys_load(struct hub *hub, bool *ret_admin)
{
    struct store_reader *reader = store_reader_create(hub->store);
    ENSURE(reader != NULL);
    struct transaction *transaction = store_reader_begin(reader);
    uint8_t position[DIGEST_BYTES] = { 0 };
    struct core_key key;
    enum err err;
    *ret_admin = false;
    while ((err = core_key_next(transaction, position, &key)) == ERR_OK) {
        *ret_admin = *ret_admin || key.role == ROLE_ADMIN;
        const struct key own = {
            .actor = key.actor,
            .role = key.role,
            .scopes = key.scopes,
            .expires_wall_ms = key.expires_wall_ms,
            .used_wall_ms = key.used_wall_ms,
        };
        ENSURE(gate_key_add(hub->gate, key.digest, &own) == ERR_OK);
    }
    store_reader_end(reader);
    store_reader_destroy(reader);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* The first administrator: nobody has to type a secret here. */
static enum err admin_mint(struct hub *hub)
{
    uint8_t secret[TOKEN_BYTES];
    struct envelope *envelope = envelope_create(4096);
    ENSURE(envelope != NULL);
    for (size_t i = 0; i < sizeof secret; i++)
        secret[i] = (uint8_t)dice_draw(&hub->sim->dice);
    hex_encode(hub->admin_token, secret, sizeof secret);
    envelope->role = ROLE_HUB;
    envelope->scopes = SCOPES_ALL;
    envelope->message.type = MESSAGE_POST_ADMIN_TOKEN;
    envelope->message.as.post_admin_token.agent_id = SLICE_OF("admin");
    envelope->message.as.post_admin_token.role = SLICE_OF("admin");
    envelope->minted = true;
    digest_sha256(slice_make(hub->admin_token, TOKEN_TEXT_BYTES),
                  envelope->minted_digest);
    memcpy(envelope->minted_prefix, hub->admin_token, sizeof envelope->minted_prefix);
    enum err err = engine_apply(hub->engine, envelope);
    envelope_destroy(envelope);
    return err;
}

static enum err keys_start(struct hub *hub)
{
    bool admin;
    enum err err = keys_load(hub, &admin);
    if (err != ERR_OK || admin)
        return err;
    err = admin_mint(hub);
    return err == ERR_OK ? keys_load(hub, &admin) : err;
}

static void take_down(struct hub *hub)
{
    traffic_forget(hub);
    reader_destroy(hub->reader);
    gate_destroy(hub->gate);
    engine_destroy(hub->engine);
    history_close(&hub->sim->history);
    hub->reader = NULL;
    hub->gate = NULL;
    hub->engine = NULL;
    hub->door = NULL;
    hub->up = false;
    disk_close(&hub->sim->disk);
}

void hub_finish(struct hub *hub)
{
    if (hub->engine != NULL)
        take_down(hub);
    free(hub->links);
    free(hub->sockets);
}

/* Nobody here talks too much. */
static void limits_widen(struct limits *limits)
{
    static const struct rate WIDE = { 1000000, 1000000 };
    for (int whose = 0; whose < RATE_CLASSES; whose++)
        for (int tier = 0; tier < RATE_TIERS; tier++)
            limits->rates.defaults.of[whose][tier] = WIDE;
    limits->reports = WIDE;
}

static enum err engine_begin(struct hub *hub)
{
    struct sim *sim = hub->sim;
    struct engine_options options = {
        .settings = hub->settings,
        .store = hub->store,
        .journal = history_open(&sim->history),
        .ring_slots = sim->plan.ring_slots,
        .batch_max = sim->plan.batch_max,
        .broken = store_broke,
        .context = hub,
    };
    struct gate_options gate = { .wire = sim->wire,
                                 .keys_max = KEYS_MAX,
                                 .message_bytes_max = MESSAGE_BYTES_MAX };
    limits_init(&gate.limits);
    if (sim->calm || sim->plan.rate[POINT_HUB_TIGHT_RATES] == 0)
        limits_widen(&gate.limits);
    ENSURE(engine_create(&options, &hub->engine) == ERR_OK);
    hub->door = engine_door_add(hub->engine, wake, hub);
    ENSURE(hub->door != NULL);
    enum err err = engine_prepare(hub->engine);
    hub->gate = gate_create(&gate, gate_now(sim));
    hub->reader = reader_create(hub->engine);
    ENSURE(hub->gate != NULL && hub->reader != NULL);
    return err == ERR_OK ? keys_start(hub) : err;
}

static void start_later(struct hub *hub, int64_t down_ms)
{
    struct sim *sim = hub->sim;
    agenda_add(&sim->agenda, sim->monotonic_ms + down_ms, AGENDA_HUB_START, 0, 0,
               (struct slice){ 0 });
}

void hub_start(struct hub *hub)
{
    struct sim *sim = hub->sim;
    if (hub->up)
        return;
    hub->run++;
    hub->store_broke = false;
    hub->frozen_ms = 0;
    hub->way_out_ms = 0;
    hub->due_commits = UINT64_MAX;
    if (disk_open(&sim->disk, &hub->store) != ERR_OK) {
        sim_break(sim, "a store that was closed cannot be opened", NULL);
        return;
    }
    trace_settings(&sim->trace, &hub->settings);
    enum err err = engine_begin(hub);
    if (err != ERR_OK) {
        take_down(hub);
        start_later(hub, dice_between(&sim->dice, 1, DOWN_MS_MAX));
        hub_mend(hub);
        return;
    }
    history_started(&sim->history);
    hub->up = true;
}

void hub_mend(struct hub *hub)
{
    struct sim *sim = hub->sim;
    if (sim->disk.kind == PLAN_STORE_LMDB && sim->disk.flip_count > 0)
        backup_restore(sim, false);
    disk_mend(&sim->disk);
}

/* Every connection breaks; some agents do not hear of it. */
static void links_break(struct hub *hub)
{
    struct sim *sim = hub->sim;
    for (uint32_t i = 0; i < hub->socket_count; i++)
        network_close_by_hub(&sim->network, hub->links[hub->sockets[i]].who,
                             sim_fault(sim, POINT_NET_HALF_OPEN));
}

void hub_kill(struct hub *hub, int64_t down_ms)
{
    if (!hub->up)
        return;
    links_break(hub);
    take_down(hub);
    hub->restarts++;
    start_later(hub, down_ms);
}

void hub_stop(struct hub *hub, int64_t down_ms)
{
    hub_turn(hub);
    hub_kill(hub, down_ms);
}

bool hub_is_frozen(const struct hub *hub)
{
    return hub->frozen_ms > hub->sim->monotonic_ms;
}

int64_t hub_due_ms(struct hub *hub)
{
    struct sim *sim = hub->sim;
    if (!hub->up)
        return INT64_MAX;
    if (hub->due_commits != sim->disk.commits ||
        hub->due_wall_offset_ms != sim->wall_offset_ms || hub->due_ms == INT64_MAX) {
        int64_t wait_ms = INT64_MAX;
        struct transaction *rows = disk_look(&sim->disk);
        (void)core_next_due_ms(rows, fleet_clock_now(&hub->engine->clock),
                               sim_wall_ms(sim), &wait_ms);
        disk_look_end(&sim->disk);
        hub->due_commits = sim->disk.commits;
        hub->due_wall_offset_ms = sim->wall_offset_ms;
        hub->due_ms = wait_ms == INT64_MAX ? INT64_MAX : sim->monotonic_ms + wait_ms;
    }
    int64_t due_ms = hub->due_ms;
    if (due_ms == INT64_MAX)
        return due_ms;
    if (due_ms < hub->engine->next_due_ms)
        due_ms = hub->engine->next_due_ms;
    if (ring_room(hub->door->out) == 0 && due_ms < hub->way_out_ms)
        due_ms = hub->way_out_ms;
    return due_ms < hub->frozen_ms ? hub->frozen_ms : due_ms;
}
