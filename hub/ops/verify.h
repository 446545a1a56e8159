/*
 * verify.h - a store that nobody has open, read from end to end.
 *
 * Every record's checksum, every index both ways, the chain of events and the digest of
 * the file. A spoilt file may end the process that reads it, so a hub has it done by a child of its own
 * (ops/child.h): the same program, asked with --verify-store.
 */
#ifndef OPS_VERIFY_H
#define OPS_VERIFY_H

#include "ops/vault.h"

/*
 * `directory` holds data.mdb. Of a store of an older version the records alone are looked
 * at. Fills everything but name and creation. Beside a manifest
 * the two must agree. ERR_CORRUPT, ERR_UNSUPPORTED, ERR_IO, ...: *ret_problem says why.
 */
enum err verify_store(const char *directory, struct manifest *ret_manifest,
                      struct vault_problem *ret_problem);

/* The program's errand: the manifest on standard output, or the problem on standard error.
 * `in_use`: also when somebody holds the directory, who does not change it meanwhile. As
 * verify_store(); ERR_EXISTS: a hub has the store open. */
enum err verify_errand(const char *directory, bool in_use);

/* Likewise, what can be read of a store that is not whole: a manifest with the figures of
 * the store alone, or nothing. */
enum err verify_figures_errand(const char *directory);

#endif
