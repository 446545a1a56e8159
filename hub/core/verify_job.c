#include "core/verify.h"

#include "core/backup.h"
#include "core/blob.h"
#include "core/upkeep.h"

static void job_row(struct verify *verify, struct slice key, struct slice value)
{
    struct job job;
    (void)value;
    if (!verify_key(verify, key, 1))
        return;
    uint64_t number = key_number(&verify->step, key, 0);
    if (!job_load(&verify->step, number, &job))
        return;
    verify->jobs_open += job_is_open(&job);
    verify->job_deadlines += job.wait_until_ms != 0;
    verify_holds(verify, number <= step_counter(&verify->step, COUNTER_JOB_LAST),
                 "a job's number was never given out");
    verify_holds(verify, (job.wait_until_ms != 0) == (job.wait_link != 0),
                 "a job is waited for without end");
    verify_holds(verify, job_is_open(&job) || job.wait_link == 0,
                 "a job that is done is waited for");
    verify_holds(verify, job_is_open(&job) == (job.finished_ms == 0),
                 "a job has another end than its state");
    struct slice results = blob_get(&verify->step, number, BLOB_JOB_RESULTS);
    verify_holds(verify, results.size == job.results_bytes,
                 "a job has other results than it says");
}

static void backup_row(struct verify *verify, struct slice key, struct slice value)
{
    struct backup backup;
    (void)value;
    verify_holds(verify, backup_load(&verify->step, key, &backup),
                 "a backup's row is misshapen");
}

void verify_jobs(struct verify *verify)
{
    uint64_t jobs = verify_walk(verify, TABLE_JOB, job_row);
    uint64_t backups = verify_walk(verify, TABLE_BACKUP, backup_row);
    if (verify->text != NULL)
        return;
    verify_holds(verify,
                 verify->jobs_open == step_counter(&verify->step, COUNTER_JOBS_OPEN),
                 "the count of open jobs is wrong");
    uint64_t last = step_counter(&verify->step, COUNTER_JOB_LAST);
    verify_holds(verify,
                 jobs <= JOBS_KEPT_MAX + JOBS_OPEN_MAX &&
                     jobs >= (last < JOBS_KEPT_MAX ? last : JOBS_KEPT_MAX),
                 "more or fewer jobs are kept than should be");
    verify_holds(verify, jobs == 0 || step_counter(&verify->step, COUNTER_INSTANCE) != 0,
                 "the store has no number of its own");
    verify_holds(verify,
                 backups <= BACKUPS_SEEN_MAX &&
                     backups == step_counter(&verify->step, COUNTER_BACKUPS),
                 "the count of backups is wrong");
    bool due = step_counter(&verify->step, COUNTER_BACKUP_DUE_MS) != 0;
    verify_holds(verify, !due || step_counter(&verify->step, COUNTER_BACKUP_BASE_MS) != 0,
                 "a backup is due without a time it counts from");
    verify->upkeep_deadlines += upkeep_deadlines(&verify->step);
}
