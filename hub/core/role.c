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
