#include "cli/client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_BYTES_MAX ((size_t)64 * 1024 * 1024)

enum { CONNECT_MS = 5000, HEADER_BYTES_MAX = 1024 };

static const struct json_limits ANSWER_LIMITS = {
    .bytes_max = ANSWER_BYTES_MAX,
    .nodes_max = 4000000,
    .depth_max = 64,
    .string_bytes_max = (size_t)16 * 1024 * 1024,
    .key_bytes_max = 4096,
};

struct client {
    CURL *curl;
    const struct client_settings *settings;
    struct buffer body;
    struct json *tape;
    char problem[CURL_ERROR_SIZE];
};

struct client *client_create(const struct client_settings *settings)
{
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return NULL;
    client->settings = settings;
    buffer_init(&client->body, ANSWER_BYTES_MAX);
    client->tape = json_create(&ANSWER_LIMITS);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
        client->curl = curl_easy_init();
    if (client->curl == NULL || client->tape == NULL) {
        client_destroy(client);
        return NULL;
    }
    return client;
}

void client_destroy(struct client *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->curl);
    curl_global_cleanup();
    json_destroy(client->tape);
    buffer_finish(&client->body);
    free(client);
}

static size_t on_body(char *data, size_t size, size_t count, void *owner)
{
    struct buffer *body = owner;
    buffer_append(body, data, size * count);
    return buffer_failed(body) ? 0 : size * count;
}

static bool header_add(struct curl_slist **headers, const char *name, struct slice value)
{
    char line[HEADER_BYTES_MAX];
    int size = snprintf(line, sizeof line, "%s: %.*s", name, (int)value.size, value.data);
    struct curl_slist *longer =
        size > 0 && (size_t)size < sizeof line ? curl_slist_append(*headers, line) : NULL;
    if (longer != NULL)
        *headers = longer;
    return longer != NULL;
}

static bool headers_make(const struct client *client, const struct call *call,
                         struct curl_slist **headers)
{
    char bearer[HEADER_BYTES_MAX];
    const char *token = client->settings->token;
    if (token != NULL) {
        int size = snprintf(bearer, sizeof bearer, "Bearer %s", token);
        if (size < 0 || (size_t)size >= sizeof bearer ||
            !header_add(headers, "Authorization", slice_from_text(bearer)))
            return false;
    }
    for (size_t i = 0; i < call->header_count; i++)
        if (!header_add(headers, call->headers[i].name, call->headers[i].value))
            return false;
    /* No Expect: the hub answers at once what it does not want. */
    return header_add(headers, "Accept", SLICE_OF("application/json")) &&
           header_add(headers, "Expect", SLICE_OF("")) &&
           (call->body.size == 0 ||
            header_add(headers, "Content-Type", SLICE_OF("application/json")));
}

bool hub_is_here(const char *hub)
{
    const char *start = strstr(hub, "://");
    start = start == NULL ? hub : start + 3;
    struct slice host = slice_make(start, strcspn(start, "/"));
    size_t port = host.size > 0 && host.data[0] == '[' ? slice_find(host, ']') + 1
                                                       : slice_find(host, ':');
    if (port < host.size)
        host.size = port;
    if (slice_equal_text(host, "localhost") || slice_equal_text(host, "[::1]"))
        return true;
    /* An address, and not a name that begins like one. */
    size_t plain = 0;
    while (plain < host.size && strchr("0123456789.", host.data[plain]) != NULL)
        plain++;
    return plain == host.size && slice_starts_with(host, SLICE_OF("127."));
}

static void options_set(struct client *client, const struct call *call, const char *url,
                        struct curl_slist *headers)
{
    CURL *curl = client->curl;
    const struct client_settings *settings = client->settings;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->problem);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &client->body);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)settings->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "drover/" DROVER_VERSION);
    if (hub_is_here(settings->hub))
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    if (settings->ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, settings->ca_file);
    if (slice_is_present(call->body)) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body.data);
    }
}

static void answer_read(struct client *client, struct answer *answer)
{
    struct json_problem problem;
    answer->body = buffer_slice(&client->body);
    if (json_parse(client->tape, answer->body, &problem) == ERR_OK) {
        answer->tape = client->tape;
        answer->root = json_root(client->tape);
    }
    const struct json_node *error =
        answer->tape == NULL ? NULL
                             : json_member(answer->tape, answer->root, SLICE_OF("error"));
    answer->outcome = outcome_of(
        answer->status,
        error != NULL && error->kind == JSON_STRING ? error->value.text : SLICE_OF(""));
    if (answer->outcome == OUTCOME_OK && answer->root == NULL) {
        answer->outcome = OUTCOME_FAILED;
        answer->problem = "the answer is not JSON: is this a hub?";
    }
}

struct answer client_call(struct client *client, const struct call *call)
{
    struct answer answer = { .outcome = OUTCOME_FAILED, .problem = "out of memory" };
    struct curl_slist *headers = NULL;
    struct buffer url;
    buffer_init(&url, 65536);
    buffer_append_text(&url, client->settings->hub);
    buffer_append_text(&url, call->path);
    buffer_append_byte(&url, '\0');
    buffer_clear(&client->body);
    client->problem[0] = '\0';
    if (!buffer_failed(&url) && headers_make(client, call, &headers)) {
        options_set(client, call, url.data, headers);
        CURLcode code = curl_easy_perform(client->curl);
        if (code == CURLE_OK) {
            answer.problem = NULL;
            curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &answer.status);
            answer_read(client, &answer);
        } else {
            answer.problem =
                client->problem[0] != '\0' ? client->problem : curl_easy_strerror(code);
            long sent = 0;
            curl_easy_getinfo(client->curl, CURLINFO_REQUEST_SIZE, &sent);
            answer.unsure = sent > 0;
            bool late = code == CURLE_OPERATION_TIMEDOUT;
            bool wrong =
                code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL;
            answer.outcome = late    ? OUTCOME_TIMEOUT
                             : wrong ? OUTCOME_USAGE
                                     : OUTCOME_UNAVAILABLE;
        }
    }
    curl_slist_free_all(headers);
    buffer_finish(&url);
    return answer;
}

void url_append(struct buffer *url, struct slice text)
{
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-_.~";
    for (size_t i = 0; i < text.size; i++) {
        if (memchr(PLAIN, text.data[i], sizeof PLAIN - 1) != NULL) {
            buffer_append_byte(url, text.data[i]);
            continue;
        }
        char escaped[4];
        (void)snprintf(escaped, sizeof escaped, "%%%02X",
                       (unsigned)(uint8_t)text.data[i]);
        buffer_append_text(url, escaped);
    }
}
