#include "core/story.h"

#include "core/scene.h"
#include "core/story_rate.h"
#include "core/story_steer.h"

#include <stdio.h>
#include <string.h>

static const struct scene_agent ADA = { "ada", 11 };
static const struct scene_agent BOB = { "bob", 12 };
static const struct scene_agent BOB_AGAIN = { "bob", 13 };
static const struct scene_agent CAROL = { "carol", 14 };

enum {
    LONG_BYTES = 5000, /* more than one row holds */
};

static const char *long_text(void)
{
    static char text[LONG_BYTES + 1];
    memset(text, 'x', LONG_BYTES);
    return text;
}

static uint64_t submit_after(struct fleet *fleet, uint64_t task, int64_t not_before)
{
    char id[TASK_ID_BYTES + 1];
    snprintf(id, sizeof id, "task-%016llx", (unsigned long long)task);
    struct slice items[] = { slice_make(id, TASK_ID_BYTES) };
    struct slice needs[] = { SLICE_OF("git"), SLICE_OF("git") };
    return scene_submit(fleet, (struct message_post_task){
                                   .depends_on = { items, 1 },
                                   .needed_capabilities = { needs, 2 },
                                   .has_not_before = not_before != 0,
                                   .not_before = not_before,
                               });
}

/* The sockets' other messages, and what is refused. */
static void chat(struct fleet *fleet)
{
    struct message message = { .type = MESSAGE_STATUS };
    message.as.status.status = SLICE_OF("thinking");
    fleet_as_agent(fleet, ADA.name, ADA.link);
    fleet_do(fleet, &message);
    message = (struct message){ .type = MESSAGE_LIST_AGENTS };
    fleet_do(fleet, &message);
    message = (struct message){ .type = MESSAGE_MESSAGE };
    message.as.message.payload = SLICE_OF("{}");
    fleet_do(fleet, &message);
    message.as.message.to = SLICE_OF("bob");
    fleet_do(fleet, &message);
    message.as.message.to = SLICE_OF("nobody");
    fleet_do(fleet, &message);
    message = (struct message){ .type = MESSAGE_TASK_SUBMIT };
    message.as.task_submit.description = slice_from_text(long_text());
    message.as.task_submit.idempotency_key = SLICE_OF("once");
    fleet->command.digest_present = true;
    fleet_do(fleet, &message);
    fleet_do(fleet, &message);
    scene_ping(fleet, CAROL);
}

/* Over HTTP, by the same agent. */
static void ask(struct fleet *fleet, struct message message)
{
    fleet_as_client(fleet, ADA.name, ROLE_OPERATOR);
    fleet_do(fleet, &message);
}

/* Channels and mailboxes: said, read, let go. */
static void talk(struct fleet *fleet)
{
    struct slice general = SLICE_OF("#General");
    struct message message = { .type = MESSAGE_POST_CHANNEL };
    message.as.post_channel.name = general;
    message.as.post_channel.description = slice_from_text(long_text());
    ask(fleet, message);
    ask(fleet, message);
    message = (struct message){ .type = MESSAGE_POST_CHANNEL_SUBSCRIBE };
    message.as.post_channel_subscribe.channel = general;
    ask(fleet, message);
    fleet_as_client(fleet, "dora", ROLE_AGENT);
    fleet_do(fleet, &message);
    message = (struct message){ .type = MESSAGE_POST_CHANNEL_PUBLISH };
    message.as.post_channel_publish.channel = general;
    message.as.post_channel_publish.payload = slice_from_text(long_text());
    for (int i = 0; i < 3; i++)
        ask(fleet, message);
    message = (struct message){ .type = MESSAGE_POST_MESSAGE };
    message.as.post_message.to = SLICE_OF("nobody");
    message.as.post_message.payload = SLICE_OF("{}");
    ask(fleet, message);
    char id[17] = "";
    memcpy(id, fleet_answer(fleet)->message.as.post_message_answer.id.data, 16);
    message.as.post_message.reply_to = slice_from_text(id);
    ask(fleet, message);
    message = (struct message){ .type = MESSAGE_GET_THREAD };
    message.as.get_thread.message_id = slice_from_text(id);
    ask(fleet, message);
    message = (struct message){ .type = MESSAGE_GET_MAILBOX };
    message.as.get_mailbox.agent_id = SLICE_OF("ada");
    ask(fleet, message);
    message = (struct message){ .type = MESSAGE_POST_MAILBOX_ACK };
    message.as.post_mailbox_ack.agent_id = SLICE_OF("dora");
    message.as.post_mailbox_ack.seq = 1;
    fleet_as_client(fleet, "dora", ROLE_AGENT);
    fleet_do(fleet, &message);
    ask(fleet, (struct message){ .type = MESSAGE_POST_MAILBOX_EVICT });
    ask(fleet, (struct message){ .type = MESSAGE_GET_MESSAGES });
    message = (struct message){ .type = MESSAGE_GET_CHANNEL_HISTORY };
    message.as.get_channel_history.channel = general;
    ask(fleet, message);
    ask(fleet, (struct message){ .type = MESSAGE_GET_CHANNELS });
    fleet_settle(fleet);
}

/* The same from a socket. */
static void talk_live(struct fleet *fleet)
{
    struct message message = { .type = MESSAGE_CHANNEL_UNSUBSCRIBE };
    message.as.channel_unsubscribe.channel = SLICE_OF("general");
    fleet_as_agent(fleet, ADA.name, ADA.link);
    fleet_do(fleet, &message);
    message = (struct message){ .type = MESSAGE_CHANNEL_SUBSCRIBE };
    message.as.channel_subscribe.channel = SLICE_OF("general");
    fleet_do(fleet, &message);
    message = (struct message){ .type = MESSAGE_CHANNEL_PUBLISH };
    message.as.channel_publish.channel = SLICE_OF("general");
    message.as.channel_publish.payload = SLICE_OF("{}");
    fleet_do(fleet, &message);
    fleet_do(fleet, &(struct message){ .type = MESSAGE_LIST_CHANNELS });
    message = (struct message){ .type = MESSAGE_CHANNEL_HISTORY };
    message.as.channel_history.channel = SLICE_OF("general");
    fleet_do(fleet, &message);
    fleet_do(fleet, &(struct message){ .type = MESSAGE_MAILBOX_READ });
    message = (struct message){ .type = MESSAGE_MAILBOX_ACK };
    message.as.mailbox_ack.seq = 1;
    fleet_do(fleet, &message);
    message = (struct message){ .type = MESSAGE_POST_CHANNEL_UNSUBSCRIBE };
    message.as.post_channel_unsubscribe.channel = SLICE_OF("general");
    ask(fleet, message);
    message = (struct message){ .type = MESSAGE_PUT_MAILBOX_RETENTION };
    message.as.put_mailbox_retention.mailbox_ttl_ms = 1000000000;
    ask(fleet, message);
    fleet_settle(fleet);
}

/* A broadcast that is still under way. */
static void shout(struct fleet *fleet)
{
    struct message message = { .type = MESSAGE_POST_MESSAGE };
    message.as.post_message.payload = SLICE_OF("{}");
    fleet->settings.fanout_max = 1;
    ask(fleet, message);
}

static void enrolment(struct fleet *fleet)
{
    struct message message = { .type = MESSAGE_ENROLMENT_OFFERED };
    fleet_as_hub(fleet);
    fleet->command.minted = true;
    memset(fleet->command.minted_digest, 5, sizeof fleet->command.minted_digest);
    fleet_do(fleet, &message);
    message = (struct message){ .type = MESSAGE_POST_ENROL };
    message.as.post_enrol.agent_id = SLICE_OF("root");
    fleet_as_client(fleet, "", ROLE_BOOTSTRAP);
    fleet->command.credential_present = true;
    memset(fleet->command.credential, 5, sizeof fleet->command.credential);
    memset(fleet->command.minted_digest, 6, sizeof fleet->command.minted_digest);
    fleet_do(fleet, &message);
    fleet->command.minted = false;
    fleet->command.credential_present = false;
}

static void tokens_used(struct fleet *fleet)
{
    static char text[2 * DIGEST_BYTES];
    struct slice digest = slice_make(text, sizeof text);
    struct message message = { .type = MESSAGE_TOKENS_USED };
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 2 == 0 ? '0' : '9';
    message.as.tokens_used.digests = (struct slice_list){ &digest, 1 };
    fleet_as_hub(fleet);
    fleet_do(fleet, &message);
}

static void door_action(struct fleet *fleet)
{
    struct message message = { .type = MESSAGE_DOOR_ACTION };
    message.as.door_action.action = SLICE_OF("put_log_level");
    message.as.door_action.parameters = SLICE_OF("level=debug");
    message.as.door_action.status = 200;
    fleet_as_hub(fleet);
    fleet_do(fleet, &message);
}

static const char PREFIX[] = "a1b2c3d4";

static void tokens(struct fleet *fleet)
{
    memcpy(fleet->command.minted_prefix, PREFIX, 8);
    struct message message = { .type = MESSAGE_POST_ADMIN_TOKEN };
    message.as.post_admin_token.agent_id = SLICE_OF("dora");
    fleet->command.minted = true;
    memset(fleet->command.minted_digest, 7, sizeof fleet->command.minted_digest);
    fleet_as_client(fleet, "root", ROLE_ADMIN);
    fleet_do(fleet, &message);
    message = (struct message){ .type = MESSAGE_POST_ONBOARD_REGISTER };
    message.as.post_onboard_register.agent_id = SLICE_OF("emil");
    memset(fleet->command.minted_digest, 8, sizeof fleet->command.minted_digest);
    fleet_do(fleet, &message);
    message = (struct message){ .type = MESSAGE_POST_ADMIN_TOKEN_ROTATE };
    message.as.post_admin_token_rotate.agent_id = SLICE_OF("dora");
    message.as.post_admin_token_rotate.overlap_ms = 1000;
    memset(fleet->command.minted_digest, 9, sizeof fleet->command.minted_digest);
    fleet_do(fleet, &message);
    fleet->command.minted = false;
    tokens_used(fleet);
    door_action(fleet);
    fleet_pass(fleet, 1000);
    fleet_as_hub(fleet);
    fleet_settle(fleet);
    fleet_as_client(fleet, "root", ROLE_ADMIN);
    message = (struct message){ .type = MESSAGE_DELETE_ADMIN_TOKEN_ONE };
    message.as.delete_admin_token_one.agent_id = SLICE_OF("emil");
    message.as.delete_admin_token_one.token_prefix = slice_from_text(PREFIX);
    fleet_do(fleet, &message);
    message = (struct message){ .type = MESSAGE_DELETE_ADMIN_TOKEN };
    message.as.delete_admin_token.agent_id = SLICE_OF("dora");
    fleet_do(fleet, &message);
}

static void questions(struct fleet *fleet)
{
    static const enum message_type types[] = {
        MESSAGE_GET_ADMIN_TOKENS, MESSAGE_GET_AGENTS,      MESSAGE_GET_HEALTH,
        MESSAGE_GET_TASKS,        MESSAGE_GET_TASKS_STATS, MESSAGE_GET_TASKS_DEAD_LETTER,
    };
    fleet_as_client(fleet, "root", ROLE_ADMIN);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct message message = { .type = types[i] };
        fleet_do(fleet, &message);
    }
}

/* Completed, failed, dead, retried and cancelled tasks. */
static void work(struct fleet *fleet)
{
    uint64_t done = scene_submit_plain(fleet);
    scene_accepted(fleet, ADA, done, 1);
    scene_progress(fleet, ADA, done, 1);
    scene_renew(fleet, ADA, done, 1);
    scene_blocked(fleet, ADA, done, 1, "which one?");
    scene_unblocked(fleet, ADA, done, 1);
    uint64_t waits = submit_after(fleet, done, 0);
    uint64_t later = submit_after(fleet, done, fleet->command.wall_ms + 60000);
    scene_complete(fleet, ADA, done, 1);
    scene_complete(fleet, ADA, done, 1);
    scene_complete(fleet, ADA, waits, 99);

    uint64_t dead = scene_submit(
        fleet, (struct message_post_task){ .has_max_retries = true, .max_retries = 1 });
    struct task task = scene_task(fleet, dead);
    scene_failed(fleet, ADA, dead, (int64_t)task.generation);
    submit_after(fleet, dead, 0);
    uint64_t again = scene_submit(
        fleet, (struct message_post_task){ .has_max_retries = true, .max_retries = 1 });
    scene_failed(fleet, ADA, again, 1);
    scene_retry(fleet, again);
    scene_cancel(fleet, again);
    scene_stopped(fleet, ADA, again, (int64_t)scene_task(fleet, again).generation);
    scene_cancel(fleet, submit_after(fleet, later, 0));
}

/* Finished tasks that are too many go. */
static void forget(struct fleet *fleet)
{
    const struct message tick = { .type = MESSAGE_TICK };
    fleet->settings.finished_tasks_max = 2;
    scene_complete(fleet, ADA, scene_submit_plain(fleet), 1);
    for (int i = 0; i < 3; i++) {
        fleet_as_hub(fleet);
        fleet_do(fleet, &tick);
        fleet_pass(fleet, 1);
    }
    fleet->settings.finished_tasks_max = 0;
}

/* Lost links, timeouts and a task that comes too late. */
static void trouble(struct fleet *fleet)
{
    scene_identify(fleet, BOB, 2);
    uint64_t kept = scene_submit_plain(fleet);
    scene_submit(
        fleet, (struct message_post_task){ .has_complete_by = true,
                                           .complete_by = fleet->command.wall_ms + 100 });
    scene_identify(fleet, BOB_AGAIN, 2);
    scene_recovering(fleet, BOB_AGAIN, kept);
    fleet_pass(fleet, 100);
    fleet_settle(fleet);
    scene_link_closed(fleet, BOB_AGAIN.link);
    fleet_pass(fleet, fleet->settings.reconnect_grace_ms);
    fleet_settle(fleet);
    fleet_pass(fleet, fleet->settings.acceptance_ms);
    fleet_settle(fleet);
    scene_ping(fleet, ADA);
}

/* By its own word, which ends with its connection, and by an operator's. */
static void drains(struct fleet *fleet)
{
    scene_identify(fleet, BOB, 1);
    scene_drain(fleet, BOB, true);
    scene_operate_drain(fleet, BOB.name, true);
    scene_link_closed(fleet, BOB.link);
    scene_operate_drain(fleet, BOB.name, false);
    scene_drain(fleet, ADA, true);
    scene_drain(fleet, ADA, false);
}

/* Who hears of everybody's changes. */
static void feeds(struct fleet *fleet)
{
    const struct message tick = { .type = MESSAGE_TICK };
    struct message message = { .type = MESSAGE_PRESENCE_SUBSCRIBE };
    fleet_as_agent(fleet, ADA.name, ADA.link);
    fleet_do(fleet, &message);
    scene_ping(fleet, CAROL);
    fleet_as_hub(fleet);
    fleet_do(fleet, &tick);
    message = (struct message){ .type = MESSAGE_PRESENCE_UNSUBSCRIBE };
    fleet_as_agent(fleet, ADA.name, ADA.link);
    fleet_do(fleet, &message);
    message = (struct message){ .type = MESSAGE_PRESENCE_SUBSCRIBE };
    fleet_do(fleet, &message);
}

/* What shall stand in the tables at the end: every state, every kind of row. */
static void leave_open(struct fleet *fleet)
{
    const char *able[] = { "git", "rust", NULL };
    fleet_identify(fleet, CAROL.name, CAROL.link, able, 9);
    uint64_t held =
        scene_submit(fleet, (struct message_post_task){
                                .description = slice_from_text(long_text()),
                                .metadata = SLICE_OF("{\"a\":1}"),
                                .has_complete_by = true,
                                .complete_by = fleet->command.wall_ms + 1000000,
                            });
    uint64_t gone = scene_submit_plain(fleet);
    scene_accepted(fleet, CAROL, held, (int64_t)scene_task(fleet, held).generation);
    scene_blocked(fleet, CAROL, held, (int64_t)scene_task(fleet, held).generation,
                  "why?");
    scene_cancel(fleet, gone);
    submit_after(fleet, held, 0);
    scene_submit(fleet, (struct message_post_task){ .has_not_before = true,
                                                    .not_before = fleet->command.wall_ms +
                                                                  1000000 });
    struct slice needs[] = { SLICE_OF("gpu") };
    scene_submit(fleet,
                 (struct message_post_task){ .needed_capabilities = { needs, 1 } });
    scene_identify(fleet, BOB, 1);
    scene_submit_plain(fleet);
    scene_link_closed(fleet, BOB.link);
}

static void put_schema(struct fleet *fleet, const char *name, const char *text,
                       const char *part)
{
    struct message_put_schema_bind bind = { .kind = SLICE_OF("sweep"),
                                            .part = slice_from_text(part) };
    struct message message = { .type = MESSAGE_PUT_SCHEMA };
    message.as.put_schema.name = slice_from_text(name);
    message.as.put_schema.schema = slice_from_text(text);
    message.as.put_schema.bind = part[0] != '\0' ? &bind : NULL;
    fleet_do(fleet, &message);
}

/* The fleet's own schemas: versions, bindings, and one that goes again. */
static void schemas(struct fleet *fleet)
{
    fleet_as_client(fleet, "ops", ROLE_OPERATOR);
    put_schema(fleet, "sweep", "{\"type\":\"object\"}", "payload");
    put_schema(fleet, "sweep-result", "{\"minProperties\":1}", "result");
    put_schema(fleet, "gone", "{}", "");
    scene_submit(fleet, (struct message_post_task){ .kind = SLICE_OF("sweep") });
    uint64_t done =
        scene_submit(fleet, (struct message_post_task){ .kind = SLICE_OF("sweep") });
    scene_complete(fleet, ADA, done, 1);
    fleet_as_client(fleet, "ops", ROLE_OPERATOR);
    put_schema(fleet, "sweep", "{\"maxProperties\":3}", "");
    struct message message = { .type = MESSAGE_DELETE_SCHEMA };
    message.as.delete_schema.name = SLICE_OF("gone");
    fleet_do(fleet, &message);
}

static void ask_for_backup(struct fleet *fleet, bool wait)
{
    struct message message = { .type = MESSAGE_POST_ADMIN_BACKUP };
    message.as.post_admin_backup.has_wait = true;
    message.as.post_admin_backup.wait = wait;
    fleet_as_client(fleet, "ops", ROLE_OPERATOR);
    fleet_do(fleet, &message);
}

/* The journal wants a backup, and somebody the store as it was. */
static void ask_for_history(struct fleet *fleet)
{
    struct message message = { .type = MESSAGE_BACKUP_WANTED };
    fleet_as_hub(fleet);
    fleet_do(fleet, &message);
    message = (struct message){ .type = MESSAGE_POST_ADMIN_STORE_AT };
    message.as.post_admin_store_at = (struct message_post_admin_store_at){
        .event = 7,
        .has_event = true,
        .epoch = 1000,
        .has_epoch = true,
    };
    fleet_as_client(fleet, "ops", ROLE_OPERATOR);
    fleet_do(fleet, &message);
}

static void finish_job(struct fleet *fleet, int64_t job, bool complete)
{
    struct message message = { .type = MESSAGE_JOB_STARTED };
    message.as.job_started.job = job;
    fleet_as_hub(fleet);
    fleet_do(fleet, &message);
    message = (struct message){ .type = MESSAGE_JOB_PROGRESS };
    message.as.job_progress = (struct message_job_progress){ job, 7, 70, true };
    fleet_do(fleet, &message);
    message = (struct message){ .type = MESSAGE_JOB_FINISHED };
    message.as.job_finished = (struct message_job_finished){
        .job = job,
        .complete = complete,
        .outcome = complete ? SLICE_OF("backup-1") : (struct slice){ 0 },
        .reason = complete ? (struct slice){ 0 } : SLICE_OF("the disk is full"),
        .code = SLICE_OF("storage_full"),
        .bytes = 70,
        .results = complete ? SLICE_OF("[{\"table\":\"task\"}]") : (struct slice){ 0 },
    };
    fleet_do(fleet, &message);
}

static void see_backups(struct fleet *fleet, size_t count)
{
    struct step step = fleet_step(fleet);
    struct message_backup_seen seen[] = {
        { .name = SLICE_OF("backup-1"), .created_at = 1, .sha256 = SLICE_OF("00") },
        { .name = SLICE_OF("backup-2"), .created_at = 2, .sha256 = SLICE_OF("00") },
    };
    struct message_backup_spoilt spoilt = { SLICE_OF("backup-2"), SLICE_OF("too short") };
    struct message message = { .type = MESSAGE_BACKUPS_SEEN };
    for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++)
        seen[i].instance = (int64_t)step_counter(&step, COUNTER_INSTANCE);
    message.as.backups_seen = (struct message_backups_seen){
        .backups = { seen, count },
        .spoilt = { &spoilt, count == 1 },
        .kept = 3,
    };
    fleet_as_hub(fleet);
    fleet_do(fleet, &message);
}

/* The schedule's, put off for want of room. */
static void skip_job(struct fleet *fleet)
{
    struct message message = { .type = MESSAGE_TICK };
    message.as.tick.full = true;
    fleet_as_hub(fleet);
    fleet_do(fleet, &message);
    fleet_pass(fleet, (int64_t)60 * 60 * 1000);
    fleet_settle(fleet);
}

static void want_backup(struct fleet *fleet)
{
    struct message message = { .type = MESSAGE_BACKUP_WANTED };
    fleet_as_hub(fleet);
    fleet_do(fleet, &message);
}

static void compact(struct fleet *fleet, struct slice table)
{
    struct message message = { .type = MESSAGE_POST_ADMIN_COMPACT };
    if (table.size > 0) {
        message.type = MESSAGE_POST_ADMIN_COMPACT_TABLE;
        message.as.post_admin_compact_table.table = table;
    }
    fleet_as_client(fleet, "ops", ROLE_OPERATOR);
    fleet_do(fleet, &message);
}

static void ask_for_verify(struct fleet *fleet, bool wait)
{
    struct message message = { .type = MESSAGE_POST_ADMIN_VERIFY };
    message.as.post_admin_verify.wait = wait;
    message.as.post_admin_verify.has_wait = true;
    fleet_as_client(fleet, "ops", ROLE_OPERATOR);
    fleet_do(fleet, &message);
}

static void record_rots(struct fleet *fleet)
{
    struct message message = { .type = MESSAGE_RECORD_ROTTED };
    message.as.record_rotted.table = SLICE_OF("task");
    message.as.record_rotted.key = SLICE_OF("0001");
    fleet_as_hub(fleet);
    fleet_do(fleet, &message);
}

static void ask_for_restore(struct fleet *fleet, const char *backup, bool confirmed)
{
    struct message message = { .type = MESSAGE_POST_ADMIN_RESTORE };
    message.as.post_admin_restore = (struct message_post_admin_restore){
        .backup = slice_from_text(backup),
        .confirm = 0,
        .has_confirm = confirmed,
        .force = true,
        .has_force = true,
    };
    fleet_as_client(fleet, "ops", ROLE_ADMIN);
    fleet_do(fleet, &message);
}

/* Jobs that end well, that fail, that take too long and that are never done. */
static void jobs(struct fleet *fleet)
{
    int64_t first = 1; /* the schedule's own */
    fleet->settings.backup_interval_ms = (int64_t)24 * 60 * 60 * 1000;
    scene_hub_started(fleet);
    fleet_pass(fleet, fleet->settings.backup_interval_ms);
    skip_job(fleet);
    finish_job(fleet, first, false);
    ask_for_backup(fleet, true);
    see_backups(fleet, 2);
    finish_job(fleet, first + 1, true);
    see_backups(fleet, 1);
    ask_for_restore(fleet, "../backup", true);
    ask_for_restore(fleet, "backup-2", true);
    ask_for_restore(fleet, "backup-1", false);
    ask_for_restore(fleet, "backup-1", true);
    ask_for_backup(fleet, true);
    fleet_pass(fleet, 20 * 1000);
    fleet_settle(fleet);
    compact(fleet, SLICE_OF(""));
    finish_job(fleet, first + 4, true);
    compact(fleet, SLICE_OF("task_queue"));
    finish_job(fleet, first + 5, false);
    record_rots(fleet);
    ask_for_verify(fleet, true);
    finish_job(fleet, first + 6, true);
    ask_for_verify(fleet, false);
    finish_job(fleet, first + 7, false);
    ask_for_history(fleet);
    ask_for_backup(fleet, false);
    want_backup(fleet);
    scene_hub_started(fleet);
    ask_for_backup(fleet, true);
}

void story_tell(struct fleet *fleet)
{
    const char *able[] = { "git", NULL };
    fleet->settings.completed_ttl_ms = fleet->settings.cancelled_ttl_ms =
        (int64_t)30 * 24 * 60 * 60 * 1000;
    scene_hub_started(fleet);
    jobs(fleet);
    fleet_identify(fleet, ADA.name, ADA.link, able, 4);
    chat(fleet);
    enrolment(fleet);
    tokens(fleet);
    talk(fleet);
    talk_live(fleet);
    work(fleet);
    forget(fleet);
    schemas(fleet);
    story_steer(fleet);
    trouble(fleet);
    feeds(fleet);
    drains(fleet);
    questions(fleet);
    leave_open(fleet);
    shout(fleet);
    story_rate(fleet, SLICE_OF("ada"));
    story_reset(fleet);
}
