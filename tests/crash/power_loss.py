#!/usr/bin/python3
"""
Power loss: of one run of the hub, the disks it may leave behind when the power fails.

A library preloaded into the hub records every write, sync and rename below its data
directory while submitters and agents work, and a ledger notes how far the record had
come when each answer was heard. Afterwards, at random places of the record, disks are
made of what was synced by then and of the rest: none of it, all of it, any part of it, in
another order, or with its last write torn. On each of them the store must open, every
table must be whole, and all that had been answered before that place must be there, byte
for byte. On some the hub itself is started and works everything off, and on some the store is
thrown away: a backup and the command journal must give back all that had been answered.

    tests/crash/power_loss.py --images 200 --walk PROGRAM --preload LIBRARY --seed 7
"""

import argparse
import asyncio
import bisect
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))

from support import BIN, ENVIRONMENT, Hub, eventually, sanitizer_report, until  # noqa: E402

SECTOR_BYTES = 512
AGENTS = 4
ENDED = ("completed", "dead_letter", "cancelled")
RESTART_EVERY = 25  # images a hub is started on
REPLAY_EVERY = 4  # images whose store is lost
# At full rate: limits of rate have stories of their own.
RATES = tuple(word for tier in ("light", "normal", "heavy")
              for word in (f"--rate-agent-{tier}", "10000000"))
FLAGS = (*RATES, "--journal", "--map-bytes-first", str(64 << 20), "--log-level", "warning",
         "--reconnect-grace-ms", "500")
VARIANTS = ("none", "all", "some", "reordered", "torn")


class Failure(Exception):
    """A promise that did not hold."""


def require(true, text):
    if not true:
        raise Failure(text)


def record_read(path):
    """(end offset, operation, bytes) of every record, in order."""
    data = path.read_bytes()
    at = 0
    while at < len(data):
        end = data.index(b"\n", at) + 1
        operation = json.loads(data[at:end])
        size = operation["size"] if operation["op"] == "write" else 0
        yield end + size, operation, data[end:end + size]
        at = end + size


class Inode:
    """A file as the disk has it, and what it was only asked to take."""

    def __init__(self):
        self.synced = bytearray()
        self.pending = []  # (offset, bytes), or (size, None) for a cut

    def sync(self):
        for change in self.pending:
            apply(self.synced, change)
        self.pending.clear()


def apply(content, change):
    at, data = change
    if data is None:
        del content[at:]
        content.extend(bytes(at - len(content)))
        return
    if len(content) < at:
        content.extend(bytes(at - len(content)))
    content[at:at + len(data)] = data


class Disk:
    """The directory: inodes and names, synced and asked for."""

    def __init__(self):
        self.files = {}  # number of an open -> inode
        self.names = {}  # path -> inode, as the hub sees it
        self.synced_names = {}
        self.pending_names = []

    def take(self, operation, data):
        getattr(self, f"take_{operation['op']}")(operation, data)

    def take_open(self, operation, _):
        path = operation["path"]
        if operation["new"] or path not in self.names:
            self.names[path] = Inode()
            self.pending_names.append(("link", path, self.names[path]))
        elif operation["cut"]:
            self.names[path].pending.append((0, None))
        self.files[operation["file"]] = self.names[path]

    def take_write(self, operation, data):
        inode = self.files[operation["file"]]
        if operation["synced"]:
            # The write alone is on the disk; what was asked for before it may not be.
            apply(inode.synced, (operation["at"], data))
        else:
            inode.pending.append((operation["at"], data))

    def take_sync(self, operation, _):
        self.files[operation["file"]].sync()

    def take_cut(self, operation, _):
        self.files[operation["file"]].pending.append((operation["size"], None))

    def take_rename(self, operation, _):
        old, new = operation["path"], operation["to"]
        names_move(self.names, old, new)
        # What is in a directory comes along, synced or not.
        self.pending_names = [
            (kind, path if path == old else moved(path, old, new), other)
            for kind, path, other in self.pending_names]
        self.pending_names.append(("rename", old, new))

    def take_remove(self, operation, _):
        self.names.pop(operation["path"], None)
        self.pending_names.append(("remove", operation["path"], None))

    def take_directory(self, operation, _):
        self.names[operation["path"]] = None
        self.pending_names.append(("directory", operation["path"], None))

    def take_sync_directory(self, operation, _):
        kept = []
        for change in self.pending_names:
            place = change[2] if change[0] == "rename" else change[1]
            if str(pathlib.PurePath(place).parent) in (operation["path"] or ".",):
                name_change(self.synced_names, change)
            else:
                kept.append(change)
        self.pending_names = kept

    def image(self, variant, chance):
        """Names and contents after a failure of power, now."""
        names = dict(self.synced_names)
        # A file system keeps the order of names, so a part of them is a beginning.
        count = {"none": 0, "all": len(self.pending_names)}.get(
            variant, chance.randint(0, len(self.pending_names)))
        for change in self.pending_names[:count]:
            name_change(names, change)
        return {path: None if inode is None else content_of(inode, variant, chance)
                for path, inode in names.items()}


def name_change(names, change):
    kind, path, other = change
    if kind == "link":
        names[path] = other
    elif kind == "directory":
        names[path] = None
    elif kind == "remove":
        names.pop(path, None)
    else:
        names_move(names, path, other)


def moved(path, old, new):
    """The path once the file or directory `old` is called `new`."""
    if path == old or path.startswith(old + "/"):
        return new + path[len(old):]
    return path


def names_move(names, old, new):
    for path in [path for path in names if moved(path, old, new) != path]:
        names[moved(path, old, new)] = names.pop(path)


def content_of(inode, variant, chance):
    content = bytearray(inode.synced)
    changes = list(inode.pending)
    if variant == "none":
        changes = []
    elif variant == "some":
        changes = [change for change in changes if chance.random() < 0.5]
    elif variant == "reordered":
        chance.shuffle(changes)
        changes = changes[:chance.randint(0, len(changes))]
    elif variant == "torn" and changes:
        changes = changes[:chance.randint(1, len(changes))]
        at, data = changes[-1]
        if data is not None and len(data) > SECTOR_BYTES:
            keep = chance.randrange(0, len(data), SECTOR_BYTES)
            # A drive writes whole sectors, from either end.
            changes[-1] = ((at, data[:keep]) if chance.random() < 0.5
                           else (at + keep, data[keep:]))
    for change in changes:
        apply(content, change)
    return content


async def end(worker):
    """Cancels it until it is over: wait_for() may swallow a cancellation."""
    while not worker.done():
        worker.cancel()
        await asyncio.wait([worker], timeout=0.01)
    if not worker.cancelled():
        worker.result()


class Ledger:
    """What was heard, and where the record stood when it was."""

    def __init__(self, record):
        self.record = record
        self.asked = {}  # description -> metadata
        self.submitted = {}  # task id -> (position, description)
        self.completed = {}  # task id -> position

    def position(self):
        return self.record.stat().st_size

    def check(self, listing, position):
        tasks = {}
        for line in listing.splitlines():
            task_id, state, _, description, metadata = line.split("\t")
            require(self.asked.get(description) == metadata,
                    f"{task_id} is not what was asked for: {description} {metadata}")
            require(description not in tasks, f"{description} is there twice")
            tasks[description] = (task_id, state)
        for task_id, (heard, description) in self.submitted.items():
            require(heard > position or tasks.get(description, (None,))[0] == task_id,
                    f"{task_id} was acknowledged and is lost")
        for task_id, heard in self.completed.items():
            state = tasks.get(self.submitted[task_id][1], (None, None))[1]
            require(heard > position or state == "completed",
                    f"{task_id} was completed and is {state}")


class Run:
    """One life of the hub, recorded."""

    def __init__(self, options, folder):
        self.options = options
        self.chance = random.Random(options.seed)
        self.record = folder / "record"
        self.record.touch()
        self.hub = Hub(folder, *FLAGS, env={
            "LD_PRELOAD": options.preload, "RECORD_DIR": str(folder / "data"),
            "RECORD_LOG": str(self.record)})
        self.ledger = Ledger(self.record)
        self.backup_position = None

    def backup_is_made(self):
        answer = self.hub.http("GET", "/api/admin/backups", token=self.hub.admin)
        return answer.status == 200 and answer.json["backups"]

    async def submit(self, agent, number):
        key = f"task {number}"
        metadata = json.dumps({"n": number, "text": "x" * self.chance.choice(
            (0, 30, 300, 3000, 20000))}, separators=(",", ":"))
        self.ledger.asked[key] = metadata
        await agent.say(f'{{"type":"task_submit","description":"{key}","request_id":"{key}",'
                        f'"idempotency_key":"{key}","metadata":{metadata}}}')
        answer = await agent.expect("task_submitted", request_id=key)
        self.ledger.submitted[answer["task_id"]] = (self.ledger.position(), key)

    async def submit_all(self, agent, numbers):
        for number in numbers:
            await self.submit(agent, number)

    async def work(self, agent):
        while True:
            task = await agent.expect("task_assign")
            if self.chance.random() < 0.1:
                await agent.fail(task)
                continue
            await agent.accept(task)
            await agent.complete(task)
            self.ledger.completed[task["task_id"]] = self.ledger.position()

    async def live(self):
        agents = [await self.hub.agent(f"agent-{n}", max_concurrent=2)
                  for n in range(AGENTS)]
        submitters = [await self.hub.agent(f"submitter-{n}", max_concurrent=0)
                      for n in range(AGENTS)]
        workers = [asyncio.create_task(self.work(agent)) for agent in agents]
        share = self.options.tasks // len(submitters)
        await asyncio.gather(*(
            self.submit_all(agent, range(n * share, (n + 1) * share))
            for n, agent in enumerate(submitters)))
        await eventually(lambda: len(self.ledger.completed) >= self.options.tasks // 2
                         or any(worker.done() for worker in workers), "half is done")
        for worker in workers:
            await end(worker)
        for agent in agents + submitters:
            agent.socket.transport.abort()

    def run(self):
        self.hub.start()
        try:
            assert self.hub.submitter and self.hub.admin  # known to every later disk
            until(self.backup_is_made, "the journal has a backup to start from")
            self.backup_position = self.ledger.position()
            asyncio.run(self.live())
            code = self.hub.stop()
            require(code == 0, f"the hub ended with {code}")
        finally:
            self.hub.kill()
        require(len(self.ledger.completed) > 0, "nothing was ever done")


class Images:
    def __init__(self, run, options, folder):
        self.run = run
        self.options = options
        self.folder = folder
        self.chance = random.Random(options.seed + 1)
        self.counts = dict.fromkeys(VARIANTS, 0)
        self.restarts = 0
        self.replays = 0

    def write(self, image):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700)
        for path, content in sorted(image.items()):
            place = self.folder / path
            if content is None:
                place.mkdir(mode=0o700, exist_ok=True)
            elif place.parent.is_dir():
                place.write_bytes(content)
                place.chmod(0o600)

    def walk(self, position):
        done = subprocess.run([self.options.walk, "--list", self.folder],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        require(done.returncode == 0, f"the store is broken: {done.stderr}")
        self.run.ledger.check(done.stdout, position)

    def replay(self, position):
        """Without the store: what a backup and the journal give back."""
        (self.folder / "data.mdb").unlink()
        place = self.folder.parent / "replayed"
        shutil.rmtree(place, ignore_errors=True)
        done = subprocess.run(
            [BIN / "drover-hub", "--data", self.folder, "--store-at", "last", "--to", place],
            env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True,
            stdin=subprocess.DEVNULL)
        require(done.returncode == 0, f"nothing is played back: {done.stderr}")
        listed = subprocess.run([self.options.walk, "--list", place], capture_output=True,
                                text=True, stdin=subprocess.DEVNULL)
        require(listed.returncode == 0, f"what is played back is broken: {listed.stderr}")
        self.run.ledger.check(listed.stdout, position)
        self.replays += 1

    def restart(self):
        """The hub itself, on this disk: it starts, and a new agent works everything off."""
        place = self.folder.parent / "again"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        hub = Hub(place, *FLAGS)
        shutil.copytree(self.folder, hub.data, copy_function=shutil.copy)
        hub.tokens = dict(self.run.hub.tokens)
        hub.admin_token = self.run.hub.admin_token
        try:
            hub.start()
            asyncio.run(self.work_off(hub))
            require(hub.stop() == 0, "the hub did not end well")
            self.restarts += 1
        finally:
            hub.kill()

    async def work_off(self, hub):
        # Nobody who was there before: its own tasks would wait for its word.
        agent = await hub.agent("late", max_concurrent=4)

        async def work():
            while True:
                await agent.complete(await agent.expect("task_assign"))

        def left():
            counts = hub.stats()["by_status"]
            return sum(count for word, count in counts.items() if word not in ENDED) == 0

        worker = asyncio.create_task(work())
        await eventually(left, lambda: f"all is done: {hub.stats()}")
        await end(worker)
        agent.socket.transport.abort()

    def knows_its_fleet(self, position):
        """Tokens were acknowledged by then, so that the fleet can come back."""
        heard = [at for at, _ in self.run.ledger.submitted.values()]
        return bool(heard) and position >= min(heard)

    def check(self, disk, position):
        variant = self.chance.choice(VARIANTS)
        image = disk.image(variant, self.chance)
        self.counts[variant] += 1
        number = sum(self.counts.values())
        try:
            self.write(image)
            self.walk(position)
            if number % RESTART_EVERY == 0 and self.knows_its_fleet(position):
                self.restart()
            if number % REPLAY_EVERY == 0 and position >= self.run.backup_position:
                self.replay(position)
        except Failure as failure:
            raise Failure(f"disk {number} ({variant}, at {position}): {failure}") from None

    def make(self):
        records = list(record_read(self.run.record))
        places = sorted(self.chance.randrange(len(records))
                        for _ in range(self.options.images))
        disk = Disk()
        for index, (end, operation, data) in enumerate(records):
            disk.take(operation, data)
            for _ in range(bisect.bisect_right(places, index) -
                           bisect.bisect_left(places, index)):
                self.check(disk, end)
        return len(records)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--walk", required=True, help="crash_walk_store, as built")
    parser.add_argument("--preload", required=True, help="librecord_writes.so, as built")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().getrandbits(32)

    folder = pathlib.Path(tempfile.mkdtemp(prefix="drover-power-"))
    started = time.monotonic()
    run = Run(options, folder)
    images = Images(run, options, folder / "image")
    try:
        run.run()
        records = images.make()
        report = sanitizer_report(folder)
        require(report is None, report)
    except BaseException as failure:
        print(run.hub.log_tail(), file=sys.stderr)
        print(f"FAILED with --seed {options.seed}; kept {folder}", file=sys.stderr)
        if not isinstance(failure, Failure):
            raise
        print(failure, file=sys.stderr)
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    print(f"ok      {options.images} disks of {records} records "
          f"({', '.join(f'{count} {name}' for name, count in images.counts.items())}), "
          f"{images.restarts} started on, {images.replays} played back; {len(run.ledger.submitted)} tasks and "
          f"{len(run.ledger.completed)} completions, 0 lost; "
          f"{time.monotonic() - started:.1f} s (--seed {options.seed})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
