#include "engine/recorder.h"

#include "engine/command_pack.h"
#include "os/log.h"

void recorder_init(struct recorder *recorder)
{
    *recorder = (struct recorder){ .journal = NULL };
    buffer_init(&recorder->commands, SEGMENT_RECORD_BYTES_MAX);
}

void recorder_finish(struct recorder *recorder)
{
    buffer_finish(&recorder->commands);
}

static void journal_heard(struct recorder *recorder, enum err err)
{
    if (err != ERR_OK && !recorder->stopped)
        LOG_ERROR("journal_stopped", LOG_ERR(err));
    else if (err == ERR_OK && recorder->stopped)
        LOG_NOTICE("journal_goes_on");
    recorder->stopped = err != ERR_OK;
}

void recorder_begin(struct recorder *recorder, struct journal *journal,
                    const struct core_figures *figures,
                    const struct core_settings *settings)
{
    struct buffer packed;
    recorder->journal = journal;
    recorder->position = figures->place.sequence;
    recorder->event_last = figures->place.event_last;
    if (journal == NULL)
        return;
    buffer_init(&packed, SEGMENT_HEAD_BYTES_MAX / 2);
    core_settings_pack(settings, &packed);
    struct segment_head head = {
        .instance = figures->instance,
        .epoch = figures->place.epoch,
        .position = figures->place.sequence,
        .program = RECORDER_PROGRAM,
        .settings = buffer_slice(&packed),
    };
    journal_heard(recorder, buffer_failed(&packed)
                                ? ERR_MEMORY
                                : journal_begin(recorder->journal, &head));
    buffer_finish(&packed);
}

void recorder_clear(struct recorder *recorder)
{
    buffer_clear(&recorder->commands);
}

void recorder_add(struct recorder *recorder, const struct command *command)
{
    if (recorder->journal != NULL)
        command_pack(command, &recorder->commands);
}

void recorder_write(struct recorder *recorder, const struct command *seal,
                    uint64_t event_last)
{
    if (recorder->journal == NULL)
        return;
    struct segment_record record = {
        .before = recorder->position,
        .after = seal->sequence,
        .event_before = recorder->event_last,
        .event_last = event_last != 0 ? event_last : recorder->event_last,
        .now_ms = seal->now_ms,
        .wall_ms = seal->wall_ms,
        .commands = buffer_slice(&recorder->commands),
    };
    enum err err = buffer_failed(&recorder->commands)
                       ? ERR_LIMIT
                       : journal_append(recorder->journal, &record);
    recorder->written = err == ERR_OK;
    journal_heard(recorder, err);
}

void recorder_settle(struct recorder *recorder, enum err err, uint64_t sequence,
                     uint64_t event_last)
{
    if (err == ERR_OK) {
        recorder->position = sequence;
        if (event_last != 0)
            recorder->event_last = event_last;
    } else if (recorder->written && !err_breaks_store(err)) {
        journal_undo(recorder->journal);
    }
    recorder->written = false;
}
