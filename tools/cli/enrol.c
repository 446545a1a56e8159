#include "cli/request.h"
#include "os/file.h"
#include "os/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, SECRET_BYTES = 64 };

/* A place for the token, made before the secret is spent: a token that cannot be kept
 * would be lost. */
struct place {
    char path[PATH_BYTES];
    char draft[PATH_BYTES];
    int fd;
    bool force;
};

bool token_home_path(char *path, size_t size)
{
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    int length = -1;
    if (config != NULL && config[0] == '/')
        length = snprintf(path, size, "%s/drover/token", config);
    else if (home != NULL && home[0] == '/')
        length = snprintf(path, size, "%s/.config/drover/token", home);
    return length > 0 && (size_t)length < size;
}

static enum outcome secret_read(const char *directory, char secret[SECRET_BYTES + 1])
{
    char path[PATH_BYTES];
    struct buffer text;
    if (!path_join(path, sizeof path, directory, "enrolment.secret"))
        return complain(OUTCOME_USAGE, "%s: the path is too long", directory);
    buffer_init(&text, SECRET_BYTES + 1);
    enum err err = file_read(path, SECRET_BYTES + 1, &text);
    enum outcome outcome = OUTCOME_OK;
    if (err == ERR_OK && text.size >= SECRET_BYTES) {
        memcpy(secret, text.data, SECRET_BYTES);
        secret[SECRET_BYTES] = '\0';
    } else if (err == ERR_NOT_FOUND) {
        outcome = complain(OUTCOME_NOT_FOUND,
                           "%s is not there: no hub has started on this directory yet, "
                           "or it has an administrator. When its token is lost: stop the "
                           "hub, run drover-hub --new-enrolment --data %s, start it",
                           path, directory);
    } else {
        outcome = complain(OUTCOME_FAILED, "the secret cannot be read from %s", path);
    }
    if (text.data != NULL)
        secret_wipe(text.data, text.room);
    buffer_finish(&text);
    return outcome;
}

/* The folders above, for the owner only. */
static void parents_make(const char *path)
{
    char folder[PATH_BYTES];
    (void)snprintf(folder, sizeof folder, "%s", path);
    for (char *at = folder + 1; *at != '\0'; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        (void)mkdir(folder, 0700);
        *at = '/';
    }
}

static enum outcome place_path(const struct invocation *invocation, struct place *place)
{
    const char *out = given_value(invocation, "--out");
    if (out == NULL)
        out = getenv("DROVER_TOKEN_FILE");
    if (out != NULL && out[0] != '\0') {
        int size = snprintf(place->path, sizeof place->path, "%s", out);
        if (size < 0 || (size_t)size >= sizeof place->path)
            return complain(OUTCOME_USAGE, "--out: the path is too long");
    } else if (token_home_path(place->path, sizeof place->path)) {
        parents_make(place->path);
    } else {
        return complain(OUTCOME_USAGE, "say with --out where the token goes");
    }
    int size = snprintf(place->draft, sizeof place->draft, "%s.new", place->path);
    return size > 0 && (size_t)size < sizeof place->draft
               ? OUTCOME_OK
               : complain(OUTCOME_USAGE, "--out: the path is too long");
}

static enum outcome place_make(const struct invocation *invocation, struct place *place)
{
    place->force = given_has(invocation, "--force");
    enum outcome outcome = place_path(invocation, place);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (!place->force && access(place->path, F_OK) == 0)
        return complain(OUTCOME_CONFLICT, "%s is there already: --force replaces it",
                        place->path);
    (void)unlink(place->draft);
    place->fd =
        open(place->draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return place->fd >= 0
               ? OUTCOME_OK
               : complain(OUTCOME_FAILED, "%s: %s", place->draft, strerror(errno));
}

static bool write_all(int fd, struct slice text)
{
    while (text.size > 0) {
        ssize_t size = write(fd, text.data, text.size);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return false;
        text = slice_skip(text, (size_t)size);
    }
    return fsync(fd) == 0;
}

static enum outcome place_fill(struct place *place, struct slice token)
{
    bool kept = write_all(place->fd, token) && write_all(place->fd, SLICE_OF("\n"));
    if (!kept)
        return complain(OUTCOME_FAILED, "%s: %s", place->draft, strerror(errno));
    /* Without --force nothing is replaced, not even what came meanwhile. */
    bool moved = place->force
                     ? rename(place->draft, place->path) == 0
                     : link(place->draft, place->path) == 0 && unlink(place->draft) == 0;
    if (!moved)
        return complain(OUTCOME_FAILED, "the token stands in %s: %s: %s", place->draft,
                        place->path, strerror(errno));
    (void)printf("%s\n", place->path);
    return OUTCOME_OK;
}

enum outcome enrol_run(struct invocation *invocation)
{
    char secret[SECRET_BYTES + 1] = "";
    struct place place = { .fd = -1 };
    const char *data = given_value(invocation, "--data");
    enum outcome outcome = secret_read(data != NULL ? data : "drover-data", secret);
    if (outcome == OUTCOME_OK)
        outcome = place_make(invocation, &place);
    if (outcome == OUTCOME_OK) {
        struct answer answer = { 0 };
        invocation->settings.token = secret;
        outcome = command_call(invocation, NULL, 0, &answer);
        if (outcome == OUTCOME_OK)
            outcome = place_fill(&place, member_text(&answer, answer.root, "token"));
        else
            (void)unlink(place.draft);
        if (answer.unsure)
            (void)complain(OUTCOME_OK, "the secret may be spent: when this fails again, "
                                       "drover-hub --new-enrolment makes another");
    }
    if (place.fd >= 0)
        (void)close(place.fd);
    secret_wipe(secret, sizeof secret);
    return outcome;
}
