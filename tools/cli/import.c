/* drover import agentcom-export: what an AgentCom v1.1 knew, in parts. */
#include "cli/import.h"

#include "cli/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LINE_BYTES_MAX = 64 * 1024 };

/* The assembler puts the file's bytes between two labels. */
__asm__(".pushsection .rodata\n"
        ".globl agentcom_export_start\n"
        ".globl agentcom_export_end\n"
        "agentcom_export_start:\n"
        ".incbin \"" DROVER_EXPORT_SCHEMA "\"\n"
        "agentcom_export_end:\n"
        ".popsection\n");

extern const char agentcom_export_start[];
extern const char agentcom_export_end[];

static void place_write(struct buffer *line, const char *path, struct slice text,
                        const char *at)
{
    uint64_t row = 1;
    for (const char *byte = text.data; byte < at; byte++)
        row += *byte == '\n';
    buffer_append_text(line, path);
    buffer_append_byte(line, ':');
    buffer_append_u64(line, row);
    buffer_append_text(line, ": ");
}

static void violations_tell(const struct schema_run *run, const char *path,
                            struct slice text)
{
    struct buffer line;
    size_t count = schema_violation_count(run);
    buffer_init(&line, LINE_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct schema_violation *violation = schema_violation_at(run, i);
        bool missing = slice_equal_text(violation->keyword, "required");
        place_write(&line, path, text,
                    violation->value != NULL ? violation->value->raw.data : text.data);
        buffer_append_text(&line, violation->instance_location.size > 0 ? "at " : "");
        buffer_append_slice(&line, violation->instance_location);
        buffer_append_text(&line, violation->instance_location.size > 0 ? ": " : "");
        buffer_append_slice(&line, violation->detail);
        buffer_append_text(&line, missing ? " is missing" : "");
        schema_line_show(&line);
    }
    buffer_finish(&line);
}

/* Nothing is sent of a file that is not what it should be. */
static enum outcome export_check(struct schema_tools *tools, const char *path,
                                 struct slice text)
{
    struct schema *schema = NULL;
    struct schema_problem problem = { "", "" };
    struct json_problem broken;
    struct buffer line;
    bool valid = false;
    enum outcome outcome = OUTCOME_FAILED;
    if (json_parse(tools->json, text, &broken) != ERR_OK) {
        buffer_init(&line, LINE_BYTES_MAX);
        place_write(&line, path, text, text.data + broken.offset);
        buffer_append_text(&line, broken.reason);
        schema_line_show(&line);
        buffer_finish(&line);
        return OUTCOME_FAILED;
    }
    struct slice form = slice_make(agentcom_export_start,
                                   (size_t)(agentcom_export_end - agentcom_export_start));
    if (schema_compile(tools->set, form, SCHEMA_STANDARD, &schema, &problem) != ERR_OK)
        return complain(OUTCOME_FAILED, "the form of an export: %s", problem.reason);
    if (schema_validate(schema, tools->run, tools->json, json_root(tools->json), true,
                        &valid) != ERR_OK)
        outcome = complain(OUTCOME_FAILED, "%s takes too long to check", path);
    else if (valid)
        outcome = OUTCOME_OK;
    else
        violations_tell(tools->run, path, text);
    schema_destroy(schema);
    return outcome;
}

static void wait_ms(int64_t ms)
{
    const struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
    (void)nanosleep(&time, NULL);
}

static void refused_tell(const struct import *import, const struct answer *answer)
{
    const struct json_node *list = member_of(answer, answer->root, "refused");
    struct buffer line;
    if (list == NULL || list->kind != JSON_ARRAY || import->invocation->json)
        return;
    buffer_init(&line, LINE_BYTES_MAX);
    for (const struct json_node *item = json_child(answer->tape, list); item != NULL;
         item = json_after(answer->tape, list, item)) {
        buffer_append_text(&line, "not taken: ");
        buffer_append_slice(&line, member_text(answer, item, "kind"));
        buffer_append_byte(&line, ' ');
        buffer_append_slice(&line, member_text(answer, item, "name"));
        buffer_append_text(&line, ": ");
        buffer_append_slice(&line, member_text(answer, item, "reason"));
        schema_line_show(&line);
    }
    buffer_finish(&line);
}

enum outcome import_send(struct import *import, struct slice body)
{
    enum { TRIES = 30, WAIT_MS = 1000, WAIT_MS_MAX = 60000 };
    const struct call call = { .method = "POST",
                               .path = "/api/admin/import",
                               .body = body };
    for (int i = 0;; i++) {
        struct answer answer = client_call(import->invocation->client, &call);
        if (answer.status == 429 && i < TRIES) {
            int64_t ms = member_number(&answer, answer.root, "retry_after_ms");
            wait_ms(ms < WAIT_MS ? WAIT_MS : ms > WAIT_MS_MAX ? WAIT_MS_MAX : ms);
            continue;
        }
        if (answer.outcome != OUTCOME_OK)
            return answer_tell(import->invocation, &answer);
        const struct json_node *list = member_of(&answer, answer.root, "refused");
        import->imported += member_number(&answer, answer.root, "imported");
        import->present += member_number(&answer, answer.root, "present");
        import->refused += list != NULL ? list->count : 0;
        refused_tell(import, &answer);
        return OUTCOME_OK;
    }
}

static enum outcome totals_tell(const struct import *import)
{
    if (import->invocation->json)
        (void)printf("{\"imported\":%lld,\"present\":%lld,\"refused\":%lld}\n",
                     (long long)import->imported, (long long)import->present,
                     (long long)import->refused);
    else
        (void)printf("%lld taken over, %lld there already, %lld not taken\n",
                     (long long)import->imported, (long long)import->present,
                     (long long)import->refused);
    return import->refused > 0 ? OUTCOME_CONFLICT : OUTCOME_OK;
}

static void counts_tell(const struct import *import)
{
    static const char *const NAMES[IMPORT_KINDS] = { "tokens", "channels", "messages",
                                                     "mailboxes", "tasks" };
    for (int kind = 0; kind < IMPORT_KINDS; kind++)
        (void)printf(import->invocation->json ? "%s\"%s\":%llu" : "%s%s: %llu",
                     kind > 0                   ? (import->invocation->json ? "," : "\n")
                     : import->invocation->json ? "{"
                                                : "",
                     NAMES[kind], (unsigned long long)import->counts[kind]);
    (void)puts(import->invocation->json ? "}" : "");
}

static enum outcome import_run(struct invocation *invocation)
{
    struct import import = { .invocation = invocation,
                             .dry_run = given_has(invocation, "--dry-run") };
    const char *path = invocation->arguments[0];
    struct schema_tools tools;
    struct buffer text;
    enum outcome outcome = schema_file_read(path, &text);
    if (!schema_tools_init(&tools))
        outcome = OUTCOME_FAILED;
    if (outcome == OUTCOME_OK)
        outcome = export_check(&tools, path, buffer_slice(&text));
    import.tape = tools.json;
    if (outcome == OUTCOME_OK)
        outcome = import_walk(&import);
    if (outcome == OUTCOME_OK && import.dry_run)
        counts_tell(&import);
    else if (outcome == OUTCOME_OK)
        outcome = totals_tell(&import);
    schema_tools_finish(&tools);
    buffer_finish(&text);
    return outcome;
}

static const struct command COMMANDS[] = {
    { .name = "agentcom-export",
      .route = MESSAGE_POST_ADMIN_IMPORT,
      .run = import_run,
      .summary = "Takes over tokens, tasks, channels, mailboxes and settings of an "
                 "AgentCom v1.1.",
      .arguments = { { .name = "FILE",
                       .help = "Its export; docs/migrating-from-agentcom.md says how to "
                               "make it. It is checked as a whole before anything is "
                               "sent." } },
      .options = { { .name = "--dry-run",
                     .help = "Check the file and say what would come; ask no hub." } } },
};

const struct command_group IMPORT_GROUP = { "import", COMMANDS,
                                            sizeof COMMANDS / sizeof COMMANDS[0] };
