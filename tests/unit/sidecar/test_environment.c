#include "cmocka_all.h"

#include "sidecar/environment.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *find(char **entries, const char *name)
{
    size_t size = strlen(name);
    for (; *entries != NULL; entries++)
        if (strncmp(*entries, name, size) == 0 && (*entries)[size] == '=')
            return *entries + size + 1;
    return NULL;
}

static void only_what_is_allowed_is_passed_on(void **state)
{
    (void)state;
    struct slice rules[] = { SLICE("KEPT"), SLICE("LIKE_*"), SLICE("SET=by us"),
                             SLICE("DROVER_*") };
    struct config config = { .agent_id = "ada",
                             .hub_api_url = "",
                             .repo_dir = "",
                             .reviewer = "bob",
                             .environment = { rules, 4 } };
    struct task task = { .id = "task-1",
                         .generation = 7,
                         .description = SLICE("do\nit"),
                         .metadata = SLICE("{}") };
    struct arena arena;
    arena_init(&arena, 1024 * 1024);
    assert_int_equal(setenv("KEPT", "1", 1), 0);
    assert_int_equal(setenv("KEPT_NOT", "1", 1), 0);
    assert_int_equal(setenv("LIKE_THIS", "2", 1), 0);
    assert_int_equal(setenv("DROVER_TOKEN", "secret", 1), 0);
    assert_int_equal(setenv("DROVER_TOKEN_FILE", "secret", 1), 0);
    char **entries = environment_make(&config, &task, &arena);
    assert_non_null(entries);
    assert_string_equal(find(entries, "KEPT"), "1");
    assert_null(find(entries, "KEPT_NOT"));
    assert_string_equal(find(entries, "LIKE_THIS"), "2");
    assert_string_equal(find(entries, "SET"), "by us");
    assert_null(find(entries, "DROVER_TOKEN"));
    assert_null(find(entries, "DROVER_TOKEN_FILE"));
    assert_string_equal(find(entries, "DROVER_TASK_ID"), "task-1");
    assert_string_equal(find(entries, "DROVER_TASK_GENERATION"), "7");
    assert_string_equal(find(entries, "DROVER_TASK_DESCRIPTION"), "do\nit");
    assert_string_equal(find(entries, "DROVER_REVIEWER"), "bob");
    assert_null(find(entries, "DROVER_REPO_DIR"));
    arena_finish(&arena);
}

static void what_does_not_fit_an_environment_is_left_out(void **state)
{
    (void)state;
    char *large = malloc(200 * 1024);
    assert_non_null(large);
    memset(large, 'x', 200 * 1024);
    struct config config = {
        .agent_id = "ada", .hub_api_url = "", .repo_dir = "", .reviewer = ""
    };
    struct task task = { .id = "task-1",
                         .description = slice_make("a\0b", 3),
                         .metadata = slice_make(large, 200 * 1024),
                         .frame = SLICE("{}") };
    struct arena arena;
    arena_init(&arena, 1024 * 1024);
    char **entries = environment_make(&config, &task, &arena);
    assert_non_null(entries);
    assert_null(find(entries, "DROVER_TASK_DESCRIPTION"));
    assert_null(find(entries, "DROVER_TASK_METADATA"));
    assert_int_equal(environment_make_wake(&config, &task, &arena, &entries), ERR_LIMIT);
    arena_finish(&arena);
    free(large);
}

/* What /bin/sh prints for a line, made safe, under a hostile TASK_ID. */
static void shell_prints(const char *line, const char *wanted)
{
    static const char HOSTILE[] = "a  b\"'`touch x`$(touch x)\\;*";
    struct buffer safe;
    char got[1024];
    int ends[2];
    buffer_init(&safe, 4096);
    wake_line_make(slice_from_text(line), &safe);
    buffer_append_byte(&safe, '\0');
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)setenv("TASK_ID", HOSTILE, 1);
        (void)execl("/bin/sh", "sh", "-c", safe.data, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    size_t size = 0;
    ssize_t more;
    while ((more = read(ends[0], got + size, sizeof got - 1 - size)) > 0)
        size += (size_t)more;
    got[size] = '\0';
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_string_equal(got, wanted);
    buffer_finish(&safe);
}

#define VALUE "a  b\"'`touch x`$(touch x)\\;*"

static void a_task_is_never_read_as_shell(void **state)
{
    (void)state;
    shell_prints("printf '<%s>' ${TASK_ID}", "<" VALUE ">");
    shell_prints("printf '<%s>' \"${TASK_ID}\"", "<" VALUE ">");
    shell_prints("printf '<%s>' '${TASK_ID}'", "<" VALUE ">");
    shell_prints("printf '<%s>' \"it is ${TASK_ID}!\"", "<it is " VALUE "!>");
    shell_prints("printf '<%s>' 'it is ${TASK_ID}!'", "<it is " VALUE "!>");
    shell_prints("printf '<%s>' x${TASK_ID}y", "<x" VALUE "y>");
    shell_prints("printf '<%s>' \\\"${TASK_ID}\\'", "<\"" VALUE "'>");
    shell_prints("printf '<%s>' \"$(printf %s \"${TASK_ID}\")\"", "<" VALUE ">");
    shell_prints("printf '<%s>' \"`printf %s \"${TASK_ID}\"`\"", "<" VALUE ">");
    shell_prints("printf '<%s>' \"$(printf '<%s>' '${TASK_ID}') ${TASK_ID}\"",
                 "<<" VALUE "> " VALUE ">");
    shell_prints("(case x in y) ;; *) printf '<%s>' ${TASK_ID};; esac)", "<" VALUE ">");
    shell_prints("printf '<%s>' \"\\\"${TASK_ID}\\\"\"", "<\"" VALUE "\">");
    shell_prints("printf '<%s>' '${OTHER}' \\${TASK_ID}", "<${OTHER}><${TASK_ID}>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_allowed_is_passed_on),
        cmocka_unit_test(what_does_not_fit_an_environment_is_left_out),
        cmocka_unit_test(a_task_is_never_read_as_shell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
