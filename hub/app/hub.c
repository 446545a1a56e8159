#include "app/hub.h"

#include "app/directories.h"
#include "app/history.h"
#include "app/keys.h"
#include "app/listen.h"
#include "app/rates.h"
#include "app/service.h"
#include "app/settling.h"
#include "app/suspect.h"
#include "app/upgrade.h"
#include "core/event_class.h"
#include "net/net.h"
#include "ops/ops.h"
#include "ops/restore.h"
#include "ops/shape.h"
#include "os/counter.h"
#include "os/file.h"
#include "os/log.h"
#include "os/secret.h"

#include <signal.h>
#include <string.h>

#define RING_SLOTS 4096
#define BATCH_MAX 1024
#define KEYS_MAX ((size_t)1 << 20)
#define FANOUT_MAX 128
#define PATH_BYTES 4200
#define WALK_LOOK_MS ((int64_t)60 * 1000) /* far more than between two looks */
#define UPGRADE_MAX_MS                                                                   \
    ((int64_t)60 * 60 * 1000) /* the steps tell nobody how far they are */

struct hub {
    const struct config *config;
    struct core_settings settings;
    struct listen listen;
    int listener; /* handed down by the service manager; -1: none */
    struct store *store;
    struct journal *journal; /* NULL: none is wanted */
    struct wire *wire;
    struct engine *engine;
    struct net *net;
    struct ops *ops;
    char backup_directory[DIRECTORY_BYTES];
    char journal_directory[DIRECTORY_BYTES];
    char quarantine_directory[PATH_BYTES];
};

/* The signal handler has no argument: this is the one thing it may touch. */
static struct net *volatile signalled_net;
static volatile sig_atomic_t stop_asked;

static void signal_take(int number)
{
    (void)number;
    stop_asked = 1;
    if (signalled_net != NULL)
        net_stop(signalled_net);
}

static void store_broke(void *context, enum err err)
{
    struct hub *hub = context;
    /* What was read and is wrong, and what a disk that fails may have made of the rest:
     * both show only to who walks the store. */
    suspect_note(config_path(hub->config, SETTING_DATA), err_name(err));
    net_stop(hub->net);
}

static void restart_ask(void *context)
{
    struct hub *hub = context;
    net_stop(hub->net);
}

static enum err complain(const struct config *config, const char *place,
                         const char *reason)
{
    fprintf(config->complaints, "drover-hub: %s: %s\n", place, reason);
    return ERR_INVALID;
}

static enum err listen_check(const struct config *config, const struct listen *listen)
{
    if (!listen->loopback && config_text(config, SETTING_TLS_CERTIFICATE).size == 0 &&
        !config_bool(config, SETTING_INSECURE_LISTEN))
        return complain(config, "listen",
                        "beyond loopback without TLS anybody on the way reads tokens and "
                        "tasks; give tls_certificate and tls_key, or --insecure-listen");
    return ERR_OK;
}

static bool is_web_url(struct slice url)
{
    size_t scheme = slice_starts_with(url, SLICE_OF("https://"))  ? 8
                    : slice_starts_with(url, SLICE_OF("http://")) ? 7
                                                                  : 0;
    if (scheme == 0 || url.size == scheme || url.data[scheme] == '/')
        return false;
    for (size_t i = 0; i < url.size; i++) {
        unsigned char c = (unsigned char)url.data[i];
        if (c <= ' ' || c >= 0x7f || memchr("\"\\<>?#@", c, 8) != NULL)
            return false;
    }
    return true;
}

enum err hub_settings_check(const struct config *config)
{
    struct slice public = config_text(config, SETTING_PUBLIC_URL);
    struct listen listen;
    bool certificate = config_text(config, SETTING_TLS_CERTIFICATE).size > 0;
    bool key = config_text(config, SETTING_TLS_KEY).size > 0;

    if (!listen_parse(config_text(config, SETTING_LISTEN), &listen))
        return complain(config, "listen", "wants ADDRESS:PORT, as 127.0.0.1:4000");
    if (certificate != key)
        return complain(config, "tls_certificate, tls_key",
                        "one does not go without the other");
    if (listen_check(config, &listen) != ERR_OK)
        return ERR_INVALID;
    if (public.size > 0 && !is_web_url(public))
        return complain(config, "public_url",
                        "wants http:// or https:// and a host, as https://hub.example");
    if (config_number(config, SETTING_MAP_BYTES_FIRST) >
        config_number(config, SETTING_MAP_BYTES_MAX))
        return complain(config, "map_bytes_first", "is more than map_bytes_max");
    if (config_number(config, SETTING_ATTEMPTS_DEFAULT) >
        config_number(config, SETTING_ATTEMPTS_MAX))
        return complain(config, "attempts_default", "is more than attempts_max");
    struct slice_list classes = config_texts(config, SETTING_EVENT_CLASSES);
    enum event_class unused;
    for (size_t i = 0; i < classes.count; i++)
        if (!event_class_parse(classes.items[i], &unused))
            return complain(config, "event_classes", "names a class that there is not");
    return ERR_OK;
}

/* The words have been checked. */
static uint32_t event_classes(const struct config *config)
{
    struct slice_list words = config_texts(config, SETTING_EVENT_CLASSES);
    uint32_t classes = 0;
    enum event_class class;
    for (size_t i = 0; i < words.count; i++)
        if (event_class_parse(words.items[i], &class))
            classes |= 1u << (unsigned)class;
    return classes;
}

struct core_settings hub_core_settings(const struct config *config)
{
    return (struct core_settings){
        .acceptance_ms = config_number(config, SETTING_ACCEPTANCE_MS),
        .lease_ms = config_number(config, SETTING_LEASE_MS),
        .reconnect_grace_ms = config_number(config, SETTING_RECONNECT_GRACE_MS),
        .retry_delay_ms = config_number(config, SETTING_RETRY_DELAY_MS),
        .idempotency_ms = config_number(config, SETTING_IDEMPOTENCY_MS),
        .attempts_default = (uint32_t)config_number(config, SETTING_ATTEMPTS_DEFAULT),
        .attempts_max = (uint32_t)config_number(config, SETTING_ATTEMPTS_MAX),
        .history_max = (uint32_t)config_number(config, SETTING_HISTORY_MAX),
        .presence_events_agents_max =
            (uint32_t)config_number(config, SETTING_PRESENCE_EVENTS_AGENTS_MAX),
        .tasks_open_max = (uint64_t)config_number(config, SETTING_TASKS_OPEN_MAX),
        .capability_sets_max =
            (uint32_t)config_number(config, SETTING_CAPABILITY_SETS_MAX),
        .lane_passes_max = (uint32_t)config_number(config, SETTING_LANE_PASSES_MAX),
        .messages_max = (uint32_t)config_number(config, SETTING_MESSAGES_MAX),
        .mailbox_max = (uint32_t)config_number(config, SETTING_MAILBOX_MAX),
        .mailboxes_max = (uint32_t)config_number(config, SETTING_MAILBOXES_MAX),
        .channel_messages_max =
            (uint32_t)config_number(config, SETTING_CHANNEL_MESSAGES_MAX),
        .channels_max = (uint32_t)config_number(config, SETTING_CHANNELS_MAX),
        .fanout_max = FANOUT_MAX,
        .mailbox_ttl_ms = config_number(config, SETTING_MAILBOX_TTL_MS),
        .backup_interval_ms = config_number(config, SETTING_BACKUP_INTERVAL_MS),
        .compaction_interval_ms = config_number(config, SETTING_COMPACTION_INTERVAL_MS),
        .scrub_interval_ms = config_number(config, SETTING_SCRUB_INTERVAL_MS),
        .schemas_max = (uint32_t)config_number(config, SETTING_SCHEMAS_MAX),
        .schema_versions_max =
            (uint32_t)config_number(config, SETTING_SCHEMA_VERSIONS_MAX),
        .schema_payloads_checked =
            (uint32_t)config_number(config, SETTING_SCHEMA_PAYLOADS_CHECKED),
        .schema_steps_max = (uint32_t)config_number(config, SETTING_SCHEMA_STEPS_MAX),
        .completed_ttl_ms = config_number(config, SETTING_COMPLETED_TTL_MS),
        .cancelled_ttl_ms = config_number(config, SETTING_CANCELLED_TTL_MS),
        .dead_letter_ttl_ms = config_number(config, SETTING_DEAD_LETTER_TTL_MS),
        .finished_tasks_max = (uint64_t)config_number(config, SETTING_FINISHED_TASKS_MAX),
        .presence_subscribers_max =
            (uint32_t)config_number(config, SETTING_PRESENCE_SUBSCRIBERS_MAX),
        .presence_interval_ms = config_number(config, SETTING_PRESENCE_INTERVAL_MS),
        .activities_max = (uint32_t)config_number(config, SETTING_ANALYTICS_AGENTS_MAX),
        .heartbeat_max_ms = config_number(config, SETTING_IDLE_TIMEOUT_MS) / 2,
        .events_max = (uint64_t)config_number(config, SETTING_EVENTS_MAX),
        .events_ttl_ms = config_number(config, SETTING_EVENTS_TTL_MS),
        .event_classes = event_classes(config),
        .digest = digest_sha256,
    };
}

/* A walk may take longer than the service manager is used to wait. */
static bool start_goes_on(void)
{
    service_starting(WALK_LOOK_MS);
    return !stop_asked;
}

static enum exit_code store_not_started(const struct hub *hub, enum err err,
                                        const struct store_problem *problem)
{
    const struct config *config = hub->config;
    LOG_ERROR("store_not_opened", LOG_ERR(err), LOG_WORD("reason", problem->text));
    fprintf(config->complaints, "drover-hub: %s: %s\n", config_path(config, SETTING_DATA),
            problem->text);
    if (err == ERR_UNSUPPORTED)
        upgrade_say_way_back(config);
    return err == ERR_EXISTS        ? EXIT_CODE_UNAVAILABLE
           : err == ERR_UNSUPPORTED ? EXIT_CODE_CONFIG
                                    : EXIT_CODE_IO;
}

static enum err upgrade_begin(void *context, struct store *store, uint32_t version,
                              struct store_problem *ret_problem)
{
    enum err err = upgrade_back_up(context, store, version, ret_problem);
    service_starting(UPGRADE_MAX_MS);
    return err;
}

static enum exit_code store_start(struct hub *hub, enum err *ret_err)
{
    const struct config *config = hub->config;
    struct store_problem problem = { "" };
    struct upgrade upgrade = { .config = config, .go_on = start_goes_on };
    struct store_options options = shape_options(config_path(config, SETTING_DATA));
    options.bytes_first = (uint64_t)config_number(config, SETTING_MAP_BYTES_FIRST);
    options.bytes_max = (uint64_t)config_number(config, SETTING_MAP_BYTES_MAX);
    options.forced_file_system = config_bool(config, SETTING_FORCED_FILE_SYSTEM);
    options.before_migration = upgrade_begin;
    options.migration_context = &upgrade;

    *ret_err = store_open(&options, &hub->store, &problem);
    if (*ret_err != ERR_OK)
        return store_not_started(hub, *ret_err, &problem);
    if (upgrade.backup[0] != '\0')
        LOG_NOTICE("store_upgraded", LOG_NUMBER("version", shape_version()),
                   LOG_WORD("backup", upgrade.backup));
    return EXIT_CODE_OK;
}

static enum exit_code engine_start_up(struct hub *hub)
{
    enum exit_code code = history_open(hub->config, &hub->journal);
    if (code != EXIT_CODE_OK)
        return code;
    struct engine_options options = {
        .settings = hub->settings,
        .store = hub->store,
        .journal = hub->journal,
        .ring_slots = RING_SLOTS,
        .batch_max = BATCH_MAX,
        .broken = store_broke,
        .context = hub,
    };
    enum err err = wire_create(&hub->wire);
    if (err == ERR_OK)
        err = engine_create(&options, &hub->engine);
    if (err == ERR_OK)
        return EXIT_CODE_OK;
    LOG_ERROR("engine_not_created", LOG_ERR(err));
    return EXIT_CODE_INTERNAL;
}

static const char *path_or_null(const struct config *config, enum setting setting)
{
    return config_text(config, setting).size > 0 ? config_path(config, setting) : NULL;
}

/* Absent when there is none; else without the slash people like to end it with. */
static struct slice public_url(const struct config *config)
{
    struct slice url = config_text(config, SETTING_PUBLIC_URL);
    while (url.size > 0 && url.data[url.size - 1] == '/')
        url.size--;
    return url.size > 0 ? url : (struct slice){ NULL, 0 };
}

/* The secret's file goes once its end is committed; a crash before leaves that to the
 * next start. */
static void enrolled(void *context)
{
    const struct hub *hub = context;
    enrolment_over(config_path(hub->config, SETTING_DATA));
}

static int64_t setting_number(const void *config, enum setting setting)
{
    return config_number(config, setting);
}

static enum exit_code net_start(struct hub *hub)
{
    const struct config *config = hub->config;
    struct slice_list hosts = config_texts(config, SETTING_HOSTS);
    struct net_options options;

    net_options_init(&options);
    options.address = hub->listen.address;
    options.port = hub->listen.port;
    options.listener = hub->listener;
    options.alive_every_ms = service_alive_every_ms();
    options.alive = service_alive;
    options.tls_certificate = path_or_null(config, SETTING_TLS_CERTIFICATE);
    options.tls_key = path_or_null(config, SETTING_TLS_KEY);
    options.hosts = hosts.items;
    options.host_count = hosts.count;
    options.public_url = public_url(config);
    options.token_in_url = config_bool(config, SETTING_TOKEN_IN_URL);
    options.open_registration = config_bool(config, SETTING_OPEN_REGISTRATION);
    options.connections_max = (uint32_t)config_number(config, SETTING_CONNECTIONS_MAX);
    options.connections_per_address_max =
        (uint32_t)config_number(config, SETTING_CONNECTIONS_PER_ADDRESS_MAX);
    options.frame_bytes_max = (size_t)config_number(config, SETTING_FRAME_BYTES_MAX);
    options.body_bytes_max = (size_t)config_number(config, SETTING_BODY_BYTES_MAX);
    options.send_queue_bytes_max =
        (size_t)config_number(config, SETTING_SEND_QUEUE_BYTES_MAX);
    options.send_queue_frames_max =
        (uint32_t)config_number(config, SETTING_SEND_QUEUE_FRAMES_MAX);
    options.auth_deadline_ms = config_number(config, SETTING_AUTH_DEADLINE_MS);
    options.idle_timeout_ms = config_number(config, SETTING_IDLE_TIMEOUT_MS);
    options.keys_max = KEYS_MAX;
    options.enrolled = enrolled;
    options.context = hub;
    limits_read(&options.limits, setting_number, config);
    options.engine = hub->engine;
    options.wire = hub->wire;

    enum err err = net_create(&options, &hub->net);
    if (err == ERR_OK)
        return EXIT_CODE_OK;
    LOG_ERROR("net_not_created", LOG_ERR(err),
              LOG_TEXT("listen", config_text(config, SETTING_LISTEN)));
    complain(config, config_path(config, SETTING_LISTEN),
             err == ERR_LIMIT ? "the address is in use"
             : err == ERR_INVALID
                 ? "the address, the certificate or its key is not usable"
                 : "cannot be listened on");
    return err == ERR_INVALID ? EXIT_CODE_CONFIG
           : err == ERR_LIMIT ? EXIT_CODE_UNAVAILABLE
                              : EXIT_CODE_INTERNAL;
}

static enum exit_code exit_code_of(enum err err)
{
    if (err == ERR_OK)
        return EXIT_CODE_OK;
    return err == ERR_IO || err == ERR_CORRUPT || err == ERR_NO_SPACE
               ? EXIT_CODE_IO
               : EXIT_CODE_INTERNAL;
}

static enum exit_code ops_prepare(struct hub *hub)
{
    const struct config *config = hub->config;
    const char *data = config_path(config, SETTING_DATA);
    (void)directory_backups(config, hub->backup_directory);
    (void)directory_journal(config, hub->journal_directory);
    (void)path_join(hub->quarantine_directory, sizeof hub->quarantine_directory, data,
                    "quarantine");
    struct ops_options options = {
        .engine = hub->engine,
        .store = hub->store,
        .data_directory = data,
        .settings = &hub->settings,
        .store_bytes_max = (uint64_t)config_number(config, SETTING_MAP_BYTES_MAX),
        .forced_file_system = config_bool(config, SETTING_FORCED_FILE_SYSTEM),
        .restart = restart_ask,
        .context = hub,
        .backup_directory = hub->backup_directory,
        .journal_directory = hub->journal == NULL ? NULL : hub->journal_directory,
        .journal_bytes_max = (uint64_t)config_number(config, SETTING_JOURNAL_BYTES_MAX),
        .backups_kept = (uint32_t)config_number(config, SETTING_BACKUPS_KEPT),
        .backup_bytes_per_second =
            (uint64_t)config_number(config, SETTING_BACKUP_BYTES_PER_SECOND),
        .tables = CORE_TABLES,
        .table_count = CORE_TABLE_COUNT,
        .compaction_percent = (uint32_t)config_number(config, SETTING_COMPACTION_PERCENT),
        .compaction_bytes_min =
            (uint64_t)config_number(config, SETTING_COMPACTION_BYTES_MIN),
        .scrub_bytes_per_second =
            (uint64_t)config_number(config, SETTING_SCRUB_BYTES_PER_SECOND),
        .quarantine_directory = hub->quarantine_directory,
    };
    enum err err = ops_create(&options, &hub->ops);
    if (err == ERR_OK)
        return EXIT_CODE_OK;
    LOG_ERROR("ops_not_created", LOG_ERR(err));
    return EXIT_CODE_INTERNAL;
}

static enum exit_code keys_start(struct hub *hub)
{
    enum err err = engine_prepare(hub->engine);
    if (err == ERR_OK)
        err = keys_load(hub->engine, hub->store, net_gate(hub->net),
                        config_path(hub->config, SETTING_DATA));
    if (err == ERR_OK)
        err = rates_load(hub->store, net_gate(hub->net));
    if (err == ERR_OK)
        err = engine_start(hub->engine);
    if (err == ERR_OK)
        err = ops_start(hub->ops);
    if (err != ERR_OK)
        LOG_ERROR("hub_not_started", LOG_ERR(err));
    if (err_breaks_store(err))
        suspect_note(config_path(hub->config, SETTING_DATA), err_name(err));
    return exit_code_of(err);
}

static enum err port_write(const struct hub *hub)
{
    if (config_text(hub->config, SETTING_PORT_FILE).size == 0)
        return ERR_OK;
    struct buffer text;
    buffer_init(&text, 16);
    buffer_append_u64(&text, net_port(hub->net));
    buffer_append_byte(&text, '\n');
    enum err err =
        file_write(config_path(hub->config, SETTING_PORT_FILE), buffer_slice(&text));
    buffer_finish(&text);
    return err;
}

static void signals_take(void)
{
    struct sigaction action = { .sa_handler = signal_take };
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

/* What was asked before there was a net to tell is told now. */
static void signals_lead_to(struct net *net)
{
    signalled_net = net;
    if (stop_asked)
        net_stop(net);
}

static enum exit_code hub_serve(struct hub *hub)
{
    signals_lead_to(hub->net);
    enum err err = port_write(hub);
    if (err != ERR_OK) {
        LOG_ERROR("port_file_not_written", LOG_ERR(err));
        return EXIT_CODE_IO;
    }
    if (!hub->listen.loopback && config_text(hub->config, SETTING_TLS_KEY).size == 0)
        LOG_WARNING("listening_without_tls", LOG_WORD("address", hub->listen.address));
    LOG_NOTICE("listening", LOG_WORD("address", hub->listen.address),
               LOG_NUMBER("port", net_port(hub->net)));
    service_ready();

    net_run(hub->net);
    service_stopping();
    ops_stop(hub->ops);
    net_quiesce(hub->net);
    engine_stop(hub->engine);
    net_finish(hub->net);
    LOG_NOTICE("hub_stopped", LOG_NUMBER("commits", counter_read(COUNTER_STORE_COMMITS)),
               LOG_NUMBER("commit_us", counter_read(COUNTER_STORE_COMMIT_US)),
               LOG_NUMBER("commands", counter_read(COUNTER_COMMANDS)),
               LOG_NUMBER("batches", counter_read(COUNTER_BATCHES)));
    return engine_is_broken(hub->engine) ? EXIT_CODE_IO : EXIT_CODE_OK;
}

static void hub_finish(struct hub *hub)
{
    signalled_net = NULL;
    if (hub->ops != NULL)
        ops_stop(hub->ops);
    if (hub->engine != NULL)
        engine_stop(hub->engine);
    engine_destroy(hub->engine);
    ops_destroy(hub->ops);
    net_destroy(hub->net);
    wire_destroy(hub->wire);
    journal_destroy(hub->journal);
    store_close(hub->store);
}

/* The store that was closed gave up the directory's lock: nobody may have come in between,
 * for what he writes down would be in the file that goes. */
static enum err swap_alone(const struct config *config, struct vault_problem *problem)
{
    struct place place = { .lock.fd = -1 };
    enum err err = place_take(config, &place);
    if (err == ERR_OK)
        err = restore_swap(place.data, problem);
    else
        vault_say(problem, "the data directory cannot be had: %s", err_name(err));
    place_release(&place);
    return err;
}

/* True: a restored store has taken the place of the one that was in use, or could not. */
static bool store_replace(struct hub *hub, enum exit_code code)
{
    struct vault_problem problem = { "" };
    bool ready = code == EXIT_CODE_OK && !stop_asked && ops_restore_is_ready(hub->ops);
    bool merged = ready && ops_restore_merge(hub->ops) == ERR_OK;
    hub->listen.port = ready ? net_port(hub->net) : hub->listen.port;
    hub_finish(hub);
    if (merged && swap_alone(hub->config, &problem) == ERR_OK)
        LOG_NOTICE("store_restored");
    else if (ready)
        LOG_ERROR("store_not_restored", LOG_WORD("reason", problem.text));
    return ready;
}

/* A store that cannot even be opened is walked, and dealt with as one that is broken. */
static enum exit_code store_find(struct hub *hub)
{
    const char *data = config_path(hub->config, SETTING_DATA);
    enum err err = ERR_OK;
    enum exit_code code = store_settle(hub->config, start_goes_on);
    if (code == EXIT_CODE_OK)
        code = store_start(hub, &err);
    if (code == EXIT_CODE_OK || err != ERR_CORRUPT)
        return code;
    suspect_note(data, err_name(err));
    code = store_settle(hub->config, start_goes_on);
    return code == EXIT_CODE_OK ? store_start(hub, &err) : code;
}

/* One life of a store, from its opening to its close. */
static enum exit_code hub_live(struct hub *hub, bool *ret_again)
{
    enum exit_code code = store_find(hub);
    if (code == EXIT_CODE_OK)
        code = engine_start_up(hub);
    if (code == EXIT_CODE_OK)
        code = net_start(hub);
    if (code == EXIT_CODE_OK)
        code = ops_prepare(hub);
    if (code == EXIT_CODE_OK)
        code = keys_start(hub);
    if (code == EXIT_CODE_OK)
        code = hub_serve(hub);
    *ret_again = store_replace(hub, code);
    return code;
}

enum exit_code hub_run(const struct config *config)
{
    struct hub first = { .config = config, .settings = hub_core_settings(config) };
    if (!listen_parse(config_text(config, SETTING_LISTEN), &first.listen) ||
        service_socket_take(&first.listen, &first.listener, config->complaints) !=
            ERR_OK ||
        listen_check(config, &first.listen) != ERR_OK)
        return EXIT_CODE_CONFIG;

    signals_take();
    suspect_watch(config_path(config, SETTING_DATA));
    bool again = true;
    enum exit_code code = EXIT_CODE_OK;
    while (again) {
        struct hub hub = first;
        code = hub_live(&hub, &again);
        first.listen = hub.listen; /* agents come back to the port they know */
    }
    return code;
}

enum exit_code hub_offer_enrolment(const struct config *config, FILE *file)
{
    struct hub hub = { .config = config, .settings = hub_core_settings(config) };
    const char *directory = config_path(config, SETTING_DATA);

    enum exit_code code = store_find(&hub);
    if (code == EXIT_CODE_OK)
        code = engine_start_up(&hub);
    if (code == EXIT_CODE_OK) {
        enum err err = engine_prepare(hub.engine);
        if (err == ERR_OK)
            err = enrolment_offer(hub.engine, directory);
        if (err == ERR_OK)
            fprintf(file, "%s/%s\n", directory, ENROLMENT_FILE);
        else
            LOG_ERROR("enrolment_not_offered", LOG_ERR(err));
        code = exit_code_of(err);
    }
    hub_finish(&hub);
    return code;
}
