#!/usr/bin/python3
"""The sidecar against a hub of our own making: what it says, and when."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import websockets

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fleet import BIN, alive, holds, run, same  # noqa: E402

REPORTS = ("task_complete", "task_failed", "task_cancelled")


class FakeHub:
    """Hands frames to the story in the order they come, and says what the story says."""

    def __init__(self, **settings):
        self.folder = tempfile.mkdtemp(prefix="drover-fake-")
        self.settings = settings
        self.wishes = {}
        self.frames = asyncio.Queue()
        self.links = asyncio.Queue()
        self.process = None

    async def __aenter__(self):
        self.server = await websockets.serve(self.on_link, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        self.start()
        await self.link()
        return self

    async def __aexit__(self, kind, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.server.close()
        if kind is not None:
            with open(f"{self.folder}/log") as log:
                print("".join(log.readlines()[-30:]), file=sys.stderr)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        config = {"agent_id": "ada", "token": "secret", "command": ["true"],
                  "hub_url": f"ws://127.0.0.1:{self.port}/ws", "kill_grace_ms": 300,
                  "log_file": f"{self.folder}/log", "log_level": "debug", **self.settings}
        if "wake_command" in config:
            del config["command"]
        with open(f"{self.folder}/config.json", "w") as file:
            json.dump(config, file)
        os.chmod(file.name, 0o600)
        self.process = subprocess.Popen([f"{BIN}/drover-sidecar", "--config", file.name],
                                        stderr=subprocess.DEVNULL)

    async def on_link(self, link, *_):
        await self.links.put(link)
        try:
            async for text in link:
                await self.frames.put(json.loads(text))
        except websockets.ConnectionClosed:
            pass

    async def link(self, identify=True):
        """The next connection, known to the hub."""
        self.now = await asyncio.wait_for(self.links.get(), 15)
        if identify:
            await self.expect("identify")
            await self.say("identified", agent_id="ada", lease_ms=3000,
                           reconnect_grace_ms=400, **self.wishes)

    async def say(self, kind, **fields):
        await self.now.send(json.dumps({"type": kind, **fields}))

    async def assign(self, task_id="task-1", generation=1, description="x", **fields):
        await self.say("task_assign", task_id=task_id, description=description,
                       metadata={}, generation=generation, assigned_at=1, **fields)

    async def expect(self, kind, patience_s=10, **fields):
        """The next frame but pings and renewals, which must be of this kind."""
        while True:
            frame = await asyncio.wait_for(self.frames.get(), patience_s)
            if frame["type"] == kind or frame["type"] not in ("ping", "lease_renew"):
                break
        same(frame["type"], kind, f"the kind of {frame}")
        for name, value in fields.items():
            same(frame.get(name), value, f"{name} of {frame}")
        return frame

    async def silence(self, seconds=0.5):
        try:
            frame = await asyncio.wait_for(self.frames.get(), seconds)
        except asyncio.TimeoutError:
            return
        raise AssertionError(f"unexpected: {frame}")

    async def await_runs(self, *generations):
        end = time.monotonic() + 10
        while self.runs() != list(generations) and time.monotonic() < end:
            await asyncio.sleep(0.02)
        same(self.runs(), list(generations), "runs")

    async def await_pid(self):
        """The process id the command wrote down."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                with open(f"{self.folder}/pid") as file:
                    return int(file.read())
            except (OSError, ValueError):
                await asyncio.sleep(0.02)
        raise AssertionError("no process id")

    def runs(self):
        try:
            with open(f"{self.folder}/runs") as file:
                return file.read().split()
        except OSError:
            return []


def story(work):
    def told():
        asyncio.run(work())

    told.__name__ = work.__name__
    told.story = True
    return told


def command(script):
    return {"command": ["/bin/sh", "-c", 'echo "$DROVER_TASK_GENERATION" >>runs; ' + script]}


@story
async def it_says_who_it_is():
    hub = FakeHub(capabilities=["git"], max_concurrent=2)
    hub.server = await websockets.serve(hub.on_link, "127.0.0.1", 0)
    hub.port = hub.server.sockets[0].getsockname()[1]
    hub.start()
    await hub.link(identify=False)
    frame = await hub.expect("identify")
    same(frame, {"type": "identify", "agent_id": "ada", "token": "secret",
                 "status": "idle", "capabilities": ["git"], "max_concurrent": 2,
                 "client_type": "sidecar", "protocol_version": 1}, "identify")
    await hub.say("error", error="invalid_token", message_type="identify")
    same(await asyncio.to_thread(hub.process.wait, 10), 77, "its exit status")
    await hub.__aexit__(None)


@story
async def a_task_handed_out_twice_runs_once():
    async with FakeHub(**command("until [ -e go ]; do sleep 0.05; done")) as hub:
        await hub.assign()
        await hub.expect("task_accepted", task_id="task-1", generation=1)
        await hub.assign()
        await hub.expect("task_accepted", task_id="task-1", generation=1)
        open(f"{hub.folder}/go", "w").close()
        await hub.expect("task_complete", task_id="task-1", generation=1)
        same(hub.runs(), ["1"], "runs")
        # Its report is not answered yet, so it still knows the task.
        await hub.assign()
        await hub.expect("task_accepted", task_id="task-1", generation=1)
        same(hub.runs(), ["1"], "runs")


@story
async def a_later_generation_goes_on_with_the_work_in_hand():
    async with FakeHub(**command("until [ -e go ]; do sleep 0.05; done")) as hub:
        await hub.assign()
        await hub.expect("task_accepted", generation=1)
        await hub.assign(generation=3)
        await hub.expect("task_accepted", generation=3)
        await hub.assign(generation=2)
        await hub.silence()
        open(f"{hub.folder}/go", "w").close()
        await hub.expect("task_complete", generation=3)
        same(hub.runs(), ["1"], "runs")


@story
async def a_report_is_sent_until_it_is_answered():
    async with FakeHub(**command("true")) as hub:
        await hub.assign()
        await hub.expect("task_accepted")
        await hub.say("task_ack", task_id="task-1", status="accepted")
        first = await hub.expect("task_complete")
        await hub.say("task_ack", task_id="task-1", status="accepted")
        await hub.say("task_ack", task_id="task-2", status="complete")
        for _ in range(3):
            await hub.now.close()
            await hub.link()
            same(await hub.expect("task_complete"), first, "said again")
        await hub.say("task_ack", task_id="task-1", status="complete", generation=1)
        await hub.silence(0.2)
        await hub.now.close()
        await hub.link()
        await hub.silence()


@story
async def reports_come_in_their_order_one_by_one():
    async with FakeHub(max_concurrent=4, **command(
            "sleep 0.$DROVER_TASK_DESCRIPTION")) as hub:
        for number in (4, 1, 3):
            await hub.assign(f"task-{number}", description=str(number))
        for _ in range(3):
            await hub.expect("task_accepted")
        await hub.expect("task_complete", task_id="task-1")
        await hub.silence(0.6)
        await hub.say("task_ack", task_id="task-1", status="complete")
        await hub.expect("task_complete", task_id="task-3")
        await hub.say("error", error="task_complete_failed: stale_generation",
                      message_type="task_complete", task_id="task-3", generation=7)
        await hub.expect("task_complete", task_id="task-4")


@story
async def a_killed_sidecar_delivers_what_it_had():
    async with FakeHub(**command("true")) as hub:
        await hub.assign()
        await hub.expect("task_accepted")
        first = await hub.expect("task_complete")
        hub.process.kill()
        hub.process.wait()
        hub.start()
        await hub.link()
        same(await hub.expect("task_complete"), first, "said again")


@story
async def a_damaged_outbox_is_set_aside_and_told():
    said = b'{"type":"task_complete","task_id":"task-%s","generation":1,"result":{}}'
    files = {
        "00000000000000000001.c.1.task-a.report": b"",
        "00000000000000000002.c.1.task-b.report": b"\0" * 70,
        "00000000000000000003.c.1.task-c.report": (said % b"c")[:-9],
        "00000000000000000004.c.1.task-d.report": said % b"e",
        "00000000000000000005.f.1.task-f.report": said % b"f",
        "00000000000000000006.c.2.task-g.report": said % b"g",
        "who knows.report": b"x",
    }
    hub = FakeHub()
    os.makedirs(f"{hub.folder}/outbox/00000000000000000007.c.1.task-h.report")
    for name, content in {**files,
                          "00000000000000000008.c.1.task-i.report": said % b"i",
                          "00000000000000000009.c.1.task-j.report.new": b"{",
                          "task-k.begun": b"",
                          "task-l.begun": b"\xff\n{}"}.items():
        with open(f"{hub.folder}/outbox/{name}", "wb") as file:
            file.write(content)
    async with hub:
        asked = [(await hub.expect("task_recovering"))["task_id"] for _ in range(2)]
        same(sorted(asked), ["task-k", "task-l"], "what was begun")
        await hub.expect("task_complete", task_id="task-i")
        # Handed out again as it was: whether it was run cannot be known, so it is not.
        await hub.assign("task-k")
        await hub.expect("task_accepted", task_id="task-k")
        await hub.say("task_ack", task_id="task-i", status="complete", generation=1)
        failed = {}
        for _ in range(7):
            frame = await hub.expect("task_failed")
            failed[frame["task_id"]] = frame["error"]
            await hub.say("task_ack", task_id=frame["task_id"], status="retried")
        damaged = "report_damaged: the file in the outbox cannot be read"
        same(failed, {**{f"task-{name}": damaged for name in "abcdgh"},
                      "task-k": "sidecar_restarted"}, "what failed")
        await (await hub.now.ping())  # the last answer has been read
        kept = [f"{name}.damaged" for name in [*files, "00000000000000000007.c.1.task-h.report"]]
        same(sorted(os.listdir(f"{hub.folder}/outbox")),
             sorted([*kept, "lock", "task-l.begun"]), "what is left")
        with open(f"{hub.folder}/log") as log:
            text = log.read()
        for name in kept:
            holds(name in text, f"the log tells of {name}")


@story
async def a_refusal_that_passes_is_tried_again():
    async with FakeHub(**command("true")) as hub:
        await hub.assign()
        await hub.expect("task_accepted")
        first = await hub.expect("task_complete")
        await hub.say("error", error="storage_full", message_type="task_complete",
                      retry_after_ms=200)
        same(await hub.expect("task_complete"), first, "said again")


@story
async def a_result_that_is_never_taken_becomes_a_failure():
    async with FakeHub(**command("true")) as hub:
        await hub.assign()
        await hub.expect("task_accepted")
        await hub.expect("task_complete")
        await hub.say("error", error="validation_failed", message_type="task_complete",
                      errors=[{"field": "result", "error": "x", "detail": "y"}])
        await hub.expect("task_failed", task_id="task-1", generation=1)
        await hub.say("task_ack", task_id="task-1", status="retried")
        await hub.assign(generation=2)
        await hub.expect("task_accepted")
        await hub.expect("task_complete", generation=2)
        await hub.now.close(1009)
        await hub.link()
        await hub.expect("task_failed", error="result_too_large", generation=2)


@story
async def work_taken_away_is_stopped_without_a_word():
    async with FakeHub(**command("sleep 100")) as hub:
        await hub.assign()
        await hub.expect("task_accepted")
        await hub.await_runs("1")
        await hub.now.close()
        await hub.link()
        await hub.expect("task_recovering", task_id="task-1")
        await hub.say("task_reassign", task_id="task-1")
        # The place is free: the next one starts.
        await hub.assign("task-2")
        await hub.expect("task_accepted", task_id="task-2")
        await hub.await_runs("1", "1")


@story
async def work_that_may_go_on_goes_on():
    async with FakeHub(**command("until [ -e go ]; do sleep 0.05; done")) as hub:
        await hub.assign()
        await hub.expect("task_accepted")
        await hub.now.close()
        await hub.link()
        await hub.expect("task_recovering", task_id="task-1")
        await hub.say("task_continue", task_id="task-1", generation=1)
        open(f"{hub.folder}/go", "w").close()
        await hub.expect("task_complete", generation=1)
        same(hub.runs(), ["1"], "runs")


@story
async def a_cancelled_task_is_told_as_such():
    async with FakeHub(**command('trap "" TERM; sleep 100; sleep 100')) as hub:
        await hub.assign()
        await hub.expect("task_accepted")
        await hub.say("task_cancel", task_id="task-1", generation=1, reason="enough")
        await hub.expect("task_cancelled", task_id="task-1", generation=1)
        await hub.say("task_ack", task_id="task-1", status="cancelled")
        # One that is not known is not running, so it is stopped as well.
        await hub.say("task_cancel", task_id="task-9", generation=4, reason=None)
        await hub.expect("task_cancelled", task_id="task-9", generation=4)


async def dies(pid):
    end = time.monotonic() + 10
    while alive(pid):
        holds(time.monotonic() < end, f"{pid} lives on")
        await asyncio.sleep(0.02)


@story
async def a_command_that_makes_a_group_of_its_own_is_stopped_with_it():
    def in_time(script):
        return ["timeout", "600", "/bin/sh", "-c", "echo $$ >pid; " + script]

    # Asked to end, it ends.
    async with FakeHub(kill_grace_ms=60000, command=in_time("exec sleep 500")) as hub:
        await hub.assign()
        await hub.expect("task_accepted")
        pid = await hub.await_pid()
        await hub.say("task_cancel", task_id="task-1", generation=1, reason=None)
        await hub.expect("task_cancelled")
        await dies(pid)
    deaf = in_time('trap "" TERM; while :; do sleep 500; done')
    for way in ("cancel", "time limit", "kill"):
        limit = {"time_limit_ms": 1000} if way == "time limit" else {}
        async with FakeHub(command=deaf, **limit) as hub:
            await hub.assign()
            await hub.expect("task_accepted")
            pid = await hub.await_pid()
            if way == "cancel":
                await hub.say("task_cancel", task_id="task-1", generation=1, reason=None)
            if way == "kill":
                hub.process.kill()
            else:
                await hub.expect("task_failed" if limit else "task_cancelled")
            await dies(pid)
    # What it leaves behind goes with it.
    async with FakeHub(command=["timeout", "600", "/bin/sh", "-c",
                                "sleep 500 & echo $! >pid"]) as hub:
        await hub.assign()
        await hub.expect("task_accepted")
        await hub.expect("task_complete")
        await dies(await hub.await_pid())


@story
async def a_task_cancelled_and_handed_out_again_starts_again():
    async with FakeHub(**command('trap "" TERM; sleep 100; sleep 100')) as hub:
        await hub.assign()
        await hub.expect("task_accepted", generation=1)
        await hub.await_runs("1")
        await hub.say("task_cancel", task_id="task-1", generation=1, reason=None)
        await hub.assign(generation=2)
        await hub.expect("task_cancelled", generation=1)
        await hub.expect("task_accepted", generation=2)
        await hub.await_runs("1", "2")


@story
async def a_begun_task_is_asked_for_after_a_crash():
    for answer in ("task_continue", "task_reassign", "task_assign"):
        async with FakeHub(**command("sleep 100")) as hub:
            await hub.assign()
            await hub.expect("task_accepted")
            await hub.await_runs("1")
            hub.process.kill()
            hub.process.wait()
            hub.start()
            await hub.link()
            await hub.expect("task_recovering", task_id="task-1")
            if answer == "task_reassign":
                await hub.say(answer, task_id="task-1")
                await hub.silence()
            elif answer == "task_assign":
                await hub.assign()
                await hub.expect("task_accepted", generation=1)
                await hub.expect("task_failed", error="sidecar_restarted", generation=1)
            else:
                await hub.say(answer, task_id="task-1", generation=1)
                await hub.expect("task_failed", error="sidecar_restarted", generation=1)
            same(hub.runs(), ["1"], "runs")


@story
async def a_lease_is_renewed_at_a_third():
    async with FakeHub(**command("sleep 100")) as hub:
        await hub.assign()
        began = time.monotonic()
        await hub.expect("task_accepted")
        await hub.expect("lease_renew", task_id="task-1", generation=1)
        holds(0.8 < time.monotonic() - began < 2, "at a third of three seconds")
        await hub.say("lease_renewed", task_id="task-1", generation=1, lease_ms=600)
        await hub.expect("lease_renew")
        began = time.monotonic()
        await hub.expect("lease_renew")
        holds(time.monotonic() - began < 0.6, "at a third of what it is now")
        await hub.say("error", error="stale_generation", message_type="lease_renew",
                      task_id="task-1", generation=5)
        await hub.expect("task_recovering", task_id="task-1")


@story
async def it_pings_as_often_as_the_hub_wants_within_bounds():
    hub = FakeHub()
    hub.wishes = {"heartbeat_interval_ms": 1}
    async with hub:
        begin = time.monotonic()
        for _ in range(3):
            frame = await asyncio.wait_for(hub.frames.get(), 10)
            same(frame["type"], "ping", "the kind")
            await hub.say("pong", timestamp=1)
        holds(2.5 < time.monotonic() - begin < 10, "a ping a second at the most")


@story
async def what_is_not_understood_is_left_alone():
    async with FakeHub(**command("true")) as hub:
        for text in ("", "{", "[]", "null", '{"type":"unheard_of"}', '{"type":5}',
                     '{"type":"task_assign"}',
                     '{"type":"task_assign","task_id":"../../x","description":"x",'
                     '"metadata":{},"generation":1,"assigned_at":1}'):
            await hub.now.send(text)
        await hub.now.send(b"\x00\x01")
        await hub.assign()
        await hub.expect("task_accepted", task_id="task-1")


@story
async def some_ends_of_the_connection_are_final():
    for code, status in ((4501, 77), (4503, 77), (4509, 69), (4777, 77)):
        async with FakeHub() as hub:
            await hub.now.close(code, "because")
            same(await asyncio.to_thread(hub.process.wait, 10), status, f"{code}")
    for code in (1000, 1008, 1011, 1012, 4408, 4499):
        async with FakeHub() as hub:
            await hub.now.close(code)
            await hub.link()


@story
async def a_hub_that_takes_the_call_and_says_nothing_is_called_again():
    hub = FakeHub()
    calls = asyncio.Queue()

    async def mute(*_):
        await calls.put(None)
        await asyncio.sleep(60)

    hub.server = await asyncio.start_server(mute, "127.0.0.1", 0)
    hub.port = hub.server.sockets[0].getsockname()[1]
    hub.start()
    await asyncio.wait_for(calls.get(), 10)
    await asyncio.wait_for(calls.get(), 30)
    hub.process.send_signal(signal.SIGTERM)
    same(await asyncio.to_thread(hub.process.wait, 10), 0, "its exit status")
    await hub.__aexit__(None)


@story
async def a_large_task_arrives_whole():
    async with FakeHub(command=["/bin/sh", "-c", "wc -c"]) as hub:
        await hub.assign(description="x" * 900000, note="y" * 900000)
        await hub.expect("task_accepted")
        frame = await hub.expect("task_complete")
        holds(int(frame["result"]["output"]) > 1800000, f"{frame}")


@story
async def it_ends_in_time_when_told():
    async with FakeHub(**command('trap "" TERM; while :; do sleep 100; done')) as hub:
        await hub.assign()
        await hub.expect("task_accepted")
        await hub.await_runs("1")
        hub.process.send_signal(signal.SIGTERM)
        await hub.expect("agent_drain", on=True)
        began = time.monotonic()
        hub.process.send_signal(signal.SIGTERM)
        await hub.expect("task_failed", error="sidecar_stopped")
        # No answer: it does not wait for ever.
        same(await asyncio.to_thread(hub.process.wait, 10), 0, "its exit status")
        holds(time.monotonic() - began < 0.3 + 2, "in time")
        same(len(os.listdir(f"{hub.folder}/outbox")), 2, "the report and the lock are left")


@story
async def who_drains_takes_nothing_when_it_comes_back():
    async with FakeHub(**command("until [ -e go ]; do sleep 0.05; done")) as hub:
        await hub.assign()
        await hub.expect("task_accepted")
        hub.process.send_signal(signal.SIGTERM)
        await hub.expect("agent_drain", on=True)
        await hub.now.close(1012)
        await hub.link(identify=False)
        await hub.expect("identify", max_concurrent=0)
        await hub.say("identified", agent_id="ada", lease_ms=3000)
        await hub.expect("task_recovering", task_id="task-1")
        await hub.expect("agent_drain", on=True)
        open(f"{hub.folder}/go", "w").close()
        await hub.expect("task_complete", task_id="task-1")
        await hub.say("task_ack", task_id="task-1", status="complete", generation=1)
        same(await asyncio.to_thread(hub.process.wait, 10), 0, "its exit status")


@story
async def what_was_refused_for_its_rate_is_said_again_when_the_time_has_come():
    async with FakeHub(**command("until [ -e go ]; do sleep 0.05; done")) as hub:
        await hub.assign()
        await hub.expect("task_accepted")
        await hub.say("rate_limit_warning", tier="light", remaining=3, capacity=120)
        hub.process.send_signal(signal.SIGTERM)
        await hub.expect("agent_drain", on=True)
        began = time.monotonic()
        await hub.say("rate_limited", tier="light", retry_after_ms=700,
                      message_type="agent_drain")
        await hub.expect("agent_drain", on=True)
        holds(time.monotonic() - began > 0.65, "it waited")
        open(f"{hub.folder}/go", "w").close()
        await hub.expect("task_complete", task_id="task-1")
        await hub.say("task_ack", task_id="task-1", status="complete", generation=1)
        same(await asyncio.to_thread(hub.process.wait, 10), 0, "its exit status")


@story
async def a_ping_that_was_refused_waits_and_gives_no_connection_up():
    hub = FakeHub()
    hub.wishes["heartbeat_interval_ms"] = 1000
    async with hub:
        while (await asyncio.wait_for(hub.frames.get(), 10))["type"] != "ping":
            pass
        began = time.monotonic()
        await hub.say("rate_limited", tier="light", retry_after_ms=2000,
                      message_type="ping")
        same((await asyncio.wait_for(hub.frames.get(), 10))["type"], "ping", "the next")
        holds(time.monotonic() - began > 1.9, "it waited")


@story
async def who_is_kept_out_for_its_rate_comes_back_when_it_may():
    async with FakeHub() as hub:
        await hub.now.close(4429)
        await hub.link(identify=False)
        await hub.expect("identify")
        began = time.monotonic()
        await hub.say("rate_limited", tier="heavy", retry_after_ms=1500,
                      message_type="identify")
        await hub.link()
        holds(time.monotonic() - began > 1.4, "it waited")


@story
async def blocked_is_said_again_with_a_new_generation_and_is_no_answer_to_a_report():
    async with FakeHub(**command('echo "{\\"blocked\\": \\"why?\\"}";'
                                 'until [ -e go ]; do sleep 0.05; done')) as hub:
        await hub.assign()
        await hub.expect("task_accepted")
        await hub.expect("task_blocked", task_id="task-1", generation=1, reason="why?")
        await hub.assign(generation=3)
        await hub.expect("task_accepted")
        await hub.expect("task_blocked", generation=3, reason="why?")
        open(f"{hub.folder}/go", "w").close()
        await hub.expect("task_complete", generation=3)
        for status in ("blocked", "unblocked", "accepted"):
            await hub.say("task_ack", task_id="task-1", status=status, generation=3)
        await hub.assign(generation=3)
        await hub.expect("task_accepted", generation=3)
        same(len(os.listdir(f"{hub.folder}/outbox")), 2, "the report and the lock")
        await hub.say("task_ack", task_id="task-1", status="complete", generation=3)
        await hub.assign("task-2")
        await hub.expect("task_accepted", task_id="task-2")
        same([name for name in os.listdir(f"{hub.folder}/outbox")
              if name.startswith("task-1.")], [], "it is taken")


@story
async def what_is_given_back_while_it_ends_is_left_for_the_next():
    wake = 'if [ ${TASK_ID} = task-2 ]; then trap "" TERM; echo 2 >>runs; sleep 100; fi'
    task = {"type": "task_assign", "task_id": "task-1", "description": "x",
            "metadata": {}, "generation": 1, "assigned_at": 1}
    hub = FakeHub(wake_command=wake, max_concurrent=2, kill_grace_ms=1000)
    os.makedirs(f"{hub.folder}/outbox")
    with open(f"{hub.folder}/outbox/task-1.begun", "w") as file:
        file.write(f"1\n{json.dumps(task)}")
    async with hub:
        await hub.expect("task_recovering", task_id="task-1")
        await hub.assign("task-2")
        await hub.expect("task_accepted", task_id="task-2")
        await hub.await_runs("2")
        hub.process.send_signal(signal.SIGTERM)
        await hub.expect("agent_drain")
        hub.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.2)
        await hub.say("task_continue", task_id="task-1", generation=1)
        await hub.expect("task_failed", task_id="task-2", error="sidecar_stopped")
        same(await asyncio.to_thread(hub.process.wait, 10), 0, "its exit status")
        holds(os.path.exists(f"{hub.folder}/outbox/task-1.begun"), "its record is kept")


if __name__ == "__main__":
    run([told for told in list(globals().values()) if getattr(told, "story", False)])
