/*
 * example-check - holds the examples of schemas/ to their schemas, for the build.
 */
#include "examples/examples.h"

int main(int argc, char **argv)
{
    struct examples_report report;
    if (argc != 2) {
        (void)fputs("usage: example-check SCHEMAS\n", stderr);
        return 2;
    }
    if (!examples_check(argv[1], stderr, &report)) {
        (void)fprintf(stderr, "example-check: %zu problems\n", report.problems);
        return 1;
    }
    return 0;
}
