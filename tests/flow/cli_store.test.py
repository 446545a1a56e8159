#!/usr/bin/python3
"""An operator looks after the store from the command line: backups, restore, compaction."""

import contextlib
import json
import os
import pty
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
from support import BIN, PATIENCE_S, case, main, same, until  # noqa: E402

FAILED = 1
CONFLICT = 4
NOT_FOUND = 3


def drover(hub, *words):
    done = subprocess.run(
        [str(BIN / "drover"), *words, "--hub", hub.url, "--token", hub.admin],
        env=os.environ, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=PATIENCE_S)
    return done.returncode, done.stdout, done.stderr


@case()
def a_backup_is_made_listed_and_restored_once_its_cost_is_known(hub):
    kept = hub.submit("kept")["task_id"]
    code, said, _ = drover(hub, "backup", "create")
    same(code, 0)
    name = said.split(",")[0]
    assert name.startswith("backup-") and "bytes" in said, said
    code, said, _ = drover(hub, "backup", "list")
    same((code, name in said), (0, True))

    hub.submit("lost")
    code, said, complaint = drover(hub, "store", "restore", name)
    same((code, said), (CONFLICT, ""))
    assert "1 tasks submitted since" in complaint and "--yes" in complaint, complaint
    assert re.search(r"[1-9]\d* events", complaint), complaint
    same(len(hub.all_tasks()), 2)

    code, said, complaint = drover(hub, "store", "restore", name, "--yes")
    same((code, complaint), (0, ""))
    assert name in said, said
    until(lambda: begun_anew(hub), "the hub is there again")
    same([task["id"] for task in hub.all_tasks()], [kept])
    same(drover(hub, "store", "restore", "backup-nothing", "--yes")[0], NOT_FOUND)


def on_a_terminal(hub, *words):
    """What a terminal is shown on standard error, and standard output."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [str(BIN / "drover"), *words, "--hub", hub.url, "--token", hub.admin],
        env=os.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=slave,
        text=True)
    os.close(slave)
    shown = b""
    with contextlib.suppress(OSError):  # the other end is closed
        while piece := os.read(master, 4096):
            shown += piece
    os.close(master)
    said = process.communicate(timeout=PATIENCE_S)[0]
    return process.returncode, said, shown.decode()


@case("--backup-bytes-per-second", str(208 * 1024))
def a_backup_that_lasts_shows_how_far_it_is_and_so_does_the_event_log(hub):
    for _ in range(10):
        hub.submit(metadata={"blob": "x" * 40_000})
    code, said, shown = on_a_terminal(hub, "backup", "create")
    same((code, said.startswith("backup-2")), (0, True))
    parts = [int(part) for part in re.findall(r"backup \d+: (\d+) % of \d", shown)]
    assert len(set(parts)) >= 3 and parts == sorted(parts), shown
    same(shown.endswith("\r\x1b[K"), True)

    code, said, _ = drover(hub, "events", "list", "--kinds", "hub", "--json", "--since",
                           "0")
    told = [event for event in json.loads(said)["events"]
            if event["type"].startswith("job_")]
    kinds = [event["type"] for event in told]
    same((kinds[0], kinds[-1]), ("job_started", "job_complete"))
    same(set(kinds[1:-1]), {"job_progress"})
    assert 1 <= len(kinds[1:-1]) <= 3, kinds
    same((told[0]["data"]["trigger"], told[0]["data"]["requested_by"]),
         ("manual", "admin"))
    assert 0 < told[1]["data"]["done"] < told[1]["data"]["total"], told
    assert told[-1]["data"]["outcome"] in drover(hub, "backup", "list")[1], told


@case()
def a_backup_that_fails_says_why(hub):
    until((hub.data / "backups").exists, "the hub has made its directory")
    shutil.rmtree(hub.data / "backups")
    (hub.data / "backups").write_text("")
    code, said, complaint = drover(hub, "backup", "create")
    same((code, said), (FAILED, ""))
    assert "backup directory" in complaint, complaint


def begun_anew(hub):
    try:
        return len(hub.all_tasks()) == 1
    except (OSError, AssertionError):
        return False


@case()
def the_store_is_compacted_and_its_jobs_are_listed(hub):
    code, said, _ = drover(hub, "store", "compact", "--dry-run")
    same((code, said.startswith("nothing changed")), (0, True))
    code, said, _ = drover(hub, "store", "compact")
    same((code, "became" in said), (0, True))
    code, said, _ = drover(hub, "store", "jobs")
    same(code, 0)
    same(said.count("compact"), 2)
    code, said, _ = drover(hub, "store", "jobs", "--json")
    same([job["kind"] for job in json.loads(said)["jobs"]], ["compact", "compact"])


if __name__ == "__main__":
    main()
