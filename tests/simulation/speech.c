#include "simulation/speech.h"

#include "base/ensure.h"
#include "simulation/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    FRAME_BYTES_MAX = 1 << 20,
    LARGE_RESULT_BYTES = 20000,
};

static void send(struct agents *agents, uint32_t index, struct slice frame)
{
    uint32_t connection = agents->agents[index].connection;
    if (connection != NO_CONNECTION)
        network_to_hub(&agents->sim->network, connection, frame);
}

__attribute__((format(printf, 3, 4))) static void send_text(struct agents *agents,
                                                            uint32_t index,
                                                            const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ENSURE(size > 0 && (size_t)size < sizeof text);
    send(agents, index, slice_make(text, (size_t)size));
}

static void capabilities_text(uint32_t bits, char text[64])
{
    size_t size = 0;
    for (unsigned i = 0; i < CAPABILITIES; i++) {
        if ((bits >> i & 1) == 0)
            continue;
        size +=
            (size_t)snprintf(text + size, 64 - size, "%s\"c%u\"", size > 0 ? "," : "", i);
    }
    text[size] = 0;
}

void say_identify(struct agents *agents, uint32_t index, unsigned slots)
{
    const struct agent_actor *agent = &agents->agents[index];
    char capabilities[64];
    capabilities_text(agent->abilities, capabilities);
    bool mailbox = dice_chance(&agents->sim->dice, 100);
    send_text(agents, index,
              "{\"type\":\"identify\",\"agent_id\":\"%s\",\"token\":\"%.*s\","
              "\"capabilities\":[%s],\"max_concurrent\":%u,\"mailbox\":%s}",
              agent->id, (int)TOKEN_TEXT_BYTES, agent->token, capabilities, slots,
              mailbox ? "true" : "false");
}

void say_about(struct agents *agents, uint32_t index, enum say what, const char *task_id,
               int64_t generation)
{
    static const char *const TYPES[] = {
        [SAY_ACCEPTED] = "task_accepted",   [SAY_PROGRESS] = "task_progress",
        [SAY_LEASE_RENEW] = "lease_renew",  [SAY_RECOVERING] = "task_recovering",
        [SAY_BLOCKED] = "task_blocked",     [SAY_UNBLOCKED] = "task_unblocked",
        [SAY_CANCELLED] = "task_cancelled",
    };
    if (what == SAY_RECOVERING)
        send_text(agents, index, "{\"type\":\"%s\",\"task_id\":\"%s\"}", TYPES[what],
                  task_id);
    else
        send_text(agents, index,
                  "{\"type\":\"%s\",\"task_id\":\"%s\",\"generation\":%lld}", TYPES[what],
                  task_id, (long long)generation);
}

void say_result(struct buffer *text, struct slice task_id, int64_t generation, bool large)
{
    buffer_append_text(text, "{ \"of\":\"");
    buffer_append_slice(text, task_id);
    buffer_append_text(text, "\", \"turn\":");
    buffer_append_i64(text, generation);
    if (large) {
        buffer_append_text(text, ",\"log\":\"");
        for (int i = 0; i < LARGE_RESULT_BYTES; i++)
            buffer_append_byte(text, (char)('a' + (i * 7 + generation) % 26));
        buffer_append_byte(text, '"');
    }
    buffer_append_byte(text, '}');
}

void say_report(struct agents *agents, uint32_t index, const struct job *job,
                int64_t generation)
{
    if (generation < 0)
        return;
    if (job->fails) {
        send_text(agents, index,
                  "{\"type\":\"task_failed\",\"task_id\":\"%s\",\"generation\":%lld,"
                  "\"error\":\"it broke\"}",
                  job->id, (long long)generation);
        return;
    }
    struct buffer text;
    buffer_init(&text, FRAME_BYTES_MAX);
    buffer_append_text(&text, "{\"type\":\"task_complete\",\"task_id\":\"");
    buffer_append_text(&text, job->id);
    buffer_append_text(&text, "\",\"generation\":");
    buffer_append_i64(&text, generation);
    buffer_append_text(&text, ",\"result\":");
    say_result(&text, slice_from_text(job->id), generation, job->large);
    buffer_append_byte(&text, '}');
    ENSURE(!buffer_failed(&text));
    send(agents, index, buffer_slice(&text));
    buffer_finish(&text);
}

void agent_chatter(struct agents *agents, uint32_t index)
{
    struct dice *dice = &agents->sim->dice;
    unsigned other = dice_below(dice, agents->count);
    switch (dice_below(dice, 12)) {
    case 0:
        send_text(agents, index,
                  "{\"type\":\"message\",\"to\":\"agent-%u\",\"payload\":{\"n\":%u}}",
                  other, dice_below(dice, 1000));
        break;
    case 1:
        send_text(agents, index, "{\"type\":\"message\",\"payload\":{\"all\":true}}");
        break;
    case 2:
        send_text(agents, index, "{\"type\":\"channel_subscribe\",\"channel\":\"ch%u\"}",
                  dice_below(dice, 3));
        break;
    case 3:
        send_text(agents, index,
                  "{\"type\":\"channel_publish\",\"channel\":\"ch%u\",\"payload\":{}}",
                  dice_below(dice, 3));
        break;
    case 4:
        send_text(agents, index,
                  "{\"type\":\"channel_unsubscribe\",\"channel\":\"ch%u\"}",
                  dice_below(dice, 3));
        break;
    case 5:
        send_text(agents, index, "{\"type\":\"mailbox_read\"}");
        break;
    case 6:
        send_text(agents, index, "{\"type\":\"mailbox_ack\",\"seq\":%u}",
                  dice_below(dice, 20));
        break;
    case 7:
        send_text(agents, index, "{\"type\":\"status\",\"status\":\"number %u\"}",
                  dice_below(dice, 10));
        break;
    case 8:
        if (sim_fault(agents->sim, POINT_AGENT_DRAINS))
            send_text(agents, index, "{\"type\":\"agent_drain\",\"on\":%s}",
                      dice_chance(dice, 700) ? "true" : "false");
        break;
    case 9:
        send_text(agents, index, "{\"type\":\"presence_subscribe\"}");
        break;
    case 10:
        send_text(agents, index, "{\"type\":\"presence_unsubscribe\"}");
        break;
    default:
        send_text(agents, index,
                  "{\"type\":\"task_submit\",\"description\":\"by the way\","
                  "\"idempotency_key\":\"own-%u\"}",
                  dice_below(dice, 50));
        break;
    }
}

/* Somebody else's job; NULL: nobody has one. */
static const struct job *foreign_job(struct agents *agents, uint32_t index)
{
    struct dice *dice = &agents->sim->dice;
    uint32_t from = dice_below(dice, agents->count * JOBS_MAX);
    for (uint32_t i = 0; i < agents->count * JOBS_MAX; i++) {
        uint32_t at = (from + i) % (agents->count * JOBS_MAX);
        const struct job *job = &agents->agents[at / JOBS_MAX].jobs[at % JOBS_MAX];
        if (at / JOBS_MAX != index && job->state != JOB_NONE)
            return job;
    }
    return NULL;
}

static void report_foreign(struct agents *agents, uint32_t index)
{
    struct dice *dice = &agents->sim->dice;
    const struct job *job = foreign_job(agents, index);
    if (job == NULL)
        return;
    uint32_t kind = dice_below(dice, 10);
    if (kind > SAY_UNBLOCKED)
        say_report(agents, index, job, job->generation);
    else
        say_about(agents, index, (enum say)kind, job->id, job->generation);
}

void agent_misbehave(struct agents *agents, uint32_t index)
{
    struct sim *sim = agents->sim;
    if (sim_fault(sim, POINT_AGENT_FOREIGN_REPORT))
        report_foreign(agents, index);
    if (sim_fault(sim, POINT_AGENT_BAD_FRAME))
        send_text(agents, index, "{\"type\":\"task_complete\",\"task_id\":%u",
                  dice_below(&sim->dice, 9));
}
