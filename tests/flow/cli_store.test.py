#!/usr/bin/python3
"""An operator looks after the store from the command line: backups, restore, compaction."""

import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
from support import BIN, PATIENCE_S, case, main, same, until  # noqa: E402

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
    same(len(hub.all_tasks()), 2)

    code, said, complaint = drover(hub, "store", "restore", name, "--yes")
    same((code, complaint), (0, ""))
    assert name in said, said
    until(lambda: begun_anew(hub), "the hub is there again")
    same([task["id"] for task in hub.all_tasks()], [kept])
    same(drover(hub, "store", "restore", "backup-nothing", "--yes")[0], NOT_FOUND)


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
