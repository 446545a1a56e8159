#!/usr/bin/python3
"""A hub of a newer version takes over the store of an older one, once there is a way back; the
older one refuses what the newer made of it, and names that way."""

import json
import os
import shlex
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
from support import (BIN, ENVIRONMENT, PATIENCE_S, Hub, case, main, same,  # noqa: E402
                     until)

BROKEN = 74
REFUSED = 78
DAY_MS = 24 * 60 * 60 * 1000


class Versions(Hub):
    """One data directory, and a hub of either version on it."""

    newer = False

    def command(self):
        words = super().command()
        return [str(BIN / "next" / "drover-hub"), *words[1:]] if self.newer else words


def versions(function):
    """A case with a store of the older version, at rest, and the tasks in it."""
    @case(hub=False)
    def run(folder):
        hub = Versions(folder)
        try:
            hub.start()
            tasks = sorted(hub.submit(f"task {i}")["task_id"] for i in range(12))
            assert hub.admin
            same(hub.stop(), 0)
            hub.newer = True
            function(hub, tasks)
            same(hub.stop(), 0)
        finally:
            hub.kill()

    run.__name__ = function.__name__
    return run


def ends(hub, code):
    before = len(hub.log())
    hub.spawn()
    same(hub.process.wait(PATIENCE_S), code)
    return hub.log()[before:]


def ids(hub):
    return sorted(task["id"] for task in hub.all_tasks())


def backups(hub):
    folder = hub.data / "backups"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def manifest(hub, name):
    return json.loads((hub.data / "backups" / name / "manifest.json").read_text())


def backup(hub):
    answer = hub.http("POST", "/api/admin/backup", token=hub.admin)
    same(answer.status, 200)
    return answer.json["backup"]


@versions
def a_backup_is_made_before_anything_is_changed(hub, tasks):
    hub.start()
    same(ids(hub), tasks)
    [way_back] = backups(hub)
    assert way_back.endswith("-v1"), way_back
    same((manifest(hub, way_back)["store_version"], manifest(hub, way_back)["name"]),
         (1, way_back))
    assert '"store_upgraded"' in hub.log()
    seen = until(lambda: hub.http("GET", "/api/admin/backups",
                                  token=hub.admin).json["backups"], "it is listed")
    same([one["name"] for one in seen], [way_back])
    # The next start has nothing to do.
    same(hub.stop(), 0)
    hub.start()
    same(backups(hub), [way_back])
    same(hub.log().count('"store_upgraded"'), 1)
    for name in ("compacting", "data.prev"):
        assert not (hub.data / name).exists()


@versions
def an_older_hub_refuses_and_names_the_way_back(hub, tasks):
    hub.start()
    [way_back] = backups(hub)
    hub.submit("by the newer one")
    later = backup(hub)
    same(manifest(hub, later)["store_version"], 3)
    same(hub.stop(), 0)
    hub.newer = False
    said = ends(hub, REFUSED)
    assert "newer version (format 3" in said and f"{way_back} was made before" in said, said
    lines = [line for line in said.splitlines() if "to restore it: " in line]
    words = shlex.split(lines[0].split("to restore it: ")[1])
    done = subprocess.run([str(BIN / words[0]), *words[1:], "--yes"],
                          env={**os.environ, **ENVIRONMENT}, capture_output=True,
                          text=True, timeout=PATIENCE_S)
    same((done.returncode, done.stdout), (0, f"restored from {way_back}\n"))
    hub.start()
    same(ids(hub), tasks)
    # What the newer one had is not thrown away.
    same(len(list((hub.data / "quarantine").glob("store-*.mdb"))), 1)
    # And forward once more.
    same(hub.stop(), 0)
    hub.newer = True
    hub.start()
    same(ids(hub), tasks)


@versions
def without_a_backup_nothing_is_changed(hub, tasks):
    data = hub.data / "data.mdb"
    before = data.read_bytes()
    folder = hub.data / "backups"
    folder.rmdir()
    folder.write_text("a file in its place")
    said = ends(hub, BROKEN)
    assert "of version 1 and cannot be backed up before it is brought to version 3" in said
    same(data.read_bytes(), before)
    folder.unlink()
    hub.newer = False
    hub.start()
    same(ids(hub), tasks)
    same(hub.stop(), 0)
    hub.newer = True
    hub.start()
    same(ids(hub), tasks)


@versions
def killed_in_the_middle_it_begins_anew_with_the_one_backup(hub, tasks):
    hub.env["NEXT_FAULT"] = "kill"
    for _ in range(2):
        hub.spawn()
        same(hub.process.wait(PATIENCE_S), -signal.SIGKILL)
    same(len(backups(hub)), 1)
    # The older one still can: nothing has happened yet.
    hub.env.clear()
    hub.newer = False
    hub.start()
    same(ids(hub), tasks)
    same(hub.stop(), 0)
    hub.newer = True
    hub.start()
    same(ids(hub), tasks)


@versions
def a_step_that_fails_leaves_the_store_to_the_older_hub(hub, tasks):
    hub.env["NEXT_FAULT"] = "fail"
    assert "the step from version 1 of the store to 2 failed" in ends(hub, BROKEN)
    hub.env.clear()
    hub.newer = False
    hub.start()
    same(ids(hub), tasks)


@versions
def a_broken_store_is_not_brought_up(hub, _):
    data = bytearray((hub.data / "data.mdb").read_bytes())
    at = data.find(b"task 7")
    while at >= 0:
        data[at] ^= 1
        at = data.find(b"task 7", at + 1)
    (hub.data / "data.mdb").write_bytes(data)
    said = ends(hub, BROKEN)
    assert "cannot be backed up" in said and "is not what was written" in said, said
    same(backups(hub), [])
    for path in hub.data.glob("store.suspect"):
        path.unlink()
    hub.newer = False
    hub.start()


@versions
def the_way_back_stays_until_the_newer_hub_has_run_well(hub, _):
    hub.flags += ["--backups-kept", "2"]
    hub.start()
    [way_back] = backups(hub)
    made = [backup(hub) for _ in range(3)]
    # It is kept beside the two, however many backups one day brings.
    same(backups(hub), sorted([way_back, *made[1:]]))
    path = hub.data / "backups" / way_back / "manifest.json"
    old = manifest(hub, way_back)
    old["created_at"] -= 8 * DAY_MS
    path.write_text(json.dumps(old))
    made.append(backup(hub))
    same(backups(hub), sorted(made[2:]))


if __name__ == "__main__":
    main()
