#!/usr/bin/python3
"""The whole store is read and said to be whole or not: beside the hub that uses it, or without
one."""

import json
import os
import shutil
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
from support import BIN, PATIENCE_S, case, main, same, until  # noqa: E402

FAILED = 1
CONFLICT = 4
TEXT = b"a text that will rot"


def drover(hub, *words, env=None, online=True):
    options = ["--hub", hub.url, "--token", hub.admin] if online else []
    done = subprocess.run(
        [str(BIN / "drover"), "store", *words, *options],
        env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=PATIENCE_S)
    return done.returncode, done.stdout, done.stderr


def verify(hub, **body):
    return hub.http("POST", "/api/admin/verify", body, token=hub.admin)


def rot(path):
    data = bytearray(path.read_bytes())
    at = data.find(TEXT)
    assert at >= 0
    while at >= 0:
        data[at] ^= 1
        at = data.find(TEXT, at + 1)
    path.write_bytes(data)


def crc32c(data):
    sum_ = 0xffffffff
    for byte in data:
        sum_ ^= byte
        for _ in range(8):
            sum_ = sum_ >> 1 ^ (0x82f63b78 if sum_ & 1 else 0)
    return sum_ ^ 0xffffffff


def forge(path, text):
    """Changes the text in every row with a key of eight bytes, and the row's checksum so that
    it fits; how many rows that were."""
    data = bytearray(path.read_bytes())
    count, at = 0, -1
    while (at := data.find(text, at + 1)) >= 0:
        for key in range(at - 400, at - 13):
            low, high, flags, key_size = struct.unpack_from("<4H", data, key - 8)
            frame, size = key + 8, low | high << 16
            if flags != 0 or key_size != 8 or data[frame] != 1 or frame + size <= at:
                continue
            found = struct.unpack_from(">I", data, frame + 1)[0]
            for table in range(64):
                head = struct.pack(">I", table) + data[key:frame]
                if crc32c(head + data[frame + 5:frame + size]) == found:
                    data[at] ^= 1
                    struct.pack_into(">I", data, frame + 1,
                                     crc32c(head + data[frame + 5:frame + size]))
                    count += 1
                    break
    path.write_bytes(data)
    return count


def job(hub):
    listed = hub.http("GET", "/api/admin/jobs?kind=verify", token=hub.admin).json["jobs"]
    return listed[0] if listed else None


def events(hub):
    answer = hub.http("GET", "/api/events?kinds=store_corrupt&since=0", token=hub.admin)
    return [event["data"] for event in answer.json["events"]]


@case()
def a_hub_verifies_its_store_while_it_serves(hub):
    for i in range(20):
        hub.submit(f"{i} " + "x" * 3000)
    answer = verify(hub)
    same((answer.status, answer.json["status"]), (200, "complete"))
    told = answer.json
    same(told["tables_success"], told["tables_total"])
    tasks = [table for table in told["results"] if table["table"] == "task"]
    same((tasks[0]["records"], tasks[0]["status"]), (20, "whole"))
    assert told["sequence"] >= 20 and told["bytes"] > 60_000, told
    # The copy is not kept, and it is no backup.
    same(list((hub.data / "backups").iterdir()), [])
    same(hub.http("GET", "/api/admin/backups", token=hub.admin).json["backups"], [])
    same((job(hub)["status"], job(hub)["bytes"]), ("complete", told["bytes"]))
    code, said, complaint = drover(hub, "verify")
    same((code, complaint), (0, ""))
    assert said.startswith("whole: ") and f" in {told['tables_total']} tables" in said, said
    code, said, _ = drover(hub, "verify", "--json")
    same((code, json.loads(said)["status"]), (0, "complete"))


@case("--backup-bytes-per-second", "65536")
def one_that_takes_long_is_waited_for_by_the_command_line(hub):
    answer = verify(hub, wait=False)
    same((answer.status, "bytes" in answer.json), (202, False))
    code, said, complaint = drover(hub, "verify")
    same((code, complaint), (0, ""))
    assert said.startswith("whole: "), said
    same(job(hub)["status"], "complete")


@case()
def who_may_not_back_up_may_not_verify(hub):
    for role, status in (("viewer", 403), ("submitter", 403), ("operator", 200)):
        token = hub.mint(role, role)
        same((role, hub.http("POST", "/api/admin/verify", {}, token=token).status),
             (role, status))


@case()
def a_record_that_rotted_is_found_and_named(hub):
    hub.submit("rots", metadata={"text": TEXT.decode()})
    same(hub.stop(), 0)
    rot(hub.data / "data.mdb")
    code, said, complaint = drover(hub, "verify", str(hub.data), online=False)
    same((code, said), (FAILED, ""))
    assert "not whole" in complaint, complaint
    hub.start()
    answer = verify(hub)
    same((answer.status, answer.json["error"]), (500, "store_corrupt"))
    code, said, complaint = drover(hub, "verify")
    same((code, said), (FAILED, ""))
    assert "not whole" in complaint, complaint
    same(job(hub)["status"], "failed")
    same(len(events(hub)), 2)
    assert "not whole" in events(hub)[0]["reason"], events(hub)
    assert '"store_corrupt"' in hub.log()
    # Nobody has needed the record: the hub goes on.
    hub.submit("the hub goes on")


@case()
def a_store_that_lies_still_is_verified_without_a_hub(hub):
    hub.submit("kept")
    backup = hub.http("POST", "/api/admin/backup", token=hub.admin).json["backup"]
    code, said, complaint = drover(hub, "verify", str(hub.data), online=False)
    same((code, said), (CONFLICT, ""))
    assert "a hub has the store open" in complaint, complaint
    place = str(hub.data / "backups" / backup)
    code, said, complaint = drover(hub, "verify", place, online=False)
    same((code, complaint, said[:7]), (0, "", "whole: "))
    same(hub.stop(), 0)
    before = (hub.data / "data.mdb").read_bytes()
    code, said, complaint = drover(hub, "verify", "--offline", online=False,
                                   env={"DROVER_DATA": str(hub.data)})
    same((code, complaint, said[:7]), (0, "", "whole: "))
    same((hub.data / "data.mdb").read_bytes(), before)
    code, said, _ = drover(hub, "verify", "--json", str(hub.data), online=False)
    same((code, json.loads(said)["records"] > 10), (0, True))
    same(drover(hub, "verify", "/nowhere", online=False)[0], FAILED)
    hub.start()


@case()
def an_event_that_was_forged_with_its_checksum_is_found_by_the_chain(hub):
    hub.submit("an event tells of it")
    same(hub.stop(), 0)
    copy = hub.folder / "copy"
    shutil.copytree(hub.data, copy)
    same(drover(hub, "verify", str(copy), online=False)[0], 0)
    assert forge(copy / "data.mdb", b"an event tells of it") > 0
    code, said, complaint = drover(hub, "verify", str(copy), online=False)
    same((code, said), (FAILED, ""))
    assert "does not hold" in complaint, complaint
    hub.start()


@case()
def a_lone_drover_says_what_is_missing(hub):
    alone = hub.folder / "bin"
    alone.mkdir()
    shutil.copy(BIN / "drover", alone / "drover")
    done = subprocess.run([str(alone / "drover"), "store", "verify", str(hub.data)],
                          capture_output=True, text=True, timeout=PATIENCE_S)
    same(done.returncode, FAILED)
    assert "is not beside drover" in done.stderr, done.stderr


@case()
async def without_room_it_is_told_and_the_store_is_not_accused(hub):
    folder = hub.data / "backups"
    until(folder.exists, "there is a place for backups")
    shutil.rmtree(folder)
    folder.write_text("a file in its place")
    until(lambda: "backups_not_seen" in hub.log(), "the hub has noticed")
    answer = verify(hub)
    same((answer.status, answer.json["error"]), (500, "verify_failed"))
    same(events(hub), [])


if __name__ == "__main__":
    main()
