/*
 * page.h - the pieces of the reference pages.
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

/* The messages of one direction that a page is about. */
struct page_units {
    const struct unit *items[UNITS_MAX];
    size_t count;
};

/* In the order of the files; routes in the order of their paths. */
void page_units_find(struct page_units *units, const struct model *model,
                     const char *group, enum unit_direction direction);

/* A table of them with links to their headings in the page `path`. */
void page_index(FILE *file, const struct page_units *units, const char *path);

void page_sockets(FILE *file, const struct page_units *units);
void page_routes(FILE *file, const struct model *model, const struct page_units *units);

/* The objects that stand inside the shapes of these, and inside each other. */
void page_shapes(FILE *file, const struct model *model, const struct page_units *units,
                 size_t count);
void page_codes(FILE *file, const struct model *model);
void page_settings(FILE *file, const struct model *model);

/* Which role and which scope opens what. */
void page_roles(FILE *file, const struct model *model);

#endif
