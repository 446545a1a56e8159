#include "simulation/shrink.h"

#include "base/ensure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS_MAX = 600, STEPS_AT_MOST = 1 << 20 };

static bool still_fails(const struct sim_options *options,
                        const struct sim_outcome *failure, const bool *left_out,
                        uint64_t count)
{
    struct sim_options less = *options;
    struct sim_outcome outcome;
    uint64_t unused;
    less.choice = (struct choice){ count, left_out };
    less.tell = false;
    run_apart(&less, &outcome, &unused);
    return strcmp(outcome.broken, failure->broken) == 0;
}

uint64_t shrink(const struct sim_options *options, const struct sim_outcome *failure,
                bool *left_out, uint64_t count)
{
    unsigned runs = 0;
    bool *tried = malloc(count);
    ENSURE(tried != NULL);
    for (uint64_t part = (count + 1) / 2; part > 0 && runs < RUNS_MAX; part /= 2) {
        for (uint64_t end = count; end > 0 && runs < RUNS_MAX;) {
            uint64_t from = end > part ? end - part : 0;
            memcpy(tried, left_out, count);
            memset(tried + from, true, end - from);
            if (memcmp(tried, left_out, count) != 0) {
                runs++;
                if (still_fails(options, failure, tried, count))
                    memcpy(left_out, tried, count);
            }
            end = from;
        }
    }
    free(tried);
    uint64_t left = 0;
    for (uint64_t i = 0; i < count; i++)
        left += !left_out[i];
    return left;
}

void shrink_text(const bool *left_out, uint64_t count, char *text, size_t room)
{
    size_t size = 0;
    text[0] = 0;
    for (uint64_t i = 0; i < count;) {
        if (left_out[i]) {
            i++;
            continue;
        }
        uint64_t to = i;
        while (to + 1 < count && !left_out[to + 1])
            to++;
        const char *comma = size == 0 ? "" : ",";
        int added = i == to ? snprintf(text + size, room - size, "%s%llu", comma,
                                       (unsigned long long)i)
                            : snprintf(text + size, room - size, "%s%llu-%llu", comma,
                                       (unsigned long long)i, (unsigned long long)to);
        size += (size_t)added;
        if (size >= room)
            return;
        i = to + 1;
    }
}

static bool number_read(const char **text, uint64_t *ret_number)
{
    char *end;
    if (**text < '0' || **text > '9')
        return false;
    *ret_number = strtoull(*text, &end, 10);
    *text = end;
    return *ret_number < STEPS_AT_MOST;
}

bool shrink_parse(const char *text, bool **ret_left_out, uint64_t *ret_count)
{
    uint64_t from;
    uint64_t to = 0;
    bool *left_out = malloc(STEPS_AT_MOST);
    ENSURE(left_out != NULL);
    memset(left_out, true, STEPS_AT_MOST);
    if (strspn(text, "0123456789") == strlen(text) && number_read(&text, &to)) {
        memset(left_out, false, to);
        *ret_left_out = left_out;
        *ret_count = to;
        return to > 0;
    }
    for (; number_read(&text, &from); text += *text == ',') {
        to = from;
        if (*text == '-') {
            text++;
            if (!number_read(&text, &to) || to < from)
                break;
        }
        memset(left_out + from, false, to - from + 1);
    }
    *ret_left_out = left_out;
    *ret_count = to + 1;
    return *text == 0;
}
