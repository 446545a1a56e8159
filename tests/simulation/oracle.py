#!/usr/bin/env python3
"""The queue a second time: reads the trace of a simulated run and says where the hub did
what the documents do not allow.

    oracle.py TRACE...            each line is one committed command and what it said
    oracle.py --run PROGRAM FIRST COUNT

Written from docs/protocol.md, docs/reference/tasks.md, docs/decisions/ and section 4 of
the AgentCom v1.1 contract, not from hub/core. It does not choose who gets a task: it is
told, and says whether that was allowed. What falls due it works out for itself, and at the
end of a run every task must have ended by its reckoning too.
"""
import copy
import json
import os
import subprocess
import sys
import tempfile

ENDED = ("completed", "cancelled", "dead_letter")
LANES = {"urgent": 0, "high": 1, "normal": 2, "low": 3}
REPORTS = ("task_accepted", "task_progress", "lease_renew", "task_complete", "task_failed",
           "task_cancelled", "task_recovering", "task_blocked", "task_unblocked")
PREFIX = {"task_complete": "task_complete_failed: ", "task_failed": "task_fail_failed: "}


class Wrong(Exception):
    pass


def check(holds, text, *about):
    if not holds:
        raise Wrong(text + (": " + ", ".join(str(item) for item in about) if about else ""))


class Task:
    def __init__(self, number, asked, wall):
        self.id = number
        self.lane = LANES[asked.get("priority") or "normal"]
        self.needs = set(asked.get("needed_capabilities") or [])
        self.depends = list(asked.get("depends_on") or [])
        self.not_before = asked.get("not_before") or 0
        self.complete_by = asked.get("complete_by") or 0
        self.attempts = 0
        self.generation = 0
        self.state = None
        self.holder = None      # who may report
        self.slot = None        # whose room it takes; outlives a cancel
        self.was = None         # whose it was when it was cancelled
        self.until = None       # the fleet's clock: acceptance or lease
        self.retry_at = 0
        self.last = None        # (agent, generation, kind, word) of the last report taken

    def let_go(self):
        self.holder = self.slot = self.until = None


class Agent:
    def __init__(self):
        self.link = 0
        self.can = set()
        self.room = 0
        self.grace = None


class Oracle:
    def __init__(self):
        self.settings = {}
        self.tasks = {}
        self.order = []         # ids, oldest first
        self.agents = {}
        self.keys = {}          # (actor, key): (what was asked, id, fleet time)
        self.announced = []     # cancelled or ended: whoever waits hears of it at a tick
        self.backup = None
        self.seen = {}          # id: the highest generation of any history
        self.counts = {"hand-outs": 0, "completions": 0, "refusals": 0, "restores": 0}

    # What a task waits for decides where it stands.
    def settle(self, task, wall, now):
        states = [self.tasks[other].state for other in task.depends if other in self.tasks]
        if "cancelled" in states:
            task.state = "cancelled"
            self.announced.append(task.id)
        elif any(state != "completed" for state in states):
            task.state = "blocked"
        elif task.not_before > wall or task.retry_at > now:
            task.state = "scheduled"
        else:
            task.state = "queued"

    def settle_waiters(self, number, wall, now):
        for task in list(self.tasks.values()):
            if task.state == "blocked" and number in task.depends:
                self.settle(task, wall, now)

    def attempt_over(self, task, line, delay=0):
        task.let_go()
        task.attempts += 1
        task.not_before = 0
        if task.attempts >= task.attempts_max:
            task.state = "dead_letter"
            return
        task.generation += 1
        task.retry_at = line["now"] + delay if delay else 0
        task.state = "scheduled" if delay else "queued"

    def ready(self):
        return {number for number, task in self.tasks.items() if task.state == "queued"}

    def taken(self, name):
        return sum(task.slot == name for task in self.tasks.values())

    # As it was at the backup, but nobody holds anything and nobody is there.
    def restored(self, generations):
        for number, task in self.tasks.items():
            self.seen[number] = max(task.generation, self.seen.get(number, 0))
        self.tasks, self.order, self.agents, self.keys, self.announced = \
            copy.deepcopy(self.backup)
        check(set(generations) == set(self.tasks), "a restore has other tasks than its "
              "backup", set(generations) ^ set(self.tasks))
        for number, task in self.tasks.items():
            check(generations[number] > self.seen[number], "a generation came back",
                  number, generations[number], self.seen[number])
            task.generation = generations[number]
            if task.state in ("assigned", "working"):
                task.state = "queued"
            task.let_go()
            task.was = None
        for agent in self.agents.values():
            agent.link, agent.grace = 0, None
        self.counts["restores"] += 1

    # --- commands -----------------------------------------------------------------
    def line(self, line):
        if "settings" in line:
            self.settings = line["settings"]
            return
        if "backup" in line:
            self.backup = copy.deepcopy((self.tasks, self.order, self.agents, self.keys,
                                         self.announced))
            return
        if "restored" in line:
            self.restored(line["restored"])
            return
        before = self.ready()
        kind = line["type"]
        sent = [out for out in line["out"] if out.get("body") is not None]
        if kind in ("post_task", "task_submit"):
            self.submit(line, sent)
        elif kind in REPORTS:
            self.report(line, sent)
        elif kind == "identify":
            self.identify(line, sent)
        elif kind == "link_closed":
            self.leave([a for a in self.agents.values() if a.link == line["link"]], line)
        elif kind == "hub_started":
            self.leave([a for a in self.agents.values() if a.link], line)
        elif kind == "tick":
            self.tick(line)
        elif kind == "post_task_cancel":
            self.cancel(line, sent)
        elif kind == "post_task_retry":
            self.retry(line, sent)
        for out in sent:
            if out["type"] == "task_assign":
                self.assign(line, out, before)

    def asked_key(self, line):
        return line["path"].get("idempotency-key") or line["in"].get("idempotency_key")

    def submit(self, line, sent):
        asked = {name: value for name, value in line["in"].items()
                 if name not in ("idempotency_key", "request_id")}
        key = self.asked_key(line)
        known = self.keys.get((line.get("actor"), key)) if key else None
        if known and line["now"] - known[2] >= self.settings["idempotency_ms"]:
            known = None        # it may be remembered for longer, or not
            self.keys.pop((line.get("actor"), key))
        answers = [out for out in sent if out["type"] in ("post_task", "task_submitted") or
                   (out["kind"] == "answer" and out.get("status") in (200, 201))]
        if not answers:
            if known and any("idempotency_conflict" in json.dumps(out["body"])
                             for out in sent):
                check(known[0] != asked, "the same request was called a conflict", key)
            return
        body = answers[0]["body"]
        number = body["task_id"]
        if known:
            check(known[0] == asked, "a key took another request for its own", key)
            check(known[1] == number, "one key made two tasks", key, number)
            return
        if number in self.tasks:
            check(key, "a task was answered for another request", number)
            return              # remembered past its time
        task = Task(number, asked, line["wall"])
        task.attempts_max = asked.get("max_retries") or self.settings["attempts_default"]
        self.settle(task, line["wall"], line["now"])
        check(body.get("state", body.get("status")) == task.state, "a new task stands "
              "elsewhere", number, body, task.state)
        check(not self.order or number > self.order[-1], "ids do not rise", number)
        check(number not in self.seen, "an id came back", number)
        self.tasks[number] = task
        self.order.append(number)
        if key:
            self.keys[(line.get("actor"), key)] = (asked, number, line["now"])

    def identify(self, line, sent):
        if not any(out["type"] == "identified" for out in sent):
            return
        name = line["actor"]
        for other, agent in self.agents.items():
            if other != name and agent.link == line["link"]:
                self.leave([agent], line)
        agent = self.agents.setdefault(name, Agent())
        again = agent.link == line["link"]
        agent.link = line["link"]
        agent.can = set(line["in"].get("capabilities") or [])
        slots = line["in"].get("max_concurrent")
        agent.room = 1 if slots is None else slots
        agent.grace = None
        for task in self.tasks.values():
            if not again and task.state == "assigned" and task.holder == name:
                task.until = line["now"] + self.settings["acceptance_ms"]

    def leave(self, agents, line):
        for agent in agents:
            agent.link = 0
            agent.grace = line["now"] + self.settings["reconnect_grace_ms"]

    def tick(self, line):
        now, wall = line["now"], line["wall"]
        for name, agent in self.agents.items():
            if agent.grace is not None and agent.grace <= now and not agent.link:
                agent.grace = None
                for task in self.tasks.values():
                    if task.slot == name and task.state == "cancelled":
                        task.let_go()
                    elif task.slot == name:
                        self.attempt_over(task, line)
        for task in self.tasks.values():
            if task.until is not None and task.until <= now:
                if task.state == "cancelled":
                    task.let_go()
                else:
                    self.attempt_over(task, line)
            if task.state in ("assigned", "working") and task.complete_by and \
                    task.complete_by <= wall:
                task.complete_by = 0
                self.attempt_over(task, line)
            if task.state == "scheduled" and max(task.not_before - wall,
                                                 task.retry_at - now) <= 0:
                task.state = "queued"
        while self.announced:
            self.settle_waiters(self.announced.pop(), wall, now)

    def cancel(self, line, sent):
        task = self.tasks.get(line["path"]["task_id"])
        if task is None or not any(out.get("status") == 200 for out in sent):
            return
        check(task.state not in ENDED or task.state == "cancelled",
              "an ended task was cancelled", task.id, task.state)
        if task.state != "cancelled":
            task.state = "cancelled"
            task.was = task.holder
            task.holder = None
            self.announced.append(task.id)

    def retry(self, line, sent):
        task = self.tasks.get(line["path"]["task_id"])
        if task is None or not any(out.get("status") == 200 for out in sent):
            return
        check(task.state == "dead_letter", "a task that is alive was revived", task.id,
              task.state)
        task.state, task.attempts = "queued", 0
        task.generation += 1

    # --- reports ------------------------------------------------------------------
    def refusal(self, task, name, line):
        generation = line["in"].get("generation")
        if generation is None:
            generation = task.generation
        if generation != task.generation:
            return "stale_generation"
        if task.state == "cancelled" and name in (task.slot, task.was):
            return "task_cancelled"
        return None if task.holder == name else "invalid_state"

    def expected(self, line, name, task):
        """What the hub should say: (message, word), or None for silence."""
        kind = line["type"]
        terminal = kind in ("task_complete", "task_failed")
        if task is None:
            return ("error", "not_found" if terminal else "task_not_found")
        said = (name, line["in"].get("generation"), kind)
        if terminal and task.last and task.last[:3] == said:
            return ("task_ack", task.last[3])
        code = self.refusal(task, name, line)
        if kind == "task_cancelled":
            if code != "task_cancelled":
                return ("error", code or "invalid_state")
            if task.slot == name:
                task.let_go()
            return ("task_ack", "cancelled")
        if code:
            if terminal and code == "task_cancelled" and task.slot == name:
                task.let_go()
            return ("error", code)
        if kind == "task_complete":
            return ("task_ack", self.complete(line, name, task, said))
        if kind == "task_failed":
            return ("task_ack", self.fail(line, name, task, said))
        self.renew(line, task)
        return {"task_accepted": ("task_ack", "accepted"),
                "task_blocked": ("task_ack", "blocked"),
                "task_unblocked": ("task_ack", "unblocked"),
                "lease_renew": ("lease_renewed", None), "task_progress": None}[kind]

    def renew(self, line, task):
        # Accepting twice starts nothing anew.
        if line["type"] != "task_accepted" or task.state == "assigned":
            task.until = line["now"] + self.settings["lease_ms"]
        task.state = "working"

    def complete(self, line, name, task, said):
        check(task.state in ("assigned", "working"), "completed twice", task.id)
        self.counts["completions"] += 1
        task.let_go()
        task.state = "completed"
        task.last = said + ("complete",)
        self.settle_waiters(task.id, line["wall"], line["now"])
        return "complete"

    def fail(self, line, name, task, said):
        self.attempt_over(task, line, self.settings["retry_delay_ms"])
        word = "dead_letter" if task.state == "dead_letter" else "retried"
        task.last = said + (word,)
        return word

    def report(self, line, sent):
        name = line.get("actor")
        agent = self.agents.get(name)
        to_asker = [out for out in sent if out["link"] == line["link"] and
                    out["type"] in ("task_ack", "error", "lease_renewed", "task_continue",
                                    "task_reassign")]
        actual = None
        if to_asker:
            body = to_asker[0]["body"]
            word = body.get("status") or body.get("error")
            actual = (to_asker[0]["type"], word)
        if agent is None or agent.link != line["link"]:
            check(actual == ("error", "not_identified"), "a stranger was heard", actual)
            return
        task = self.tasks.get(line["in"]["task_id"])
        if line["type"] == "task_recovering":
            want = self.recover(line, name, task)
        else:
            want = self.expected(line, name, task)
        if want and want[0] == "error":
            self.counts["refusals"] += 1
            want = ("error", PREFIX.get(line["type"], "") + want[1])
        check(actual == want, "a report was answered otherwise", line["type"],
              line["in"].get("task_id"), "said", actual, "expected", want)

    def recover(self, line, name, task):
        if task is None or task.holder != name:
            if task is not None and task.slot == name:
                task.let_go()
            return ("task_reassign", None)
        task.until = line["now"] + self.settings["lease_ms"]
        task.state = "working"
        return ("task_continue", None)

    # --- hand-outs ----------------------------------------------------------------
    def assign(self, line, out, before):
        body = out["body"]
        task = self.tasks[body["task_id"]]
        names = [name for name, agent in self.agents.items()
                 if agent.link and agent.link == out["link"]]
        check(names, "a task was handed to nobody", task.id)
        name, agent = names[0], self.agents[names[0]]
        if task.state == "assigned" and task.holder == name:
            check(body["generation"] == task.generation, "offered again under another "
                  "generation", task.id)
            task.until = line["now"] + self.settings["acceptance_ms"]
            return
        check(task.state == "queued", "a task that was not ready was handed out", task.id,
              task.state)
        check(body["generation"] == task.generation + 1, "a generation was skipped",
              task.id, body["generation"], task.generation)
        check(task.needs <= agent.can, "handed to one that cannot do it", task.id, name)
        check(self.taken(name) < agent.room, "handed more than it has room for", name)
        for number in before:
            other = self.tasks[number]
            if other.state != "queued" or not other.needs <= agent.can:
                continue
            check(not (other.lane == task.lane and number < task.id),
                  "overtook an older one of its lane", task.id, number)
            check(not (other.lane < task.lane and self.settings["lane_passes_max"] == 0),
                  "went before a more urgent one", task.id, number)
        self.counts["hand-outs"] += 1
        # What is late already cannot become late in somebody's hands.
        if task.complete_by and task.complete_by <= line["wall"]:
            task.complete_by = 0
        task.state, task.holder, task.slot = "assigned", name, name
        task.generation = body["generation"]
        task.until = line["now"] + self.settings["acceptance_ms"]

    def end(self):
        for task in self.tasks.values():
            check(task.state in ENDED, "never came to its end", task.id, task.state)


def judge(path):
    oracle = Oracle()
    with open(path, encoding="utf-8") as trace:
        for number, text in enumerate(trace, 1):
            try:
                oracle.line(json.loads(text))
            except Wrong as wrong:
                raise Wrong(f"line {number}: {wrong}") from None
    oracle.end()
    return oracle.counts


def run(program, first, count):
    total = {}
    for seed in range(first, first + count):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "trace")
            done = subprocess.run([program, "--replay", str(seed), "--trace", path],
                                  stdout=subprocess.PIPE, text=True, check=False)
            if done.returncode != 0:
                sys.exit(done.stdout)
            try:
                counts = judge(path)
            except Wrong as wrong:
                sys.exit(f"seed {seed}: {wrong}\nagain: {program} --replay {seed} "
                         "--trace FILE; tests/simulation/oracle.py FILE")
        for name, number in counts.items():
            total[name] = total.get(name, 0) + number
    print(f"{count} seeds:", ", ".join(f"{number} {name}" for name, number in
                                       total.items()))
    if not total or min(total.values()) == 0:
        sys.exit("a run in which nothing happens shows nothing")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        run(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        for trace_path in sys.argv[1:]:
            print(trace_path, judge(trace_path))
