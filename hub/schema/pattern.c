#define PCRE2_CODE_UNIT_WIDTH 8
#include "schema/pattern.h"

#include <pcre2.h>
#include <stdlib.h>

/* Bounds on one match: backtracking points, and the machine stack the JIT may use. */
enum { MATCH_LIMIT = 200 * 1000, STACK_FIRST = 32 * 1024, STACK_MAX = 512 * 1024 };

/* What a translated expression may grow to. */
#define TRANSLATION_MAX ((size_t)1024 * 1024)

struct pattern {
    pcre2_code *code;
};

struct pattern_scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

enum err pattern_compile(struct slice text, struct pattern **ret_pattern,
                         const char **ret_reason)
{
    struct buffer translated;
    buffer_init(&translated, TRANSLATION_MAX);
    const char *reason = pattern_translate(&translated, text);
    if (reason == NULL && buffer_failed(&translated))
        reason = "the pattern is too long";

    struct pattern *pattern = NULL;
    enum err err = ERR_INVALID;
    if (reason == NULL) {
        struct slice ready = buffer_slice(&translated);
        int code;
        PCRE2_SIZE offset;
        pattern = calloc(1, sizeof *pattern);
        err = pattern == NULL ? ERR_MEMORY : ERR_INVALID;
        if (pattern != NULL)
            pattern->code = pcre2_compile(
                (PCRE2_SPTR)ready.data, ready.size,
                PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF |
                    PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_UTF_CHECK,
                &code, &offset, NULL);
        reason = "the pattern is not one we can run";
    }
    buffer_finish(&translated);
    if (pattern == NULL || pattern->code == NULL) {
        free(pattern);
        *ret_reason = reason;
        return err;
    }
    /* Without a JIT on this machine the interpreter gives the same answers. */
    (void)pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE);
    *ret_pattern = pattern;
    return ERR_OK;
}

void pattern_destroy(struct pattern *pattern)
{
    if (pattern == NULL)
        return;
    pcre2_code_free(pattern->code);
    free(pattern);
}

struct pattern_scratch *pattern_scratch_create(void)
{
    struct pattern_scratch *scratch = calloc(1, sizeof *scratch);
    if (scratch == NULL)
        return NULL;
    scratch->data = pcre2_match_data_create(1, NULL);
    scratch->context = pcre2_match_context_create(NULL);
    scratch->stack = pcre2_jit_stack_create(STACK_FIRST, STACK_MAX, NULL);
    if (scratch->data == NULL || scratch->context == NULL) {
        pattern_scratch_destroy(scratch);
        return NULL;
    }
    pcre2_set_match_limit(scratch->context, MATCH_LIMIT);
    if (scratch->stack != NULL) /* else there is no JIT */
        pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
    return scratch;
}

void pattern_scratch_destroy(struct pattern_scratch *scratch)
{
    if (scratch == NULL)
        return;
    pcre2_match_data_free(scratch->data);
    pcre2_match_context_free(scratch->context);
    pcre2_jit_stack_free(scratch->stack);
    free(scratch);
}

enum err pattern_match(const struct pattern *pattern, struct pattern_scratch *scratch,
                       struct slice subject, bool *ret_matches)
{
    int result = pcre2_match(pattern->code, (PCRE2_SPTR)subject.data, subject.size, 0,
                             PCRE2_NO_UTF_CHECK, scratch->data, scratch->context);
    if (result < 0 && result != PCRE2_ERROR_NOMATCH)
        return result == PCRE2_ERROR_NOMEMORY ? ERR_MEMORY : ERR_LIMIT;
    *ret_matches = result >= 0;
    return ERR_OK;
}
