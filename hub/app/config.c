#include "app/config.h"

#include "base/ensure.h"

#include <inttypes.h>
#include <string.h>

#define CONFIG_BYTES_MAX ((size_t)1024 * 1024)

/* Variables of the command line, the sidecar and its tasks: not the hub's to judge. */
static const struct slice OTHER_VARIABLES[] = {
    SLICE("DROVER_CONFIG="), SLICE("DROVER_HUB="),      SLICE("DROVER_TOKEN="),
    SLICE("DROVER_BIN="),    SLICE("DROVER_TASK_"),     SLICE("DROVER_TOKEN_FILE="),
    SLICE("DROVER_AGENT_"),  SLICE("DROVER_SANITIZE="),
};

enum err config_init(struct config *config, FILE *complaints)
{
    memset(config, 0, sizeof *config);
    config->complaints = complaints;
    arena_init(&config->arena, CONFIG_BYTES_MAX);
    for (int i = 0; i < SETTING_COUNT; i++) {
        enum err err =
            config_set(config, (enum setting)i, SETTING_ROWS[i].fallback, "the default");
        if (err != ERR_OK)
            return err;
    }
    return ERR_OK;
}

void config_finish(struct config *config)
{
    arena_finish(&config->arena);
}

static enum err refuse(struct config *config, const char *place, struct slice text,
                       const char *reason)
{
    fprintf(config->complaints, "drover-hub: %s: \"%.*s\" %s\n", place, (int)text.size,
            text.data, reason);
    return ERR_INVALID;
}

static enum err set_number(struct config *config, enum setting setting, struct slice text,
                           const char *place)
{
    const struct setting_row *row = &SETTING_ROWS[setting];
    int64_t number;
    if (!slice_parse_i64(text, &number))
        return refuse(config, place, text, "is not a whole number");
    if (number < row->minimum || number > row->maximum) {
        fprintf(config->complaints,
                "drover-hub: %s: %" PRId64 " is not between %" PRId64 " and %" PRId64
                "\n",
                place, number, row->minimum, row->maximum);
        return ERR_INVALID;
    }
    config->values[setting].number = number;
    return ERR_OK;
}

static enum err set_bool(struct config *config, enum setting setting, struct slice text,
                         const char *place)
{
    bool yes = slice_equal_text(text, "true");
    if (!yes && !slice_equal_text(text, "false"))
        return refuse(config, place, text, "is neither true nor false");
    config->values[setting].number = yes;
    return ERR_OK;
}

static bool word_allowed(const struct setting_row *row, struct slice text)
{
    for (size_t i = 0; i < row->value_count; i++)
        if (slice_equal(row->values[i], text))
            return true;
    return row->values == NULL;
}

static enum err set_text(struct config *config, enum setting setting, struct slice text,
                         const char *place)
{
    const struct setting_row *row = &SETTING_ROWS[setting];
    if ((int64_t)text.size < row->minimum || (int64_t)text.size > row->maximum)
        return refuse(config, place, text, "is too short or too long");
    if (!word_allowed(row, text))
        return refuse(config, place, text, "is not one of the words allowed");
    config->values[setting].text = arena_copy(&config->arena, text);
    return arena_failed(&config->arena) ? ERR_MEMORY : ERR_OK;
}

static enum err set_texts(struct config *config, enum setting setting, struct slice text,
                          const char *place)
{
    size_t commas = 0;
    for (size_t i = 0; i < text.size; i++)
        commas += text.data[i] == ',';
    size_t count = text.size == 0 ? 0 : commas + 1;
    if ((int64_t)count > SETTING_ROWS[setting].maximum)
        return refuse(config, place, text, "has too many items");

    struct slice rest = arena_copy(&config->arena, text);
    struct slice *items = arena_take_many(&config->arena, count, sizeof *items);
    if (arena_failed(&config->arena))
        return ERR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        items[i] = slice_make(rest.data, slice_find(rest, ','));
        if (items[i].size == 0)
            return refuse(config, place, text, "has an empty item");
        rest = slice_skip(rest, items[i].size + 1);
    }
    config->values[setting].texts = (struct slice_list){ items, count };
    return ERR_OK;
}

enum err config_set(struct config *config, enum setting setting, struct slice text,
                    const char *place)
{
    static enum err (*const SETTERS[])(struct config *, enum setting, struct slice,
                                       const char *) = {
        [SETTING_KIND_TEXT] = set_text,
        [SETTING_KIND_INTEGER] = set_number,
        [SETTING_KIND_BOOL] = set_bool,
        [SETTING_KIND_TEXTS] = set_texts,
    };
    return SETTERS[SETTING_ROWS[setting].kind](config, setting, text, place);
}

static bool variable_is_other(struct slice variable)
{
    for (size_t i = 0; i < sizeof OTHER_VARIABLES / sizeof *OTHER_VARIABLES; i++)
        if (slice_starts_with(variable, OTHER_VARIABLES[i]))
            return true;
    return false;
}

static enum err variable_take(struct config *config, struct slice variable)
{
    struct slice name = { variable.data, slice_find(variable, '=') };
    for (int i = 0; i < SETTING_COUNT; i++)
        if (slice_equal(SETTING_ROWS[i].environment, name)) {
            struct slice place = arena_copy(&config->arena, name);
            if (arena_failed(&config->arena))
                return ERR_MEMORY;
            return config_set(config, (enum setting)i,
                              slice_skip(variable, name.size + 1), place.data);
        }
    if (variable_is_other(variable))
        return ERR_OK;
    return refuse(config, "the environment", name, "is not a setting");
}

enum err config_read_environment(struct config *config, char *const *environment)
{
    enum err outcome = ERR_OK;
    for (; *environment != NULL; environment++) {
        struct slice variable = slice_from_text(*environment);
        if (!slice_starts_with(variable, SLICE_OF("DROVER_")))
            continue;
        enum err err = variable_take(config, variable);
        if (err != ERR_OK)
            outcome = err;
    }
    return outcome;
}

int64_t config_number(const struct config *config, enum setting setting)
{
    ENSURE(SETTING_ROWS[setting].kind == SETTING_KIND_INTEGER);
    return config->values[setting].number;
}

bool config_bool(const struct config *config, enum setting setting)
{
    ENSURE(SETTING_ROWS[setting].kind == SETTING_KIND_BOOL);
    return config->values[setting].number != 0;
}

struct slice config_text(const struct config *config, enum setting setting)
{
    ENSURE(SETTING_ROWS[setting].kind == SETTING_KIND_TEXT);
    return config->values[setting].text;
}

const char *config_path(const struct config *config, enum setting setting)
{
    return config_text(config, setting).data;
}

struct slice_list config_texts(const struct config *config, enum setting setting)
{
    ENSURE(SETTING_ROWS[setting].kind == SETTING_KIND_TEXTS);
    return config->values[setting].texts;
}
