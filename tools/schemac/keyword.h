/*
 * keyword.h - the subset of JSON Schema that schemas/ may use.
 *
 * A keyword outside it stops the build: nothing may ever be silently ignored.
 */
#ifndef SCHEMAC_KEYWORD_H
#define SCHEMAC_KEYWORD_H

#include "schemac/model.h"

void keyword_check(const struct model *model);

#endif
