#include "gate/subject.h"

#include "base/ensure.h"
#include "base/hash.h"
#include "os/entropy.h"

#include <stdlib.h>
#include <string.h>

/* Entries looked at for one that may make way. */
#define LOOKS_MAX 32

#define NOBODY UINT32_MAX

struct subjects {
    struct siphash_key key;
    uint32_t max;
    uint32_t used; /* places behind these were never taken */
    uint32_t hand; /* where the next look begins */
    uint32_t head_mask;
    uint32_t *heads;
    struct subject *places;
};

struct subjects *subjects_create(uint32_t subjects_max)
{
    ENSURE(subjects_max > 0);
    struct subjects *subjects = calloc(1, sizeof *subjects);
    uint32_t heads = 1;
    if (subjects == NULL)
        return NULL;
    while (heads < subjects_max)
        heads *= 2;
    subjects->max = subjects_max;
    subjects->head_mask = heads - 1;
    subjects->places = calloc(subjects_max, sizeof *subjects->places);
    subjects->heads = malloc(heads * sizeof *subjects->heads);
    if (subjects->places == NULL || subjects->heads == NULL) {
        subjects_destroy(subjects);
        return NULL;
    }
    for (uint32_t i = 0; i < heads; i++)
        subjects->heads[i] = NOBODY;
    entropy_fill(&subjects->key, sizeof subjects->key);
    return subjects;
}

void subjects_destroy(struct subjects *subjects)
{
    if (subjects == NULL)
        return;
    for (uint32_t i = 0; i < subjects->used; i++)
        free(subjects->places[i].name);
    free(subjects->places);
    free(subjects->heads);
    free(subjects);
}

static uint32_t *head_of(const struct subjects *subjects, uint64_t hash)
{
    return &subjects->heads[hash & subjects->head_mask];
}

/* Each class has entries of its own: its numbers are others. */
static uint64_t hash_of(const struct subjects *subjects, enum rate_class whose,
                        struct slice name)
{
    return siphash(subjects->key, name) + (uint64_t)whose;
}

static bool is_of(const struct subject *subject, uint64_t hash, enum rate_class whose,
                  struct slice name)
{
    return subject->hash == hash && subject->whose == whose &&
           slice_equal(subject_name(subject), name);
}

static struct subject *find(const struct subjects *subjects, uint64_t hash,
                            enum rate_class whose, struct slice name)
{
    for (uint32_t at = *head_of(subjects, hash); at != NOBODY;
         at = subjects->places[at].next)
        if (is_of(&subjects->places[at], hash, whose, name))
            return &subjects->places[at];
    return NULL;
}

struct subject *subjects_find(const struct subjects *subjects, enum rate_class whose,
                              struct slice name)
{
    return find(subjects, hash_of(subjects, whose, name), whose, name);
}

static void vacate(struct subjects *subjects, uint32_t place)
{
    struct subject *subject = &subjects->places[place];
    uint32_t *link = head_of(subjects, subject->hash);
    while (*link != place)
        link = &subjects->places[*link].next;
    *link = subject->next;
    free(subject->name);
    *subject = (struct subject){ 0 };
}

static bool is_fresh(const struct subject *subject, int64_t window_ms, int64_t now_ms)
{
    for (int channel = 0; channel < RATE_CHANNELS; channel++)
        for (int tier = 0; tier < RATE_TIERS; tier++)
            if (!meter_is_fresh(&subject->meters[channel][tier], window_ms, now_ms))
                return false;
    return true;
}

/* NOBODY when none of those looked at may go. */
static uint32_t place_free(struct subjects *subjects, int64_t window_ms, int64_t now_ms)
{
    if (subjects->used < subjects->max)
        return subjects->used++;
    for (uint32_t looks = 0; looks < LOOKS_MAX && looks < subjects->max; looks++) {
        uint32_t place = subjects->hand;
        subjects->hand = (subjects->hand + 1) % subjects->max;
        if (subjects->places[place].name == NULL)
            return place;
        if (is_fresh(&subjects->places[place], window_ms, now_ms)) {
            vacate(subjects, place);
            return place;
        }
    }
    return NOBODY;
}

struct subject *subjects_get(struct subjects *subjects, enum rate_class whose,
                             struct slice name, int64_t window_ms, int64_t now_ms)
{
    uint64_t hash = hash_of(subjects, whose, name);
    struct subject *subject = find(subjects, hash, whose, name);
    if (subject != NULL)
        return subject;
    char *copy = malloc(name.size + 1);
    if (copy == NULL)
        return NULL;
    uint32_t place = place_free(subjects, window_ms, now_ms);
    if (place == NOBODY) {
        free(copy);
        return NULL;
    }
    memcpy(copy, name.data, name.size);
    subject = &subjects->places[place];
    *subject = (struct subject){
        .name = copy,
        .name_size = name.size,
        .whose = whose,
        .hash = hash,
        .next = *head_of(subjects, hash),
    };
    *head_of(subjects, hash) = place;
    return subject;
}

void subjects_forget(struct subjects *subjects, struct slice name)
{
    for (int whose = 0; whose < RATE_CLASSES; whose++) {
        const struct subject *subject =
            subjects_find(subjects, (enum rate_class)whose, name);
        if (subject != NULL)
            vacate(subjects, (uint32_t)(subject - subjects->places));
    }
}

const struct subject *subjects_next(const struct subjects *subjects, uint32_t *position)
{
    while (*position < subjects->used) {
        const struct subject *subject = &subjects->places[(*position)++];
        if (subject->name != NULL)
            return subject;
    }
    return NULL;
}
