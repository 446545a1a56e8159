#!/usr/bin/python3
"""What tries to hold the hub, its memory or its sockets for ever."""

import json
import select
import socket
import sys
import time

sys.dont_write_bytecode = True
from support import PATIENCE_S, case, main, same  # noqa: E402

GET = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
EMPTY_POST = b"POST /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n"


def connect(hub):
    return socket.create_connection((hub.host, hub.port), PATIENCE_S)


def read_all(line, patience_s=8):
    """Everything until the peer closes; None when it does not."""
    data = b""
    limit = time.monotonic() + patience_s
    while True:
        left = limit - time.monotonic()
        if left <= 0 or not select.select([line], [], [], left)[0]:
            return None
        try:
            piece = line.recv(65536)
        except OSError:
            return data
        if not piece:
            return data
        data += piece


def alive(hub):
    same(hub.http("GET", "/livez", timeout=PATIENCE_S).status, 200)


def refused_heads():
    """Heads the hub refuses, while the library believes in a body behind them."""
    for method in (b"GET", b"OPTIONS", b"DELETE", b"POST"):
        for fields in (b"Host: 127.0.0.1\r\nContent-Length: +5\r\n",
                       b"Host: evil.example\r\nContent-Length: 5\r\n",
                       b"Content-Length: 5\r\n",
                       b"Host: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n",
                       b"Host: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n"
                       b"Content-Length: 5\r\n"):
            yield method + b" /livez HTTP/1.1\r\n" + fields + b"\r\n"
    yield b"GET /%01 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\n"


@case("--auth-deadline-ms=1000")
def a_refused_head_sent_ahead_turns_no_wheel(hub):
    for head in refused_heads():
        for before in (GET, GET + GET, EMPTY_POST):
            for after in (b"", b"abcde" + GET):
                with connect(hub) as line:
                    line.sendall(before + head + after)
                    assert read_all(line) is not None, ("held open", head)
                alive(hub)


@case("--auth-deadline-ms=1000")
def a_head_sent_ahead_in_part_turns_no_wheel(hub):
    body = json.dumps({"agent_id": "nobody"}).encode()
    whole = (b"POST /api/onboard/register HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
             b"application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    for second in (whole, *refused_heads()):
        for cut in (1, 10, 30, len(second) - 3):
            with connect(hub) as line:
                line.sendall(GET + second[:cut])
                time.sleep(0.01)
                line.sendall(second[cut:] + GET)
                assert read_all(line) is not None, ("held open", second)
            alive(hub)




async def flood(hub, count, message):
    """One agent sends `count` messages at once and then reads, promptly."""
    hub.exempt("eager")
    agent = await hub.agent("eager", max_concurrent=0)
    for _ in range(count):
        await agent.socket.send(json.dumps(message))
    return agent


@case()
async def who_reads_promptly_may_ask_thousands_ahead(hub):
    agent = await flood(hub, 5000, {"type": "ping"})
    for _ in range(5000):
        await agent.expect("pong")
    await agent.leave()


@case("--send-queue-frames-max=64")
async def answers_alone_never_make_a_reader_slow(hub):
    agent = await flood(hub, 3000, {"type": "task_submit", "description": "one of many"})
    for _ in range(3000):
        await agent.expect("task_submitted")
    same(hub.stats()["by_status"]["queued"], 3000)
    await agent.leave()


main()
