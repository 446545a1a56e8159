#include "app/arguments.h"
#include "app/history.h"
#include "app/hub.h"
#include "app/restoring.h"
#include "ops/chain.h"
#include "ops/verify.h"
#include "os/log.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef DROVER_VERSION
#error "the build says which version this is"
#endif

/* What holds for the whole process, whatever the settings say. */
static void process_prepare(void)
{
    struct rlimit files;
    struct rlimit no_core = { 0, 0 };

    umask(077);
    /* A peer that is gone and a file that may not grow are errors, not deaths. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    /* Memory holds tokens on their way: nobody gets an image of it. */
    setrlimit(RLIMIT_CORE, &no_core);
    prctl(PR_SET_DUMPABLE, 0);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* What a store that was read is like: broken is one thing, not to be read another. */
static enum exit_code exit_code_of_look(enum err err)
{
    return err == ERR_OK                              ? EXIT_CODE_OK
           : err == ERR_CORRUPT || err == ERR_INVALID ? EXIT_CODE_IO
           : err == ERR_UNSUPPORTED                   ? EXIT_CODE_CONFIG
           : err == ERR_EXISTS                        ? EXIT_CODE_UNAVAILABLE
                                                      : EXIT_CODE_NO_INPUT;
}

static enum exit_code errand_run(const struct config *config, enum errand errand,
                                 const struct errand_subject *subject)
{
    enum log_level level;
    switch (errand) {
    case ERRAND_HELP:
        arguments_help(stdout);
        return EXIT_CODE_OK;
    case ERRAND_VERSION:
        printf("drover-hub %s\n", DROVER_VERSION);
        return EXIT_CODE_OK;
    case ERRAND_VERIFY_STORE:
        return exit_code_of_look(verify_errand(subject->text, subject->forced));
    case ERRAND_FIGURES:
        return exit_code_of_look(verify_figures_errand(subject->text));
    case ERRAND_VERIFY_EVENTS:
        return chain_errand(subject->text) ? EXIT_CODE_OK : EXIT_CODE_IO;
    case ERRAND_MERGE:
    case ERRAND_RESTORE:
    case ERRAND_STORE_AT:
    case ERRAND_CHECK:
    case ERRAND_ENROLMENT:
    case ERRAND_RUN:
        break;
    }
    /* They listen nowhere, so it does not matter what it would take to; and a hub that has
     * one done by a child hands down only what it needs. */
    if (errand == ERRAND_STORE_AT)
        return history_point(config, subject);
    if (errand == ERRAND_MERGE)
        return restoring_merge(config, subject->text);
    if (hub_settings_check(config) != ERR_OK)
        return EXIT_CODE_CONFIG;
    if (errand == ERRAND_CHECK) {
        printf("the settings are good\n");
        return EXIT_CODE_OK;
    }
    if (log_level_parse(config_text(config, SETTING_LOG_LEVEL), &level))
        log_set_level(level);
    if (errand == ERRAND_RESTORE)
        return store_restore(config, subject->text, subject->sure, subject->forced);
    return errand == ERRAND_ENROLMENT ? hub_offer_enrolment(config, stdout)
                                      : hub_run(config);
}

int main(int count, char **arguments)
{
    struct config config;
    enum errand errand;
    struct errand_subject subject = { .text = NULL };

    process_prepare();
    enum err err = config_init(&config, stderr);
    if (err == ERR_OK)
        err = arguments_read(&config, count, arguments, environ, &errand, &subject);
    enum exit_code code = EXIT_CODE_CONFIG;
    if (err == ERR_OK)
        code = errand_run(&config, errand, &subject);
    config_finish(&config);
    return (int)code;
}
