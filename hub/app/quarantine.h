/*
 * quarantine.h - the files of broken stores, kept for whoever wants to know what is left
 * of them: DATA/quarantine/store-MOMENT.mdb.
 */
#ifndef APP_QUARANTINE_H
#define APP_QUARANTINE_H

#include "ops/vault.h"

enum { QUARANTINE_PATH_BYTES = 4400 };

struct quarantine {
    unsigned count;    /* of broken stores in it, other than the one in place now */
    int64_t newest_ms; /* wall: when the youngest of those was put there; 0: none */
    bool holds_it;     /* the one in place now is in it, too */
    char path[QUARANTINE_PATH_BYTES]; /* where that is, or is going to be */
};

/* What there is. `wall_ms` is now. */
enum err quarantine_look(const char *data, int64_t wall_ms,
                         struct quarantine *ret_quarantine,
                         struct vault_problem *ret_problem);

/* The store in place has its second name there from now on: it outlives what replaces it.
 * Does nothing when it has one, or when there is no store. */
enum err quarantine_keep(const char *data, const struct quarantine *quarantine,
                         struct vault_problem *ret_problem);

#endif
