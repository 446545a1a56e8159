/*
 * clock.h - the two clocks. Only shells read them; the core is told the time.
 */
#ifndef OS_CLOCK_H
#define OS_CLOCK_H

#include <stdint.h>

/* Never falls; its zero means nothing. Stands still while the machine sleeps. */
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);

/* Unix time; may jump either way. */
int64_t clock_wall_ms(void);

enum { CLOCK_TEXT_BYTES = sizeof "9999-12-31T23:59:59.999Z" };

/* ISO 8601 in UTC with milliseconds and a NUL. Times outside the years 0 to 9999 are
 * written as the nearest one inside. */
void clock_text(int64_t wall_ms, char ret_text[CLOCK_TEXT_BYTES]);

#endif
