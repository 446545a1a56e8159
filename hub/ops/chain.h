/*
 * chain.h - the event log's chain, verified in a store that nobody has open.
 */
#ifndef OPS_CHAIN_H
#define OPS_CHAIN_H

#include <stdbool.h>

/*
 * The program's errand, --verify-events. One line on standard output: from where to where
 * the chain holds, and its last hash, to be held against one that was kept elsewhere. Or on
 * standard error the first event that does not hold, and why. True when all is well.
 */
bool chain_errand(const char *directory);

#endif
