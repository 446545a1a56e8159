#!/usr/bin/python3
"""The hub under a service manager: ready when it serves, watched, on a socket handed down."""

import contextlib
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
from support import (BIN, PATIENCE_S, ROOT, SANITIZED, Hub, case, main,  # noqa: E402
                     same, until)

WATCHDOG_MS = 900
UNIT = ROOT / "tools/packaging/drover-hub.service"
# By `systemd-analyze security`: 0 is a fortress, 10 an open door.
EXPOSURE_MAX = 2.0


class Manager:
    """What systemd is to a service: it hears its words."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.env = {"NOTIFY_SOCKET": str(self.path)}

    def hear(self, patience_s=PATIENCE_S):
        """The next word, or None."""
        self.socket.settimeout(patience_s)
        try:
            return self.socket.recv(4096).decode()
        except TimeoutError:
            return None

    def hear_all(self, seconds):
        limit = time.monotonic() + seconds
        words = []
        while (left := limit - time.monotonic()) > 0:
            word = self.hear(left)
            if word is not None:
                words.append(word)
        return words

    def expect(self, wanted):
        limit = time.monotonic() + PATIENCE_S
        while time.monotonic() < limit:
            if self.hear() == wanted:
                return
        raise AssertionError(f"{wanted} was never said")


class Given(Hub):
    """A hub that is handed sockets instead of told where to listen."""

    def __init__(self, folder, *sockets, **options):
        super().__init__(folder, **options)
        self.sockets = sockets
        self.port = sockets[0].getsockname()[1]

    def spawn(self):
        (self.folder / "port").unlink(missing_ok=True)
        # First out of the way, then to where they are looked for: 3, 4, ...
        moves = [f"{30 + n}<&{given.fileno()}" for n, given in enumerate(self.sockets)]
        moves += [f"{3 + n}<&{30 + n} {30 + n}<&-" for n in range(len(self.sockets))]
        line = (f"exec {' '.join(moves)}; LISTEN_PID=$$ LISTEN_FDS={len(self.sockets)} "
                'exec "$@"')
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", line, "bash", str(BIN / "drover-hub"),
                 "--data", str(self.data), "--port-file", str(self.folder / "port"),
                 *self.flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=[given.fileno() for given in self.sockets],
                env={**os.environ, "DROVER_FORCED_FILE_SYSTEM": "true", **self.env})


def listening(host="127.0.0.1"):
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.bind((host, 0))
    made.listen(64)
    return made


@case(hub=False)
def the_manager_is_told_when_the_hub_serves_and_when_it_stops(folder):
    manager = Manager(folder)
    hub = Hub(folder, env=manager.env)
    try:
        hub.spawn()
        same(manager.hear(), "READY=1")
        hub.port = int((folder / "port").read_text())
        same(hub.http("GET", "/health").status, 200)
        same(hub.stop(), 0)
        manager.expect("STOPPING=1")
    finally:
        hub.kill()


@case(hub=False)
def a_hub_that_cannot_serve_never_says_it_is_ready(folder):
    taken = listening()
    manager = Manager(folder)
    hub = Hub(folder, env=manager.env)
    hub.port = taken.getsockname()[1]
    try:
        hub.spawn()
        same(hub.process.wait(PATIENCE_S), 69)
        same(manager.hear_all(0.1), [])
    finally:
        hub.kill()


@case(hub=False)
def the_watchdog_hears_nothing_while_the_engine_hangs(folder):
    if SANITIZED:
        return  # a sanitizer wants to be preloaded first
    stuck = folder / "slow"
    manager = Manager(folder)
    hub = Hub(folder, env={
        **manager.env, "WATCHDOG_USEC": str(WATCHDOG_MS * 1000),
        "DISK_FAULTS": str(folder), "LD_PRELOAD": str(BIN / "preload/libdisk_faults.so")})
    try:
        hub.start()
        hub.register("submitter")
        manager.expect("WATCHDOG=1")
        manager.expect("WATCHDOG=1")
        stuck.touch()
        work = threading.Thread(target=hub.submit)
        work.start()
        # What the net thread says while it may still believe in the engine.
        manager.hear_all(2 * WATCHDOG_MS / 1000)
        same(manager.hear_all(WATCHDOG_MS / 1000), [])
        same(hub.http("GET", "/livez").status, 200)
        stuck.unlink()
        manager.expect("WATCHDOG=1")
        work.join(PATIENCE_S)
        same(hub.stop(), 0)
    finally:
        with contextlib.suppress(FileNotFoundError):
            stuck.unlink()
        hub.kill()


@case(hub=False)
def a_socket_handed_down_is_served_in_place_of_the_setting(folder):
    for host in ("127.0.0.1", "::1"):
        with listening(host) as given:
            place = folder / host.replace(":", "_")
            place.mkdir()
            hub = Given(place, given, host=f"[{host}]" if ":" in host else host)
            hub.host = host
            try:
                hub.start()
                same(hub.port, given.getsockname()[1])
                same(hub.http("GET", "/health").status, 200)
                same(hub.stop(), 0)
            finally:
                hub.kill()


@case(hub=False)
def who_comes_while_the_hub_starts_anew_waits_and_is_served(folder):
    with listening() as given:
        hub = Given(folder, given)
        try:
            hub.start()
            token = hub.register("ada")
            same(hub.stop(), 0)
            answers = []

            def ask():
                answers.append(hub.http("GET", "/api/tasks", token=token))

            early = threading.Thread(target=ask)
            early.start()
            hub.start()
            early.join(PATIENCE_S)
            same([answer.status for answer in answers], [200])
            same(hub.stop(), 0)
        finally:
            hub.kill()


@case(hub=False)
def a_socket_beyond_loopback_wants_tls_as_the_setting_does(folder):
    with listening("0.0.0.0") as given:
        hub = Given(folder, given)
        try:
            hub.spawn()
            same(hub.process.wait(PATIENCE_S), 78)
            assert "TLS" in hub.log(), hub.log()
        finally:
            hub.kill()


@case(hub=False)
def sockets_of_another_kind_or_number_are_refused_with_the_reason(folder):
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 0))
    silent = socket.socket(socket.AF_INET)
    silent.bind(("127.0.0.1", 0))
    cases = (([datagrams], "TCP"), ([silent], "TCP"), ([listening(), listening()], "one"))
    for number, (sockets, word) in enumerate(cases):
        place = folder / str(number)
        place.mkdir()
        hub = Given(place, *sockets)
        try:
            hub.spawn()
            same(hub.process.wait(PATIENCE_S), 78)
            assert word in hub.log(), hub.log()
        finally:
            hub.kill()


def unit_here(folder):
    """The unit as it would be installed, with a program that is there."""
    path = folder / "drover-hub.service"
    path.write_text(UNIT.read_text().replace("/usr/bin/drover-hub",
                                             str(BIN / "drover-hub")))
    return path


@case(hub=False)
def the_units_are_sound(folder):
    (folder / "drover-hub.socket").write_text(UNIT.with_suffix(".socket").read_text())
    for path in (unit_here(folder), folder / "drover-hub.socket"):
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(path)],
            capture_output=True, text=True, timeout=PATIENCE_S)
        same((done.returncode, done.stderr), (0, ""))


@case(hub=False)
def the_unit_leaves_the_hub_little_to_reach(folder):
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager",
         str(unit_here(folder))],
        capture_output=True, text=True, timeout=PATIENCE_S)
    found = re.search(r"Overall exposure level[^:]*: ([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found[1]) <= EXPOSURE_MAX, done.stdout


if __name__ == "__main__":
    main()
