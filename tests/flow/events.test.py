#!/usr/bin/python3
"""What happened is told once and in order, to whoever follows, whatever breaks between."""

import asyncio
import contextlib
import http.client
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
from support import (BIN, PATIENCE_S, SANITIZED, case, eventually, main, same,  # noqa: E402
                     until)

SEED = 20261126
LIFE_S = 6 if SANITIZED else 4


def page(hub, token, query=""):
    answer = hub.http("GET", f"/api/events{query}", token=token)
    same(answer.status, 200)
    return answer.json


def whole(hub, token, since=0, epoch=None):
    """Every event behind a place, page by page."""
    found = []
    while True:
        more = f"&epoch={epoch}" if epoch is not None else ""
        part = page(hub, token, f"?since={since}&limit=1000{more}")
        assert "gap" not in part, part["gap"]
        found += part["events"]
        since, epoch = part["last"], part["epoch"]
        if not part["more"]:
            return found


def kinds(events):
    return [event["type"] for event in events]


class Sse:
    """One answer of GET /api/events/stream, read piece by piece."""

    def __init__(self, hub, token, query="", last_id=None, timeout=PATIENCE_S):
        self.connection = http.client.HTTPConnection(hub.host, hub.port, timeout=timeout)
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        if last_id is not None:
            headers["Last-Event-ID"] = last_id
        self.connection.request("GET", f"/api/events/stream{query}", headers=headers)
        self.socket = self.connection.sock
        self.answer = self.connection.getresponse()
        self.status = self.answer.status

    def take(self):
        """The next event as (id, name, data); None at the end; comments are passed over."""
        fields = {}
        while True:
            line = self.answer.fp.readline()
            if line == b"":
                return None
            line = line.decode().rstrip("\n")
            if line == "" and fields:
                return fields["id"], fields["event"], json.loads(fields["data"])
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value

    def close(self):
        # A reset: the hub hears of it at once, as of a peer that is gone.
        with contextlib.suppress(OSError, AttributeError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.connection.close()


async def subscribed(hub, token, **fields):
    link = await hub.link()
    await link.send("events_subscribe", token=token, **fields)
    return link


@case()
async def a_task_is_told_from_its_submit_to_its_end(hub):
    vera = hub.mint("vera", "viewer")
    link = await subscribed(hub, vera, kinds=["task", "agent"])
    first = await link.expect("events")
    same(first["events"], [])
    ada = await hub.agent("ada")
    task = hub.submit("sweep the yard", priority="high")
    given = await ada.given(task["task_id"])
    await ada.accept(given)
    await ada.complete(given)
    seen = []
    while len(seen) < 5:
        seen += (await link.expect("events"))["events"]
    same(kinds(seen), ["agent_joined", "task_submitted", "task_assigned", "task_accepted",
                       "task_completed"])
    for event in seen[1:]:
        same(event["data"]["task_id"], task["task_id"])
    same(seen[1]["actor"], "submitter")
    same(seen[1]["data"]["priority"], 1)
    same(seen[4]["actor"], "ada")
    same(seen[4]["role"], "agent")
    same(seen[4]["address"], "127.0.0.1")
    same(whole(hub, vera, first["last"], first["epoch"])[-1], seen[-1])


@case()
def pages_join_without_a_seam_and_a_filter_leaves_no_doubt_where_it_stands(hub):
    olga = hub.mint("olga", "operator")
    for n in range(20):
        hub.submit(str(n))
    everything = whole(hub, olga)
    same([event["sequence"] for event in everything], list(range(1, len(everything) + 1)))
    same(len({event["epoch"] for event in everything}), 1)
    since, found = 0, []
    while True:
        part = page(hub, olga, f"?since={since}&limit=3&kinds=task_submitted")
        assert len(part["events"]) <= 3
        found += part["events"]
        since = part["last"]
        if not part["more"]:
            break
    same(found, [event for event in everything if event["type"] == "task_submitted"])
    same(since, len(everything))
    same(page(hub, olga, f"?since={since}&kinds=audit")["events"], [])
    answer = hub.http("GET", "/api/events?kinds=task,weather", token=olga)
    same((answer.status, answer.json["errors"][0]["field"]), (422, "kinds"))


@case()
async def who_may_not_follow_is_told_so(hub):
    agent = hub.register("ada")
    for path in ("/api/events", "/api/events/stream"):
        same(hub.http("GET", path).status, 401)
        same(hub.http("GET", path, token=agent).status, 403)
    vera = hub.mint("vera", "viewer")
    same(hub.http("GET", "/api/events/stream", token=vera,
                  headers={"Accept": "text/html"}).status, 406)
    same(hub.http("GET", "/api/events/stream?kinds=weather", token=vera).status, 422)
    same(hub.http("GET", "/api/events/stream", token=vera,
                  headers={"Last-Event-ID": "yesterday"}).status, 422)
    link = await hub.link()
    await link.send("events_subscribe")
    await link.error("not_identified")
    await link.send("events_subscribe", token="0" * 64)
    await link.error("invalid_token")
    await link.send("events_subscribe", token=agent)
    await link.error("forbidden")
    await link.send("events_subscribe", token=vera, kinds=["weather"])
    same((await link.error("validation_failed"))["message_type"], "events_subscribe")
    # It may still ask for something that there is, and for nothing an agent may.
    await link.send("events_subscribe", kinds=["task"])
    await link.expect("events")
    await link.send("task_submit", description="x")
    await link.error("forbidden")


@case()
async def a_token_that_goes_takes_its_streams_along(hub):
    vera = hub.mint("vera", "viewer")
    link = await subscribed(hub, vera)
    await link.expect("events")
    sse = Sse(hub, vera, "?since=0")
    assert sse.take() is not None
    same(hub.http("DELETE", "/admin/tokens/vera", token=hub.admin).status, 200)
    same(await link.closed(), 4503)
    while await asyncio.to_thread(sse.take) is not None:
        pass
    same(hub.http("GET", "/api/events", token=vera).status, 401)


@case("--events-max", "40")
async def what_retention_took_is_told_as_a_gap(hub):
    vera = hub.mint("vera", "viewer")
    place = page(hub, vera)
    hub.exempt("ada")
    ada = await hub.agent("ada", max_concurrent=0)
    for n in range(600):
        await ada.send("task_submit", description=str(n))
    await ada.settle()
    part = page(hub, vera, f"?since={place['last']}&epoch={place['epoch']}")
    same(part["gap"]["reason"], "expired")
    same(part["events"][0]["sequence"], part["gap"]["oldest"])
    oldest = part["gap"]["oldest"]
    assert oldest > 256, oldest

    sse = Sse(hub, vera, last_id=f"{place['epoch']}-{place['last']}")
    identity, name, data = sse.take()
    same((name, data["reason"], data["oldest"]), ("gap", "expired", oldest))
    # Whoever comes back after the gap alone misses nothing more.
    same(identity, f"{place['epoch']}-{oldest - 1}")
    same(sse.take()[2]["sequence"], oldest)
    sse.close()

    link = await subscribed(hub, vera, since=place["last"], epoch=place["epoch"])
    frame = await link.expect("events")
    same(frame["gap"], part["gap"])
    same(frame["events"][0]["sequence"], oldest)
    # The last place that still knows its event is no gap.
    assert "gap" not in page(hub, vera, f"?since={oldest - 1}&epoch={place['epoch']}")


@case()
async def a_place_of_another_history_is_told_as_a_gap(hub):
    vera = hub.mint("vera", "viewer")
    hub.submit("one")
    here = page(hub, vera)
    for query in (f"?since={here['last']}&epoch={here['epoch'] - 5}",
                  f"?since={here['last'] + 10}&epoch={here['epoch']}",
                  f"?since={here['last'] + 10}"):
        part = page(hub, vera, query)
        same((part["gap"]["reason"], part["gap"]["epoch"]), ("restored", here["epoch"]))
        same(part["events"][0]["sequence"], 1)
    link = await subscribed(hub, vera, since=here["last"], epoch=here["epoch"] - 5)
    same((await link.expect("events"))["gap"]["reason"], "restored")


async def live(hub, rng, stop):
    """Work and comings and goings, through every outage."""
    number = 0
    while not stop.is_set():
        number += 1
        try:
            agent = await hub.agent(rng.choice(["ada", "bob", "eve"]), max_concurrent=3)
            for _ in range(rng.randrange(1, 12)):
                await asyncio.to_thread(hub.submit, f"task {number}")
                given = await agent.expect("task_assign", patience_s=1)
                await agent.accept(given)
                if rng.random() < 0.7:
                    await agent.complete(given)
                elif rng.random() < 0.5:
                    await agent.fail(given)
            await (agent.vanish() if rng.random() < 0.5 else agent.leave())
        except (OSError, AssertionError, http.client.HTTPException,
                asyncio.TimeoutError, __import__("websockets").WebSocketException):
            await asyncio.sleep(0.02)


async def follow_socket(hub, token, rng, seen, stop):
    """Reads a few frames, goes away, comes back with its place."""
    place = None
    while not (stop.is_set() and place is not None):
        try:
            link = await hub.link()
            fields = {} if place is None else {"since": place[1], "epoch": place[0]}
            await link.send("events_subscribe", token=token,
                            **(fields or {"since": 0}))
            for _ in range(rng.randrange(1, 15)):
                frame = await link.expect("events", patience_s=0.5)
                assert "gap" not in frame, frame
                seen += frame["events"]
                place = (frame["epoch"], frame["last"])
            await (link.vanish() if rng.random() < 0.5 else link.leave())
        except AssertionError as error:
            assert "gap" not in str(error).split("box")[0], error
            link.socket.transport.abort()
        except (OSError, asyncio.TimeoutError,
                __import__("websockets").WebSocketException):
            await asyncio.sleep(0.02)


def follow_sse(hub, token, rng, seen, stop):
    last_id = None
    while not (stop.is_set() and last_id is not None):
        try:
            query = "?since=0" if last_id is None else ""
            sse = Sse(hub, token, query, last_id, timeout=0.5)
            for _ in range(rng.randrange(1, 60)):
                taken = sse.take()
                if taken is None:
                    break
                last_id, name, data = taken
                assert name != "gap", data
                seen.append(data)
            sse.close()
        except (OSError, http.client.HTTPException):
            time.sleep(0.02)


@case()
async def followers_that_break_off_at_random_miss_nothing_through_kills(hub):
    rng = random.Random(SEED)
    vera = hub.mint("vera", "viewer")
    hub.submitter
    for name in ("ada", "bob", "eve"):
        hub.register(name)
    hub.exempt("vera", "ada", "bob", "eve")
    stop, done = asyncio.Event(), asyncio.Event()
    work = [asyncio.create_task(live(hub, random.Random(SEED + n), stop))
            for n in range(2)]
    sockets = [[] for _ in range(3)]
    streams = [[] for _ in range(3)]
    followers = [asyncio.create_task(
        follow_socket(hub, vera, random.Random(SEED + 10 + n), seen, done))
        for n, seen in enumerate(sockets)]
    followers += [asyncio.create_task(asyncio.to_thread(
        follow_sse, hub, vera, random.Random(SEED + 20 + n), seen, done))
        for n, seen in enumerate(streams)]
    for _ in range(3):
        await asyncio.sleep(LIFE_S / 4 * (0.5 + rng.random()))
        await asyncio.to_thread(hub.kill)
        await asyncio.to_thread(hub.start)
    await asyncio.sleep(LIFE_S / 4)
    stop.set()
    await asyncio.gather(*work)
    await asyncio.sleep(0)

    written = await asyncio.to_thread(whole, hub, vera)
    same([event["sequence"] for event in written], list(range(1, len(written) + 1)))
    assert kinds(written).count("hub_started") == 4, kinds(written)
    everybody = sockets + streams
    await eventually(lambda: all(seen and seen[-1]["sequence"] >= len(written)
                                 for seen in everybody),
                     lambda: [len(seen) for seen in everybody])
    done.set()
    await asyncio.gather(*followers)
    for seen in everybody:
        same(seen[:len(written)], written)
    assert len(written) > 100, len(written)


@case("--send-queue-bytes-max", "262144")
async def who_reads_slowly_costs_nobody_and_catches_up(hub):
    vera = hub.mint("vera", "viewer")
    hub.exempt("ada", "vera")
    start = page(hub, vera)["last"]
    before = rss(hub)

    # Two that ask and read nothing at all.
    lazy = socket.create_connection((hub.host, hub.port))
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    lazy.sendall((f"GET /api/events/stream?since={start} HTTP/1.1\r\nHost: {hub.host}:"
                  f"{hub.port}\r\nAuthorization: Bearer {vera}\r\n\r\n").encode())
    link = await subscribed(hub, vera, since=start)
    await link.expect("events")
    link.socket.transport.pause_reading()

    ada = await hub.agent("ada", max_concurrent=0)
    count = 1500 if SANITIZED else 5000
    for n in range(count):
        await ada.send("task_submit", description=f"{n} " + "x" * 900)
        if n % 100 == 99:
            await ada.settle()
    await ada.settle()
    if not SANITIZED:
        # Far less than the megabytes that wait for them.
        assert rss(hub) - before < 24 << 20, (before, rss(hub))
    written = await asyncio.to_thread(whole, hub, vera, start)
    assert len(written) >= count

    link.socket.transport.resume_reading()
    seen = []
    while len(seen) < len(written):
        seen += (await link.expect("events"))["events"]
    same(seen, written)
    text = b""
    lazy.settimeout(PATIENCE_S)
    ending = f'"sequence":{written[-1]["sequence"]},'.encode()
    while ending not in text[-65536:]:
        part = await asyncio.to_thread(lazy.recv, 1 << 20)
        assert part, text[-500:]
        text += part
    numbers = [json.loads(line[6:])["sequence"] for line in text.split(b"\n")
               if line.startswith(b"data: ") and line.endswith(b"}")]
    wanted = [event["sequence"] for event in written]
    same(numbers[:len(wanted)], wanted)
    lazy.close()


def rss(hub):
    for line in pathlib.Path(f"/proc/{hub.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    raise AssertionError("no VmRSS")


@case("--idle-timeout-ms", "1000")
async def who_follows_and_says_nothing_is_kept_alive_by_pings(hub):
    vera = hub.mint("vera", "viewer")
    link = await subscribed(hub, vera)
    await link.expect("events")
    # An agent that says nothing is let go; by then the reader has outlived it.
    silent = await hub.agent("ada")
    same(await silent.closed(), 4409)
    idle = await hub.agent("bob")
    same(await idle.closed(), 4409)
    hub.submit("still there?")
    found = []
    while "task_submitted" not in found:
        found += kinds((await link.expect("events"))["events"])


@case()
def a_privileged_action_is_told_once_and_nothing_secret_with_it(hub):
    secret = hub.secret
    admin = hub.admin
    texts = [secret, admin, hub.register("ada"), hub.mint("vera", "viewer")]
    texts.append(hub.mint("olga", "operator"))
    olga = texts[-1]
    before = page(hub, olga)["last"]
    same(hub.http("PUT", "/api/config/mailbox-retention", {"mailbox_ttl_ms": 60000},
                  token=olga).status, 200)
    same(hub.http("DELETE", "/api/schemas/nothing", token=olga).status, 404)
    same(hub.http("PUT", "/api/schemas/review", {"schema": {"type": "object"}},
                  token=olga).status, 200)
    same(hub.http("DELETE", "/admin/tokens/vera", token=admin).status, 200)
    for level, status in (("debug", 200), ("loud", 422), ("notice", 200)):
        same(hub.http("PUT", "/api/admin/log-level", {"level": level},
                      token=admin).status, status)
    until(lambda: page(hub, olga, "?tail=1")["events"][0]["data"].get("parameters")
          == "level=notice", "the last of them is told")
    told = page(hub, olga, f"?since={before}")["events"]
    same(kinds(told), ["action", "action", "schema_put", "token_revoked",
                       "action", "action", "action"])
    same([(event["actor"], event["role"], event["address"]) for event in told],
         [("olga", "operator", "127.0.0.1")] * 3 + [("admin", "admin", "127.0.0.1")] * 4)
    same([(event["data"]["parameters"], event["data"].get("error"))
          for event in told[4:]],
         [("level=debug", None), ("level=loud", "invalid_level"), ("level=notice", None)])
    same(told[0]["data"], {"action": "put_mailbox_retention",
                           "parameters": "mailbox_ttl_ms=60000", "status": 200})
    same((told[1]["data"]["status"], told[1]["data"]["error"]), (404, "schema_not_found"))
    everything = json.dumps(whole(hub, olga))
    for text in texts:
        assert text not in everything, text
    hub.stop()
    store = (hub.data / "data.mdb").read_bytes()
    for text in texts:
        assert text.encode() not in store, text


@case("--event-classes", "agent")
def what_is_not_wanted_is_not_written_but_audit_always(hub):
    vera = hub.mint("vera", "viewer")
    hub.submit("unheard")
    found = whole(hub, vera)
    same({event["class"] for event in found}, {"audit"})
    assert "token_created" in kinds(found)
    same([event["sequence"] for event in found], list(range(1, len(found) + 1)))


@case()
async def an_answer_with_no_end_stops_with_the_hub(hub):
    vera = hub.mint("vera", "viewer")
    sse = Sse(hub, vera, "?since=0")
    assert sse.take() is not None
    link = await subscribed(hub, vera)
    await link.expect("events")
    hub.process.send_signal(signal.SIGTERM)
    same(await link.closed(), 1012)
    while await asyncio.to_thread(sse.take) is not None:
        pass
    same(await asyncio.to_thread(hub.process.wait, PATIENCE_S), 0)
    await asyncio.to_thread(hub.start)
    # A new run of the same history: places stay good.
    here = page(hub, vera)
    assert "gap" not in page(hub, vera, f"?since=1&epoch={here['epoch']}")
    until(lambda: "hub_started" in kinds(page(hub, vera)["events"]), "it has begun again")


def drover(hub, *words, token=None):
    return subprocess.Popen(
        [str(BIN / "drover"), "events", *words], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
        env={**os.environ, "DROVER_HUB": hub.url, "DROVER_TOKEN": token or ""})


def ends(process, code):
    out, err = process.communicate(timeout=PATIENCE_S)
    same((process.returncode, err if process.returncode != code else ""), (code, ""))
    return out + err


@case()
def the_command_line_lists_and_follows_through_a_restart(hub):
    vera = hub.mint("vera", "viewer")
    hub.submit("one")
    shown = ends(drover(hub, "list", "--tail", "1", token=vera), 0).splitlines()
    same((len(shown), shown[0].split()), (2, ["EVENT", "TIME", "TYPE", "ACTOR", "DATA"]))
    assert "task_submitted" in shown[1] and '"one"' in shown[1], shown
    assert "weather" not in ends(drover(hub, "follow", "--kinds", "weather", token=vera), 2)

    place = page(hub, vera)
    follower = drover(hub, "follow", "--json", "--since", str(place["last"]), "--epoch",
                      str(place["epoch"]), "--kinds", "task,hub", token=vera)
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(follower.stdout), daemon=True)
    reader.start()

    def told():
        return [json.loads(line)["type"] for line in list(lines)]

    hub.submit("two")
    until(told, "it follows")
    hub.kill()
    hub.start()
    hub.submit("three")
    until(lambda: len(told()) == 3, lambda: told())
    follower.kill()
    follower.wait()
    same(told(), ["task_submitted", "hub_started", "task_submitted"])
    same([json.loads(line)["sequence"] for line in lines],
         sorted(json.loads(line)["sequence"] for line in lines))


@case()
def a_chain_holds_until_somebody_touches_the_store(hub):
    for name in ("first", "the marked one", "last"):
        hub.submit(name)
    marked = [event["sequence"] for event in page(hub, hub.admin)["events"]
              if event["data"].get("description") == "the marked one"]
    last = page(hub, hub.admin, "?tail=1")["events"][0]
    busy = ends(drover(hub, "verify", str(hub.data)), 74)
    assert "hub" in busy, busy
    hub.stop()
    told = ends(drover(hub, "verify", str(hub.data)), 0)
    assert told.startswith(f"{last['sequence']} events hold, 1 to {last['sequence']},"), told
    assert last["hash"] in told, told

    path = hub.data / "data.mdb"
    data = bytearray(path.read_bytes())
    at = -1
    while (at := data.find(b"the marked one", at + 1)) >= 0:
        data[at] ^= 1
    path.write_bytes(data)
    told = ends(drover(hub, "verify", str(hub.data)), 74)
    assert f"event {marked[0]} does not hold" in told, told
    ends(drover(hub, "verify", str(hub.folder / "nothing")), 74)


if __name__ == "__main__":
    main()
