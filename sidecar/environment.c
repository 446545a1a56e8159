#include "sidecar/environment.h"

#include <string.h>
#include <unistd.h>

enum {
    ENTRIES_MAX = 1024,
    PLACE_DEPTH_MAX = 32,
    VALUE_BYTES_MAX = 120 * 1024, /* Linux takes 128 KiB for one, name included */
};

struct maker {
    struct arena *arena;
    char **entries;
    size_t count;
    bool failed; /* memory */
    bool left_out;
};

static void entry_add(struct maker *maker, struct slice entry)
{
    struct slice copy = arena_copy(maker->arena, entry);
    if (!slice_is_present(copy) || maker->count + 1 >= ENTRIES_MAX) {
        maker->failed = true;
        return;
    }
    maker->entries[maker->count++] = (char *)(uintptr_t)copy.data;
}

static void value_add(struct maker *maker, const char *name, struct slice value)
{
    if (value.size > VALUE_BYTES_MAX ||
        (value.size > 0 && memchr(value.data, '\0', value.size) != NULL)) {
        maker->left_out = true;
        return;
    }
    struct buffer entry;
    buffer_init(&entry, VALUE_BYTES_MAX + 64);
    buffer_append_text(&entry, name);
    buffer_append_byte(&entry, '=');
    buffer_append_slice(&entry, value);
    if (buffer_failed(&entry))
        maker->failed = true;
    else
        entry_add(maker, buffer_slice(&entry));
    buffer_finish(&entry);
}

/* "PATH" fits PATH=..., "LC_*" whatever begins so. Tokens never fit. */
static bool entry_fits(struct slice rule, const char *entry)
{
    struct slice name = slice_make(entry, strcspn(entry, "="));
    if (slice_equal_text(name, "DROVER_TOKEN") ||
        slice_equal_text(name, "DROVER_TOKEN_FILE"))
        return false;
    if (rule.size > 0 && rule.data[rule.size - 1] == '*')
        return slice_starts_with(name, slice_make(rule.data, rule.size - 1));
    return slice_equal(name, rule);
}

static void inherited_add(struct maker *maker, struct slice_list rules)
{
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        for (size_t i = 0; i < rules.count; i++) {
            if (entry_fits(rules.items[i], *entry)) {
                entry_add(maker, slice_from_text(*entry));
                break;
            }
        }
    }
    for (size_t i = 0; i < rules.count; i++)
        if (slice_find(rules.items[i], '=') < rules.items[i].size)
            entry_add(maker, rules.items[i]);
}

static void task_add(struct maker *maker, const struct config *config,
                     const struct task *task)
{
    struct buffer number;
    buffer_init(&number, 32);
    buffer_append_i64(&number, task->generation);
    value_add(maker, "DROVER_AGENT_ID", slice_from_text(config->agent_id));
    value_add(maker, "DROVER_TASK_ID", slice_from_text(task->id));
    value_add(maker, "DROVER_TASK_GENERATION", buffer_slice(&number));
    value_add(maker, "DROVER_TASK_DESCRIPTION", task->description);
    value_add(maker, "DROVER_TASK_METADATA", task->metadata);
    if (config->hub_api_url[0] != '\0')
        value_add(maker, "DROVER_HUB", slice_from_text(config->hub_api_url));
    if (config->repo_dir[0] != '\0')
        value_add(maker, "DROVER_REPO_DIR", slice_from_text(config->repo_dir));
    if (config->reviewer[0] != '\0')
        value_add(maker, "DROVER_REVIEWER", slice_from_text(config->reviewer));
    buffer_finish(&number);
}

static bool maker_init(struct maker *maker, struct arena *arena)
{
    *maker = (struct maker){ .arena = arena };
    maker->entries = arena_take_many(arena, ENTRIES_MAX, sizeof *maker->entries);
    return maker->entries != NULL;
}

char **environment_make(const struct config *config, const struct task *task,
                        struct arena *arena)
{
    struct maker maker;
    if (!maker_init(&maker, arena))
        return NULL;
    inherited_add(&maker, config->environment);
    task_add(&maker, config, task);
    return maker.failed ? NULL : maker.entries;
}

enum err environment_make_wake(const struct config *config, const struct task *task,
                               struct arena *arena, char ***ret_environment)
{
    struct maker maker;
    if (!maker_init(&maker, arena))
        return ERR_MEMORY;
    inherited_add(&maker, config->environment);
    task_add(&maker, config, task);
    maker.left_out = false;
    value_add(&maker, "TASK_ID", slice_from_text(task->id));
    value_add(&maker, "TASK_JSON", task->frame);
    value_add(&maker, "TASK_DESCRIPTION", task->description);
    if (maker.failed)
        return ERR_MEMORY;
    if (maker.left_out)
        return ERR_LIMIT;
    *ret_environment = maker.entries;
    return ERR_OK;
}

/* The reference at the start of `rest`, or an empty slice. */
static struct slice reference_at(struct slice rest)
{
    static const struct slice REFERENCES[] = { SLICE("${TASK_ID}"), SLICE("${TASK_JSON}"),
                                               SLICE("${TASK_DESCRIPTION}") };
    for (size_t i = 0; i < sizeof REFERENCES / sizeof REFERENCES[0]; i++)
        if (slice_starts_with(rest, REFERENCES[i]))
            return REFERENCES[i];
    return SLICE_OF("");
}

/* Where in a shell line one is: in which quotes, inside how many substitutions. */
struct place {
    char quote[PLACE_DEPTH_MAX]; /* at each depth: none, ' or " */
    char closer[PLACE_DEPTH_MAX];
    size_t depth;
};

static void place_enter(struct place *place, char closer)
{
    if (place->depth + 1 == PLACE_DEPTH_MAX)
        return;
    place->depth++;
    place->quote[place->depth] = '\0';
    place->closer[place->depth] = closer;
}

static void place_pass(struct place *place, char byte, char before)
{
    char *quote = &place->quote[place->depth];
    if (*quote == '\'') {
        if (byte == '\'')
            *quote = '\0';
    } else if (byte == '"') {
        *quote = *quote == '"' ? '\0' : '"';
    } else if (byte == '\'' && *quote == '\0') {
        *quote = byte;
    } else if (place->depth > 0 && *quote == '\0' &&
               byte == place->closer[place->depth]) {
        place->depth--;
    } else if (byte == '(' && (before == '$' || *quote == '\0')) {
        place_enter(place, ')');
    } else if (byte == '`') {
        place_enter(place, '`');
    }
}

void wake_line_make(struct slice line, struct buffer *buffer)
{
    struct place place = { { 0 }, { 0 }, 0 };
    char before = '\0';
    for (size_t i = 0; i < line.size; i++) {
        char byte = line.data[i];
        char quote = place.quote[place.depth];
        struct slice reference = reference_at(slice_skip(line, i));
        if (reference.size > 0) {
            buffer_append_text(buffer, quote == '\'' ? "'\"" : quote == '"' ? "" : "\"");
            buffer_append_slice(buffer, reference);
            buffer_append_text(buffer, quote == '\'' ? "\"'" : quote == '"' ? "" : "\"");
            i += reference.size - 1;
            before = '}';
            continue;
        }
        buffer_append_byte(buffer, byte);
        if (byte == '\\' && quote != '\'' && i + 1 < line.size)
            buffer_append_byte(buffer, line.data[++i]);
        else
            place_pass(&place, byte, before);
        before = byte;
    }
}
