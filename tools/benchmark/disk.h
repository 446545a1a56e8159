/*
 * disk.h - what the disk can do, measured in the same run as the hub.
 */
#ifndef BENCHMARK_DISK_H
#define BENCHMARK_DISK_H

/* Writes of one page followed by fdatasync, a second, on the disk of `directory`. 0 when
 * it cannot be written. */
double disk_syncs_per_second(const char *directory);

#endif
