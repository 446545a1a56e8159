#include "core/verify.h"

#include <string.h>

#define VERIFY_ARENA_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define SETS_MAX ((size_t)1 << 24)
#define LETTERS_MAX ((size_t)1 << 26)

void verify_broken(struct verify *verify, const char *text)
{
    if (verify->text == NULL)
        verify->text = text;
}

void verify_holds(struct verify *verify, bool holds, const char *text)
{
    if (!holds)
        verify_broken(verify, text);
}

void verify_mark(struct verify *verify, struct slice value)
{
    verify_holds(verify, slice_equal(value, SLICE_OF("\x01")),
                 "an index entry is misshapen");
}

bool verify_key(struct verify *verify, struct slice key, unsigned numbers)
{
    verify_holds(verify, key.size == 8 * (size_t)numbers, "a key has the wrong size");
    return key.size == 8 * (size_t)numbers;
}

uint64_t verify_walk(struct verify *verify, enum table table,
                     void (*row)(struct verify *, struct slice key, struct slice value))
{
    char last[TRANSACTION_KEY_BYTES_MAX + 1] = { 0 };
    size_t last_size = 1; /* one NUL: before every key */
    uint64_t count = 0;
    struct slice key;
    struct slice value;
    while (verify->text == NULL &&
           step_first_from(&verify->step, table, slice_make(last, last_size), &key,
                           &value)) {
        if (key.size >= sizeof last) {
            verify_broken(verify, "a key is too long");
            break;
        }
        /* The next key is the smallest that is greater. */
        memcpy(last, key.data, key.size);
        last[key.size] = '\0';
        last_size = key.size + 1;
        count++;
        row(verify, step_copy(&verify->step, key), step_copy(&verify->step, value));
        arena_clear(&verify->arena);
    }
    return count;
}

void verify_set_used(struct verify *verify, uint64_t set)
{
    struct number_key key;
    struct slice name = key_one(&key, set);
    if (set == 0)
        return;
    uintptr_t users = (uintptr_t)map_get(verify->set_users, name) + 1;
    enum err err = map_put(verify->set_users, name, (void *)users, NULL);
    if (err != ERR_OK)
        step_fail(&verify->step, err);
}

void verify_letter_used(struct verify *verify, uint64_t letter)
{
    struct number_key key;
    struct slice name = key_one(&key, letter);
    uintptr_t users = (uintptr_t)map_get(verify->letter_users, name) + 1;
    verify_holds(verify, step_has(&verify->step, TABLE_LETTER, name),
                 "a letter is used that is not there");
    enum err err = map_put(verify->letter_users, name, (void *)users, NULL);
    if (err != ERR_OK)
        step_fail(&verify->step, err);
}

enum err core_verify(struct transaction *transaction, const char **ret_text)
{
    struct verify verify = { .text = NULL };
    arena_init(&verify.arena, VERIFY_ARENA_BYTES_MAX);
    effects_init(&verify.effects, &verify.arena);
    verify.step = (struct step){ .transaction = transaction, .effects = &verify.effects };
    verify.set_users = map_create((struct siphash_key){ { 1, 2 } }, SETS_MAX);
    verify.letter_users = map_create((struct siphash_key){ { 3, 4 } }, LETTERS_MAX);
    if (verify.set_users == NULL || verify.letter_users == NULL) {
        map_destroy(verify.set_users);
        map_destroy(verify.letter_users);
        arena_finish(&verify.arena);
        return ERR_MEMORY;
    }

    verify_tasks(&verify);
    verify_agents(&verify);
    verify_channels(&verify);
    verify_letters(&verify);
    verify_events(&verify);
    verify_feed(&verify);
    verify_jobs(&verify);
    verify_rest(&verify);
    verify_schemas(&verify);
    verify_activity(&verify);
    verify_rates(&verify);

    enum err err = verify.step.err;
    map_destroy(verify.set_users);
    map_destroy(verify.letter_users);
    arena_finish(&verify.arena);
    if (err == ERR_CORRUPT)
        verify_broken(&verify, "a row cannot be read, or has no counterpart");
    if (verify.text == NULL)
        return err;
    *ret_text = verify.text;
    return ERR_CORRUPT;
}
