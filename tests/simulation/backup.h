/*
 * backup.h - the store of a simulated hub as it was at an earlier moment, and the way back.
 *
 * What a restore takes away, the ledger, the audit and the oracle are told; what stood in
 * the backup must be there again. Nobody holds anything then, and whatever agents say of
 * the time that never was is refused: every generation is new, no number of a task or of
 * an epoch is used a second time.
 */
#ifndef SIMULATION_BACKUP_H
#define SIMULATION_BACKUP_H

#include "core/memory_transaction.h"
#include "store/store.h"

#include <stdbool.h>

struct sim;

struct backup {
    bool made;
    uint64_t restores;         /* before it */
    struct memory_store *rows; /* the model's */
    char directory[64];        /* LMDB's; empty: none was made yet */
};

void backup_finish(struct backup *backup);

/* Between two turns of a hub that is up. False: the store is not whole. */
bool backup_make(struct sim *sim);

/* Of a hub that is down. `readable`: the store given up can still say what was revoked. */
void backup_restore(struct sim *sim, bool readable);

#endif
