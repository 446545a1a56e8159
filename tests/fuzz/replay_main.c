/*
 * replay_main.c - a fuzz target as an ordinary test: every file of the folder
 * given goes through it once, so what a fuzzer once found stays found.
 */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PATH_BYTES_MAX = 4096 };

static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    uint8_t *data = NULL;
    int result = -1;

    if (!file || fstat(fileno(file), &status) != 0)
        goto done;

    size_t size = (size_t)status.st_size;
    /* Exactly as large as the input, so that one byte too far is seen. */
    data = malloc(size ? size : 1);
    if (!data || fread(data, 1, size, file) != size)
        goto done;

    result = LLVMFuzzerTestOneInput(data, size);
done:
    free(data);
    if (file)
        (void)fclose(file);
    return result;
}

static int replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    int count = 0;

    if (!dir)
        return -1;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        char path[PATH_BYTES_MAX];
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (replay(path) != 0) {
            fprintf(stderr, "failed on %s\n", path);
            count = -1;
            break;
        }
        count++;
    }
    (void)closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }

    int count = replay_folder(argv[1]);
    if (count > 0) {
        printf("%d inputs\n", count);
        return 0;
    }
    if (count == 0)
        fprintf(stderr, "%s holds no input\n", argv[1]);
    else
        fprintf(stderr, "%s could not be replayed\n", argv[1]);
    return 1;
}
