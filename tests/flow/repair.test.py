#!/usr/bin/python3
"""A store that is broken is never used as if it were not: the hub restores it from the
youngest good backup when it may, else it does not start and says what to do."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from support import (BIN, ENVIRONMENT, PATIENCE_S, SANITIZED, Hub, case, main,  # noqa: E402
                     same, until)

BROKEN = 74
RESTORES = "--restore-when-corrupt"
TEXT = b"a text that will rot"
ROUNDS = 4 if SANITIZED else 8


def backup(hub):
    answer = hub.http("POST", "/api/admin/backup", token=hub.admin)
    same(answer.status, 200)
    return answer.json["backup"]


def ids(hub):
    return sorted(task["id"] for task in hub.all_tasks())


def filled(hub, count=8):
    """Tasks that are in a backup, and the task in it whose text will rot."""
    rots = hub.submit("rots", metadata={"text": TEXT.decode()})["task_id"]
    return rots, sorted([rots, *(hub.submit(f"kept {'x' * 4000}")["task_id"]
                                 for _ in range(count))])


def rot(path, text=TEXT):
    """Turns a bit in every copy of the text on the disk."""
    data = bytearray(path.read_bytes())
    at = data.find(text)
    assert at >= 0
    while at >= 0:
        data[at] ^= 1
        at = data.find(text, at + 1)
    path.write_bytes(data)


def scramble(hub):
    data = hub.data / "data.mdb"
    data.write_bytes(os.urandom(data.stat().st_size))


def ends(hub, code=BROKEN):
    """A start that is refused; what it said."""
    before = len(hub.log())
    hub.spawn()
    same(hub.process.wait(PATIENCE_S), code)
    return hub.log()[before:]


def needed(hub, task):
    """Somebody wants the record that rotted: the hub ends rather than show it."""
    with contextlib.suppress(OSError):
        answer = hub.http("GET", f"/api/tasks/{task}", token=hub.submitter)
        same((answer.status, answer.json["error"]), (503, "storage_error"))
    same(hub.process.wait(PATIENCE_S), BROKEN)


def told(hub):
    """The event that a restored store's log begins its epoch with."""
    answer = hub.http("GET", "/api/events?kinds=store_restored&since=0", token=hub.admin)
    same(answer.status, 200)
    return answer.json["events"][-1]["data"]


def kept(hub):
    return sorted((hub.data / "quarantine").glob("store-*.mdb"))


def tidy(hub):
    for name in ("data.prev", "restoring", "store.suspect"):
        assert not (hub.data / name).exists(), name


# Where it listens is good by the flag alone: what a child of the hub does needs neither.
@case(RESTORES, env={"DROVER_LISTEN": "0.0.0.0:4000"})
def a_record_that_rotted_ends_the_hub_and_the_next_start_restores(hub):
    rots, tasks = filled(hub)
    name = backup(hub)
    eve = hub.mint("eve", "viewer")
    gone = hub.mint("gone", "viewer")
    second = backup(hub)
    lost = [hub.submit("lost")["task_id"] for _ in range(3)]
    same(hub.http("DELETE", "/admin/tokens/gone", token=hub.admin).status, 200)
    same(hub.stop(), 0)
    rot(hub.data / "data.mdb")
    broken = (hub.data / "data.mdb").read_bytes()
    hub.start()
    needed(hub, rots)
    hub.start()
    same(ids(hub), tasks)
    assert lost and name < second
    data = told(hub)
    same((data["backup"], data["automatic"], data["revocations_kept"],
          data["backups_skipped"]), (second, True, True, 0))
    assert 4 <= data["commands_lost"] < 60, data
    assert "not whole" in data["reason"], data
    same([str(path) for path in kept(hub)], [data["kept"]])
    # What was kept is the store as it broke, but for what the last run wrote.
    assert len(kept(hub)[0].read_bytes()) >= len(broken)
    same(kept(hub)[0].stat().st_mode & 0o777, 0o600)
    assert "store_restored_by_itself" in hub.log() and second in hub.log()
    same(hub.http("GET", "/api/tasks", token=eve).status, 200)
    same(hub.http("GET", "/api/tasks", token=gone).status, 401)
    tidy(hub)
    same(hub.task(rots)["metadata"]["text"], TEXT.decode())


@case(RESTORES)
def what_every_start_reads_is_found_broken_by_one_and_restored_by_the_next(hub):
    _, tasks = filled(hub)
    hub.mint("holder-of-a-token-that-rots", "viewer")
    name = backup(hub)
    same(hub.stop(), 0)
    rot(hub.data / "data.mdb", b"holder-of-a-token-that-rots")
    ends(hub)
    assert (hub.data / "store.suspect").exists()
    hub.start()
    same((ids(hub), told(hub)["backup"]), (tasks, name))
    tidy(hub)


@case(RESTORES)
def a_name_of_a_table_that_rotted_is_no_newer_version(hub):
    _, tasks = filled(hub)
    name = backup(hub)
    same(hub.stop(), 0)
    rot(hub.data / "data.mdb", b"task_alias")
    hub.start()
    same((ids(hub), told(hub)["backup"]), (tasks, name))
    tidy(hub)


@case()
def without_the_setting_it_says_which_command_restores(hub):
    rots, tasks = filled(hub)
    name = backup(hub)
    hub.submit("lost")
    same(hub.stop(), 0)
    rot(hub.data / "data.mdb")
    hub.start()
    needed(hub, rots)
    for _ in range(2):  # it does not start the second time, either
        said = ends(hub)
        assert "commands since would be lost" in said and name in said, said
    lines = [line for line in said.splitlines() if "to restore it: " in line]
    command = shlex.split(lines[0].split("to restore it: ")[1])
    same(command[0], "drover-hub")
    done = subprocess.run([str(BIN / command[0]), *command[1:], "--yes"],
                          env={**os.environ, **ENVIRONMENT}, capture_output=True,
                          text=True, timeout=PATIENCE_S)
    same((done.returncode, done.stdout), (0, f"restored from {name}\n"))
    hub.start()
    same(ids(hub), tasks)
    data = told(hub)
    same((data["automatic"], data["revocations_kept"]), (False, True))
    same(len(kept(hub)), 1)
    tidy(hub)


@case(RESTORES)
def a_file_that_is_no_store_any_more_is_replaced(hub):
    _, tasks = filled(hub)
    name = backup(hub)
    hub.submit("lost")
    same(hub.stop(), 0)
    scramble(hub)
    hub.start()
    same(ids(hub), tasks)
    data = told(hub)
    same((data["backup"], data["revocations_kept"]), (name, False))
    assert "commands_lost" not in data, data
    tidy(hub)


@case(RESTORES)
def a_file_that_ends_its_reader_is_found_out_by_the_next_start(hub):
    if SANITIZED:
        return  # a sanitizer takes the signal for itself, and reports it
    _, tasks = filled(hub)
    backup(hub)
    same(hub.stop(), 0)
    data = hub.data / "data.mdb"
    os.truncate(data, 3 * 4096)
    for _ in range(3):
        hub.spawn()
        with contextlib.suppress(AssertionError):
            hub.wait_listening()
            break
    hub.wait_ready()
    same(ids(hub), tasks)
    tidy(hub)


@case(RESTORES)
def a_store_that_is_gone_does_not_become_an_empty_one(hub):
    _, tasks = filled(hub)
    backup(hub)
    for end in (os.unlink, lambda path: os.truncate(path, 0)):
        same(hub.stop(), 0)
        end(hub.data / "data.mdb")
        hub.flags.remove(RESTORES)
        assert "gone, or empty" in ends(hub)
        hub.flags.append(RESTORES)
        hub.start()
        same(ids(hub), tasks)
        assert "commands_lost" not in told(hub)
        shutil.rmtree(hub.data / "quarantine")
        tidy(hub)


@case(RESTORES)
def without_a_good_backup_nothing_is_touched(hub):
    filled(hub)
    same(hub.stop(), 0)
    scramble(hub)
    broken = (hub.data / "data.mdb").read_bytes()
    for _ in range(2):
        assert "nothing to restore it from" in ends(hub)
        same((hub.data / "data.mdb").read_bytes(), broken)
        same(kept(hub), [])
    shutil.rmtree(hub.data)
    hub.start()


@case(RESTORES)
def a_bad_backup_is_passed_over_and_named(hub):
    _, tasks = filled(hub)
    good = backup(hub)
    hub.submit("in the bad one only")
    bad = backup(hub)
    same(hub.stop(), 0)
    path = hub.data / "backups" / bad / "data.mdb"
    spoilt = bytearray(path.read_bytes())
    spoilt[len(spoilt) // 2] ^= 1
    path.write_bytes(spoilt)
    scramble(hub)
    hub.start()
    same(ids(hub), tasks)
    data = told(hub)
    same((data["backup"], data["backups_skipped"]), (good, 1))
    assert f"{bad} is not good" in hub.log(), hub.log_tail()


@case(RESTORES)
def of_several_stores_backups_none_is_guessed(hub):
    filled(hub)
    backup(hub)
    other = Hub(hub.folder / "other")
    other.folder.mkdir()
    other.start()
    try:
        theirs = backup(other)
    finally:
        same(other.stop(), 0)
    shutil.copytree(other.data / "backups" / theirs, hub.data / "backups" / theirs)
    same(hub.stop(), 0)
    scramble(hub)
    assert "does not say which it was" in ends(hub)
    shutil.rmtree(hub.data / "backups" / theirs)
    hub.start()


class Small(Hub):
    """A hub that may write no file larger than that."""

    bytes_max = None

    def command(self):
        limit = [] if self.bytes_max is None else ["prlimit", f"--fsize={self.bytes_max}"]
        return [*limit, *super().command()]


@case(hub=False)
def without_room_the_broken_store_stays_until_there_is_some(folder):
    hub = Small(folder, RESTORES)
    try:
        hub.start()
        _, tasks = filled(hub, 40)
        backup(hub)
        same(hub.stop(), 0)
        scramble(hub)
        broken = (hub.data / "data.mdb").read_bytes()
        hub.bytes_max = 128 * 1024
        said = ends(hub)
        assert "restoring it failed" in said and "File too large" in said, said
        same((hub.data / "data.mdb").read_bytes(), broken)
        assert not (hub.data / "restoring").exists()
        hub.bytes_max = None
        hub.start()
        same(ids(hub), tasks)
        tidy(hub)
        same(len(kept(hub)), 1)
        same(hub.stop(), 0)
    finally:
        hub.kill()


@case(RESTORES)
def killed_in_the_middle_of_it_it_is_restored_by_the_next_start(hub):
    _, tasks = filled(hub, 30)
    backup(hub)
    for i in range(ROUNDS):
        hub.submit("lost")
        same(hub.stop(), 0)
        scramble(hub)
        hub.spawn()
        limit = time.monotonic() + 0.012 * i
        until(lambda: time.monotonic() > limit, "a moment has passed")
        hub.kill()
        hub.start()
        same(ids(hub), tasks)
        same(len(kept(hub)), 1)
        tidy(hub)
        shutil.rmtree(hub.data / "quarantine")


@case(RESTORES)
def what_breaks_again_at_once_is_not_restored_again(hub):
    _, tasks = filled(hub)
    backup(hub)
    same(hub.stop(), 0)
    scramble(hub)
    hub.start()
    same(hub.stop(), 0)
    scramble(hub)
    for _ in range(2):
        assert "broke at once" in ends(hub)
    # Much later it may be; but what is kept of the broken ones is bounded, too.
    kept(hub)[0].rename(hub.data / "quarantine" / "store-20200101T000000Z.mdb")
    hub.start()
    same(ids(hub), tasks)
    for path in kept(hub)[1:]:
        path.rename(hub.data / "quarantine" / "store-20200102T000000Z.mdb")
    shutil.copy(kept(hub)[0], hub.data / "quarantine" / "store-20200103T000000Z.mdb")
    same(hub.stop(), 0)
    scramble(hub)
    assert "too many broken stores" in ends(hub)
    kept(hub)[0].unlink()
    with open(hub.data / "store.suspect", "a") as note:
        note.write("try\n" * 5)
    assert "begun too often" in ends(hub)
    (hub.data / "store.suspect").unlink()
    hub.start()
    same(ids(hub), tasks)


@case()
def a_hub_that_ended_by_a_fault_walks_its_store_and_goes_on(hub):
    if SANITIZED:
        return  # a sanitizer takes the signal for itself, and reports it
    _, tasks = filled(hub)
    hub.process.send_signal(signal.SIGSEGV)
    same(hub.process.wait(PATIENCE_S), -signal.SIGSEGV)
    assert (hub.data / "store.suspect").exists()
    hub.start()
    assert '"store_walked"' in hub.log()
    same(ids(hub), tasks)
    tidy(hub)
    # Asked to by somebody else, as by a watchdog, it is no fault of the store's.
    hub.process.send_signal(signal.SIGABRT)
    same(hub.process.wait(PATIENCE_S), -signal.SIGABRT)
    tidy(hub)
    hub.start()


if __name__ == "__main__":
    main()
