#define PCRE2_CODE_UNIT_WIDTH 8
#include "schema/pattern.h"

#include <pcre2.h>
#include <stdlib.h>

/* Bounds on one match: backtracking points, and the machine stack the JIT may use. */
enum { MATCH_LIMIT = 100 * 1000, STACK_FIRST = 32 * 1024, STACK_MAX = 512 * 1024 };

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

static pcre2_code *code_compile(struct slice ready, int *ret_code)
{
    PCRE2_SIZE offset;
    return pcre2_compile((PCRE2_SPTR)ready.data, ready.size,
                         PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF |
                             PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_UTF_CHECK,
                         ret_code, &offset, NULL);
}

/* NULL and a reason on refusal. */
static pcre2_code *text_compile(struct slice text, int *ret_code, const char **ret_reason)
{
    struct buffer translated;
    buffer_init(&translated, TRANSLATION_MAX);
    pcre2_code *code = NULL;
    *ret_code = 0;
    *ret_reason = pattern_translate(&translated, text);
    if (*ret_reason == NULL && buffer_failed(&translated))
        *ret_reason = "the pattern is too long";
    if (*ret_reason == NULL) {
        code = code_compile(buffer_slice(&translated), ret_code);
        *ret_reason = *ret_code == PCRE2_ERROR_LOOKBEHIND_NOT_FIXED_LENGTH
                          ? "looking behind needs a fixed length"
                          : "the pattern is not one we can run";
    }
    buffer_finish(&translated);
    return code;
}

/* Takes the code, which may be NULL. */
static enum err pattern_make(pcre2_code *code, int error, struct pattern **ret_pattern,
                             const char **ret_reason)
{
    if (code == NULL)
        return error == PCRE2_ERROR_HEAP_FAILED ? ERR_MEMORY : ERR_INVALID;
    struct pattern *pattern = calloc(1, sizeof *pattern);
    if (pattern == NULL) {
        pcre2_code_free(code);
        *ret_reason = "out of memory";
        return ERR_MEMORY;
    }
    /* Without a JIT on this machine the interpreter gives the same answers. */
    (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    pattern->code = code;
    *ret_pattern = pattern;
    return ERR_OK;
}

enum err pattern_compile(struct slice text, struct pattern **ret_pattern,
                         const char **ret_reason)
{
    int error;
    pcre2_code *code = text_compile(text, &error, ret_reason);
    return pattern_make(code, error, ret_pattern, ret_reason);
}

enum err pattern_compile_native(struct slice text, struct pattern **ret_pattern,
                                const char **ret_reason)
{
    int error;
    pcre2_code *code = code_compile(text, &error);
    *ret_reason = "the pattern is not one we can run";
    return pattern_make(code, error, ret_pattern, ret_reason);
}

bool pattern_is_valid(struct slice text)
{
    int error;
    const char *reason;
    pcre2_code *code = text_compile(text, &error, &reason);
    pcre2_code_free(code);
    return code != NULL || error == PCRE2_ERROR_LOOKBEHIND_NOT_FIXED_LENGTH;
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
