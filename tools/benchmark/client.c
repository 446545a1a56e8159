#include "benchmark/client.h"

#include "base/ensure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_BYTES_MAX ((size_t)1024 * 1024)
#define READ_BYTES ((size_t)16 * 1024)
#define EVENTS 256

/* A masked text frame's first byte and flag (RFC 6455 section 5.2). */
#define FRAME_TEXT '\x81'
#define FRAME_MASKED 0x80

enum err clients_init(struct clients *clients)
{
    *clients = (struct clients){ .poll = epoll_create1(EPOLL_CLOEXEC) };
    clients->json = json_create(&JSON_LIMITS_DEFAULT);
    return clients->poll < 0 || clients->json == NULL ? ERR_MEMORY : ERR_OK;
}

void clients_finish(struct clients *clients)
{
    json_destroy(clients->json);
    close(clients->poll);
}

static void client_watch(struct client *client, int how, bool writing)
{
    struct epoll_event event = {
        .events = writing ? EPOLLIN | EPOLLOUT : EPOLLIN,
        .data.ptr = client,
    };
    ENSURE(epoll_ctl(client->clients->poll, how, client->fd, &event) == 0);
    client->writing = writing;
}

static void client_flush(struct client *client)
{
    while (client->out_sent < client->out.size) {
        ssize_t sent = send(client->fd, client->out.data + client->out_sent,
                            client->out.size - client->out_sent, MSG_NOSIGNAL);
        if (sent < 0)
            break;
        client->out_sent += (size_t)sent;
    }
    bool left = client->out_sent < client->out.size;
    if (!left) {
        buffer_clear(&client->out);
        client->out_sent = 0;
    }
    if (left != client->writing)
        client_watch(client, EPOLL_CTL_MOD, left);
}

enum err client_open(struct client *client, struct clients *clients, uint16_t port,
                     uint32_t from_address)
{
    static const char UPGRADE[] = "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                                  "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                  "Sec-WebSocket-Version: 13\r\n\r\n";
    struct sockaddr_in from = { .sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(from_address) };
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int one = 1;

    client->clients = clients;
    buffer_init(&client->in, BUFFER_BYTES_MAX);
    buffer_init(&client->out, BUFFER_BYTES_MAX);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        return ERR_LIMIT;
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (from_address != 0)
        setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if ((from_address != 0 &&
         bind(client->fd, (struct sockaddr *)&from, sizeof from) != 0) ||
        connect(client->fd, (struct sockaddr *)&to, sizeof to) != 0 ||
        fcntl(client->fd, F_SETFL, O_NONBLOCK) != 0) {
        close(client->fd);
        return ERR_IO;
    }
    clients->open++;
    client_watch(client, EPOLL_CTL_ADD, false);
    buffer_append(&client->out, UPGRADE, sizeof UPGRADE - 1);
    client_flush(client);
    return ERR_OK;
}

void client_close(struct client *client)
{
    if (client->closed || client->clients == NULL)
        return;
    client->closed = true;
    client->clients->open--;
    close(client->fd);
    buffer_finish(&client->in);
    buffer_finish(&client->out);
}

static void frame_head(struct client *client, char opcode, size_t size)
{
    static const char NO_MASK[4] = { 0 };
    buffer_append_byte(&client->out, opcode);
    if (size < 126) {
        buffer_append_byte(&client->out, (char)(FRAME_MASKED | (uint8_t)size));
    } else {
        ENSURE(size <= UINT16_MAX);
        buffer_append_byte(&client->out, (char)(FRAME_MASKED | 126));
        buffer_append_byte(&client->out, (char)(uint8_t)(size >> 8));
        buffer_append_byte(&client->out, (char)(uint8_t)size);
    }
    /* A mask of zeroes leaves the bytes as they are. */
    buffer_append(&client->out, NO_MASK, sizeof NO_MASK);
}

void client_send(struct client *client, struct slice text)
{
    if (client->closed)
        return;
    frame_head(client, FRAME_TEXT, text.size);
    buffer_append_slice(&client->out, text);
    ENSURE(!buffer_failed(&client->out));
    if (client->upgraded)
        client_flush(client);
}

/* Bytes of a whole frame at the front, 0 when more must come. */
static size_t frame_whole(struct slice bytes, struct slice *ret_text)
{
    if (bytes.size < 2)
        return 0;
    size_t size = (uint8_t)bytes.data[1] & 127;
    size_t head = size == 126 ? 4 : size == 127 ? 10 : 2;
    if (bytes.size < head)
        return 0;
    if (head > 2) {
        size = 0;
        for (size_t i = 2; i < head; i++)
            size = size << 8 | (uint8_t)bytes.data[i];
    }
    if (bytes.size - head < size)
        return 0;
    *ret_text = slice_make(bytes.data + head, size);
    return head + size;
}

static void client_take_head(struct client *client)
{
    struct slice head = buffer_slice(&client->in);
    const char *end = memmem(head.data, head.size, "\r\n\r\n", 4);
    if (end == NULL)
        return;
    ENSURE(slice_starts_with(head, SLICE_OF("HTTP/1.1 101")));
    client->upgraded = true;
    client->in_read = (size_t)(end + 4 - head.data);
    client_flush(client);
}

static void client_take_frames(struct client *client)
{
    struct slice text;
    size_t size;
    struct json_problem problem;

    while (!client->closed &&
           (size = frame_whole(slice_skip(buffer_slice(&client->in), client->in_read),
                               &text)) > 0) {
        char opcode = client->in.data[client->in_read];
        client->in_read += size;
        if (opcode != FRAME_TEXT) {
            client_close(client);
            return;
        }
        ENSURE(json_parse(client->clients->json, text, &problem) == ERR_OK);
        client->clients->text(client, client->clients->json);
    }
    if (!client->closed && client->in_read == client->in.size) {
        buffer_clear(&client->in);
        client->in_read = 0;
    }
}

static void client_read(struct client *client)
{
    char bytes[READ_BYTES];
    ssize_t size = recv(client->fd, bytes, sizeof bytes, 0);
    if (size < 0 && errno == EAGAIN)
        return;
    if (size <= 0) {
        client_close(client);
        return;
    }
    buffer_append(&client->in, bytes, (size_t)size);
    ENSURE(!buffer_failed(&client->in));
    if (!client->upgraded)
        client_take_head(client);
    if (client->upgraded)
        client_take_frames(client);
}

enum err clients_poll(struct clients *clients, int wait_ms)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(clients->poll, events, EVENTS, wait_ms);
    if (count < 0 && errno != EINTR)
        return ERR_IO;
    for (int i = 0; i < count; i++) {
        struct client *client = events[i].data.ptr;
        if (client->closed)
            continue;
        if (events[i].events & EPOLLOUT)
            client_flush(client);
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            client_read(client);
    }
    return ERR_OK;
}

struct slice json_text_of(const struct json *json, const char *key)
{
    const struct json_node *node =
        json_member(json, json_root(json), slice_from_text(key));
    if (node == NULL || node->kind != JSON_STRING)
        return (struct slice){ NULL, 0 };
    return node->value.text;
}

int64_t json_number_of(const struct json *json, const char *key)
{
    const struct json_node *node =
        json_member(json, json_root(json), slice_from_text(key));
    return node != NULL && node->integer ? node->value.number : 0;
}
