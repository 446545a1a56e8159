#include "wire/wire.h"

#include "base/ensure.h"

/* Cuts the first segment off a path that begins with '/'; false at its end. */
static bool segment_next(struct slice *path, struct slice *ret_segment)
{
    if (path->size == 0 || path->data[0] != '/')
        return false;
    struct slice rest = slice_skip(*path, 1);
    size_t end = slice_find(rest, '/');
    *ret_segment = slice_make(rest.data, end);
    *path = slice_skip(rest, end);
    return true;
}

static bool is_parameter(struct slice segment)
{
    return segment.size > 2 && segment.data[0] == '{';
}

/* Whether the path fits the pattern, and with how many parameters. */
static bool pattern_fits(struct slice pattern, struct slice path, size_t *ret_count)
{
    struct slice wanted;
    struct slice found;
    size_t count = 0;
    while (segment_next(&pattern, &wanted)) {
        if (!segment_next(&path, &found))
            return false;
        if (is_parameter(wanted) ? found.size == 0 : !slice_equal(wanted, found))
            return false;
        count += is_parameter(wanted);
    }
    *ret_count = count;
    return path.size == 0;
}

static void parameters_fill(struct slice pattern, struct slice path,
                            struct wire_parameter *parameters)
{
    struct slice wanted;
    struct slice found;
    while (segment_next(&pattern, &wanted) && segment_next(&path, &found)) {
        if (!is_parameter(wanted))
            continue;
        *parameters++ = (struct wire_parameter){
            .place = FIELD_IN_PATH,
            .name = slice_make(wanted.data + 1, wanted.size - 2),
            .value = found,
        };
    }
}

enum message_type wire_route(struct slice method, struct slice path,
                             struct wire_parameter *parameters, size_t parameter_max,
                             size_t *ret_parameter_count, bool *ret_other_method)
{
    enum message_type best = MESSAGE_NONE;
    size_t best_count = SIZE_MAX;
    bool other_method = false;
    for (size_t i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++) {
        const struct message_row *row = &MESSAGE_ROWS[i];
        size_t count;
        if (row->direction != DIRECTION_HTTP_REQUEST ||
            !pattern_fits(row->path, path, &count))
            continue;
        if (!slice_equal(row->method, method)) {
            other_method = true;
        } else if (count < best_count) {
            /* A word in the pattern wins over a parameter: /api/tasks/stats. */
            best = (enum message_type)i;
            best_count = count;
        }
    }

    *ret_parameter_count = 0;
    *ret_other_method = best == MESSAGE_NONE && other_method;
    if (best == MESSAGE_NONE)
        return MESSAGE_NONE;
    ENSURE(best_count <= parameter_max);
    *ret_parameter_count = best_count;
    parameters_fill(MESSAGE_ROWS[best].path, path, parameters);
    return best;
}
