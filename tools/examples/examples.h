/*
 * examples.h - are the examples in schemas/ what the schemas beside them say?
 *
 * Reads the folder as any tool would: references are relative to the file they stand in.
 * Nothing generated is used, so a folder is checked before anything is made of it.
 */
#ifndef EXAMPLES_EXAMPLES_H
#define EXAMPLES_EXAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct examples_report {
    size_t files;    /* with something to show */
    size_t examples; /* values held to a schema */
    size_t problems;
};

/* Checks every file of the folder and what is below it. Each problem is a line in `log`:
 * file, JSON Pointer into it, what is wrong. False when there is any. */
bool examples_check(const char *folder, FILE *log, struct examples_report *ret_report);

#endif
