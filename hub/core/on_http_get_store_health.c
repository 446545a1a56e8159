#include "core/backup.h"
#include "core/handlers.h"

enum {
    RATIO_UNITS = 10000,
    RATIO_DIGITS = 4,
};

#define STALE_MS ((int64_t)48 * 60 * 60 * 1000)
#define SMALL_BYTES ((uint64_t)16 * 1024 * 1024)

static int64_t last_backup_ms(struct step *step)
{
    uint64_t own = step_counter(step, COUNTER_INSTANCE);
    struct backup backup;
    struct slice after = { 0 };
    int64_t last_ms = 0;
    while (backup_next(step, after, &backup)) {
        after = backup.name;
        if (backup.instance == own && backup.created_ms > last_ms)
            last_ms = backup.created_ms;
    }
    return last_ms;
}

/* The share of free pages in ten-thousandths. */
static uint64_t free_share(const struct core_store_figures *figures)
{
    if (figures->used_bytes >= figures->file_bytes)
        return 0;
    uint64_t freed = figures->file_bytes - figures->used_bytes;
    return freed / (figures->file_bytes / RATIO_UNITS + 1);
}

static struct slice ratio_text(struct step *step, uint64_t share)
{
    char *text = step_take(step, 2 + RATIO_DIGITS);
    if (text == NULL)
        return SLICE_OF("0");
    if (share >= RATIO_UNITS)
        share = RATIO_UNITS - 1;
    text[0] = '0';
    text[1] = '.';
    for (int i = RATIO_DIGITS - 1; i >= 0; i--) {
        text[2 + i] = (char)('0' + share % 10);
        share /= 10;
    }
    return slice_make(text, 2 + RATIO_DIGITS);
}

static struct message_list tables_view(struct step *step, struct slice ratio)
{
    const struct core_store_figures *figures = step->command->figures;
    struct message_table_health *tables =
        step_take_many(step, CORE_TABLE_COUNT, sizeof *tables);
    if (tables == NULL)
        return (struct message_list){ 0 };
    for (unsigned i = 0; i < CORE_TABLE_COUNT; i++)
        tables[i] = (struct message_table_health){
            .table = slice_from_text(CORE_TABLES[i]),
            .record_count = (int64_t)figures->tables[i].records,
            .file_size_bytes = (int64_t)figures->tables[i].bytes,
            .fragmentation_ratio = ratio,
            .status = SLICE_OF("ok"),
        };
    return (struct message_list){ tables, CORE_TABLE_COUNT };
}

static bool health_look(struct step *step, struct message_store_health *health)
{
    const struct core_store_figures *figures = step->command->figures;
    if (figures == NULL) {
        step_refuse(step, ERROR_UNAVAILABLE);
        return false;
    }
    int64_t last_ms = last_backup_ms(step);
    uint64_t share = free_share(figures);
    struct slice ratio = ratio_text(step, share);
    bool stale = last_ms == 0 || step->command->wall_ms - last_ms > STALE_MS;
    bool high = share > RATIO_UNITS / 2 && figures->file_bytes > SMALL_BYTES;
    *health = (struct message_store_health){
        .health_status = stale && high   ? SLICE_OF("unhealthy")
                         : stale || high ? SLICE_OF("warning")
                                         : SLICE_OF("healthy"),
        .stale_backup = stale,
        .high_fragmentation = high,
        .last_backup_at = last_ms,
        .has_last_backup_at = last_ms != 0,
        .file_bytes = (int64_t)figures->file_bytes,
        .used_bytes = (int64_t)figures->used_bytes,
        .fragmentation_ratio = ratio,
        .tables = tables_view(step, ratio),
    };
    return !step_failed(step);
}

void on_get_store_health(struct step *step,
                         const struct message_get_store_health *message)
{
    (void)message;
    struct message answer = { .type = MESSAGE_GET_STORE_HEALTH_ANSWER };
    if (health_look(step, &answer.as.get_store_health_answer))
        step_answer(step, &answer, 0);
}

/* The same by the name it has in v1.1. */
void on_get_dets_health(struct step *step, const struct message_get_dets_health *message)
{
    (void)message;
    struct message answer = { .type = MESSAGE_GET_DETS_HEALTH_ANSWER };
    if (health_look(step, &answer.as.get_dets_health_answer))
        step_answer(step, &answer, 0);
}
