#include "app/walk.h"

#include "app/hub.h"
#include "ops/child.h"

#include <poll.h>

enum {
    LOOK_MS = 1000,
    SIGNALLED = 128,
};

int walk_child(const char *const *arguments, walk_go_on *go_on, struct buffer *said)
{
    struct child child;
    if (child_begin(arguments, &child) != ERR_OK)
        return EXIT_CODE_INTERNAL;
    for (bool more = true; more;) {
        struct pollfd out = { .fd = child.out, .events = POLLIN };
        bool ready = poll(&out, 1, LOOK_MS) > 0;
        if (go_on != NULL && !go_on()) {
            (void)child_end(&child, true);
            return -1;
        }
        if (ready)
            more = child_read(&child, said);
    }
    return child_end(&child, false);
}

static enum walked walked_of(int code)
{
    if (code == EXIT_CODE_OK)
        return WALKED_GOOD;
    if (child_found_broken(code))
        return WALKED_BROKEN;
    return code == EXIT_CODE_CONFIG ? WALKED_FOREIGN : WALKED_UNKNOWN;
}

enum walked walk_store(const char *directory, walk_go_on *go_on,
                       struct manifest *ret_manifest, struct vault_problem *ret_problem)
{
    /* Whoever asks for the walk holds the directory. */
    const char *arguments[] = { "--verify-store", directory, "--force", NULL };
    struct buffer said;
    buffer_init(&said, MANIFEST_BYTES_MAX);
    int code = walk_child(arguments, go_on, &said);
    struct slice text = buffer_slice(&said);
    enum walked walked = walked_of(code);
    if (walked == WALKED_GOOD && manifest_read(text, ret_manifest) != ERR_OK)
        walked = WALKED_UNKNOWN;
    if (code < 0)
        vault_say(ret_problem, "the hub is told to end");
    else if (code > SIGNALLED)
        vault_say(ret_problem, "reading it ended the reader (signal %d)",
                  code - SIGNALLED);
    else if (walked != WALKED_GOOD)
        vault_say(ret_problem, "%.*s", (int)slice_find(text, '\n'), text.data);
    buffer_finish(&said);
    return walked;
}

bool walk_figures(const char *directory, walk_go_on *go_on, struct manifest *ret_figures)
{
    const char *arguments[] = { "--store-figures", directory, NULL };
    struct buffer said;
    buffer_init(&said, MANIFEST_BYTES_MAX);
    bool told = walk_child(arguments, go_on, &said) == EXIT_CODE_OK &&
                manifest_read(buffer_slice(&said), ret_figures) == ERR_OK;
    buffer_finish(&said);
    return told;
}
