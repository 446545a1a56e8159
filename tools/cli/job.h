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

/* Makes the request of the command, with more fields that need no telling, and shows what
 * its job has made. People are shown how far it is; programs get the hub's own answer. */
enum outcome job_make(struct invocation *invocation, const struct filling *fillings,
                      size_t count);

#endif
