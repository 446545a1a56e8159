#include "app/history.h"

#include "app/directories.h"
#include "ops/point.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/secret.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Small enough that the oldest part can go without much of the rest. */
#define SEGMENT_BYTES_MAX ((uint64_t)64 * 1024 * 1024)
#define SEGMENT_MS ((int64_t)60 * 60 * 1000)
#define SEGMENTS_MIN 8

enum exit_code history_open(const struct config *config, struct journal **ret_journal)
{
    char path[DIRECTORY_BYTES];
    struct store_problem problem = { "" };
    *ret_journal = NULL;
    if (!config_bool(config, SETTING_JOURNAL))
        return EXIT_CODE_OK;
    uint64_t bytes_max = (uint64_t)config_number(config, SETTING_JOURNAL_BYTES_MAX);
    struct journal_options options = {
        .directory = path,
        .segment_bytes = bytes_max / SEGMENTS_MIN < SEGMENT_BYTES_MAX
                             ? bytes_max / SEGMENTS_MIN
                             : SEGMENT_BYTES_MAX,
        .segment_ms = SEGMENT_MS,
        .bytes_max = bytes_max,
        .ttl_ms = config_number(config, SETTING_JOURNAL_TTL_MS),
    };
    enum err err = directory_journal(config, path);
    if (err == ERR_OK)
        err = journal_create(&options, ret_journal, &problem);
    if (err == ERR_OK)
        return EXIT_CODE_OK;
    /* It never stands in the fleet's way; what is wrong with the settings does. */
    if (err == ERR_IO || err == ERR_NO_SPACE) {
        LOG_ERROR("journal_stopped", LOG_ERR(err), LOG_WORD("reason", problem.text));
        return EXIT_CODE_OK;
    }
    LOG_ERROR("journal_not_opened", LOG_ERR(err), LOG_WORD("reason", problem.text));
    fprintf(config->complaints, "drover-hub: %s: %s\n", path,
            problem.text[0] != '\0' ? problem.text : err_name(err));
    return err == ERR_EXISTS   ? EXIT_CODE_UNAVAILABLE
           : err == ERR_MEMORY ? EXIT_CODE_INTERNAL
                               : EXIT_CODE_CONFIG;
}

static bool wish_read(const struct config *config, const struct errand_subject *wish,
                      struct point_options *options)
{
    options->event = UINT64_MAX;
    options->epoch = 0;
    if (strcmp(wish->text, "last") != 0 &&
        (!slice_parse_u64(slice_from_text(wish->text), &options->event) ||
         options->event == 0 || options->event == UINT64_MAX)) {
        fprintf(config->complaints,
                "drover-hub: --store-at wants the number of an event, or last\n");
        return false;
    }
    if (wish->epoch != NULL &&
        !slice_parse_u64(slice_from_text(wish->epoch), &options->epoch)) {
        fprintf(config->complaints, "drover-hub: --epoch wants a number\n");
        return false;
    }
    options->target = wish->to;
    if (wish->to == NULL)
        fprintf(config->complaints, "drover-hub: --store-at wants --to DIRECTORY, too\n");
    return wish->to != NULL;
}

static void point_tell(const struct point_options *options,
                       const struct point_result *result)
{
    char when[CLOCK_TEXT_BYTES];
    clock_text(result->commit.wall_ms, when);
    printf("%s: the store as it was at event %" PRIu64 " of epoch %" PRIu64
           " (command %" PRIu64 ", %s): %s and %" PRIu64 " commits since\n",
           options->target, result->commit.event_last, result->epoch,
           result->commit.after, when, result->backup, result->commits);
}

static enum exit_code code_of(enum err err)
{
    switch ((int)err) {
    case ERR_OK:
        return EXIT_CODE_OK;
    case ERR_NOT_FOUND:
    case ERR_EXISTS:
    case ERR_INVALID:
    case ERR_UNSUPPORTED:
        return EXIT_CODE_CONFIG;
    default:
        return EXIT_CODE_IO;
    }
}

enum exit_code history_point(const struct config *config,
                             const struct errand_subject *wish)
{
    char journal[DIRECTORY_BYTES];
    char backups[DIRECTORY_BYTES];
    struct vault vault = { .fd = -1 };
    struct vault_problem problem = { "" };
    struct point_result result;
    struct point_options options = {
        .vault = &vault,
        .journal = journal,
        .bytes_max = (uint64_t)config_number(config, SETTING_MAP_BYTES_MAX),
        .forced_file_system = config_bool(config, SETTING_FORCED_FILE_SYSTEM),
        .digest = digest_sha256,
    };
    if (!wish_read(config, wish, &options))
        return EXIT_CODE_CONFIG;
    enum err err = directory_journal(config, journal);
    if (err == ERR_OK)
        err = directory_backups(config, backups);
    if (err == ERR_OK)
        err = vault_open(backups, &vault, &problem);
    if (err == ERR_OK)
        err = point_make(&options, &result, &problem);
    vault_close(&vault);
    if (err == ERR_OK)
        point_tell(&options, &result);
    else
        fprintf(config->complaints, "drover-hub: %s\n",
                problem.text[0] != '\0' ? problem.text : err_name(err));
    return code_of(err);
}
