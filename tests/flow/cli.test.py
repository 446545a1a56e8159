#!/usr/bin/python3
"""The command line against a real hub: each command, and each exit status."""

import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fleet import BIN, Fleet, await_true, holds, run, same  # noqa: E402

OK, FAILED, USAGE, NOT_FOUND, CONFLICT, AUTH, UNAVAILABLE, TIMEOUT = range(8)
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "../../schemas/http/post_task_cancel.json")) as file:
    ROUTE = json.load(file)
TASK = re.compile(r"task-[0-9a-f]{16}")


def good(done):
    """The standard output of a command that worked."""
    same(done[0], OK, f"exit status, said {done[2]!r}")
    return done[1]


def submitted(fleet, *arguments, **more):
    return TASK.search(good(fleet.drover("task", "submit", *arguments, **more))).group()


def a_task_is_submitted_with_all_it_can_say():
    with Fleet() as fleet:
        first = submitted(fleet, "first")
        task_id = submitted(
            fleet, "--priority", "urgent", "--needs", "git", "--needs=rust", "--metadata",
            '{"n": 1.50}', "--max-retries", "5", "--not-before", "+10m", "--complete-by",
            "2099-01-02T03:04:05Z", "--depends-on", first, "-", stdin="from \u00fc input\n")
        task = fleet.task(task_id)
        same(task["description"], "from \u00fc input", "description")
        same((task["priority"], task["max_retries"]), (0, 5), "priority, max_retries")
        same(sorted(task["needed_capabilities"]), ["git", "rust"], "needs")
        same(task["metadata"], {"n": 1.5}, "metadata")
        same(task["depends_on"], [first], "depends_on")
        same(task["complete_by"], 4071006245000, "complete_by")
        soon = task["not_before"] - time.time() * 1000
        holds(590000 < soon < 610000, f"not_before in {soon} ms")
        answer = json.loads(good(fleet.drover("--json", "task", "submit", "third")))
        same(fleet.task(answer["task_id"])["description"], "third", "the hub's own answer")


def what_is_wrong_with_a_submit_is_said():
    with Fleet() as fleet:
        for arguments in (["--metadata", "[1]", "x"], ["--metadata", "{", "x"],
                          ["--max-retries", "two", "x"], ["--not-before", "later", "x"],
                          ["--priority", "sometimes", "x"], ["x", "y"], [],
                          ["--no-such-option", "x"], ["x", "--priority"]):
            status, said, why = fleet.drover("task", "submit", *arguments)
            same(status, USAGE, f"{arguments}: {why}")
            holds(why.startswith("drover: ") and not said, f"{arguments}: {why!r}")
        holds("priority" in fleet.drover("task", "submit", "--priority", "x", "y")[2],
              "the field is named")
        status = fleet.drover("task", "submit", "--depends-on", "task-0000000000000000",
                              "x")[0]
        same(status, FAILED, "an unknown dependency")
        same(fleet.http("GET", "/api/tasks")[1]["count"], 0, "nothing was submitted")


def the_same_key_submits_once():
    with Fleet() as fleet:
        first = submitted(fleet, "--idempotency-key", "k", "one")
        same(submitted(fleet, "--idempotency-key", "k", "one"), first, "the second time")
        same(fleet.drover("task", "submit", "--idempotency-key", "k", "two")[0], CONFLICT,
             "another task with the key")


class Losing(threading.Thread):
    """Passes requests on to the hub, and loses the first answers."""

    def __init__(self, port, lost=1):
        super().__init__(daemon=True)
        self.lost = lost
        self.hub = ("127.0.0.1", port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.seen = 0
        self.start()

    def run(self):
        while True:
            client, _ = self.listener.accept()
            with client, socket.create_connection(self.hub) as hub:
                client.settimeout(0.5)
                hub.settimeout(2)
                hub.sendall(client.recv(65536))
                answer = hub.recv(65536)
                self.seen += 1
                if self.seen > self.lost:
                    client.sendall(answer)


def a_lost_answer_does_not_submit_twice():
    with Fleet() as fleet:
        losing = Losing(fleet.port)
        submitted(fleet, "--hub", losing.url, "once")
        same(losing.seen, 2, "requests")
        same(fleet.http("GET", "/api/tasks")[1]["count"], 1, "tasks")


def a_submission_that_may_have_been_taken_tells_how_to_go_on():
    with Fleet() as fleet, socket.create_server(("127.0.0.1", 0)) as mute:
        losing = Losing(fleet.port, lost=2)
        status, said, why = fleet.drover("--hub", losing.url, "task", "submit", "once")
        same((status, said), (UNAVAILABLE, ""), "both answers are lost")
        key = re.search(r"--idempotency-key ([0-9a-f]{32})\b", why)
        holds(key is not None, f"the key is told: {why!r}")
        submitted(fleet, "--idempotency-key", key.group(1), "once")
        same(fleet.http("GET", "/api/tasks")[1]["count"], 1, "tasks")
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        status, _, why = fleet.drover("--hub", url, "--timeout", "300ms", "task", "submit",
                                      "--idempotency-key", "mine", "x")
        same(status, TIMEOUT, "no answer in time")
        holds("--idempotency-key mine" in why, f"the key is told: {why!r}")
        status, _, why = fleet.drover("--hub", "http://127.0.0.1:1", "task", "submit", "x")
        holds("--idempotency-key" not in why, f"nothing was sent: {why!r}")


def tasks_are_listed_page_by_page():
    with Fleet() as fleet:
        tasks = [fleet.submit(f"t{i}", priority="low" if i % 2 else "high")
                 for i in range(5)]
        listed = good(fleet.drover("task", "list"))
        same(TASK.findall(listed), tasks, "all of them, oldest first")
        same(len({line.index("t") for line in listed.splitlines()[1:]}), 1, "columns")
        done = fleet.drover("task", "list", "--limit", "2")
        same(TASK.findall(good(done)), tasks[:2], "the first page")
        cursor = re.search(r"--cursor (\S+),", done[2]).group(1)
        same(TASK.findall(good(fleet.drover("task", "list", "--limit", "2", "--cursor",
                                            cursor))), tasks[2:4], "the second page")
        same(TASK.findall(good(fleet.drover("task", "list", "--limit", "2", "--all"))),
             tasks, "page after page")
        same(TASK.findall(good(fleet.drover("task", "list", "--priority", "low"))),
             tasks[1::2], "one lane")
        same(TASK.findall(good(fleet.drover("task", "list", "--status", "completed"))), [],
             "one state")
        same(json.loads(good(fleet.drover("task", "list", "--json")))["count"], 5, "--json")
        same(fleet.drover("task", "list", "--status", "odd")[0], USAGE, "an odd state")


def a_task_is_shown_and_why_it_waits():
    with Fleet() as fleet:
        fleet.sidecar("ada", command=["true"], capabilities=["git"])
        task_id = fleet.submit("needs more", needed_capabilities=["rust"])
        shown = good(fleet.drover("task", "show", task_id))
        for word in (task_id, "queued", "needs more", "rust", "waits because", "ada"):
            holds(word in shown, f"{word} is not in {shown!r}")
        same(json.loads(good(fleet.drover("task", "show", task_id, "--json")))["id"],
             task_id, "--json")
        for command in ("show", "watch", "cancel", "retry"):
            same(fleet.drover("task", command, "task-0000000000000000")[0], NOT_FOUND,
                 command)
            same(fleet.drover("task", command, "../../health")[0], USAGE, "another route")


def hostile_text_is_shown_harmless():
    with Fleet() as fleet:
        nasty = "red \x1b[31m\x07 \u202e\u2066bidi \u200bzero \x9b2J end"
        task_id = fleet.submit(nasty)
        for arguments in (["list"], ["show", task_id]):
            said = good(fleet.drover("task", *arguments))
            holds("\\u{1b}[31m\\u{7} \\u{202e}\\u{2066}bidi \\u{200b}zero \\u{9b}2J end"
                  in said, f"{said!r}")
            holds(not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]",
                                said), f"{said!r}")
        status, _, why = fleet.drover("task", "list", "--status", "x\x1b[31m")
        same(status, USAGE, "the status")
        holds("\x1b" not in why, f"{why!r}")


def a_watched_task_is_told_to_its_end():
    with Fleet() as fleet:
        fleet.sidecar("ada", command=["/bin/sh", "-c", (
            'echo \'{"progress": 40, "note": "half way"}\';'
            'until [ -e "$DROVER_TASK_DESCRIPTION" ]; do sleep 0.05; done;'
            '[ "$DROVER_TASK_DESCRIPTION" = good ] && echo "all well"')])
        watcher = subprocess.Popen(
            [f"{BIN}/drover", "--hub", fleet.url(), "--token-file",
             fleet.path("admin.token"), "task", "submit", "--wait", "good"],
            stdout=subprocess.PIPE, text=True)
        told = []
        while not any("40 %, half way" in line for line in told):
            told.append(watcher.stdout.readline())
            holds(told[-1], f"it ended early: {told}")
        fleet.write("ada/good", "")
        rest = watcher.stdout.read()
        same(watcher.wait(), OK, "its exit status")
        holds("completed" in rest and "all well" in rest, f"{rest!r}")

        fleet.write("ada/bad", "")
        status, said, _ = fleet.drover("task", "submit", "--wait", "--max-retries", "1",
                                       "bad")
        same(status, FAILED, "a dead letter")
        holds("dead_letter" in said and "exit code 1" in said, f"{said!r}")
        task_id = fleet.submit("never")
        same(fleet.drover("--timeout", "300ms", "task", "watch", task_id)[0], TIMEOUT,
             "a task that takes too long")
        good(fleet.drover("task", "cancel", task_id, "--reason", "enough"))
        status, said, _ = fleet.drover("task", "watch", task_id, "--json")
        same((status, json.loads(said)["state"]), (FAILED, "cancelled"), "cancelled")


def a_watcher_outlasts_a_restart_of_the_hub():
    with Fleet() as fleet:
        task_id = fleet.submit("x")
        watcher = subprocess.Popen(
            [f"{BIN}/drover", "--hub", fleet.url(), "--token-file",
             fleet.path("admin.token"), "task", "watch", task_id],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        same(watcher.stdout.readline(), "queued, no agent connected\n", "the first line")
        fleet.hub_kill()
        time.sleep(1.2)
        fleet.hub_start()
        good(fleet.drover("task", "cancel", task_id))
        said, why = watcher.communicate(timeout=20)
        same((watcher.returncode, said), (FAILED, "cancelled\n"), f"the end, {why!r}")


def tasks_are_cancelled_and_retried():
    with Fleet() as fleet:
        task_id = fleet.submit("x", max_retries=1)
        same(fleet.drover("task", "retry", task_id)[0], CONFLICT, "retry of a queued task")
        fleet.sidecar("ada", command=["false"])
        fleet.await_state(task_id, "dead_letter")
        same(good(fleet.drover("task", "retry", task_id)), f"{task_id} requeued\n", "retry")
        fleet.await_state(task_id, "dead_letter")
        same(fleet.drover("task", "cancel", task_id)[0], CONFLICT, "cancel of a dead letter")
        other = fleet.submit("y", needed_capabilities=["none"])
        same(good(fleet.drover("task", "cancel", other)), f"{other} cancelled\n", "cancel")


def an_agent_is_registered_and_starts_with_what_is_printed():
    with Fleet() as fleet:
        config = fleet.path("ada.json")
        good(fleet.drover("agent", "register", "ada", "--config-out", config, "--can", "git",
                          "--command", "echo", "--command", "done it", token=False))
        same(stat.S_IMODE(os.stat(config).st_mode), 0o600, "the file's mode")
        same(fleet.drover("agent", "register", "bob", "--config-out", config)[0], CONFLICT,
             "an existing file is kept")
        other = fleet.path("other.json")
        same(fleet.drover("agent", "register", "ada", "--config-out", other)[0], CONFLICT,
             "a name that is taken")
        holds(not os.path.exists(other), "no file is left behind")
        fleet.sidecar_start(config)
        fleet.await_agent("ada")
        listed = good(fleet.drover("agent", "list"))
        holds(re.search(r"^ada +idle +0/1 +\S+ +idle +git$", listed, re.M), f"{listed!r}")
        holds("done it" in good(fleet.drover("task", "submit", "--wait", "x")), "it works")
        printed = json.loads(good(fleet.drover("agent", "register", "bob")))
        same((printed["agent_id"], len(printed["token"])), ("bob", 64), "what is printed")
        printed = json.loads(good(fleet.drover("agent", "register", "cy", "--ca", config)))
        same(printed["ca_file"], os.path.realpath(config), "whom the sidecar trusts")


def an_agent_is_drained_and_resumed():
    with Fleet() as fleet:
        fleet.sidecar("ada", command=["/bin/sh", "-c", "until [ -e go ]; do sleep 0.05; done"])
        task_id = fleet.submit("long")
        fleet.await_state(task_id, "working")
        same(good(fleet.drover("agent", "drain", "ada")), "ada draining, 1 task in hand\n",
             "drain")
        listed = good(fleet.drover("agent", "states"))
        holds(re.search(rf"^ada +working +{task_id} +1/1 +draining ", listed, re.M),
              f"{listed!r}")
        same(fleet.drover("--timeout", "200ms", "agent", "drain", "--wait", "ada")[0],
             TIMEOUT, "it is at work")
        fleet.write("ada/go", "")
        same(good(fleet.drover("agent", "drain", "--wait", "ada")), "ada drained\n", "wait")
        same(good(fleet.drover("agent", "resume", "ada")), "ada resumed, 0 tasks in hand\n",
             "resume")
        fleet.await_state(fleet.submit("one more"), "completed")
        same(json.loads(good(fleet.drover("--json", "agent", "drain", "ada")))["status"],
             "draining", "as JSON")
        same(fleet.drover("agent", "drain", "nobody")[0], NOT_FOUND, "nobody")
        away = good(fleet.drover("agent", "states", "--offline", "--all"))
        holds("ada" in away, f"{away!r}")


def tokens_are_made_listed_and_revoked():
    with Fleet() as fleet:
        token = good(fleet.drover("token", "create", "ci", "--role", "viewer")).strip()
        same(len(token), 64, "the token's length")
        listed = good(fleet.drover("token", "list"))
        holds(re.search(rf"^ci +viewer +{token[:8]}\.\.\. ", listed, re.M), f"{listed!r}")
        holds(token not in listed, "the whole token is never listed")
        viewer = {"DROVER_TOKEN": token}
        good(fleet.drover("task", "list", token=False, environment=viewer))
        same(fleet.drover("task", "submit", "x", token=False, environment=viewer)[0], AUTH,
             "a viewer submits")
        same(fleet.drover("token", "create", "ci", "--role", "king")[0], USAGE, "odd role")
        narrow = good(fleet.drover("token", "create", "ci", "--role", "viewer", "--scope",
                                   "schemas:read", "--scope", "messages:read", "--label",
                                   "nightly", "--expires-in", "2h")).strip()
        shown = next(line for line in good(fleet.drover("token", "list")).splitlines()
                     if narrow[:8] in line)
        holds(shown.endswith("messages:read, schemas:read  nightly"), f"{shown!r}")
        same(fleet.drover("task", "list", token=False,
                          environment={"DROVER_TOKEN": narrow})[0], AUTH, "its scopes")
        same(fleet.drover("token", "create", "ci", "--scope", "none")[0], USAGE, "no scope")
        same(fleet.drover("token", "rotate", "ci")[0], USAGE, "tokens that differ")
        newer = good(fleet.drover("token", "rotate", "ci", narrow[:8], "--overlap", "1m"))
        holds(re.fullmatch(r"[0-9a-f]{64}\n", newer), f"{newer!r}")
        same(good(fleet.drover("token", "revoke", "ci", narrow[:8])),
             f"ci {narrow[:8]} revoked\n", "revoke one")
        same(fleet.drover("token", "revoke", "ci", narrow[:8])[0], NOT_FOUND, "once more")
        good(fleet.drover("task", "list", token=False, environment=viewer))
        same(good(fleet.drover("token", "revoke", "ci")), "ci revoked\n", "revoke")
        same(fleet.drover("task", "list", token=False, environment=viewer)[0], AUTH,
             "a revoked token")


def limits_are_set_shown_and_taken_back():
    with Fleet() as fleet:
        same(good(fleet.drover("rate", "set", "ada", "--heavy", "600/300", "--light", "7")),
             "ada updated\n", "set")
        same(good(fleet.drover("rate", "exempt", "bob")), "bob has no limits\n", "exempt")
        shown = good(fleet.drover("rate", "show"))
        for line in (r"^role +agent +120 +60 +10$", r"^name +ada +7 +- +600 \+ 300/min$",
                     r"^name +bob +exempt +exempt +exempt$"):
            holds(re.search(line, shown, re.M), f"{line} in {shown!r}")
        listed = good(fleet.drover("rate", "list"))
        holds(re.search(r"^bob +agent +0 % +0 % +0 +no +yes$", listed, re.M), f"{listed!r}")
        same(good(fleet.drover("rate", "clear", "ada")), "ada has the defaults\n", "clear")
        same(good(fleet.drover("rate", "unexempt", "bob")), "bob has limits again\n", "back")
        limits = json.loads(good(fleet.drover("rate", "show", "--json")))
        same((limits["overrides"], limits["whitelist"]), ({}, []), "nothing is left")
        for words in (["ada"], ["ada", "--light", "x"], ["ada", "--light", "1/x"],
                      ["ada", "--light", "-1"], ["ada", "--light", ""], []):
            same(fleet.drover("rate", "set", *words)[0], USAGE, f"{words}")
        same(fleet.drover("rate", "set", "ada", "--light", "0")[0], USAGE, "nothing at all")


def the_token_is_found_where_it_may_be():
    with Fleet() as fleet:
        status, _, said = fleet.drover("task", "list", token=False)
        same(status, AUTH, "without a token")
        holds("--token-file" in said, f"what to do is said: {said!r}")
        same(fleet.drover("task", "list", "--token", "wrong", token=False)[0], AUTH, "wrong")
        good(fleet.drover("task", "list", "--token", fleet.token, token=False))
        path = fleet.path("admin.token")
        good(fleet.drover("task", "list", token=False,
                          environment={"DROVER_TOKEN_FILE": path}))
        os.mkdir(fleet.path("drover-data"))
        shutil.copy(path, fleet.path("drover-data/admin.token"))
        good(fleet.drover("task", "list", token=False))
        # Never to a host that only looks like this machine.
        status, _, _ = fleet.drover("--hub", "http://127.0.0.1@localhost:1", "task", "list",
                                    token=False)
        same(status, USAGE, "a URL with a user")
        same(fleet.drover("task", "list", "--token-file", "no-such-file", token=False)[0],
             USAGE, "a file that is not there")


def a_hub_that_is_not_there_is_told():
    with Fleet() as fleet:
        same(good(fleet.drover("hub", "health")), "ok, 0 agents connected\n", "health")
        same(json.loads(good(fleet.drover("hub", "health", "--json")))["status"], "ok",
             "--json")
        same(fleet.drover("--hub", "http://127.0.0.1:1", "hub", "health")[0], UNAVAILABLE,
             "nobody listens")
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            same(fleet.drover("--hub", url, "--timeout", "300ms", "hub", "health")[0],
                 TIMEOUT, "nobody answers")
            same(fleet.drover("--hub", "ftp://x", "hub", "health")[0], USAGE, "odd URL")


def help_is_there_for_everything():
    def drover(*arguments):
        done = subprocess.run([f"{BIN}/drover", *arguments], capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    commands = re.findall(r"^  ((?:task|agent|token|hub|import) [\w-]+)", good(drover("help")), re.M)
    holds(len(commands) >= 18, f"commands: {commands}")
    for command in commands:
        said = good(drover(*command.split(), "--help"))
        holds(said.startswith(f"usage: drover {command}"), said)
        same(good(drover("help", *command.split())), said, "the same by help")
    said = " ".join(good(drover("task", "cancel", "--help")).split())
    holds(ROUTE["summary"] in said, said)
    holds(ROUTE["body"]["properties"]["reason"]["description"] in said, said)
    holds(re.fullmatch(r"drover \d+\.\d+\.\d+\n", good(drover("version"))), "version")
    for wrong in ((), ("frob",), ("task",), ("task", "frob"), ("help", "frob"),
                  ("task", "list", "--json=x"), ("hub", "health", "x")):
        same(drover(*wrong)[0], USAGE, f"{wrong}")
    with open("/dev/full", "w") as full:
        same(subprocess.run([f"{BIN}/drover", "help"], stdout=full).returncode, FAILED,
             "a full disk is no success")


if __name__ == "__main__":
    run([story for name, story in list(globals().items())
         if callable(story) and getattr(story, "__module__", "") == "__main__"
         and name not in ("good", "submitted", "Losing")])
