"""A hub, sidecars and the command line in a folder of their own, for the flow tests."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.request

from support import a_port, asked

BIN = os.environ.get("DROVER_BIN", "build/bin")
PATIENCE_S = float(os.environ.get("FLOW_PATIENCE_S", "30"))


def await_true(what, check, patience_s=PATIENCE_S):
    """The first true value of check(), or a failure that says what was awaited."""
    end = time.monotonic() + patience_s
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience_s} s in vain: {what}")
        time.sleep(0.02)


def same(got, wanted, what=""):
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r}, wanted {wanted!r}")


def holds(condition, what):
    if not condition:
        raise AssertionError(what)


class Fleet:
    """Everything in one temporary folder; ends with the `with` block."""

    def __init__(self, *hub_options):
        self.folder = tempfile.mkdtemp(prefix="drover-flow-")
        self.hub_options = list(hub_options)
        self.hub = None
        self.port = 0
        self.tls = None
        self.token = None
        self.sidecars = []

    def __enter__(self):
        try:
            self.hub_start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, *_):
        for process in [*self.sidecars, self.hub]:
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        if kind is not None:
            self.logs_show()
        shutil.rmtree(self.folder, ignore_errors=True)

    def logs_show(self):
        for name in sorted(os.listdir(self.folder)):
            if name.endswith(".log"):
                with open(self.path(name), errors="replace") as log:
                    print(f"--- {name}\n{''.join(log.readlines()[-40:])}", file=sys.stderr)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o600):
        with open(self.path(name), "w") as file:
            file.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def read(self, name):
        with open(self.path(name)) as file:
            return file.read()

    def await_log(self, name, word):
        def there():
            try:
                return word in self.read(name)
            except OSError:
                return False

        await_true(f"{name} says {word}", there)

    def pids(self, *names):
        """The process ids in these files, once they are all there."""
        def there():
            try:
                return [int(self.read(name)) for name in names]
            except (OSError, ValueError):
                return None

        return await_true(f"{names} are written", there)

    # --- the hub ---

    def hub_start(self):
        """On a free port at first, on the same port ever after."""
        self.port = self.port or a_port("127.0.0.1")
        port_file = self.path("port")
        if os.path.exists(port_file):
            os.unlink(port_file)
        log = open(self.path("hub.log"), "a")
        command = [f"{BIN}/drover-hub", "--data", self.path("hub"), "--listen",
                   f"127.0.0.1:{self.port}", "--port-file", port_file, *self.hub_options]
        self.hub = subprocess.Popen(command, stdout=log, stderr=log)
        log.close()

        def answers():
            holds(self.hub.poll() is None, "the hub ended by itself")
            try:
                with open(port_file) as file:
                    self.port = int(file.read())
                return self.http("GET", "/health", token=None)[0] == 200
            except (OSError, ValueError):
                return False

        await_true("the hub answers", answers)
        if self.token is None:
            self.enrol()

    def enrol(self):
        """The first administrator; the token stands in admin.token as well."""
        secret = self.read("hub/enrolment.secret").strip()
        status, answer = self.http("POST", "/api/enrol", {}, token=secret)
        same(status, 201, f"enrol: {answer}")
        self.token = answer["token"]
        self.write("admin.token", self.token + "\n")

    def hub_kill(self):
        self.hub.kill()
        self.hub.wait()

    def url(self):
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    def http(self, method, path, body=None, token=""):
        """(status, answer); token "" is the admin's, None is nobody's."""
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token or self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url() + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10, context=self.tls) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def submit(self, description, **fields):
        status, answer = self.http("POST", "/api/tasks",
                                   {"description": description, **fields})
        same(status, 201, f"submit: {answer}")
        return answer["task_id"]

    def task(self, task_id):
        status, answer = self.http("GET", f"/api/tasks/{task_id}")
        same(status, 200, f"show: {answer}")
        return answer

    def await_state(self, task_id, *states, patience_s=PATIENCE_S):
        def there():
            task = self.task(task_id)
            return task if task["state"] in states else None

        return await_true(f"{task_id} is {states}", there, patience_s)

    # --- sidecars ---

    def register(self, agent_id):
        status, answer = self.http("POST", "/api/onboard/register",
                                   {"agent_id": agent_id}, token=None)
        same(status, 201, f"register: {answer}")
        return answer["token"]

    def sidecar_config(self, agent_id, token, **settings):
        os.makedirs(self.path(agent_id), exist_ok=True)
        config = {
            "agent_id": agent_id,
            "token": token,
            "hub_url": f"ws://127.0.0.1:{self.port}/ws",
            "log_file": self.path(f"{agent_id}.log"),
            "log_level": "debug",
            **settings,
        }
        return self.write(f"{agent_id}/config.json", json.dumps(config))

    def sidecar_start(self, config):
        process = subprocess.Popen([f"{BIN}/drover-sidecar", "--config", config],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.sidecars.append(process)
        return process

    def sidecar(self, agent_id, **settings):
        """A registered, connected sidecar; its process."""
        config = self.sidecar_config(agent_id, self.register(agent_id), **settings)
        process = self.sidecar_start(config)
        self.await_agent(agent_id)
        return process

    def agents(self):
        return {agent["agent_id"]: agent
                for agent in self.http("GET", "/api/agents")[1]["agents"]}

    def await_agent(self, agent_id):
        await_true(f"{agent_id} is connected", lambda: agent_id in self.agents())

    # --- the command line ---

    def drain(self, process, agent_id):
        """Tells the sidecar to end, and waits until the hub has heard of it."""
        process.send_signal(signal.SIGTERM)
        await_true(f"{agent_id} drains",
                   lambda: self.agents()[agent_id]["flags"] == ["draining"])

    def drover(self, *arguments, stdin="", token=True, environment=None):
        """(exit status, standard output, standard error)"""
        command = [f"{BIN}/drover", "--hub", self.url()]
        if token:
            command += ["--token-file", self.path("admin.token")]
        done = subprocess.run([*command, *arguments], input=stdin, capture_output=True,
                              text=True, timeout=60, cwd=self.folder,
                              env={**os.environ, **(environment or {})})
        return done.returncode, done.stdout, done.stderr


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except OSError:
        return False


def ends(process, patience_s=PATIENCE_S):
    """The process's exit status."""
    try:
        return process.wait(timeout=patience_s)
    except subprocess.TimeoutExpired:
        raise AssertionError("the process does not end") from None


def run(stories):
    """Runs every story, says which failed, ends the process."""
    stories, wanted = asked(stories)
    failed = 0

    def out_of_time(*_):
        raise TimeoutError("the stories took too long")

    # As an exception, so that what was started is ended as well.
    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(170)
    for story in stories:
        if wanted and story.__name__ not in wanted:
            continue
        began = time.monotonic()
        try:
            story()
            print(f"ok      {story.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
        except Exception:
            failed += 1
            traceback.print_exc()
            print(f"FAILED  {story.__name__}", flush=True)
    sys.exit(1 if failed else 0)
