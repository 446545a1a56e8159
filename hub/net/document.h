/*
 * document.h - the texts in which the hub describes itself, and who has them already.
 */
#ifndef NET_DOCUMENT_H
#define NET_DOCUMENT_H

#include "net/exchange.h"

/* True when the route's answer is such a text; *ret_facts then says it, or that the asker
 * has it. */
bool document_answer(const struct exchange *exchange, struct answer_facts *ret_facts);

/* Whether an If-None-Match, the list `tags`, names the tag `digest` (without quotes). */
bool tags_have(struct slice tags, struct slice digest);

#endif
