/*
 * source.h - the files of schemas/, read once.
 *
 * Ownership  The sources own every file; what source_resolve() returns is the caller's.
 */
#ifndef SCHEMAC_SOURCE_H
#define SCHEMAC_SOURCE_H

#include <jansson.h>

enum {
    SOURCE_NAME_BYTES = 64,
    SOURCE_PATH_BYTES = 512,
    SOURCES_MAX = 256,
};

struct source {
    char name[SOURCE_NAME_BYTES]; /* without folder and .json */
    char path[SOURCE_PATH_BYTES];
    const char *up; /* from its folder to that of common.json: ../ */
    json_t *root;
};

/* One folder's files in order of their names. */
struct source_list {
    struct source items[SOURCES_MAX];
    size_t count;
};

/* Fails when the folder is missing or a file is no JSON object. `up` outlives the list. */
void source_list_read(struct source_list *list, const char *folder, const char *up);
void source_list_free(struct source_list *list);

json_t *source_read(const char *path);

/*
 * A copy of `schema` without references: each is replaced by what it points at in
 * `common`, marked with x-def, under the members that stand beside it. What validates at
 * run time therefore stands alone. A reference is relative to its file, as every tool
 * reads it; `up` leads from there to the folder of common.json.
 */
json_t *source_resolve(const json_t *common, json_t *schema, const char *where,
                       const char *up);

#endif
