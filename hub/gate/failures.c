#include "gate/failures.h"

#include "gate/hour.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ACTOR_BYTES_MAX = 512, /* 128 characters, as the schema allows */
    NAME_BYTES_MAX = 256,  /* as a member's: what json/ reads by default */
    ADDRESS_BYTES_MAX = 64,
    TYPE_BYTES_MAX = 64,
    FIELD_BYTES_MAX = 64,
    ERROR_BYTES_MAX = 32,
    DETAIL_BYTES_MAX = 96,
    WHO_BYTES_MAX = ACTOR_BYTES_MAX + ADDRESS_BYTES_MAX,
    FAILURE_BYTES_MAX =
        WHO_BYTES_MAX + TYPE_BYTES_MAX +
        FAILURES_ITEMS_MAX * (FIELD_BYTES_MAX + ERROR_BYTES_MAX + DETAIL_BYTES_MAX),
    /* Every agent's name with each of its bytes escaped, and its number. */
    COUNTS_BYTES_MAX = FAILURES_AGENTS_MAX * (NAME_BYTES_MAX * 6 + 32),
    WARNING_BYTES_MAX = 128,
    ARENA_BYTES_MAX = COUNTS_BYTES_MAX + 128 * 1024,
};

/* Texts kept in the memory of what they belong to: slices into it. */
struct item {
    struct slice field;
    struct slice error;
    struct slice detail;
};

struct failure {
    struct offender offender;
    struct slice type;
    struct item items[FAILURES_ITEMS_MAX];
    size_t item_count;
    size_t error_count; /* those left out counted */
    int64_t wall_ms;
    size_t used;
    char texts[FAILURE_BYTES_MAX];
};

struct disconnect {
    struct offender offender;
    struct cooldown cooldown;
    int64_t wall_ms;
    size_t used;
    char texts[WHO_BYTES_MAX];
};

struct tally {
    size_t name_size; /* zero: the place is free */
    char name[NAME_BYTES_MAX];
    int64_t last_ms;
    struct hour hour;
};

/* Of both rings the newest stands before `count`, modulo their size. */
struct failures {
    struct failure recent[FAILURES_RECENT_MAX];
    uint64_t recent_count;
    struct disconnect disconnects[FAILURES_DISCONNECTS_MAX];
    uint64_t disconnect_count;
    struct tally tallies[FAILURES_AGENTS_MAX];
    struct hour hour;
};

struct failures *failures_create(void)
{
    return calloc(1, sizeof(struct failures));
}

void failures_destroy(struct failures *failures)
{
    free(failures);
}

/* The text, or the beginning of it, never cutting a character in two. */
static struct slice keep(char *texts, size_t *used, struct slice text, size_t bytes_max)
{
    static const struct slice more = SLICE("...");
    if (!slice_is_present(text))
        return text;
    bool whole = text.size <= bytes_max;
    size_t size = whole ? text.size : bytes_max - more.size;
    while (!whole && size > 0 && ((unsigned char)text.data[size] & 0xc0) == 0x80)
        size--;
    char *start = texts + *used;
    memcpy(start, text.data, size);
    if (!whole) {
        memcpy(start + size, more.data, more.size);
        size += more.size;
    }
    *used += size;
    return slice_make(start, size);
}

static struct offender keep_offender(char *texts, size_t *used, struct offender offender)
{
    return (struct offender){
        .actor = keep(texts, used, offender.actor, ACTOR_BYTES_MAX),
        .address = keep(texts, used, offender.address, ADDRESS_BYTES_MAX),
    };
}

static struct tally *tally_for(struct failures *failures, struct slice actor)
{
    char cut[NAME_BYTES_MAX];
    size_t used = 0;
    struct slice name = keep(cut, &used, actor, sizeof cut);
    struct tally *oldest = &failures->tallies[0];
    for (size_t i = 0; i < FAILURES_AGENTS_MAX; i++) {
        struct tally *tally = &failures->tallies[i];
        if (slice_equal(slice_make(tally->name, tally->name_size), name))
            return tally;
        /* One that was never taken is older than any. */
        if (oldest->name_size > 0 &&
            (tally->name_size == 0 || tally->last_ms < oldest->last_ms))
            oldest = tally;
    }
    *oldest = (struct tally){ .name_size = name.size };
    memcpy(oldest->name, name.data, name.size);
    return oldest;
}

void failures_add(struct failures *failures, struct offender offender, struct slice type,
                  const struct refusal *refusal, struct gate_time now)
{
    struct failure *failure =
        &failures->recent[failures->recent_count++ % FAILURES_RECENT_MAX];
    failure->used = 0;
    failure->wall_ms = now.wall_ms;
    failure->offender = keep_offender(failure->texts, &failure->used, offender);
    failure->type = keep(failure->texts, &failure->used, type, TYPE_BYTES_MAX);
    failure->error_count = refusal->item_count;
    failure->item_count = refusal->item_count < FAILURES_ITEMS_MAX ? refusal->item_count
                                                                   : FAILURES_ITEMS_MAX;
    for (size_t i = 0; i < failure->item_count; i++) {
        const struct refusal_item *item = &refusal->items[i];
        failure->items[i] = (struct item){
            .field = keep(failure->texts, &failure->used, item->field, FIELD_BYTES_MAX),
            .error = keep(failure->texts, &failure->used, item->error, ERROR_BYTES_MAX),
            .detail =
                keep(failure->texts, &failure->used, item->detail, DETAIL_BYTES_MAX),
        };
    }
    hour_add(&failures->hour, now.monotonic_ms);
    if (offender.actor.size == 0)
        return;
    struct tally *tally = tally_for(failures, offender.actor);
    tally->last_ms = now.monotonic_ms;
    hour_add(&tally->hour, now.monotonic_ms);
}

void failures_add_disconnect(struct failures *failures, struct offender offender,
                             struct cooldown cooldown, struct gate_time now)
{
    struct disconnect *disconnect =
        &failures->disconnects[failures->disconnect_count++ % FAILURES_DISCONNECTS_MAX];
    disconnect->used = 0;
    disconnect->wall_ms = now.wall_ms;
    disconnect->cooldown = cooldown;
    disconnect->offender = keep_offender(disconnect->texts, &disconnect->used, offender);
}

static struct message_list items_of(const struct failure *failure, struct arena *arena)
{
    struct message_refusal_item *items =
        arena_take_many(arena, FAILURES_ITEMS_MAX, sizeof *items);
    if (items == NULL)
        return (struct message_list){ 0 };
    for (size_t i = 0; i < failure->item_count; i++) {
        items[i].field = failure->items[i].field;
        items[i].error = failure->items[i].error;
        items[i].detail = failure->items[i].detail;
    }
    return (struct message_list){ items, failure->item_count };
}

static struct message_list recent_of(const struct failures *failures, struct arena *arena)
{
    struct message_validation_failure *list =
        arena_take_many(arena, FAILURES_RECENT_MAX, sizeof *list);
    if (list == NULL)
        return (struct message_list){ 0 };
    size_t count = 0;
    for (uint64_t at = failures->recent_count; at > 0 && count < FAILURES_RECENT_MAX;
         at--) {
        const struct failure *failure = &failures->recent[(at - 1) % FAILURES_RECENT_MAX];
        list[count++] = (struct message_validation_failure){
            .agent_id = failure->offender.actor,
            .address = failure->offender.address,
            .message_type = failure->type,
            .error_count = (int64_t)failure->error_count,
            .errors = items_of(failure, arena),
            .timestamp = failure->wall_ms,
        };
    }
    return (struct message_list){ list, count };
}

static struct message_list disconnects_of(const struct failures *failures,
                                          struct arena *arena)
{
    struct message_validation_disconnect *list =
        arena_take_many(arena, FAILURES_DISCONNECTS_MAX, sizeof *list);
    if (list == NULL)
        return (struct message_list){ 0 };
    size_t count = 0;
    for (uint64_t at = failures->disconnect_count;
         at > 0 && count < FAILURES_DISCONNECTS_MAX; at--) {
        const struct disconnect *disconnect =
            &failures->disconnects[(at - 1) % FAILURES_DISCONNECTS_MAX];
        list[count++] = (struct message_validation_disconnect){
            .agent_id = disconnect->offender.actor,
            .address = disconnect->offender.address,
            .times = disconnect->cooldown.times,
            .cooldown_ms = disconnect->cooldown.length_ms,
            .timestamp = disconnect->wall_ms,
        };
    }
    return (struct message_list){ list, count };
}

/* An object with the agents' names as its members. */
static struct slice counts_of(const struct failures *failures, int64_t now_ms,
                              struct arena *arena)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, COUNTS_BYTES_MAX);
    json_writer_init(&writer, &text);
    json_object_begin(&writer);
    for (size_t i = 0; i < FAILURES_AGENTS_MAX; i++) {
        const struct tally *tally = &failures->tallies[i];
        uint64_t count = hour_total(&tally->hour, now_ms);
        if (tally->name_size == 0 || count == 0)
            continue;
        json_key(&writer, slice_make(tally->name, tally->name_size));
        json_u64(&writer, count);
    }
    json_object_end(&writer);
    struct slice counts = buffer_failed(&text) ? (struct slice){ 0 }
                                               : arena_copy(arena, buffer_slice(&text));
    buffer_finish(&text);
    return counts;
}

void failures_render(const struct failures *failures, int64_t monotonic_ms,
                     struct buffer *buffer)
{
    char words[WARNING_BYTES_MAX];
    struct arena arena;
    arena_init(&arena, ARENA_BYTES_MAX);

    uint64_t total = hour_total(&failures->hour, monotonic_ms);
    struct message_get_validation_answer_validation validation = {
        .recent_failures = recent_of(failures, &arena),
        .failure_counts_by_agent = counts_of(failures, monotonic_ms, &arena),
        .recent_disconnects = disconnects_of(failures, &arena),
        .total_failures_this_hour = (int64_t)total,
    };
    struct message message = { .type = MESSAGE_GET_VALIDATION_ANSWER };
    message.as.get_validation_answer.validation = &validation;
    if (total > FAILURES_WARNING) {
        snprintf(words, sizeof words, "%llu validation failures within the hour",
                 (unsigned long long)total);
        message.as.get_validation_answer.warning = slice_from_text(words);
    }
    if (arena_failed(&arena) || !slice_is_present(validation.failure_counts_by_agent))
        buffer->failed = true;
    else
        wire_render(&message, buffer);
    arena_finish(&arena);
}
