/*
 * table_name.h - tables by the names that are used for them.
 */
#ifndef CORE_TABLE_NAME_H
#define CORE_TABLE_NAME_H

#include "base/slice.h"

/* True for a table's name, and for those of AgentCom v1.1's. */
bool table_name_known(struct slice name);

#endif
