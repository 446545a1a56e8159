/*
 * document.h - the texts in which the hub describes itself: GET /api/schemas, OpenAPI and
 * AsyncAPI.
 *
 * Ownership  The model owns the texts; every json_t * returned here is the caller's.
 */
#ifndef SCHEMAC_DOCUMENT_H
#define SCHEMAC_DOCUMENT_H

#include "schemac/model.h"

extern const char *const DOCUMENT_NAMES[DOCUMENT_COUNT];

/* The index of a document's name; fails when there is none. */
size_t document_find(const char *name, const char *where);

/* Makes all three and their digest, once. */
void documents_make(struct model *model);

json_t *discovery_make(const struct model *model);
json_t *openapi_make(const struct model *model);
json_t *asyncapi_make(const struct model *model);

/*
 * A schema as it stands in a document: references lead into the document's components, and
 * what only this project reads is left out.
 */
json_t *document_schema(const json_t *schema);

/* The schemas of common.json that both documents share. */
json_t *document_shared(const struct model *model);

/* Drops the schemas among the root's components that nothing leads to. */
void document_prune(json_t *root);

json_t *document_info(const struct model *model, const char *description);

/* {"$ref": "<folder><name>"}. */
json_t *document_reference(const char *folder, const char *name);

/* Those groups that a unit of one of the two directions belongs to, as tags. */
json_t *document_tags(const struct model *model, enum unit_direction one,
                      enum unit_direction other);

/* A text that must be there. */
const char *document_text(const json_t *object, const char *key);

/* Stores `value` under `key`; fails when either is not there. */
void document_set(json_t *object, const char *key, json_t *value);

#endif
