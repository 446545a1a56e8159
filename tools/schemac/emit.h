/*
 * emit.h - the files schemac writes.
 */
#ifndef SCHEMAC_EMIT_H
#define SCHEMAC_EMIT_H

#include "schemac/model.h"

#include <stdio.h>

/* A file opened for writing under `folder`; fails when that is not possible. */
FILE *emit_open(const char *folder, const char *name);

/* Closes it and fails when anything was not written. */
void emit_close(FILE *file, const char *name);

/* The text as a C string literal, quotes included, in lines of a bearable width. */
void emit_literal(FILE *file, const char *text);

/* The name in capitals. */
void emit_upper(FILE *file, const char *name);

/* "const char SCHEMA_X[]": its name for a schema of a unit. */
void emit_schema_name(FILE *file, const struct unit *unit, size_t place);

/* "DOCUMENT_X": the name of a document's text. */
void emit_document_name(FILE *file, size_t document);

/* A schema as one line of JSON; the caller frees it. */
char *emit_schema_text(const json_t *schema);

void emit_header(const struct model *model, const char *folder);
void emit_tables(const struct model *model, const char *folder);
void emit_bundle(const struct model *model, const char *folder);
void emit_help(const struct model *model, const char *folder);
void emit_codes(FILE *file, const struct model *model);
void emit_settings(FILE *file, const struct model *model);

/* protocol.md and reference/ under `folder`. */
void emit_docs(const struct model *model, const char *folder);

#endif
