#!/usr/bin/python3
"""The library under the sockets is lax; the hub is not. One case for each guard."""

import base64
import contextlib
import json
import os
import select
import socket
import struct
import sys
import time

sys.dont_write_bytecode = True
from support import PATIENCE_S, case, main, same, until  # noqa: E402

KEY = base64.b64encode(b"0123456789abcdef").decode()
AT_ONCE_S = 1.5


def connect(hub):
    return socket.create_connection((hub.host, hub.port), PATIENCE_S)


def read_all(line, patience_s=PATIENCE_S):
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


def read_answer(line, patience_s=PATIENCE_S):
    """One answer with a Content-Length, the connection left open."""
    line.settimeout(patience_s)
    data = b""
    while b"\r\n\r\n" not in data:
        piece = line.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [int(field.split(b":")[1]) for field in head.lower().split(b"\r\n")
               if field.startswith(b"content-length:")]
    while lengths and len(body) < lengths[0]:
        piece = line.recv(65536)
        if not piece:
            break
        body += piece
    return head + b"\r\n\r\n" + body


def status_of(answer):
    return int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/1.") else None


def send(line, data):
    with contextlib.suppress(OSError):
        line.sendall(data)


def handshake(path="/ws", method="GET", version="HTTP/1.1", leave_out=(), **fields):
    """The head of an upgrade; fields replace or add, and leave_out leaves out."""
    wanted = {
        "Host": "127.0.0.1", "Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY, "Sec-WebSocket-Version": "13",
    }
    wanted.update({name.replace("_", "-"): value for name, value in fields.items()})
    lines = [f"{method} {path} {version}"]
    for name, value in wanted.items():
        if name in leave_out:
            continue
        values = value if isinstance(value, list) else [value]
        lines += [f"{name}: {one}" for one in values]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def frame(opcode, payload=b"", final=True, mask=True, length=None, rsv=0):
    """A client's frame; length lies about the payload when given."""
    size = len(payload) if length is None else length
    head = bytes([(0x80 if final else 0) | rsv | opcode])
    flag = 0x80 if mask else 0
    if size < 126:
        head += bytes([flag | size])
    elif size < 65536:
        head += bytes([flag | 126]) + struct.pack(">H", size)
    else:
        head += bytes([flag | 127]) + struct.pack(">Q", size)
    if not mask:
        return head + payload
    key = b"\x01\x02\x03\x04"
    return head + key + bytes(b ^ key[i % 4] for i, b in enumerate(payload))


def text(**fields):
    return frame(1, json.dumps(fields).encode())


class Socket:
    """A WebSocket by hand, so that it can misbehave."""

    def __init__(self, hub):
        self.line = connect(hub)
        self.data = b""
        self.line.sendall(handshake())
        while b"\r\n\r\n" not in self.data:
            piece = self.line.recv(4096)
            assert piece, "the handshake was refused"
            self.data += piece
        self.head, _, self.data = self.data.partition(b"\r\n\r\n")
        same(status_of(self.head), 101)

    def read(self, size, patience_s=PATIENCE_S):
        self.line.settimeout(patience_s)
        while len(self.data) < size:
            try:
                piece = self.line.recv(65536)
            except ConnectionError:
                return None
            if not piece:
                return None
            self.data += piece
        found, self.data = self.data[:size], self.data[size:]
        return found

    def receive(self, patience_s=PATIENCE_S):
        """(opcode, payload) of the next frame, or None at the end."""
        head = self.read(2, patience_s)
        if head is None:
            return None
        size = head[1] & 0x7F
        if size == 126:
            size = struct.unpack(">H", self.read(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.read(8))[0]
        return head[0] & 0x0F, self.read(size) if size else b""

    def close_code(self, patience_s=PATIENCE_S):
        """The code it is closed with; 0 for an end without a word."""
        while True:
            found = self.receive(patience_s)
            if found is None:
                return 0
            if found[0] == 8:
                return struct.unpack(">H", found[1][:2])[0] if found[1] else 1005

    def identify(self, hub, name):
        token = hub.register(name)
        self.line.sendall(text(type="identify", agent_id=name, token=token))
        while True:
            opcode, payload = self.receive()
            if opcode == 1 and json.loads(payload)["type"] == "identified":
                return self

    def ping(self):
        self.line.sendall(text(type="ping"))
        while True:
            opcode, payload = self.receive()
            if opcode == 1 and json.loads(payload)["type"] == "pong":
                return


def alive(hub):
    started = time.monotonic()
    same(hub.http("GET", "/health").status, 200)
    assert time.monotonic() - started < 2, "the hub is slow to answer"


def refused(hub, data, *statuses):
    """The answer has one of the statuses, or there is none; it ends soon either way."""
    with connect(hub) as line:
        send(line, data)
        answer = read_all(line, 8)
        assert answer is not None, f"held open after {data[:80]!r}"
        status = status_of(answer)
        assert status is None or status in statuses, (status, data[:120])
        assert b"101" not in answer[:16], data[:120]
    alive(hub)
    return answer


def files_of(hub):
    return len(os.listdir(f"/proc/{hub.process.pid}/fd"))


@case()
def an_unknown_upgrade_is_refused_first_and_later(hub):
    odd = handshake(Upgrade="websocket2")
    refused(hub, odd, 400, 403)
    for upgrade in ("websocket2", "tls/1.0", "h2c", "WebSocket, foo", "x" * 500):
        with connect(hub) as line:
            line.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            same(status_of(read_answer(line)), 200)
            send(line, handshake(Upgrade=upgrade))
            assert read_all(line, 8) is not None, "held open"
        # Sent together, so that the second waits in the library when the first is refused.
        with connect(hub) as line:
            send(line, handshake(Upgrade=upgrade) * 3)
            assert read_all(line, 8) is not None, "held open"
        alive(hub)


@case()
def connect_is_never_held(hub):
    before = files_of(hub)
    lines = []
    for head in (b"CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
                 b"CONNECT / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nmore",
                 b"CONNECT x HTTP/1.0\r\n\r\n"):
        line = connect(hub)
        lines.append(line)
        send(line, head)
        started = time.monotonic()
        assert read_all(line, 8) is not None, head
        assert time.monotonic() - started < AT_ONCE_S, "it took its time"
    for line in lines:
        line.close()
    until(lambda: files_of(hub) <= before, "the sockets are freed")
    alive(hub)


@case()
def http2_is_not_spoken(hub):
    settings = "AAMAAABkAAQCAAAAAAIAAAAA"
    refused(hub, handshake(Upgrade="h2c", Connection="Upgrade, HTTP2-Settings",
                           HTTP2_Settings=settings), 400)
    refused(hub, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0", 400, 403, 405)


@case()
def a_handshake_must_be_one(hub):
    refused(hub, handshake(Sec_WebSocket_Version="8"), 426)
    refused(hub, handshake(Sec_WebSocket_Version="13, 8"), 426)
    refused(hub, handshake(leave_out=["Sec-WebSocket-Version"]), 426)
    for key in ("abc", "", "A" * 24, "A" * 22 + "=", "!" * 22 + "==", KEY + KEY):
        refused(hub, handshake(Sec_WebSocket_Key=key), 400)
    refused(hub, handshake(Sec_WebSocket_Key=[KEY, KEY]), 400)
    refused(hub, handshake(leave_out=["Sec-WebSocket-Key"]), 400)
    refused(hub, handshake(method="POST"), 400, 404, 405)
    refused(hub, handshake(method="POST", Content_Length="0"), 400, 404, 405)
    refused(hub, handshake(Content_Length="4") + b"1234", 400)
    refused(hub, handshake(Transfer_Encoding="chunked"), 400)
    refused(hub, handshake(version="HTTP/1.0"), 400)
    refused(hub, handshake(Connection="keep-alive"), 400)
    refused(hub, handshake(Host=["127.0.0.1", "127.0.0.1"]), 400)
    refused(hub, handshake(leave_out=["Host"]), 400)
    refused(hub, handshake(Host="evil.example"), 421)
    refused(hub, handshake(Host="127.0.0.1.evil.example"), 421)
    for path in ("/", "/ws2", "/ws/", "/wsx", "/ws%00", "/ws%00x", "/WS", "/%2fws%2f",
                 "/api/tasks", "/ws;a", "/ws&b"):
        refused(hub, handshake(path=path), 400, 403, 404)
    answer = refused(hub, handshake(Sec_WebSocket_Version="7"), 426)
    assert b"Sec-WebSocket-Version: 13" in answer
    Socket(hub).identify(hub, "ada").ping()


@case()
def a_plain_request_for_the_socket_says_how(hub):
    answer = hub.http("GET", "/ws")
    same((answer.status, answer.json["error"]), (426, "upgrade_required"))
    same(answer.headers["Sec-WebSocket-Version"], "13")


@case()
def nothing_is_compressed(hub):
    with connect(hub) as line:
        line.sendall(handshake(Sec_WebSocket_Extensions=
                               "permessage-deflate; client_max_window_bits, x-webkit-deflate"))
        head = read_answer(line)
        same(status_of(head), 101)
        assert b"extensions" not in head.lower(), head
    bad = Socket(hub)
    bad.line.sendall(frame(1, b"{}", rsv=0x40))
    assert bad.close_code(8) in (0, 1002)
    alive(hub)


@case("--auth-deadline-ms=700")
def who_says_nothing_is_gone_in_time(hub):
    before = files_of(hub)
    silent, dribbling, half = connect(hub), connect(hub), connect(hub)
    kept, quiet_socket, pinging = connect(hub), Socket(hub), Socket(hub)
    half.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.")
    kept.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    same(status_of(read_answer(kept)), 200)
    started = time.monotonic()
    request = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
    for i in range(40):
        send(dribbling, request[i:i + 1] or b"x")
        send(pinging.line, frame(9, b"x"))
        time.sleep(0.05)
    for line in (silent, half, kept):
        assert read_all(line, 8) is not None, "held open"
    assert read_all(dribbling, 8) is not None, "a dribbler is held open"
    same(quiet_socket.close_code(8), 4408)
    same(pinging.close_code(8), 4408)
    assert time.monotonic() - started < 6
    for line in (silent, dribbling, half, kept, quiet_socket.line, pinging.line):
        line.close()
    until(lambda: files_of(hub) <= before, "the sockets are freed")
    alive(hub)


@case("--idle-timeout-ms=1000")
def idle_sockets_are_closed_and_pinging_ones_are_not(hub):
    idle = Socket(hub).identify(hub, "idle")
    busy = Socket(hub).identify(hub, "busy")
    wire = Socket(hub).identify(hub, "wire")
    until_s = time.monotonic() + 2.5
    while time.monotonic() < until_s:
        busy.ping()
        wire.line.sendall(frame(9, b"still here"))
        time.sleep(0.2)
    same(idle.close_code(8), 4409)
    busy.ping()
    wire.ping()


@case("--frame-bytes-max=65536", "--body-bytes-max=65536")
def what_is_too_large_is_refused_before_it_is_there(hub):
    agent = Socket(hub).identify(hub, "ada")
    agent.line.sendall(frame(1, b"{" + b" " * 3000, length=1 << 40))
    same(agent.close_code(8), 1009)
    agent = Socket(hub).identify(hub, "ada")
    for i in range(70):
        send(agent.line, frame(1 if i == 0 else 0, b" " * 1000, final=False))
    same(agent.close_code(8), 1009)
    stranger = Socket(hub)
    send(stranger.line, frame(1, b" " * 60000))
    same(stranger.close_code(8), 1009)
    with connect(hub) as line:
        line.sendall(frame(1, b"") + b"\0" * 64)
        assert read_all(line, 8) is not None
    head = (f"POST /api/tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json"
            f"\r\nAuthorization: Bearer {hub.submitter}\r\nContent-Length: ").encode()
    answer = refused(hub, head + b"100000000000\r\n\r\n{", 413)
    same(status_of(answer), 413)
    answer = refused(hub, head + b"70000\r\n\r\n" + b" " * 70000, 413)
    same(status_of(answer), 413)
    refused(hub, b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            400, 404, 414, 431)
    refused(hub, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" +
            b"".join(b"X-%d: y\r\n" % i for i in range(3000)) + b"\r\n", 400, 404, 431)


@case()
def a_length_of_eight_bytes_with_the_top_bit_is_an_end(hub):
    agent = Socket(hub).identify(hub, "ada")
    send(agent.line, b"\x81\xff" + b"\xff" * 8 + b"\1\2\3\4" + b"x" * 100)
    assert agent.close_code(8) in (0, 1002, 1009)
    alive(hub)


@case()
def frames_that_are_no_text_end_the_connection(hub):
    agent = Socket(hub).identify(hub, "ada")
    agent.line.sendall(frame(2, b"\0\1\2"))
    same(agent.close_code(8), 1003)
    agent = Socket(hub).identify(hub, "ada")
    agent.line.sendall(frame(1, b'{"type":"\xff\xfe"}'))
    same(agent.close_code(8), 1007)
    for bad in (frame(3), frame(11), frame(9, b"x" * 126), frame(9, b"", final=False),
                frame(0, b"x"), frame(8, struct.pack(">H", 999))):
        agent = Socket(hub).identify(hub, "ada")
        send(agent.line, bad)
        agent.line.settimeout(8)
        assert agent.close_code(8) is not None
    alive(hub)


@case()
def pieces_of_a_message_make_one(hub):
    agent = Socket(hub).identify(hub, "ada")
    whole = json.dumps({"type": "ping", "more": "ä" * 5000}).encode()
    for i in range(0, len(whole), 7):
        last = i + 7 >= len(whole)
        agent.line.sendall(frame(1 if i == 0 else 0, whole[i:i + 7], final=last))
        if i == 700:
            agent.line.sendall(frame(9, b"between"))
    while True:
        opcode, payload = agent.receive()
        if opcode == 1:
            same(json.loads(payload)["type"], "pong")
            return


@case()
def a_length_is_said_once_and_in_digits(hub):
    head = (f"POST /api/tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json"
            f"\r\nAuthorization: Bearer {hub.submitter}\r\n").encode()
    body = b'{"description":"x"}'
    for lengths in (b"Content-Length: +19\r\n", b"Content-Length: -19\r\n",
                    b"Content-Length: 0x13\r\n", b"Content-Length: 19, 19\r\n",
                    b"Content-Length: 19\r\nContent-Length: 19\r\n",
                    b"Content-Length: 19\r\nContent-Length: 5\r\n",
                    b"Content-Length: 18446744073709551635\r\n", b"Content-Length: 1 9\r\n",
                    b"Transfer-Encoding: chunked\r\n",
                    b"Content-Length: 19\r\nTransfer-Encoding: chunked\r\n",
                    b"Transfer-Encoding: xchunked\r\nContent-Length: 19\r\n"):
        answer = refused(hub, head + lengths + b"\r\n" + body, 400)
        same(status_of(answer), 400)
    same(hub.tasks()["count"], 0)


@case()
def a_refused_body_never_becomes_a_request(hub):
    """The bytes behind a refusal are not read as the next request."""
    inner = (f"POST /api/tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 19\r\n"
             f"Content-Type: application/json\r\nAuthorization: Bearer {hub.submitter}\r\n"
             f"\r\n" + '{"description":"x"}').encode()
    outer = f"POST /api/tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(inner)}\r\n\r\n"
    refused(hub, outer.encode() + inner, 401, 415)
    refused(hub, b"POST /api/tasks HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                 b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner, 400)
    refused(hub, b"POST /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + inner, 404)
    same(hub.tasks()["count"], 0)


@case()
def requests_on_one_connection_are_answered_in_their_order(hub):
    token = hub.submitter
    connection = hub.connection()
    for i in range(20):
        connection.request("POST", "/api/tasks", json.dumps({"description": f"task {i}"}),
                           {"Content-Type": "application/json",
                            "Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        same((answer.status, answer.read()[:1]), (201, b"{"))
    connection.close()
    told = [task["description"] for task in sorted(
        hub.tasks()["tasks"], key=lambda task: task["id"])]
    same(told, [f"task {i}" for i in range(20)])
    with connect(hub) as line:
        line.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 30)
        line.settimeout(PATIENCE_S)
        found = b""
        while found.count(b"HTTP/1.1 200") < 30:
            piece = line.recv(65536)
            assert piece, f"ended after {found.count(b'HTTP/1.1 200')} answers"
            found += piece


@case()
def a_body_sent_ahead_turns_no_wheel(hub):
    """The library would take the second head for its body, out of memory it has freed."""
    body = b'{"description":"x"}'
    head = (f"POST /api/tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
            f"application/json\r\nAuthorization: Bearer {hub.submitter}\r\n").encode()
    post = head + b"Content-Length: 19\r\n\r\n" + body
    get = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    for data in (post + post, get + post, get + get + post + get, post + get + post,
                 get + post[:-5], get + head + b"\r\n" + body, post * 30,
                 get + b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4"
                       b"\r\n\r\nabcd" + post):
        with connect(hub) as line:
            send(line, data)
            answer = read_all(line, 8)
            assert answer is not None, "held open"
            assert answer.split(b"HTTP/1.1 ")[-1].startswith(b"400"), answer
        with connect(hub) as line:
            send(line, data)
            line.shutdown(socket.SHUT_WR)
            assert read_all(line, 8) is not None, "held open"
        alive(hub)
    for task in hub.all_tasks():
        same(task["description"], "x")


@case()
def an_upgrade_sent_ahead_is_an_upgrade_or_an_end(hub):
    get = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with connect(hub) as line:
        send(line, get + handshake() + text(type="ping"))
        line.settimeout(3)
        found = b""
        with contextlib.suppress(OSError):
            while b"not_identified" not in found:
                piece = line.recv(65536)
                if not piece:
                    break
                found += piece
        assert b"not_identified" in found, found
    alive(hub)


@case("--connections-max=20")
def there_are_only_so_many_places(hub):
    lines = [connect(hub) for _ in range(60)]
    refusals = 0
    for line in lines:
        line.settimeout(0.2)
        try:
            refusals += line.recv(4096).startswith(b"HTTP/1.1 503") or 1
        except socket.timeout:
            pass
        except OSError:
            refusals += 1
    assert refusals >= 40, refusals
    for line in lines:
        line.close()
    until(lambda: connects(hub), "there are places again")
    alive(hub)


def connects(hub):
    with contextlib.suppress(OSError):
        return hub.http("GET", "/livez", timeout=2).status == 200
    return False


@case()
def who_is_nobody_five_times_is_closed(hub):
    agent = Socket(hub)
    for i in range(5):
        agent.line.sendall(text(type="identify", agent_id="ada", token=f"{i:064x}"))
    same(agent.close_code(8), 4501)
    answer = hub.http("GET", "/api/tasks", token=hub.submitter)
    same(answer.status, 200)


@case("--send-queue-bytes-max=65536", "--send-queue-frames-max=64")
def who_does_not_read_is_closed_and_nobody_waits_for_it(hub):
    slow = Socket(hub)
    slow.line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    token = hub.register("slow")
    slow.line.sendall(text(type="identify", agent_id="slow", token=token,
                           capabilities=[f"{i:0120}" for i in range(14)]))
    agent = Socket(hub).identify(hub, "ada")
    before = files_of(hub)
    for _ in range(20000):
        try:
            slow.line.sendall(text(type="list_agents"))
        except OSError:
            break
        if files_of(hub) < before:
            break
    until(lambda: files_of(hub) < before, "the slow one is closed")
    agent.ping()


@case()
def every_answer_says_what_it_is(hub):
    answer = hub.http("GET", "/health")
    same(answer.headers["Cache-Control"], "no-store")
    same(answer.headers["X-Content-Type-Options"], "nosniff")
    assert answer.headers["Server"] is None
    answer = hub.http("GET", "/nowhere", headers={"Accept": "application/problem+json"})
    same(answer.headers["Content-Type"].split(";")[0], "application/problem+json")
    same((answer.json["status"], answer.json["error"]), (404, "not_found"))
    assert answer.json["title"] and answer.json["type"]
    answer = hub.http("PATCH", "/api/tasks", token=hub.submitter)
    same((answer.status, answer.headers["Allow"]), (405, "GET, HEAD, POST"))
    answer = hub.http("GET", "/api/tasks")
    same((answer.status, answer.headers["WWW-Authenticate"]), (401, "Bearer"))
    answer = hub.http("HEAD", "/health")
    same((answer.status, answer.data), (200, b""))
    answer = hub.http("GET", "/health", headers={"Host": "evil.example"})
    same((answer.status, answer.json["error"]), (421, "misdirected_request"))


if __name__ == "__main__":
    main()
