/*
 * schemac - makes hub/message/, docs/protocol.md and docs/reference/ from schemas/.
 */
#include "schemac/document.h"
#include "schemac/emit.h"
#include "schemac/fail.h"
#include "schemac/model.h"

#include <stdio.h>
#include <string.h>

static int usage(FILE *file, int status)
{
    fputs("usage: schemac --schemas DIR [--out DIR] [--docs DIR]\n", file);
    return status;
}

int main(int argc, char **argv)
{
    const char *schemas = NULL;
    const char *out = NULL;
    const char *docs = NULL;
    for (int i = 1; i < argc; i += 2) {
        if (strcmp(argv[i], "--help") == 0)
            return usage(stdout, 0);
        if (i + 1 == argc)
            return usage(stderr, 2);
        if (strcmp(argv[i], "--schemas") == 0)
            schemas = argv[i + 1];
        else if (strcmp(argv[i], "--out") == 0)
            out = argv[i + 1];
        else if (strcmp(argv[i], "--docs") == 0)
            docs = argv[i + 1];
        else
            return usage(stderr, 2);
    }
    if (schemas == NULL)
        return usage(stderr, 2);

    struct model *model = model_create(schemas);
    if (model == NULL)
        fail(schemas, "no memory");
    documents_make(model);
    if (out != NULL) {
        emit_header(model, out);
        emit_tables(model, out);
        emit_bundle(model, out);
        emit_help(model, out);
    }
    if (docs != NULL)
        emit_docs(model, docs);
    model_destroy(model);
    return 0;
}
