/*
 * ledger.h - answers against what was asked and what was told before.
 */
#ifndef SIMULATION_LEDGER_H
#define SIMULATION_LEDGER_H

#include "simulation/client.h"

/* Surely within the time for which the hub remembers the key. */
bool ledger_key_lasts(const struct clients *clients, const struct submission *submission);

#endif
