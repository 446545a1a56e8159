#!/usr/bin/python3
"""What is short or breaks around the hub: space, files, memory, the disk. It lives on or
ends loudly, and what was acknowledged stays."""

import contextlib
import os
import random
import resource
import shutil
import socket
import sys
import time

sys.dont_write_bytecode = True
from support import (BIN, PATIENCE_S, SANITIZED, Hub, case, fill_disk,  # noqa: E402
                     main, same, small_disk, until)

MIB = 1024 * 1024
STORAGE_BROKEN = 74
BACK_WITHIN_S = 5  # P17
FLIPS = 4 if SANITIZED else 12
FILES = 64


class Limited(Hub):
    """A hub with limits of its own: {resource.RLIMIT_...: most}."""

    def __init__(self, folder, *flags, limits, env=None):
        super().__init__(folder, *flags, env=env)
        self.limits = limits

    def command(self):
        names = {resource.RLIMIT_NOFILE: "--nofile", resource.RLIMIT_AS: "--as"}
        return ["prlimit", *(f"{names[key]}={most}:{most}"
                             for key, most in self.limits.items()), *super().command()]


def submit(hub, number):
    return hub.http("POST", "/api/tasks", {"description": str(number),
                                           "metadata": {"blob": "x" * 50_000}},
                    token=hub.submitter)


def ids_of(hub):
    return [task["id"] for task in hub.all_tasks()]


@case(hub=False)
def a_disk_that_is_full_refuses_and_takes_again_when_there_is_room(folder):
    if os.geteuid() != 0:
        return  # nobody else may mount
    with small_disk(folder / "disk", 24 * MIB) as disk:
        hub = Hub(folder, "--map-bytes-first", str(4 * MIB))
        hub.data = disk / "data"
        try:
            hub.start()
            acked = [submit(hub, n).json["task_id"] for n in range(20)]
            ballast = disk / "ballast"
            fill_disk(ballast)
            while (answer := submit(hub, len(acked))).status == 201:
                acked.append(answer.json["task_id"])
            same((answer.status, answer.json["error"]), (507, "storage_full"))
            for _ in range(20):
                same(submit(hub, 0).status, 507)
            same(hub.http("GET", "/health").status, 200)
            same(ids_of(hub), acked)

            ballast.unlink()
            until(lambda: submit(hub, "late").status == 201, "there is room again",
                  BACK_WITHIN_S)
            same(ids_of(hub)[:len(acked)], acked)
            same(hub.stop(), 0)
            hub.start()
            same(ids_of(hub)[:len(acked)], acked)
            same(hub.stop(), 0)
        finally:
            hub.kill()


@case(hub=False)
def a_disk_that_fails_a_sync_ends_the_hub_and_loses_nothing(folder):
    if SANITIZED:
        return  # a sanitizer wants to be preloaded first
    hub = Hub(folder, env={"DISK_FAULTS": str(folder),
                           "LD_PRELOAD": str(BIN / "preload/libdisk_faults.so")})
    try:
        hub.start()
        acked = [submit(hub, n).json["task_id"] for n in range(5)]
        (folder / "broken").touch()
        with contextlib.suppress(OSError, AssertionError):
            answer = submit(hub, "lost")
            same((answer.status, answer.json["error"]), (503, "storage_error"))
        same(hub.process.wait(PATIENCE_S), STORAGE_BROKEN)
        assert "store_broken" in hub.log(), hub.log_tail()
        (folder / "broken").unlink()
        hub.start()
        # The one that was not acknowledged may be there, or not.
        same(ids_of(hub)[:5], acked)
        assert len(ids_of(hub)) <= 6
        same(hub.stop(), 0)
    finally:
        hub.kill()


def flip(path, chance):
    with open(path, "r+b") as file:
        at = chance.randrange(path.stat().st_size)
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1 << chance.randrange(8)]))
    return at


def answers(hub, wanted):
    """Every task there was, as it was; an error is an answer, another value is not."""
    for task_id, task in wanted.items():
        try:
            answer = hub.http("GET", f"/api/tasks/{task_id}", token=hub.submitter)
        except OSError:
            return  # it has ended, loudly: see the exit code
        if answer.status == 200:
            same(answer.json, task)
        else:
            assert answer.status in (500, 503), answer


@case(hub=False)
def a_bit_that_turned_on_the_disk_never_makes_a_wrong_answer(folder):
    hub = Hub(folder, "--map-bytes-first", str(4 * MIB))
    chance = random.Random(11)
    try:
        hub.start()
        for n in range(40):
            hub.submit(f"task {n}", metadata={"n": n, "text": "x" * (n * 100)})
        wanted = {task["id"]: hub.task(task["id"]) for task in hub.all_tasks()}
        same(hub.stop(), 0)
        whole = folder / "whole"
        shutil.copytree(hub.data, whole)
        for _ in range(FLIPS):
            shutil.rmtree(hub.data)
            shutil.copytree(whole, hub.data)
            flip(hub.data / "data.mdb", chance)
            hub.spawn()
            until(lambda: (hub.folder / "port").exists() or hub.process.poll() is not None,
                  "it listens or has ended")
            if hub.process.poll() is None:
                hub.wait_listening()
                answers(hub, wanted)
            code = hub.stop()
            assert code in (0, STORAGE_BROKEN), f"{code}: {hub.log_tail()}"
    finally:
        hub.kill()


def cpu_s(process):
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@case(hub=False)
def with_no_files_left_those_inside_are_served_and_nothing_spins(folder):
    hub = Limited(folder, limits={resource.RLIMIT_NOFILE: FILES})
    crowd = []
    try:
        hub.start()
        token = hub.register("ada")
        inside = hub.connection()
        inside.request("GET", "/health")
        same(inside.getresponse().read() != b"", True)
        with contextlib.suppress(OSError):
            for _ in range(3 * FILES):
                line = socket.create_connection((hub.host, hub.port), timeout=1)
                crowd.append(line)
        before, started = cpu_s(hub.process), time.monotonic()
        inside.request("GET", "/api/tasks", headers={"Authorization": f"Bearer {token}"})
        answer = inside.getresponse()
        answer.read()
        same(answer.status, 200)
        while time.monotonic() - started < 1:
            time.sleep(0.1)
        used = (cpu_s(hub.process) - before) / (time.monotonic() - started)
        if not SANITIZED:
            assert used < 0.05, f"{used:.0%} of a processor"
        for line in crowd:
            line.close()
        crowd.clear()
        until(lambda: served(hub), "there is room again")
        same(hub.stop(), 0)
    finally:
        for line in crowd:
            line.close()
        hub.kill()


def served(hub):
    with contextlib.suppress(OSError):
        return hub.http("GET", "/health", timeout=2).status == 200
    return False


@case(hub=False)
def with_no_memory_left_the_hub_sheds_and_lives(folder):
    if SANITIZED:
        return  # a sanitizer's shadow is larger than any limit
    hub = Limited(folder, "--map-bytes-first", str(16 * MIB), "--map-bytes-max",
                  str(16 * MIB), limits={resource.RLIMIT_AS: 256 * MIB})
    crowd = []
    try:
        hub.start()
        token = hub.register("ada")
        acked = hub.submit("kept")["task_id"]
        head = (f"POST /api/tasks HTTP/1.1\r\nHost: {hub.host}\r\n"
                f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {MIB}\r\n\r\n").encode()
        for _ in range(250):
            line = socket.create_connection((hub.host, hub.port), timeout=2)
            crowd.append(line)
            with contextlib.suppress(OSError):
                line.sendall(head + b"{" + b" " * (MIB - 1000))
        for line in crowd:
            line.close()
        until(lambda: served(hub), "it answers again")
        same(ids_of(hub), [acked])
        hub.submit("one more")
        same(hub.stop(), 0)
    finally:
        for line in crowd:
            line.close()
        hub.kill()


if __name__ == "__main__":
    main()
