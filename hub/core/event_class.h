/*
 * event_class.h - the words for the classes of events.
 */
#ifndef CORE_EVENT_CLASS_H
#define CORE_EVENT_CLASS_H

#include "message/row.h"

struct slice event_class_name(enum event_class class);

/* False for an unknown word. */
bool event_class_parse(struct slice word, enum event_class *ret_class);

#endif
