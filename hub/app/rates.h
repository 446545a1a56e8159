/*
 * rates.h - the limits by rate that operators set, at the start.
 */
#ifndef APP_RATES_H
#define APP_RATES_H

#include "gate/gate.h"
#include "store/store.h"

/* Fills the gate from the store. Before engine_start. */
enum err rates_load(struct store *store, struct gate *gate);

#endif
