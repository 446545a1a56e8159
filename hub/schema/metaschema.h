/*
 * metaschema.h - the documents every schema may refer to without bringing them.
 */
#ifndef SCHEMA_METASCHEMA_H
#define SCHEMA_METASCHEMA_H

#include "base/slice.h"

/* What a schema without $schema is written in. */
#define METASCHEMA_URI "https://json-schema.org/draft/2020-12/schema"

/* Absent when the URI is none of ours. */
struct slice metaschema_text(struct slice uri);

#endif
