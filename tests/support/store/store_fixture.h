/*
 * store_fixture.h - a store in a directory of its own, and faults on demand.
 */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include "store/fault.h"
#include "store/store.h"

/* Fails the `nth` call of a kind (counted from 1) with `code`, once or from there on. */
struct fault_plan {
    enum store_call call;
    unsigned nth;
    int code;
    bool for_ever;
    _Atomic unsigned counts[STORE_CALL_COUNT]; /* calls seen, of every kind */
    struct store_fault hook;
};

struct store_fixture {
    char directory[64];
    struct store_options options;
    struct store *store;
    struct store_problem problem;
    struct fault_plan plan;
};

/* A fresh directory and an open store: tables "one" and "two", with `bytes_first` and
 * `bytes_max`. Any file system will do. */
void fixture_start(struct store_fixture *fixture, uint64_t bytes_first,
                   uint64_t bytes_max);

/* Closes the store and removes the directory. */
void fixture_end(struct store_fixture *fixture);

void fixture_close(struct store_fixture *fixture);
enum err fixture_open(struct store_fixture *fixture);

/* Arms the plan; nth 0 disarms it. Counting starts anew. */
void fixture_fail(struct store_fixture *fixture, enum store_call call, unsigned nth,
                  int code);

void fixture_path(const struct store_fixture *fixture, const char *name, char *target,
                  size_t size);

/* One batch with one row. */
enum err fixture_put(struct store_fixture *fixture, unsigned table, const char *key,
                     struct slice value);
enum err fixture_remove(struct store_fixture *fixture, unsigned table, const char *key);

/* Compares the row's value in a snapshot of its own; an absent `expected` means that
 * there is no row. */
bool fixture_has(struct store_fixture *fixture, unsigned table, const char *key,
                 struct slice expected);

#endif
