#include "core/role.h"

static const struct {
    uint32_t role;
    struct slice name;
} ROLES[] = {
    { ROLE_AGENT, SLICE("agent") },   { ROLE_SUBMITTER, SLICE("submitter") },
    { ROLE_VIEWER, SLICE("viewer") }, { ROLE_OPERATOR, SLICE("operator") },
    { ROLE_ADMIN, SLICE("admin") },   { ROLE_ENROL, SLICE("enrol") },
};

struct slice role_name(uint32_t role)
{
    for (size_t i = 0; i < sizeof ROLES / sizeof *ROLES; i++) {
        if (ROLES[i].role == role)
            return ROLES[i].name;
    }
    return (struct slice){ 0 };
}

bool role_parse(struct slice word, uint32_t *ret_role)
{
    for (size_t i = 0; i < sizeof ROLES / sizeof *ROLES; i++) {
        if (slice_equal(ROLES[i].name, word)) {
            *ret_role = ROLES[i].role;
            return true;
        }
    }
    return false;
}

uint64_t role_scopes(uint32_t role)
{
    uint64_t scopes = 0;
    for (size_t i = 0; i < MESSAGE_COUNT; i++)
        if ((MESSAGE_ROWS[i].roles & role) != 0)
            scopes |= MESSAGE_ROWS[i].scopes;
    return scopes;
}

bool scopes_parse(struct slice_list words, uint64_t *ret_scopes, struct slice *ret_word)
{
    uint64_t scopes = 0;
    if (words.items == NULL) {
        *ret_scopes = SCOPES_ALL;
        return true;
    }
    for (size_t i = 0; i < words.count; i++) {
        size_t scope = 0;
        while (scope < SCOPE_COUNT &&
               !slice_equal(SCOPE_ROWS[scope].name, words.items[i]))
            scope++;
        if (scope == SCOPE_COUNT) {
            *ret_word = words.items[i];
            return false;
        }
        scopes |= UINT64_C(1) << scope;
    }
    *ret_scopes = scopes;
    return true;
}

struct slice_list scopes_words(struct step *step, uint64_t scopes)
{
    struct slice_list list = { 0 };
    if (scopes == SCOPES_ALL)
        return list;
    list.items = step_take_many(step, SCOPE_COUNT, sizeof *list.items);
    for (size_t i = 0; list.items != NULL && i < SCOPE_COUNT; i++)
        if ((scopes >> i & 1) != 0)
            list.items[list.count++] = SCOPE_ROWS[i].name;
    return list;
}
