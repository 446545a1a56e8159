#include "simulation/agenda.h"

#include "base/ensure.h"

#include <stdlib.h>
#include <string.h>

void agenda_finish(struct agenda *agenda)
{
    for (size_t i = 0; i < agenda->count; i++)
        free(agenda->events[i].bytes);
    free(agenda->events);
}

static bool is_before(const struct event *one, const struct event *other)
{
    return one->at_ms != other->at_ms ? one->at_ms < other->at_ms
                                      : one->order < other->order;
}

static void swap(struct event *one, struct event *other)
{
    struct event kept = *one;
    *one = *other;
    *other = kept;
}

void agenda_add(struct agenda *agenda, int64_t at_ms, enum event_kind kind, uint32_t who,
                uint64_t tag, struct slice bytes)
{
    if (agenda->count == agenda->room) {
        agenda->room = agenda->room == 0 ? 256 : agenda->room * 2;
        agenda->events = realloc(agenda->events, agenda->room * sizeof *agenda->events);
        ENSURE(agenda->events != NULL);
    }
    char *copy = NULL;
    if (bytes.size > 0) {
        copy = malloc(bytes.size);
        ENSURE(copy != NULL);
        memcpy(copy, bytes.data, bytes.size);
    }
    size_t at = agenda->count++;
    agenda->events[at] =
        (struct event){ at_ms, ++agenda->order, kind, who, tag, copy, bytes.size };
    while (at > 0 && is_before(&agenda->events[at], &agenda->events[(at - 1) / 2])) {
        swap(&agenda->events[at], &agenda->events[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

int64_t agenda_next_ms(const struct agenda *agenda)
{
    return agenda->count == 0 ? INT64_MAX : agenda->events[0].at_ms;
}

struct event agenda_take(struct agenda *agenda)
{
    ENSURE(agenda->count > 0);
    struct event first = agenda->events[0];
    agenda->events[0] = agenda->events[--agenda->count];
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++) {
            if (child < agenda->count &&
                is_before(&agenda->events[child], &agenda->events[least]))
                least = child;
        }
        if (least == at)
            return first;
        swap(&agenda->events[at], &agenda->events[least]);
        at = least;
    }
}
