#!/usr/bin/python3
"""Backups: whole, verified, found again, kept few; whatever is wrong with one is said."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from support import (BIN, ENVIRONMENT, PATIENCE_S, Hub, case, fill_disk,  # noqa: E402
                     main, same, small_disk, until)

DAY_MS = 24 * 60 * 60 * 1000
MIB = 1024 * 1024


def backup(hub, **body):
    answer = hub.http("POST", "/api/admin/backup", body or None, token=hub.admin)
    assert answer.status in (200, 202), answer
    return answer.json


def listed(hub):
    answer = hub.http("GET", "/api/admin/backups", token=hub.admin)
    same(answer.status, 200)
    return answer.json["backups"]


def job(hub, number):
    answer = hub.http("GET", f"/api/admin/jobs/{number}", token=hub.admin)
    same(answer.status, 200)
    return answer.json


def ended(hub, number):
    def end():
        found = job(hub, number)
        return found if found["status"] in ("complete", "failed") else None

    return until(end, "the job ends")


def events(hub, kind):
    answer = hub.http("GET", f"/api/events?since=0&limit=1000&kinds={kind}",
                      token=hub.admin)
    same(answer.status, 200)
    return [event["data"] for event in answer.json["events"]]


def place(hub):
    return hub.data / "backups"


def verify(directory):
    return subprocess.run([str(BIN / "drover-hub"), "--verify-store", str(directory)],
                          env={**os.environ, **ENVIRONMENT}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=PATIENCE_S)


@case()
async def a_backup_holds_every_table_and_says_so(hub):
    ada = await hub.agent("ada")
    ids = [hub.submit(f"work {i}")["task_id"] for i in range(20)]
    await ada.complete(await ada.given(ids[0]))
    made = backup(hub)
    same((made["status"], made["tables_total"]), ("complete", made["tables_success"]))
    rows = {row["table"]: row for row in made["results"]}
    same(rows["task"]["records"], 20)
    path = pathlib.Path(rows["task"]["path"])
    assert path.stat().st_size == made["bytes"] > 0
    same(path.stat().st_mode & 0o777, 0o600)
    manifest = json.loads((path.parent / "manifest.json").read_text())
    same((manifest["name"], manifest["sequence"], f"task-{manifest['task_last']:016x}"),
         (made["backup"], made["sequence"], ids[-1]))
    same([one["name"] for one in listed(hub)], [made["backup"]])
    same(verify(path.parent).returncode, 0)
    done = job(hub, made["job_id"])
    same((done["status"], done["outcome"], done["trigger"], done["requested_by"]),
         ("complete", made["backup"], "manual", "admin"))


@case()
def a_backup_need_not_be_waited_for(hub):
    made = backup(hub, wait=False)
    same((made["status"], made["results"]), ("queued", []))
    same(ended(hub, made["job_id"])["status"], "complete")
    same(len(listed(hub)), 1)
    answer = hub.http("GET", "/api/admin/jobs?kind=backup", token=hub.admin)
    same(answer.json["count"], 1)
    same(hub.http("GET", "/api/admin/jobs/99", token=hub.admin).status, 404)


@case()
def the_store_tells_its_true_figures(hub):
    def health():
        answer = hub.http("GET", "/api/admin/store-health", token=hub.admin)
        same(answer.status, 200)
        return answer.json

    before = health()
    same((before["health_status"], before["stale_backup"], before["last_backup_at"]),
         ("warning", True, None))
    for i in range(30):
        hub.submit("x" * 500)
    backup(hub)
    after = health()
    tables = {row["table"]: row for row in after["tables"]}
    same((after["health_status"], tables["task"]["record_count"]), ("healthy", 30))
    same(after["last_backup_at"], listed(hub)[0]["created_at"])
    same(after["file_bytes"], (hub.data / "data.mdb").stat().st_size)
    assert 0 < after["used_bytes"] <= after["file_bytes"], after
    assert 0 <= after["fragmentation_ratio"] < 1, after
    old = hub.http("GET", "/api/admin/dets-health", token=hub.admin).json
    same(old["tables"][0].keys(), tables["task"].keys())


@case("--backups-kept", "2")
def the_oldest_go_once_there_are_enough(hub):
    names = [backup(hub)["backup"] for _ in range(4)]
    same([one["name"] for one in listed(hub)], [names[3], names[2]])
    same(sorted(one.name for one in place(hub).iterdir()), sorted(names[2:]))


@case("--backup-interval-ms", "700")
def one_is_made_by_the_schedule_and_a_restart_repeats_none(hub):
    until(lambda: listed(hub), "a backup is made by itself")
    done = hub.http("GET", "/api/admin/jobs", token=hub.admin).json["jobs"][-1]
    same((done["trigger"], done["requested_by"]), ("scheduled", None))
    hub.stop()
    hub.flags = ["--backup-interval-ms", str(DAY_MS)]
    hub.start()
    jobs = hub.http("GET", "/api/admin/jobs", token=hub.admin).json["jobs"]
    hub.stop()
    hub.start()
    same(hub.http("GET", "/api/admin/jobs", token=hub.admin).json["jobs"][0]["id"],
         jobs[0]["id"])


@case()
def another_directory_may_be_given(hub):
    other = hub.folder / "elsewhere"
    hub.stop()
    hub.flags = ["--backup-directory", str(other)]
    hub.start()
    made = backup(hub)
    same([one.name for one in other.iterdir()], [made["backup"]])
    assert not place(hub).exists() or not list(place(hub).iterdir())


@case()
def a_directory_that_will_not_do_is_refused_with_the_reason(hub):
    backup(hub)
    kept = hub.folder / "kept"
    place(hub).rename(kept)
    place(hub).symlink_to(kept)
    answer = hub.http("POST", "/api/admin/backup", token=hub.admin)
    same((answer.status, answer.json["error"]), (500, "backup_failed"))
    assert "backup directory" in answer.json["detail"], answer
    place(hub).unlink()
    place(hub).mkdir(mode=0o700)
    place(hub).chmod(0o777)
    answer = hub.http("POST", "/api/admin/backup", token=hub.admin)
    same((answer.status, "others may write" in answer.json["detail"]), (500, True))
    place(hub).chmod(0o700)
    backup(hub)
    same(hub.http("GET", "/readyz").status, 200)


@case()
def what_an_interrupted_one_left_is_gone_at_the_next_start(hub):
    good = backup(hub)["backup"]
    hub.kill()
    left = place(hub) / "backup-20260101T000000Z-0000000000000000.partial"
    left.mkdir()
    (left / "data.mdb").write_bytes(b"half of it")
    unfinished = place(hub) / "backup-20260101T000000Z-0000000000000001"
    unfinished.mkdir()
    (unfinished / "data.mdb").write_bytes(b"no manifest")
    hub.start()
    until(lambda: not left.exists(), "what is partial is removed")
    same([one["name"] for one in listed(hub)], [good])


def spoil(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@case()
def a_spoilt_backup_is_told_from_a_good_one(hub):
    for i in range(50):
        hub.submit("x" * 900)
    made = place(hub) / backup(hub)["backup"]
    hub.stop()
    data = made / "data.mdb"
    size = data.stat().st_size
    same(verify(made).returncode, 0)
    good = data.read_bytes()
    for at in (size // 3, size // 2, size - 900):
        spoil(data, at)
        assert verify(made).returncode not in (0, 70), at
        data.write_bytes(good)
    data.write_bytes(good[:size // 2])
    assert verify(made).returncode != 0
    data.write_bytes(good)
    manifest = json.loads((made / "manifest.json").read_text())
    manifest["sequence"] += 1
    (made / "manifest.json").write_text(json.dumps(manifest))
    done = verify(made)
    same((done.returncode, "other figures" in done.stderr), (74, True))


@case()
def what_others_may_read_or_write_is_not_listed(hub):
    names = [backup(hub)["backup"] for _ in range(3)]
    (place(hub) / names[0] / "data.mdb").chmod(0o644)
    os.link(place(hub) / names[1] / "data.mdb", hub.folder / "another-name")
    (place(hub) / "touched").mkdir()  # so that the hub looks again

    def one_left():
        return [one["name"] for one in listed(hub)] == [names[2]]

    until(one_left, "only the good one is listed")
    assert "another" not in hub.log(), hub.log()
    lost = {event["backup"]: event["reason"] for event in events(hub, "backup_lost")}
    same(lost.keys(), set(names[:2]))
    assert "mode 0644" in lost[names[0]] and "one name" in lost[names[1]], lost


@case("--backups-kept", "2")
def a_backup_that_vanishes_is_told_and_one_whose_turn_it_was_is_not(hub):
    names = [backup(hub)["backup"] for _ in range(3)]
    same(len(listed(hub)), 2)
    shutil.rmtree(place(hub) / names[1])
    until(lambda: len(listed(hub)) == 1, "it is missed")
    same([event["backup"] for event in events(hub, "backup_lost")], [names[1]])


@case()
def what_v11_asks_of_the_store_is_answered_in_its_words(hub):
    def ask(method, path):
        answer = hub.http(method, f"/api/admin/{path}", token=hub.admin)
        return answer.status, answer.json

    hub.submit()
    status, made = ask("POST", "backup")
    same((status, made["status"]), (200, "complete"))
    same((made["tables_total"], made["tables_success"]), (len(made["results"]),) * 2)
    rows = {row["table"]: row for row in made["results"]}
    same((rows["task"]["status"], rows["task"]["records"]), ("success", 1))
    same(pathlib.Path(rows["task"]["path"]).exists(), True)

    status, health = ask("GET", "dets-health")
    same((status, health["health_status"], health["stale_backup"],
          health["high_fragmentation"], health["last_backup_at"] > 0),
         (200, "healthy", False, False, True))
    tables = {row["table"]: row for row in health["tables"]}
    same((tables["task"]["record_count"], tables["task"]["status"]), (1, "ok"))
    assert tables["task"]["file_size_bytes"] > 0

    status, done = ask("POST", "compact")
    same((status, done["tables_total"], done["tables_compacted"], done["tables_skipped"]),
         (200, made["tables_total"], made["tables_total"], 0))
    same({row["status"] for row in done["results"]}, {"compacted"})
    for table in ("task_queue", "task"):
        status, done = ask("POST", f"compact/{table}")
        same((status, done["table"], done["status"]), (200, table, "compacted"))
        assert done["duration_ms"] >= 0

        status, said = ask("POST", f"restore/{table}")
        same((status, said["status"], said["table"], said["error"], said["restore_with"]),
             (409, "failed", table, "whole_store_only", "POST /api/admin/restore"))
    for path in ("compact/nothing", "restore/nothing"):
        status, said = ask("POST", path)
        same((status, said["error"]), (404, "unknown_table"))


@case(hub=False)
def a_disk_that_fills_during_a_backup_costs_the_backup_alone(folder):
    if os.geteuid() != 0:
        return  # nobody else may mount
    with small_disk(folder / "disk", 16 * MIB) as disk:
        hub = Hub(folder, "--backup-directory", str(disk / "backups"),
                  "--backup-bytes-per-second", str(2 * MIB))
        try:
            hub.start()
            acked = [hub.submit("x", metadata={"blob": "x" * 100_000})["task_id"]
                     for _ in range(24)]
            made = backup(hub, wait=False)
            until(lambda: job(hub, made["job_id"])["done"] > 0, "it is under way")
            fill_disk(disk / "ballast")
            acked.append(hub.submit("meanwhile")["task_id"])
            found = ended(hub, made["job_id"])
            same((found["status"], found["reason"]),
                 ("failed", "the disk of the backups is full"))
            same(events(hub, "job_failed"),
                 [{"job_id": made["job_id"], "kind": "backup", "reason": found["reason"]}])
            same((listed(hub), list((disk / "backups").iterdir())), ([], []))
            # What there was no room for at all is not begun.
            answer = hub.http("POST", "/api/admin/backup", token=hub.admin)
            same((answer.status, answer.json["error"]), (507, "storage_full"))
            same(list((disk / "backups").iterdir()), [])

            (disk / "ballast").unlink()
            same(ended(hub, backup(hub, wait=False)["job_id"])["status"], "complete")
            same(len(listed(hub)), 1)
            same([task["id"] for task in hub.all_tasks()], acked)
            same(hub.stop(), 0)
        finally:
            hub.kill()


@case(hub=False)
def a_store_that_is_none_is_refused(folder):
    (folder / "data.mdb").write_bytes(b"")
    same(verify(folder).returncode, 74)
    (folder / "data.mdb").write_bytes(b"x" * 10000)
    same(verify(folder).returncode, 74)
    same(verify(folder / "nowhere").returncode, 66)


@case("--backup-bytes-per-second", "65536")
def a_hub_told_to_end_gives_a_slow_backup_up(hub):
    for i in range(300):
        hub.submit("x" * 2000)
    made = backup(hub, wait=False)
    until(lambda: job(hub, made["job_id"])["done"] > 0, "it is under way")
    began = time.monotonic()
    same(hub.stop(signal.SIGTERM), 0)
    assert time.monotonic() - began < 5
    hub.start()
    found = job(hub, made["job_id"])
    same((found["status"], found["reason"]),
         ("failed", "the hub ended before it was done"))
    same(listed(hub), [])
    until(lambda: not list(place(hub).iterdir()), "nothing of it is left")


if __name__ == "__main__":
    main()
