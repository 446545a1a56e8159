"""
What the stories share: a hub of their own, agents over WebSockets, plain HTTP.

A story file names its cases as sentences, marks them with @case and ends with main().
Each case gets a fresh hub in a fresh folder; afterwards the hub must stop by itself
with exit code 0 and without a word from a sanitizer. Nothing here sleeps for a fixed
time: what must happen is waited for, and what must not happen is ruled out by a ping,
since a connection is answered in order.
"""

import asyncio
import contextlib
import http.client
import inspect
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import traceback

import websockets

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("DROVER_BIN") or ROOT / "build" / "bin")
SANITIZED = bool(os.environ.get("DROVER_SANITIZE"))
PATIENCE_S = 40 if SANITIZED else 15
POLL_S = 0.005
# The stories run wherever a temporary folder is, be it in memory.
ENVIRONMENT = {"DROVER_FORCED_FILE_SYSTEM": "true"}
SANITIZER_WORDS = ("Sanitizer", "runtime error:", "ENSURE")


class Answer:
    """An HTTP answer, read whole."""

    def __init__(self, response, data):
        self.status = response.status
        self.headers = response.headers
        self.data = data
        self.text = data.decode("utf-8", "replace")

    @property
    def json(self):
        return json.loads(self.text)

    def __repr__(self):
        return f"HTTP {self.status} {self.text[:400]!r}"


def a_port(host):
    """One that the system hands out to nobody: a hub that starts again finds it free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(1000):
        port = random.randint(10000, 32000)
        with socket.socket(family) as probe, contextlib.suppress(OSError):
            probe.bind((host.strip("[]"), port))
            return port
    return 0


class Hub:
    """One hub process; restart with start() on the same port and folder."""

    def __init__(self, folder, *flags, env=None, tls=None, host="127.0.0.1"):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.log_path = self.folder / "hub.log"
        self.flags = list(flags)
        self.env = dict(env or {})
        self.tls = tls
        self.host = host
        self.port = 0
        self.process = None
        self.tokens = {}
        self.admin_token = None
        self.links = []

    def command(self):
        port_file = self.folder / "port"
        return [
            str(BIN / "drover-hub"), "--data", str(self.data),
            "--listen", f"{self.host}:{self.port}", "--port-file", str(port_file),
            *self.flags,
        ]

    def spawn(self):
        self.port = self.port or a_port(self.host)
        (self.folder / "port").unlink(missing_ok=True)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **ENVIRONMENT, **self.env})

    def start(self):
        self.spawn()
        self.wait_listening()
        self.wait_ready()
        return self

    def wait_listening(self):
        path = self.folder / "port"

        def port():
            self.require_alive()
            text = path.read_text().strip() if path.exists() else ""
            return int(text) if text else None

        self.port = until(port, "the hub writes its port")

    def wait_ready(self):
        def ready():
            self.require_alive()
            with contextlib.suppress(OSError, http.client.HTTPException):
                return self.http("GET", "/readyz", timeout=2).status == 200
            return False

        until(ready, "the hub is ready")

    def require_alive(self):
        if self.process.poll() is not None:
            raise AssertionError(
                f"the hub ended with {self.process.returncode}:\n{self.log_tail()}")

    def stop(self, number=signal.SIGTERM):
        """Sends the signal and returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_tail(self, lines=30):
        return "\n".join(self.log().splitlines()[-lines:])

    @property
    def scheme(self):
        return "https" if self.tls else "http"

    @property
    def url(self):
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def ws_url(self):
        return f"{'wss' if self.tls else 'ws'}://{self.host}:{self.port}/ws"

    @property
    def secret(self):
        """What makes the first administrator."""
        return (self.data / "enrolment.secret").read_text().strip()

    @property
    def admin(self):
        """The administrator's token; the first who asks is enrolled."""
        if self.admin_token is None:
            answer = self.http("POST", "/api/enrol", token=self.secret)
            assert answer.status == 201, answer
            self.admin_token = answer.json["token"]
        return self.admin_token

    def connection(self, timeout=PATIENCE_S):
        if self.tls:
            return http.client.HTTPSConnection(
                self.host, self.port, timeout=timeout, context=self.tls)
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def http(self, method, path, body=None, token=None, headers=None,
             timeout=PATIENCE_S):
        """A body that is no str or bytes goes out as JSON."""
        wanted = dict(headers or {})
        if token is not None:
            wanted.setdefault("Authorization", f"Bearer {token}")
        if body is not None:
            wanted.setdefault("Content-Type", "application/json")
            if not isinstance(body, (str, bytes)):
                body = json.dumps(body)
            if isinstance(body, str):
                body = body.encode()
        connection = self.connection(timeout)
        try:
            connection.request(method, path, body=body, headers=wanted)
            response = connection.getresponse()
            return Answer(response, response.read())
        finally:
            connection.close()

    def register(self, agent_id):
        """The agent's token, asked for once."""
        if agent_id not in self.tokens:
            self.tokens[agent_id] = self.mint(agent_id, "agent")
        return self.tokens[agent_id]

    def mint(self, agent_id, role, **fields):
        answer = self.http("POST", "/admin/tokens",
                           {"agent_id": agent_id, "role": role, **fields},
                           token=self.admin)
        assert answer.status == 201, answer
        return answer.json["token"]

    def exempt(self, *names):
        """Those who may say as much as they like."""
        for name in names:
            answer = self.http("POST", "/api/admin/rate-limits/whitelist",
                               {"agent_id": name}, token=self.admin)
            assert answer.status == 200, answer

    @property
    def submitter(self):
        """The token of somebody who submits as much as it likes."""
        if "submitter" not in self.tokens:
            self.tokens["submitter"] = self.mint("submitter", "submitter")
        return self.tokens["submitter"]

    def submit(self, description="work", key=None, **fields):
        """Submits over HTTP and returns the answer's body."""
        headers = {"Idempotency-Key": key} if key is not None else None
        answer = self.http("POST", "/api/tasks", {"description": description, **fields},
                           token=self.submitter, headers=headers)
        assert answer.status == 201, answer
        return answer.json

    def task(self, task_id):
        answer = self.http("GET", f"/api/tasks/{task_id}", token=self.submitter)
        assert answer.status == 200, answer
        return answer.json

    def tasks(self, query=""):
        answer = self.http("GET", f"/api/tasks{query}", token=self.submitter)
        assert answer.status == 200, answer
        return answer.json

    def all_tasks(self, query=""):
        """Every page, one after the other."""
        found = []
        cursor = ""
        while True:
            page = self.tasks(f"?limit=1000{cursor}{query}")
            found += page["tasks"]
            if page["cursor"] is None:
                return found
            cursor = f"&cursor={page['cursor']}"

    def stats(self):
        answer = self.http("GET", "/api/tasks/stats", token=self.submitter)
        assert answer.status == 200, answer
        return answer.json

    def retry(self, task_id):
        return self.http("POST", f"/api/tasks/{task_id}/retry", token=self.submitter)

    def cancel(self, task_id, reason=None):
        body = {"reason": reason} if reason is not None else None
        return self.http("POST", f"/api/tasks/{task_id}/cancel", body,
                         token=self.submitter)

    def until_state(self, task_id, state):
        def there():
            task = self.task(task_id)
            return task if task["state"] == state else None

        return until(there, lambda: f"{task_id} is {state}, not {self.task(task_id)}")

    async def reaches(self, task_id, state):
        """until_state() for cases with open sockets, which must go on reading."""
        def there():
            task = self.task(task_id)
            return task if task["state"] == state else None

        return await eventually(
            there, lambda: f"{task_id} is {state}, not {self.task(task_id)}")

    async def agent(self, agent_id, **fields):
        """A connected and identified agent."""
        return await Agent(self, agent_id).connect(**fields)

    async def link(self):
        """A connection that has said nothing yet."""
        link = Agent(self, None)
        await link.open()
        return link


class Frame(dict):
    """A message received, with its original text."""

    def __init__(self, text):
        super().__init__(json.loads(text))
        self.text = text

    def fits(self, kind, fields):
        return (kind is None or self.get("type") == kind) and all(
            name in self and self[name] == value for name, value in fields.items())


class Agent:
    """One WebSocket; what comes in waits in a box until somebody expects it."""

    def __init__(self, hub, agent_id):
        self.hub = hub
        self.agent_id = agent_id
        self.socket = None
        self.box = []
        self.news = asyncio.Event()
        self.reader = None
        self.ended = False

    async def open(self, **options):
        self.socket = await websockets.connect(
            self.hub.ws_url, ssl=self.hub.tls, ping_interval=None, max_size=None,
            max_queue=None, compression=None, open_timeout=PATIENCE_S, close_timeout=2,
            **options)
        self.reader = asyncio.create_task(self.read())
        self.hub.links.append(self)
        return self

    async def read(self):
        try:
            async for text in self.socket:
                self.box.append(Frame(text))
                self.news.set()
        except websockets.ConnectionClosed:
            pass
        finally:
            self.ended = True
            self.news.set()

    async def connect(self, token=None, **fields):
        """Opens, identifies and waits until the hub knows it."""
        await self.open()
        await self.identify(token, **fields)
        self.identified = await self.expect("identified")
        return self

    async def identify(self, token=None, agent_id=None, **fields):
        agent_id = agent_id or self.agent_id
        if token is None:
            token = self.hub.register(agent_id)
        await self.send("identify", agent_id=agent_id, token=token, **fields)

    async def send(self, kind, **fields):
        await self.say(json.dumps({"type": kind, **fields}))

    async def say(self, text):
        """The text as it is, valid or not."""
        await self.socket.send(text)

    def waiting(self, kind=None, **fields):
        return [frame for frame in self.box if frame.fits(kind, fields)]

    async def expect(self, kind=None, patience_s=PATIENCE_S, **fields):
        """Takes the first frame that fits out of the box."""
        limit = time.monotonic() + patience_s
        while True:
            self.news.clear()
            found = self.waiting(kind, **fields)
            if found:
                self.box.remove(found[0])
                return found[0]
            left = limit - time.monotonic()
            if self.ended or left <= 0:
                raise AssertionError(
                    f"{self.agent_id}: no {kind} {fields}; "
                    f"{self.end_text()}; box: {self.box}")
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.news.wait(), left)

    def end_text(self):
        if not self.ended:
            return "still open"
        return f"closed with {self.socket.close_code} {self.socket.close_reason!r}"

    async def error(self, code=None, **fields):
        if code is not None:
            fields["error"] = code
        return await self.expect("error", **fields)

    async def settle(self):
        """All that was sent before is answered, and all answers are in the box."""
        await self.send("ping")
        await self.expect("pong")

    async def none(self, kind, **fields):
        """Nothing of the kind has come, and nothing sent so far will bring it."""
        await self.settle()
        found = self.waiting(kind, **fields)
        assert not found, found

    async def given(self, task_id=None):
        """The task_assign of this task, or of any."""
        return await self.expect("task_assign", **({"task_id": task_id} if task_id else {}))

    async def accept(self, task):
        await self.send("task_accepted", task_id=task["task_id"],
                        generation=task["generation"])
        return await self.expect("task_ack", task_id=task["task_id"], status="accepted")

    async def complete(self, task, **fields):
        fields.setdefault("result", {"status": "success"})
        await self.send("task_complete", task_id=task["task_id"],
                        generation=task["generation"], **fields)
        return await self.expect("task_ack", task_id=task["task_id"], status="complete")

    async def fail(self, task, error="it broke"):
        await self.send("task_failed", task_id=task["task_id"],
                        generation=task["generation"], error=error)
        return await self.expect("task_ack", task_id=task["task_id"])

    async def closed(self, patience_s=PATIENCE_S):
        """Waits for the end and returns the close code."""
        await asyncio.wait_for(asyncio.shield(self.reader), patience_s)
        return self.socket.close_code

    async def leave(self):
        """A clean close from this side."""
        await self.socket.close()
        await self.closed()

    async def open_narrow(self):
        """As open(), with little room for what is not read."""
        narrow = socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        # The peer's buffer grows with the size of a segment.
        narrow.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        narrow.connect((self.hub.host, self.hub.port))
        narrow.setblocking(False)
        return await self.open(sock=narrow)

    async def starve(self, disturb, kind):
        """Reads nothing while others disturb it, for longer and longer, until the hub
        says with a message of this kind that something was left out."""
        rounds = 8
        while not self.waiting(kind):
            self.socket.transport.pause_reading()
            for _ in range(rounds):
                await disturb()
            self.socket.transport.resume_reading()
            await self.settle()
            rounds *= 2

    async def vanish(self):
        """The connection breaks without a word."""
        self.socket.transport.abort()
        await self.closed()


@contextlib.contextmanager
def small_disk(folder, size):
    """A file system of its own, in memory; who runs this may mount."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs",
                    str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill_disk(path):
    """A file that takes all the room there is."""
    with contextlib.suppress(OSError), open(path, "wb", buffering=0) as file:
        while True:
            file.write(bytes(64 * 1024))


def until(question, what, patience_s=PATIENCE_S):
    """Asks until the answer is true, and returns it."""
    limit = time.monotonic() + patience_s
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > limit:
            raise AssertionError(
                f"waited {patience_s} s until {what() if callable(what) else what}")
        time.sleep(POLL_S)


async def eventually(question, what, patience_s=PATIENCE_S):
    """until() beside the event loop."""
    limit = time.monotonic() + patience_s
    while True:
        answer = question()
        if inspect.isawaitable(answer):
            answer = await answer
        if answer:
            return answer
        if time.monotonic() > limit:
            raise AssertionError(
                f"waited {patience_s} s until {what() if callable(what) else what}")
        await asyncio.sleep(POLL_S)


def same(seen, wanted):
    assert seen == wanted, f"{seen!r} is not {wanted!r}"


def now_ms():
    return int(time.time() * 1000)


CASES = []


def case(*flags, hub=True, env=None):
    """Marks a case. With hub=False it gets its folder only and starts what it needs."""
    def mark(function):
        CASES.append((function, flags, hub, env))
        return function

    return mark


def sanitizer_report(folder):
    """Our own programs' last words in this folder, if any sanitizer spoke."""
    for path in pathlib.Path(folder).rglob("*.log"):
        text = path.read_text(errors="replace")
        for word in SANITIZER_WORDS:
            if word in text:
                return f"{path.name}: {text[max(0, text.index(word) - 200):][:6000]}"
    return None


def run_case(function, flags, wants_hub, env):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="drover-flow-"))
    hub = None
    try:
        subject = folder
        if wants_hub:
            hub = subject = Hub(folder, *flags, env=env).start()
        result = function(subject)
        if inspect.isawaitable(result):
            asyncio.run(tell(result, hub))
        if hub is not None:
            code = hub.stop()
            assert code == 0, f"the hub ended with {code}:\n{hub.log_tail()}"
        report = sanitizer_report(folder)
        assert report is None, report
    except BaseException:
        if hub is not None:
            hub.kill()
            print(hub.log_tail(), file=sys.stderr)
        report = sanitizer_report(folder)
        if report is not None:
            print(report, file=sys.stderr)
        raise
    finally:
        if hub is not None:
            hub.kill()
        shutil.rmtree(folder, ignore_errors=True)


async def tell(story, hub, limit_s=PATIENCE_S * 8):
    await asyncio.wait_for(story, limit_s)
    # Who stays and does not answer the hub's goodbye is waited for: not needed here.
    for link in hub.links if hub is not None else []:
        link.socket.transport.abort()


def make_certificate(folder):
    """A self-made certificate for 127.0.0.1: (certificate, key, context that trusts it)."""
    certificate = pathlib.Path(folder) / "hub.crt"
    key = pathlib.Path(folder) / "hub.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
         "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, stdin=subprocess.DEVNULL, capture_output=True)
    key.chmod(0o600)
    return certificate, key, ssl.create_default_context(cafile=str(certificate))


def asked(cases):
    """The cases to choose from and the words they are chosen by, as the arguments say:
    [--part I/N] [WORD...]; a part is every N-th case from the I-th on."""
    words = sys.argv[1:]
    if words[:1] == ["--part"]:
        part, parts = (int(word) for word in words[1].split("/"))
        return cases[part - 1::parts], words[2:]
    return cases, words


def main():
    """Runs every case, or those whose names hold one of the arguments."""
    cases, wanted = asked(CASES)
    failed = []
    for function, flags, wants_hub, env in cases:
        name = function.__name__.replace("_", " ")
        if wanted and not any(word in name for word in wanted):
            continue
        started = time.monotonic()
        try:
            run_case(function, flags, wants_hub, env)
            print(f"ok      {name} ({time.monotonic() - started:.2f} s)", flush=True)
        except Exception:
            failed.append(name)
            sys.stdout.flush()
            traceback.print_exc()
            print(f"FAILED  {name}", flush=True)
    if failed:
        print(f"{len(failed)} of {len(cases)} failed: {'; '.join(failed)}")
    sys.exit(1 if failed else 0)
