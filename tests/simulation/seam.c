#include "simulation/seam.h"

#include "base/ensure.h"
#include "simulation/sim.h"

#include <string.h>

/* Called by whatever calls the name behind the label: see seam.h. */
int64_t seam_clock_monotonic_us(void) __asm__("__wrap_clock_monotonic_us");
int64_t seam_clock_monotonic_ms(void) __asm__("__wrap_clock_monotonic_ms");
int64_t seam_clock_wall_ms(void) __asm__("__wrap_clock_wall_ms");
uint64_t seam_entropy_u64(void) __asm__("__wrap_entropy_u64");
void seam_entropy_fill(void *target, size_t size) __asm__("__wrap_entropy_fill");
struct transaction *seam_store_batch(struct store *store) __asm__("__wrap_store_batch");
bool seam_store_batch_changed(const struct store *store) __asm__(
    "__wrap_store_batch_changed");
enum err seam_store_commit(struct store *store) __asm__("__wrap_store_commit");
void seam_store_abort(struct store *store) __asm__("__wrap_store_abort");
enum err seam_store_grow(struct store *store) __asm__("__wrap_store_grow");
enum err seam_store_measure(struct store *store, struct store_usage *ret_usage) __asm__(
    "__wrap_store_measure");
struct store_reader *seam_store_reader_create(struct store *store) __asm__(
    "__wrap_store_reader_create");
void seam_store_reader_destroy(struct store_reader *reader) __asm__(
    "__wrap_store_reader_destroy");
struct transaction *seam_store_reader_begin(struct store_reader *reader) __asm__(
    "__wrap_store_reader_begin");
void seam_store_reader_end(struct store_reader *reader) __asm__(
    "__wrap_store_reader_end");
enum err seam_core_apply(const struct core_settings *settings,
                         struct transaction *transaction, const struct command *command,
                         struct effects *effects) __asm__("__wrap_core_apply");
enum err real_core_apply(const struct core_settings *settings,
                         struct transaction *transaction, const struct command *command,
                         struct effects *effects) __asm__("__real_core_apply");

static struct sim *current;

void seam_enter(struct sim *sim)
{
    ENSURE(current == NULL);
    current = sim;
}

void seam_leave(void)
{
    current = NULL;
}

static struct disk *disk(void)
{
    return &current->disk;
}

static bool is_model(void)
{
    return current->disk.kind == PLAN_STORE_MODEL;
}

int64_t seam_clock_monotonic_us(void)
{
    return current == NULL ? 0 : current->monotonic_ms * 1000;
}

int64_t seam_clock_monotonic_ms(void)
{
    return current == NULL ? 0 : current->monotonic_ms;
}

int64_t seam_clock_wall_ms(void)
{
    return current == NULL ? 0 : sim_wall_ms(current);
}

uint64_t seam_entropy_u64(void)
{
    return current == NULL ? 0 : dice_draw(&current->dice);
}

void seam_entropy_fill(void *target, size_t size)
{
    uint8_t *bytes = target;
    while (size > 0) {
        uint64_t word = seam_entropy_u64();
        size_t part = size < sizeof word ? size : sizeof word;
        memcpy(bytes, &word, part);
        bytes += part;
        size -= part;
    }
}

struct transaction *seam_store_batch(struct store *store)
{
    (void)store;
    return disk_batch(disk());
}

bool seam_store_batch_changed(const struct store *store)
{
    (void)store;
    return disk()->changed;
}

enum err seam_store_commit(struct store *store)
{
    (void)store;
    return disk_commit(disk());
}

void seam_store_abort(struct store *store)
{
    (void)store;
    disk_abort(disk());
}

enum err seam_store_grow(struct store *store)
{
    (void)store;
    return disk_grow(disk());
}

enum err seam_store_measure(struct store *store, struct store_usage *ret_usage)
{
    (void)store;
    disk_measure(disk(), ret_usage);
    return ERR_OK;
}

struct store_reader *seam_store_reader_create(struct store *store)
{
    return is_model() ? disk_reader_create(disk()) : real_store_reader_create(store);
}

void seam_store_reader_destroy(struct store_reader *reader)
{
    if (is_model())
        disk_reader_destroy(reader);
    else
        real_store_reader_destroy(reader);
}

struct transaction *seam_store_reader_begin(struct store_reader *reader)
{
    return is_model() ? disk_reader_begin(reader) : real_store_reader_begin(reader);
}

void seam_store_reader_end(struct store_reader *reader)
{
    if (is_model())
        disk_reader_end(reader);
    else
        real_store_reader_end(reader);
}

enum err seam_core_apply(const struct core_settings *settings,
                         struct transaction *transaction, const struct command *command,
                         struct effects *effects)
{
    if (current->history.replaying)
        return real_core_apply(settings, transaction, command, effects);
    audit_before(&current->audit, command);
    enum err err = real_core_apply(settings, transaction, command, effects);
    if (err == ERR_OK)
        audit_after(&current->audit, command, effects);
    return err;
}
