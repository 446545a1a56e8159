#!/usr/bin/python3
"""Restore: the whole store as it was, told beforehand what it costs, whole at any moment."""

import os
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from support import (BIN, ENVIRONMENT, PATIENCE_S, Hub, case, main,  # noqa: E402
                     same, until)

GENERATIONS = 1000000


def backup(hub):
    answer = hub.http("POST", "/api/admin/backup", token=hub.admin)
    same(answer.status, 200)
    return answer.json["backup"]


def restore(hub, name, **body):
    return hub.http("POST", "/api/admin/restore", {"backup": name, **body},
                    token=hub.admin)


def confirmed(hub, name, **body):
    told = restore(hub, name, **body)
    same((told.status, told.json["status"]), (409, "confirmation_needed"))
    answer = restore(hub, name, confirm=told.json["confirm"], **body)
    same((answer.status, answer.json["status"]), (202, "restoring"))
    return told.json


def lives_again(hub, times=1):
    until(lambda: hub.log().count('"message":"listening"') > times, "it listens again")
    hub.wait_ready()


def offline(hub, name, *flags):
    return subprocess.run(
        [str(BIN / "drover-hub"), "--data", str(hub.data), "--restore", name, *flags],
        env={**os.environ, **ENVIRONMENT}, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=PATIENCE_S)


def ids(hub):
    return sorted(task["id"] for task in hub.all_tasks())


@case()
async def a_hub_goes_on_with_the_backup_and_agents_come_back(hub):
    ada = await hub.agent("ada")
    bob = hub.register("bob")
    kept = [hub.submit(f"kept {i}")["task_id"] for i in range(5)]
    held = await ada.given(kept[0])
    await ada.accept(held)
    name = backup(hub)
    lost = [hub.submit(f"lost {i}")["task_id"] for i in range(3)]
    await ada.complete(held)
    same(hub.http("DELETE", "/admin/tokens/bob", token=hub.admin).status, 200)
    same(restore(hub, name, confirm=7).status, 409)
    same(ids(hub), sorted(kept + lost))

    made = hub.http("GET", "/api/admin/backups", token=hub.admin).json["backups"][0]
    last = hub.http("GET", "/api/events?tail=1", token=hub.admin).json["last"]
    same(restore(hub, name).json["events_lost"], last - made["event_last"])
    assert last - made["event_last"] >= 5, (last, made)

    told = confirmed(hub, name)
    same((told["tasks_lost"], told["tasks_lost_more"]), (3, False))
    assert told["commands_lost"] >= 5, told
    pid = hub.process.pid
    same(await ada.closed(), 1012)
    lives_again(hub)
    same((hub.process.pid, hub.process.poll()), (pid, None))
    same(ids(hub), sorted(kept))
    task = hub.task(kept[0])
    same((task["state"], task["retry_count"]), ("queued", 0))
    assert task["generation"] >= held["generation"] + GENERATIONS, task

    again = await hub.agent("ada")
    given = await again.given(kept[0])
    await again.send("task_complete", task_id=kept[0], generation=held["generation"],
                     result={})
    await again.error(task_id=kept[0])
    await again.complete(given)
    same(hub.http("GET", "/api/mailbox/bob", token=bob).status, 401)
    jobs = hub.http("GET", "/api/admin/jobs?kind=restore", token=hub.admin).json["jobs"]
    same((jobs[0]["status"], jobs[0]["subject"]), ("complete", name))
    events = hub.http("GET", "/api/events?since=0&limit=1000&kinds=job_complete",
                      token=hub.admin).json["events"]
    same([event["data"]["kind"] for event in events], ["restore"])
    assert not (hub.data / "data.prev").exists()
    assert not (hub.data / "restoring").exists()
    same(hub.stop(), 0)


@case()
def names_that_are_none_are_refused(hub):
    for name in ("../x", "a/b", "", ".hidden", "a\0b", "x" * 65, "\u00e4"):
        answer = restore(hub, name)
        same((name, answer.status, answer.json["error"]), (name, 400, "bad_name"))
    same(restore(hub, "backup-never").json["error"], "backup_not_found")


@case()
def a_spoilt_backup_leaves_the_store_alone(hub):
    for i in range(40):
        hub.submit("x" * 900)
    name = backup(hub)
    kept = hub.submit("after")["task_id"]
    data = hub.data / "backups" / name / "data.mdb"
    spoilt = bytearray(data.read_bytes())
    spoilt[len(spoilt) // 2] ^= 0x40
    data.write_bytes(spoilt)
    confirmed(hub, name)

    def failed():
        jobs = hub.http("GET", "/api/admin/jobs?kind=restore", token=hub.admin).json["jobs"]
        return jobs[0] if jobs[0]["status"] == "failed" else None

    assert "digest" in until(failed, "the job fails")["reason"]
    assert kept in ids(hub)
    assert not (hub.data / "restoring").exists()
    hub.stop()
    same(offline(hub, name, "--yes").returncode, 74)
    hub.start()
    assert kept in ids(hub)


@case()
def a_stopped_hub_is_restored_by_its_program(hub):
    kept = hub.submit("kept")["task_id"]
    name = backup(hub)
    hub.submit("lost")
    revoked = hub.mint("eve", "viewer")
    same(offline(hub, name, "--yes").returncode, 69)  # it runs
    hub.stop()
    asked = offline(hub, name)
    same((asked.returncode, "--yes" in asked.stderr), (78, True))
    assert "Lost will be" in asked.stderr, asked
    done = offline(hub, name, "--yes")
    same((done.returncode, done.stdout), (0, f"restored from {name}\n"))
    hub.start()
    same(ids(hub), [kept])
    same(hub.http("GET", "/api/tasks", token=revoked).status, 401)


@case()
def a_store_that_is_lost_or_broken_comes_back(hub):
    kept = [hub.submit("kept " + "x" * 500)["task_id"] for _ in range(30)]
    name = backup(hub)
    hub.stop()
    data = hub.data / "data.mdb"
    size = data.stat().st_size
    with open(data, "r+b") as file:
        file.seek(0)
        file.write(os.urandom(size))
    refused = offline(hub, name, "--yes")
    same((refused.returncode, "--force" in refused.stderr), (78, True))
    same(offline(hub, name, "--yes", "--force").returncode, 0)
    hub.start()
    same(ids(hub), sorted(kept))
    hub.stop()
    data.unlink()
    same(offline(hub, name, "--yes").returncode, 0)
    hub.start()
    same(ids(hub), sorted(kept))


@case()
def a_backup_of_another_store_needs_force(hub):
    other = Hub(hub.folder / "other")
    other.folder.mkdir()
    other.start()
    try:
        theirs = other.submit("theirs")["task_id"]
        name = backup(other)
        admin = other.admin
        shutil.copytree(other.data / "backups" / name, hub.data / "backups" / name)
    finally:
        other.stop()

    def seen():
        answer = hub.http("GET", "/api/admin/backups", token=hub.admin)
        return [one["own"] for one in answer.json["backups"]] == [False]

    until(seen, "it is seen")
    told = restore(hub, name).json
    same(restore(hub, name, confirm=told["confirm"]).status, 409)
    same(restore(hub, name, confirm=told["confirm"], force=True).status, 202)
    lives_again(hub)
    # Its tokens were never good here, so nobody is an administrator any more.
    same(hub.http("GET", "/api/tasks", token=admin).status, 401)
    assert (hub.data / "enrolment.secret").exists()
    hub.admin_token = None
    hub.tokens.clear()
    same(ids(hub), [theirs])


@case()
def killed_at_any_moment_it_is_the_old_store_or_the_new(hub):
    kept = [hub.submit("kept")["task_id"] for _ in range(20)]
    name = backup(hub)
    lost = hub.submit("lost")["task_id"]
    outcomes = set()
    for i in range(12):
        told = restore(hub, name).json
        same(restore(hub, name, confirm=told["confirm"]).status, 202)
        limit = time.monotonic() + 0.02 * i
        until(lambda: time.monotonic() > limit, "a moment has passed")
        hub.kill()
        hub.start()
        found = ids(hub)
        assert found in (sorted(kept), sorted(kept + [lost])), found
        outcomes.add(len(found))
        assert not (hub.data / "data.prev").exists()
        assert not (hub.data / "restoring").exists()
        if len(found) == len(kept):
            lost = hub.submit("lost")["task_id"]
    assert outcomes, outcomes


if __name__ == "__main__":
    main()
