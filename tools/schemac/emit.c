#include "schemac/emit.h"

#include "schemac/document.h"
#include "schemac/fail.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { LITERAL_WIDTH = 80 };

FILE *emit_open(const char *folder, const char *name)
{
    char path[SOURCE_PATH_BYTES];
    join(path, sizeof path, folder, "/", name);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        fail(path, "cannot be written");
    return file;
}

void emit_close(FILE *file, const char *name)
{
    bool failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed)
        fail(name, "not everything was written");
}

void emit_literal(FILE *file, const char *text)
{
    unsigned column = 0;
    fputc('"', file);
    for (; *text != '\0'; text++) {
        if (column >= LITERAL_WIDTH) {
            fputs("\"\n    \"", file);
            column = 0;
        }
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            column += (unsigned)fprintf(file, "\\%c", byte);
        else if (byte == '\n')
            column += (unsigned)fprintf(file, "\\n");
        else if (byte < ' ' || byte >= 0x7f)
            column += (unsigned)fprintf(file, "\\%03o", byte);
        else
            column += (unsigned)(fputc(byte, file) != EOF);
    }
    fputc('"', file);
}

void emit_upper(FILE *file, const char *name)
{
    for (; *name != '\0'; name++)
        fputc(*name == '-' || *name == ':' ? '_' : toupper((unsigned char)*name), file);
}

void emit_schema_name(FILE *file, const struct unit *unit, size_t place)
{
    static const char *const SUFFIXES[SCHEMA_PLACES] = { "", "_PATH", "_QUERY",
                                                         "_HEADERS" };
    fputs("SCHEMA_", file);
    emit_upper(file, unit->name);
    fputs(SUFFIXES[place], file);
}

char *emit_schema_text(const json_t *schema)
{
    char *text = json_dumps(schema, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);
    if (text == NULL)
        fail("schema", "no memory");
    return text;
}

void emit_document_name(FILE *file, size_t document)
{
    fputs("DOCUMENT_", file);
    emit_upper(file, DOCUMENT_NAMES[document]);
}

static void emit_documents(FILE *file, const struct model *model)
{
    for (size_t i = 0; i < DOCUMENT_COUNT; i++) {
        size_t bytes = strlen(model->documents[i]) + 1;
        fputs("\nextern const char ", file);
        emit_document_name(file, i);
        fprintf(file, "[%zu];\nconst char ", bytes);
        emit_document_name(file, i);
        fprintf(file, "[%zu] =\n    ", bytes);
        emit_literal(file, model->documents[i]);
        fputs(";\n", file);
    }
    fprintf(file, "\nconst struct slice DOCUMENTS_DIGEST = SLICE(\"%s\");\n",
            model->digest);
}

void emit_bundle(const struct model *model, const char *folder)
{
    FILE *file = emit_open(folder, "bundle.c");
    fputs("/* Made by schemac from schemas/: the schemas that validate, as text. */\n"
          "#include \"message/row.h\"\n",
          file);
    for (size_t i = 0; i < model->unit_count; i++) {
        for (size_t place = 0; place < SCHEMA_PLACES; place++) {
            if (model->units[i].schemas[place] == NULL)
                continue;
            char *text = emit_schema_text(model->units[i].schemas[place]);
            fprintf(file, "\nextern const char ");
            emit_schema_name(file, &model->units[i], place);
            fprintf(file, "[%zu];\nconst char ", strlen(text) + 1);
            emit_schema_name(file, &model->units[i], place);
            fprintf(file, "[%zu] =\n    ", strlen(text) + 1);
            emit_literal(file, text);
            fputs(";\n", file);
            free(text);
        }
    }
    emit_documents(file, model);
    char *text = emit_schema_text(model->config);
    fputs("\nconst struct slice SETTINGS_SCHEMA = SLICE(\n    ", file);
    emit_literal(file, text);
    fputs(");\n", file);
    free(text);
    emit_close(file, "bundle.c");
}
