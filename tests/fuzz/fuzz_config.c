/*
 * Any bytes as a file of settings: taken whole, every value within its bounds, or refused
 * with a reason.
 */
#include "app/config.h"
#include "base/ensure.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void values_check(const struct config *config)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = &SETTING_ROWS[i];
        if (row->kind != SETTING_KIND_INTEGER)
            continue;
        int64_t number = config_number(config, (enum setting)i);
        ENSURE(number >= row->minimum && number <= row->maximum);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char said[64 * 1024];
    struct config config;
    char path[64];
    int fd = memfd_create("config", MFD_CLOEXEC);
    FILE *complaints = fmemopen(said, sizeof said, "w");
    ENSURE(fd >= 0 && complaints != NULL);
    ENSURE(write(fd, data, size) == (ssize_t)size);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);

    ENSURE(config_init(&config, complaints) == ERR_OK);
    enum err err = config_read_file(&config, path);
    if (err == ERR_OK)
        values_check(&config);
    else
        ENSURE(err == ERR_INVALID && ftell(complaints) > 0);
    config_finish(&config);
    (void)fclose(complaints);
    (void)close(fd);
    return 0;
}
