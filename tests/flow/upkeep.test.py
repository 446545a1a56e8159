#!/usr/bin/python3
"""The hub looks after its store while it is used: compaction, and a scrub of every record."""

import asyncio
import contextlib
import json
import random
import shutil
import sys
import threading
import time

sys.dont_write_bytecode = True
from support import (PATIENCE_S, SANITIZED, case, eventually, main, same, until)  # noqa: E402

BLOB = {"blob": "x" * 20_000}
MANY = 40 if SANITIZED else 120
HELD_MS_MAX = 2000 if SANITIZED else 250  # P19's bound on what the fleet waits
SOON = ("--compaction-interval-ms", "1000", "--compaction-percent", "10",
        "--compaction-bytes-min", "100000")


def file_bytes(hub):
    return (hub.data / "data.mdb").stat().st_size


def compact(hub, body=None, path="/api/admin/compact"):
    return hub.http("POST", path, body if body is not None else {}, token=hub.admin)


def free_some(hub, count=MANY):
    """A mailbox is filled and then emptied at once: all it took is free pages now."""
    token = hub.register("hoarder")
    for n in range(count):
        answer = hub.http("POST", "/api/message",
                          {"to": "hoarder", "payload": {"n": n, "text": "z" * 60_000}},
                          token=hub.submitter)
        same(answer.status, 200)
    while (mail := hub.http("GET", "/api/mailbox/hoarder", token=token).json)["count"] > 0:
        same(hub.http("POST", "/api/mailbox/hoarder/ack", {"seq": mail["last_seq"]},
                      token=token).status, 200)


def events_of(hub, kind):
    answer = hub.http("GET", f"/api/events?since=0&limit=1000&kinds={kind}",
                      token=hub.admin)
    same(answer.status, 200)
    return [event["data"] for event in answer.json["events"] if event["type"] == kind]


def job_of(hub, kind):
    """The youngest job of its kind that has ended."""
    answer = hub.http("GET", "/api/admin/jobs?limit=20", token=hub.admin)
    same(answer.status, 200)
    for job in answer.json["jobs"]:
        if job["kind"] == kind and job["status"] in ("complete", "failed"):
            return job
    return None


@case("--messages-max", "3", "--mailbox-max", "200", "--map-bytes-first", "1048576")
async def the_file_shrinks_under_a_working_fleet_and_nothing_is_lost(hub):
    ada = await hub.agent("ada")
    done = [hub.submit(str(n), metadata=BLOB)["task_id"] for n in range(20)]
    for _ in done:
        await ada.complete(await ada.given())
    free_some(hub)
    before = file_bytes(hub)
    acked = []
    stop = threading.Event()

    def submit():
        while not stop.is_set():
            acked.append(hub.submit("meanwhile")["task_id"])

    worker = threading.Thread(target=submit)
    worker.start()
    try:
        answer = await asyncio.to_thread(compact, hub)
    finally:
        stop.set()
        worker.join()
    same(answer.status, 200)
    told = answer.json
    same((told["status"], told["dry_run"], told["tables_skipped"]), ("complete", False, 0))
    same(told["tables_compacted"], told["tables_total"])
    same({result["status"] for result in told["results"]}, {"compacted"})
    assert told["bytes_after"] < told["bytes_before"] / 2, (told["bytes_before"], told["bytes_after"], len(acked))
    assert file_bytes(hub) < before, (file_bytes(hub), before)
    held = [json.loads(line)["held_us"] for line in hub.log().splitlines()
            if '"store_compacted"' in line] or [0]
    assert max(held) < HELD_MS_MAX * 1000, held

    listed = {task["id"]: task for task in hub.all_tasks()}
    assert set(done) | set(acked) <= set(listed)
    assert all(listed[task]["metadata"] == BLOB for task in done)
    # The same sockets go on, and so does the next run of the hub.
    await ada.complete(await ada.given())
    same(hub.stop(), 0)
    hub.start()
    same({task["id"] for task in hub.all_tasks()}, set(listed))
    assert not (hub.data / "compacting").exists()
    assert not (hub.data / "data.prev").exists()


@case("--messages-max", "3", "--mailbox-max", "200")
def a_dry_run_tells_what_would_be_won_and_changes_nothing(hub):
    free_some(hub)
    before = file_bytes(hub)
    told = compact(hub, {"dry_run": True}).json
    same((told["dry_run"], told["tables_compacted"]), (True, 0))
    same({result["reason"] for result in told["results"]}, {"dry_run"})
    assert told["bytes_after"] < told["bytes_before"] == before, told
    same(file_bytes(hub), before)


@case()
def what_is_not_worth_it_is_left_alone_unless_asked_for(hub):
    told = compact(hub, {"force": False}).json
    same((told["tables_compacted"], {result["reason"] for result in told["results"]}),
         (0, {"below_threshold"}))
    same(compact(hub).json["tables_skipped"], 0)


@case()
def by_the_name_of_a_table_as_agentcom_does(hub):
    for name in ("task_queue", "thread_replies", "task"):
        answer = compact(hub, path=f"/api/admin/compact/{name}")
        same(answer.status, 200)
        same((answer.json["table"], answer.json["status"]), (name, "compacted"))
        assert answer.json["duration_ms"] >= 0
    answer = compact(hub, path="/api/admin/compact/nothing")
    same((answer.status, answer.json["error"]), (404, "unknown_table"))


@case("--messages-max", "3", "--mailbox-max", "200", *SOON)
def a_file_that_is_mostly_free_is_compacted_by_itself(hub):
    free_some(hub)
    before = file_bytes(hub)
    until(lambda: file_bytes(hub) < before, "the file shrinks")
    # One that came before there was much to free has ended, too, and left no event.
    until(lambda: events_of(hub, "compaction_complete"), "the end is told of")
    job = job_of(hub, "compact")
    same((job["status"], job["trigger"]), ("complete", "scheduled"))


@case("--messages-max", "3", "--mailbox-max", "200", *SOON)
async def killed_in_the_middle_of_it_the_store_is_whole(hub):
    chance = random.Random(3)
    acked = []
    for _ in range(3 if SANITIZED else 8):
        free_some(hub, 20)
        acked.append(hub.submit("kept")["task_id"])
        time.sleep(chance.uniform(0, 1.2))
        hub.kill()
        hub.start()
        same([task["id"] for task in hub.all_tasks()], acked)


def spoil(path, text):
    """Turns a bit in every copy of the text on the disk."""
    data = bytearray(path.read_bytes())
    at, count = data.find(text), 0
    while at >= 0:
        data[at] ^= 1
        count += 1
        at = data.find(text, at + 1)
    path.write_bytes(data)
    return count


@case("--scrub-interval-ms", "1000")
async def a_record_that_rots_is_named_before_anybody_needs_it(hub):
    task = hub.submit("rots", metadata={"text": "a text that will rot"})["task_id"]
    job = await eventually(lambda: job_of(hub, "scrub"), "a scrub has ended")
    same(job["status"], "complete")
    same(hub.stop(), 0)
    assert spoil(hub.data / "data.mdb", b"a text that will rot") > 0
    hub.start()

    def found():
        job = job_of(hub, "scrub")
        return job if job is not None and job["status"] == "failed" else None

    job = await eventually(found, "the scrub finds it")
    assert "not what was written" in job["reason"], job
    same({event["table"] for event in events_of(hub, "record_corrupt")}, {"blob"})
    assert "record_corrupt" in hub.log()
    kept = list((hub.data / "quarantine").iterdir())
    assert kept and all(path.stat().st_mode & 0o777 == 0o600 for path in kept)
    # The rest is served; who needs the one itself ends the hub, and sees nothing wrong.
    hub.submit("the hub goes on")
    with contextlib.suppress(OSError):
        answer = hub.http("GET", f"/api/tasks/{task}", token=hub.submitter)
        same((answer.status, answer.json["error"]), (503, "storage_error"))
    same(hub.process.wait(PATIENCE_S), 74)
    # Nor does the next one start on it, as if nothing were wrong.
    hub.spawn()
    same(hub.process.wait(PATIENCE_S), 74)
    assert "nothing to restore it from" in hub.log(), hub.log_tail()
    shutil.rmtree(hub.data)
    hub.start()


if __name__ == "__main__":
    main()
