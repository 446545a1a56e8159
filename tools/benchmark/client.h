/*
 * client.h - many WebSocket clients on one thread, as light as the load they make allows.
 *
 * Not a general client: it talks to our own hub, on loopback, in whole text frames.
 */
#ifndef BENCHMARK_CLIENT_H
#define BENCHMARK_CLIENT_H

#include "base/buffer.h"
#include "base/err.h"
#include "json/json.h"

struct client;

struct clients {
    int poll;
    struct json *json;
    uint32_t open;
    void *context;
    /* One JSON object came in. */
    void (*text)(struct client *client, const struct json *json);
};

struct client {
    struct clients *clients;
    void *context;
    int fd;
    bool upgraded;
    bool closed;
    bool writing; /* epoll also waits for room */
    struct buffer in;
    size_t in_read;
    struct buffer out;
    size_t out_sent;
};

enum err clients_init(struct clients *clients);
void clients_finish(struct clients *clients);

/* Handles what happens within `wait_ms`. */
enum err clients_poll(struct clients *clients, int wait_ms);

/* Connects, from the given 127.x address when many ports are wanted, and asks for the
 * upgrade. */
enum err client_open(struct client *client, struct clients *clients, uint16_t port,
                     uint32_t from_address);
void client_close(struct client *client);

/* Sends one text frame. */
void client_send(struct client *client, struct slice text);

/* A member of the root object as text; absent when it is no string. */
struct slice json_text_of(const struct json *json, const char *key);
int64_t json_number_of(const struct json *json, const char *key);

#endif
