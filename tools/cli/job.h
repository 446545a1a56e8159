/*
 * job.h - a job of the hub's, followed to its end.
 */
#ifndef CLI_JOB_H
#define CLI_JOB_H

#include "cli/request.h"

/* Asks again and again until the job has ended, and shows on a terminal how far it is.
 * OUTCOME_OK: it is complete and *ret_answer is the job; else why not has been said. */
enum outcome job_follow(struct invocation *invocation, int64_t number,
                        struct answer *ret_answer);

#endif
