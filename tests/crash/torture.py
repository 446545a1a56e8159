#!/usr/bin/python3
"""
kill -9 torture: the hub dies at random moments under load, and a ledger says what it
had acknowledged.

Eight submitters (half over WebSockets, half over HTTP, all with idempotency keys) and
sixteen agents run at full rate. After 5 to 800 ms the hub is killed, a fifth of the time
while it still starts; then it is started again on the same port and folder. Everybody
repeats what was not answered. Checked after each restart: what was acknowledged is
there, payloads byte for byte; no submit made two tasks; no task has two accepted
completions; generations rise. With --walk the dead store's tables are walked both ways,
as core_verify() does it. Every 25th round everything is worked off: nothing may be
lost, accepted twice or stuck.

In most lives somebody asks for a backup at some moment. After a restart all backups
that have a name are read back and walked: the interrupted ones must not be among them,
and those acknowledged must be, unless it was their turn to go.

The ledger is a process of its own that appends lines and syncs them; the checks believe
nothing but the ledger and the hub's listing.

The command journal is kept. At the end a backup and the journal must give back the store
as it is, byte for byte.

    tests/crash/torture.py --kills 100 --seed 7
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))

import websockets  # noqa: E402
from support import BIN, ENVIRONMENT, SANITIZED, Hub, sanitizer_report, until  # noqa: E402

SUBMITTERS = 8
AGENTS = 16
SLOTS = 4
WINDOW = 16  # submits a socket has unanswered at most
BACKLOG = 600  # tasks not done at most, so that agents meet fresh ones
DRAIN_EVERY = 25
WALK_ALWAYS = 20_000  # tasks
DRAIN_S = 120 if SANITIZED else 40
BACKUPS_KEPT = 3
READY_S = 30 if SANITIZED else 2
# At full rate: limits of rate have stories of their own.
RATES = tuple(word for tier in ("light", "normal", "heavy")
              for word in (f"--rate-agent-{tier}", "10000000"))
FLAGS = (*RATES, "--journal", "--lease-ms", "3000", "--acceptance-ms", "3000", "--reconnect-grace-ms", "2500",
         "--backups-kept", str(BACKUPS_KEPT), "--log-level", "warning")
METADATA_IN_LIST = re.compile(r'"description":"(key-[0-9-]+)","metadata":')


class Failure(Exception):
    """A promise that did not hold."""


def require(true, text):
    if not true:
        raise Failure(text)


def ledger_main(path):
    """Appends what comes in on standard input, synced; answers the line `sync`."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    rest = b""
    while True:
        piece = os.read(0, 1 << 16)
        if not piece:
            return
        lines = (rest + piece).split(b"\n")
        rest = lines.pop()
        text = b"".join(line + b"\n" for line in lines if line != b"sync")
        if text:
            os.write(file, text)
            os.fdatasync(file)
        for _ in range(lines.count(b"sync")):
            os.write(1, b"ok\n")


class Ledger:
    def __init__(self, path):
        self.path = path
        self.offset = 0
        self.child = subprocess.Popen(
            [sys.executable, __file__, "--ledger", str(path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def write(self, *line):
        os.write(self.child.stdin.fileno(), (json.dumps(line) + "\n").encode())

    def news(self):
        """The lines written since the last call, from the file."""
        os.write(self.child.stdin.fileno(), b"sync\n")
        self.child.stdout.readline()
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            text = file.read()
        self.offset += len(text)
        return [json.loads(line) for line in text.splitlines()]

    def close(self):
        self.child.stdin.close()
        self.child.wait()


class Truth:
    """What the ledger says, and what the hub was seen to hold."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.digests = {}  # key -> of its metadata
        self.acked = {}  # key -> task id
        self.done = {}  # task id -> (generation, agent) of its accepted completion
        self.offers = {}  # task id -> (generation, agent) last handed out
        self.tasks = {}  # task id -> key, as listed
        self.ids = {}  # key -> task id, as listed
        self.generations = {}  # task id -> highest seen
        self.unfinished = set()  # listed, not seen in an end state
        self.submits = 0
        self.backups = []  # acknowledged

    def read(self):
        for kind, *line in self.ledger.news():
            getattr(self, f"take_{kind}")(*line)

    def take_submit(self, key, digest):
        self.digests[key] = digest

    def take_submitted(self, key, task_id):
        before = self.acked.setdefault(key, task_id)
        require(before == task_id, f"{key} was acknowledged as {before} and {task_id}")

    def take_offer(self, task_id, generation, agent):
        before, holder = self.offers.get(task_id, (0, agent))
        require(generation > before or (generation == before and holder == agent),
                f"{task_id}: generation {generation} for {agent} after {before}")
        self.offers[task_id] = (generation, agent)

    def take_report(self, task_id, generation, agent):
        require(task_id in self.offers, f"{task_id} was never handed out")

    def take_done(self, task_id, generation, agent):
        before = self.done.setdefault(task_id, (generation, agent))
        require(before == (generation, agent),
                f"{task_id} was accepted twice: {before} and {(generation, agent)}")

    def take_backup(self, name):
        self.backups.append(name)

    def see(self, text):
        """One page of the hub's list."""
        page = json.loads(text)
        decode = json.JSONDecoder().raw_decode
        for found in METADATA_IN_LIST.finditer(text):
            key = found.group(1)
            raw = text[found.end():decode(text, found.end())[1]]
            require(key in self.digests, f"{key} was never submitted")
            require(digest_of(raw) == self.digests[key], f"{key}: other bytes: {raw}")
        for task in page["tasks"]:
            self.see_task(task)
        return page

    def see_task(self, task):
        task_id, key = task["id"], task["description"]
        require(self.tasks.setdefault(task_id, key) == key, f"{task_id} changed its text")
        require(self.ids.setdefault(key, task_id) == task_id,
                f"{key} made two tasks: {self.ids[key]} and {task_id}")
        require(task["generation"] >= self.generations.get(task_id, 0),
                f"{task_id}: its generation fell to {task['generation']}")
        self.generations[task_id] = task["generation"]
        require(task["state"] not in ("dead_letter", "cancelled"),
                f"{task_id} is {task['state']}: {task['last_error']}")
        if task["state"] != "completed":
            require(task_id not in self.done,
                    f"{task_id} was done and is {task['state']}: {task}")
            self.unfinished.add(task_id)
            return
        self.unfinished.discard(task_id)
        result = task["result"]
        require((result["generation"], result["by"]) == (task["generation"],
                                                         task["assigned_to"]),
                f"{task_id}: somebody else's result: {task}")
        if task_id in self.done:
            require(self.done[task_id] == (result["generation"], result["by"]),
                    f"{task_id}: another result than was accepted: {task}")

    def check_lost(self):
        lost = [key for key, task_id in self.acked.items()
                if self.ids.get(key) != task_id]
        require(not lost, f"{len(lost)} lost: {lost[:5]}")


def digest_of(text):
    return hashlib.sha256(text.encode()).hexdigest()


class Client:
    """What submitters and agents share: they come back after every kill."""

    def __init__(self, torture, name):
        self.torture = torture
        self.hub = torture.hub
        self.ledger = torture.ledger
        self.random = random.Random(f"{torture.options.seed} {name}")
        self.name = name

    async def run(self):
        """Until the hub is gone."""
        with contextlib.suppress(OSError, websockets.WebSocketException, EOFError,
                                 asyncio.IncompleteReadError, asyncio.TimeoutError):
            await self.live()

    async def connect(self, **fields):
        socket = await websockets.connect(
            self.hub.ws_url, ping_interval=None, max_size=None, max_queue=None,
            compression=None, close_timeout=0.1, open_timeout=20)
        try:
            await socket.send(json.dumps({
                "type": "identify", "agent_id": self.name,
                "token": self.hub.register(self.name), **fields}))
            while True:
                message = json.loads(await socket.recv())
                require(message["type"] != "error", f"{self.name}: {message}")
                if message["type"] == "identified":
                    return socket
        except BaseException:
            socket.transport.abort()
            raise


class Submitter(Client):
    """Repeats what was not answered; leaves a few open questions open for ever."""

    def __init__(self, torture, name):
        super().__init__(torture, name)
        self.count = 0
        self.open = {}  # key -> the body's text

    def next(self):
        """A submit that was not answered before, or a new one."""
        self.count += 1
        key = f"key-{self.name.rsplit('-')[-1]}-{self.count}"
        metadata = ('{ "key":"%s" , "one":1.0,"big":%d,"text":"%s\\u00e9" }' % (
            key, self.random.getrandbits(90),
            "x" * self.random.choice((0, 10, 100, 2000))))
        priority = self.random.choice(("urgent", "high", "normal", "low"))
        body = (f'{{"description":"{key}","priority":"{priority}","max_retries":100,'
                f'"metadata":{metadata}')
        self.ledger.write("submit", key, digest_of(metadata))
        self.open[key] = body
        return key

    def forget_some(self):
        for key in list(self.open):
            if self.random.random() < 0.1:
                del self.open[key]

    def answered(self, key, task_id):
        self.ledger.write("submitted", key, task_id)
        self.open.pop(key, None)
        self.torture.backlog += 1
        self.torture.truth.submits += 1


class SocketSubmitter(Submitter):
    async def live(self):
        socket = await self.connect(max_concurrent=0)
        try:
            self.forget_some()
            for key in list(self.open):
                await self.ask(socket, key)
            while True:
                while len(self.open) < WINDOW and self.torture.wants_more():
                    await self.ask(socket, self.next())
                if self.open:
                    self.hear(json.loads(await socket.recv()))
                else:
                    await self.torture.pause()
        finally:
            socket.transport.abort()

    async def ask(self, socket, key):
        await socket.send(f'{self.open[key]},"type":"task_submit","request_id":"{key}",'
                          f'"idempotency_key":"{key}"}}')

    def hear(self, message):
        require(message["type"] != "error", f"{self.name}: {message}")
        if message["type"] == "task_submitted":
            self.answered(message["request_id"], message["task_id"])


class HttpSubmitter(Submitter):
    async def live(self):
        reader, writer = await asyncio.open_connection(self.hub.host, self.hub.port)
        try:
            self.forget_some()
            while True:
                if self.open:
                    await self.ask(reader, writer, next(iter(self.open)))
                elif self.torture.wants_more():
                    await self.ask(reader, writer, self.next())
                else:
                    await self.torture.pause()
        finally:
            writer.transport.abort()

    async def ask(self, reader, writer, key):
        body = (self.open[key] + "}").encode()
        writer.write((f"POST /api/tasks HTTP/1.1\r\nHost: {self.hub.host}\r\n"
                      f"Authorization: Bearer {self.hub.register(self.name)}\r\n"
                      "Content-Type: application/json\r\n"
                      f"Idempotency-Key: {key}\r\n"
                      f"Content-Length: {len(body)}\r\n\r\n").encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(re.search(r"content-length: *(\d+)", head).group(1))
        answer = await reader.readexactly(length)
        require(head.startswith("http/1.1 201"), f"{self.name}: {head} {answer}")
        self.answered(key, json.loads(answer)["task_id"])


class Agent(Client):
    """Does what it is given; at a reconnect repeats its reports or asks for its tasks."""

    def __init__(self, torture, name):
        super().__init__(torture, name)
        self.held = {}  # task id -> generation, not reported
        self.reported = {}  # task id -> generation, not acknowledged

    async def live(self):
        if self.random.random() < 0.03:
            # It has crashed too and knows nothing: its leases must run out.
            self.held, self.reported = {}, {}
        socket = await self.connect(max_concurrent=SLOTS)
        try:
            for task_id in list(self.reported):
                await self.report(socket, task_id)
            for task_id in list(self.held):
                await self.send(socket, "task_recovering", task_id=task_id)
            while True:
                await self.hear(socket, json.loads(await socket.recv()))
        finally:
            socket.transport.abort()

    async def send(self, socket, kind, **fields):
        await socket.send(json.dumps({"type": kind, **fields}))

    async def hear(self, socket, message):
        kind, task_id = message["type"], message.get("task_id")
        if kind == "task_assign":
            await self.take(socket, task_id, message["generation"])
        elif kind == "task_continue":
            await self.finish(socket, task_id, message["generation"])
        elif kind == "task_reassign":
            self.held.pop(task_id, None)
        elif kind == "task_ack" and message["status"] in ("complete", "retried"):
            generation = self.reported.pop(task_id, None)
            if message["status"] == "complete" and generation is not None:
                self.ledger.write("done", task_id, generation, self.name)
                self.torture.backlog -= 1
        elif kind == "error":
            await self.hear_error(message)

    async def hear_error(self, message):
        code = message["error"].split(": ")[-1]
        require(code in ("stale_generation", "invalid_state", "not_found"),
                f"{self.name}: {message}")
        # A report on a task that was taken away meanwhile.
        self.reported.pop(message.get("task_id"), None)

    async def take(self, socket, task_id, generation):
        self.ledger.write("offer", task_id, generation, self.name)
        self.held[task_id] = generation
        if self.random.random() < 0.9:
            await self.send(socket, "task_accepted", task_id=task_id,
                            generation=generation)
        await self.finish(socket, task_id, generation)

    async def finish(self, socket, task_id, generation):
        if self.held.pop(task_id, None) is None:
            return
        self.reported[task_id] = generation
        await self.report(socket, task_id)

    async def report(self, socket, task_id):
        generation = self.reported[task_id]
        # The same report is the same each time it is repeated.
        if digest_of(f"{task_id} {generation}")[0] == "0":
            await self.send(socket, "task_failed", task_id=task_id,
                            generation=generation, error="told to fail")
            return
        self.ledger.write("report", task_id, generation, self.name)
        await self.send(socket, "task_complete", task_id=task_id, generation=generation,
                        result={"by": self.name, "generation": generation})


class Keeper(Client):
    """Asks for a backup at some moment of most lives, and has one made at each drain."""

    answered = False

    async def live(self):
        self.answered = False
        if self.torture.draining or self.random.random() < 0.8:
            moment = time.monotonic() + self.random.uniform(0, 0.3)
            while time.monotonic() < moment:
                await self.torture.pause()
            await self.ask()
        while True:
            await self.torture.pause()

    async def ask(self):
        reader, writer = await asyncio.open_connection(self.hub.host, self.hub.port)
        self.torture.backups_asked += 1
        try:
            writer.write((f"POST /api/admin/backup HTTP/1.1\r\nHost: {self.hub.host}\r\n"
                          f"Authorization: Bearer {self.hub.tokens[self.name]}\r\n"
                          "Content-Length: 0\r\n\r\n").encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(re.search(r"content-length: *(\d+)", head).group(1))
            answer = await reader.readexactly(length)
            require(head.startswith(("http/1.1 200", "http/1.1 202")), f"{head} {answer}")
            self.answered = True
            if json.loads(answer)["status"] == "complete":
                self.ledger.write("backup", json.loads(answer)["backup"])
        finally:
            writer.transport.abort()


class Torture:
    def __init__(self, options, folder):
        self.options = options
        self.random = random.Random(options.seed)
        self.hub = Hub(folder, *FLAGS)
        self.ledger = Ledger(folder / "ledger")
        self.truth = Truth(self.ledger)
        self.backlog = 0
        self.draining = False
        self.slowest_s = 0.0
        self.walked_s = 0.0
        self.early = 0
        self.clients = []
        self.keeper = None
        self.backups_asked = 0
        self.backups_good = set()  # names of those read back and walked

    def wants_more(self):
        return not self.draining and self.backlog < BACKLOG

    async def pause(self):
        """For those who have nothing to do and so would not notice the end."""
        await asyncio.sleep(0.002)
        if self.hub.process.poll() is not None:
            raise EOFError

    async def up(self):
        """Starts the hub and waits until it is ready, within the time promised."""
        started = time.monotonic()
        self.hub.spawn()
        self.hub.wait_listening()
        self.hub.wait_ready()
        took = time.monotonic() - started
        self.slowest_s = max(self.slowest_s, took)
        require(took <= READY_S, f"ready only after {took:.2f} s")

    def walk(self):
        """The tables of the dead hub are whole."""
        if self.options.walk is None:
            return
        started = time.monotonic()
        done = subprocess.run([self.options.walk, self.hub.data], capture_output=True,
                              text=True, stdin=subprocess.DEVNULL)
        require(done.returncode == 0, f"the store is broken: {done.stderr}")
        self.walked_s += time.monotonic() - started

    def rows(self, directory):
        done = subprocess.run([self.options.walk, "--rows", directory], text=True,
                              capture_output=True, stdin=subprocess.DEVNULL)
        require(done.returncode == 0, f"{directory} is broken: {done.stderr}")
        return done.stdout

    def replay(self):
        """The store of the hub that ended once more, from a backup and the journal."""
        if self.options.walk is None:
            return
        place = self.hub.folder / "replayed"
        shutil.rmtree(place, ignore_errors=True)
        done = subprocess.run(
            [BIN / "drover-hub", "--data", self.hub.data, "--store-at", "last", "--to", place],
            env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True,
            stdin=subprocess.DEVNULL)
        require(done.returncode == 0, f"nothing is played back: {done.stderr}")
        require(self.rows(place) == self.rows(self.hub.data),
                "what is played back is another store")

    async def kill_at_start(self):
        self.hub.spawn()
        await asyncio.sleep(self.random.uniform(0, 0.06))
        require(self.hub.process.poll() is None,
                f"it ended by itself: {self.hub.log_tail()}")
        self.hub.kill()
        self.early += 1

    async def load(self, until):
        """Everybody at work until `until` returns; then the hub is killed."""
        tasks = [asyncio.create_task(client.run()) for client in self.clients]
        try:
            ended = asyncio.create_task(until())
            while not ended.done():
                done, _ = await asyncio.wait(
                    [ended, *(task for task in tasks if not task.done())],
                    return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                require(self.hub.process.poll() is None,
                        f"it ended by itself: {self.hub.log_tail()}")
        finally:
            self.hub.kill()
            _, late = await asyncio.wait(tasks, timeout=5)
            for task in late:
                task.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(outcome, Exception):
                    raise outcome

    async def get(self, path):
        answer = await asyncio.to_thread(
            self.hub.http, "GET", path, token=self.hub.submitter)
        require(answer.status == 200, f"{path}: {answer}")
        return answer.text

    def check(self, everything=False):
        """After a restart: the ledger against the list, from the oldest unfinished on."""
        truth = self.truth
        truth.read()
        after = None
        if not everything and truth.tasks:
            oldest = min(truth.unfinished, default=max(truth.tasks))
            after = max((task_id for task_id in truth.tasks if task_id < oldest),
                        default=None)
        cursor = f"&cursor={after}" if after else ""
        while True:
            answer = self.hub.http("GET", f"/api/tasks?limit=1000{cursor}",
                                   token=self.hub.submitter)
            require(answer.status == 200, f"listing: {answer}")
            page = truth.see(answer.text)
            if page["cursor"] is None:
                break
            cursor = f"&cursor={page['cursor']}"
        truth.check_lost()
        self.backlog = len(truth.unfinished)

    def check_backups(self):
        """After a restart, with none under way: what has a name is whole and listed."""
        place = self.hub.data / "backups"

        def listed():
            answer = self.hub.http("GET", "/api/admin/backups", token=self.hub.admin)
            require(answer.status == 200, f"backups: {answer}")
            return sorted(backup["name"] for backup in answer.json["backups"])

        def named():
            return sorted(path.name for path in place.iterdir()) if place.exists() else []

        until(lambda: listed() == named(), "the list is that of the directory")
        names = named()
        for name in names:
            if name in self.backups_good:
                continue
            done = subprocess.run(
                [BIN / "drover-hub", "--verify-store", place / name],
                env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True,
                stdin=subprocess.DEVNULL)
            require(done.returncode == 0, f"{name} is not good: {done.stderr}")
            self.backups_good.add(name)
        for name in self.truth.backups:
            younger = sum(other > name for other in names)
            require(name in names or younger >= BACKUPS_KEPT, f"{name} is lost: {names}")

    async def idle(self):
        """While draining: until all tasks are in an end state."""
        limit = time.monotonic() + DRAIN_S
        while True:
            counts = json.loads(await self.get("/api/tasks/stats"))["by_status"]
            left = sum(counts[word] for word in (
                "queued", "assigned", "working", "scheduled", "blocked"))
            questions = sum(len(client.open) for client in self.clients
                            if isinstance(client, Submitter))
            if left == 0 and questions == 0 and self.keeper.answered:
                return
            require(time.monotonic() < limit,
                    f"{left} tasks and {questions} submits are stuck, or the backup "
                    f"is: {counts}")
            await asyncio.sleep(0.02)

    async def drain(self):
        self.draining = True
        await self.load(self.idle)
        self.draining = False
        self.walk()
        await self.up()
        self.check(everything=True)
        self.check_backups()
        truth = self.truth
        require(not truth.unfinished, f"stuck: {sorted(truth.unfinished)[:5]}")
        require(set(truth.done) <= set(truth.tasks), "a done task is not there")

    async def round(self):
        if self.random.random() < 0.2:
            await self.kill_at_start()
        else:
            await self.up()
            self.check()
            self.check_backups()
            delay_s = self.random.uniform(0.005, 0.8)
            await self.load(lambda: asyncio.sleep(delay_s))

    async def enrol(self):
        """Everybody has a token before the first kill."""
        await self.up()
        self.hub.register("submitter")
        for n in range(SUBMITTERS):
            kind = (SocketSubmitter, HttpSubmitter)[n % 2]
            self.clients.append(kind(self, f"submitter-{n}"))
        self.clients += [Agent(self, f"agent-{n}") for n in range(AGENTS)]
        for client in self.clients:
            self.hub.register(client.name)
        self.keeper = Keeper(self, "keeper")
        self.clients.append(self.keeper)
        self.hub.tokens["keeper"] = self.hub.mint("keeper", "operator")
        self.hub.kill()

    async def run(self):
        started = time.monotonic()
        await self.enrol()
        for number in range(1, self.options.kills + 1):
            await self.round()
            # A walk takes longer the more there is.
            if len(self.truth.tasks) < WALK_ALWAYS or number % 5 == 0:
                self.walk()
            if number % DRAIN_EVERY == 0 or number == self.options.kills:
                await self.up()
                self.check()
                await self.drain()
                print(f"{number} kills ({self.early} at start): "
                      f"{len(self.truth.acked)} submits and {len(self.truth.done)} "
                      f"completions acknowledged, {len(self.truth.tasks)} tasks; "
                      f"{len(self.backups_good)} of {self.backups_asked} backups; "
                      f"slowest start {self.slowest_s:.3f} s; "
                      f"walks {self.walked_s:.1f} s; "
                      f"{time.monotonic() - started:.0f} s", flush=True)
                self.hub.kill()
        await self.up()
        code = self.hub.stop()
        require(code == 0, f"the hub ended with {code}")
        self.replay()
        require(len(self.truth.done) > 0, "nothing was ever done")
        require(self.options.kills < 50 or
                0 < len(self.backups_good) < self.backups_asked,
                "backups were all whole or all interrupted")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--walk", metavar="PROGRAM", help="crash_walk_store, as built")
    parser.add_argument("--ledger", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ledger:
        ledger_main(options.ledger)
        return 0
    if options.seed is None:
        options.seed = random.SystemRandom().getrandbits(32)

    folder = pathlib.Path(tempfile.mkdtemp(prefix="drover-torture-"))
    torture = Torture(options, folder)
    try:
        asyncio.run(torture.run())
        report = sanitizer_report(folder)
        require(report is None, report)
    except BaseException as failure:
        torture.hub.kill()
        print(torture.hub.log_tail(), file=sys.stderr)
        print(f"FAILED with --seed {options.seed}; kept {folder}", file=sys.stderr)
        if not isinstance(failure, Failure):
            raise
        print(failure, file=sys.stderr)
        return 1
    finally:
        torture.hub.kill()
        torture.ledger.close()
    shutil.rmtree(folder, ignore_errors=True)
    print(f"ok      {options.kills} kills, 0 lost, 0 accepted twice, 0 stuck "
          f"(--seed {options.seed})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
