/*
 * page.h - the pieces of the reference page that sockets and routes share.
 */
#ifndef SCHEMAC_PAGE_H
#define SCHEMAC_PAGE_H

#include "schemac/model.h"

#include <stdio.h>

/* A table of the members at one place; nothing when there is none. */
void page_members(FILE *file, const struct shape *shape, enum field_place place);

bool page_has_members(const struct shape *shape, enum field_place place);

/* The words of a list: `a`, `b`, `c`. */
void page_words(FILE *file, const json_t *words);

void page_example(FILE *file, const json_t *example);

/* A cell's text: what would end the cell is escaped. */
void page_text(FILE *file, const char *text);

void page_sockets(FILE *file, const struct model *model, enum unit_direction direction);
void page_routes(FILE *file, const struct model *model);
void page_shapes(FILE *file, const struct model *model);
void page_codes(FILE *file, const struct model *model);
void page_settings(FILE *file, const struct model *model);

#endif
