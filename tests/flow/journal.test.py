#!/usr/bin/python3
"""The command journal: the store as it was at any event, byte for byte, or why not."""

import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
from support import (BIN, ENVIRONMENT, PATIENCE_S, Hub, case, main,  # noqa: E402
                     same, until)

WALK = os.environ["WALK_STORE"]
# Nothing but what these stories do changes the store meanwhile.
QUIET = ("--journal", "--backup-interval-ms", "0", "--compaction-interval-ms", "0",
         "--scrub-interval-ms", "0")


def run(*command):
    return subprocess.run(
        [str(part) for part in command], env={**os.environ, **ENVIRONMENT},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S)


def store_at(hub, event, name="at", *flags):
    target = hub.folder / name
    shutil.rmtree(target, ignore_errors=True)
    return target, run(BIN / "drover-hub", "--data", hub.data, "--store-at", event,
                       "--to", target, *flags)


def made_at(hub, event, name="at", *flags):
    target, done = store_at(hub, event, name, *flags)
    same((done.returncode, done.stderr), (0, ""))
    return target


def rows(directory):
    done = run(WALK, "--rows", directory)
    same((done.returncode, done.stderr), (0, ""))
    return done.stdout.splitlines()


def tasks_in(directory):
    done = run(WALK, "--list", directory)
    same(done.returncode, 0)
    return sorted(line.split("\t")[0] for line in done.stdout.splitlines())


def differing(one, other):
    return [(a, b) for a, b in zip(rows(one), rows(other)) if a != b]


def event_last(hub):
    answer = hub.http("GET", "/api/events?tail=1", token=hub.admin)
    same(answer.status, 200)
    return answer.json["last"], answer.json["epoch"]


def backups(hub):
    answer = hub.http("GET", "/api/admin/backups", token=hub.admin)
    same(answer.status, 200)
    return answer.json["backups"]


def begun(hub):
    until(lambda: backups(hub), "the journal has a backup to start from")


def backup(hub):
    answer = hub.http("POST", "/api/admin/backup", token=hub.admin)
    same(answer.status, 200)
    return answer.json["backup"]


async def live(hub, name):
    """A day of a fleet: what is done, fails, waits, is said, bound, revoked and reset."""
    ask = lambda method, path, body=None: hub.http(method, path, body, token=hub.admin)
    ada = await hub.agent(name, capabilities=["dig"])
    first = hub.submit("dig " + "deep " * 700, key=f"{name}-1", metadata={"n": [1, {}]})
    hub.submit("dig " + "deep " * 700, key=f"{name}-1", metadata={"n": [1, {}]})
    second = hub.submit("after", depends_on=[first["task_id"]], priority="high")
    for i in range(3):
        hub.submit(f"only for nobody {i}", needed_capabilities=["fly"])
    held = await ada.given(first["task_id"])
    await ada.accept(held)
    await ada.send("task_progress", task_id=held["task_id"],
                   generation=held["generation"], progress=50)
    await ada.complete(held, result={"status": "success", "text": "hole " * 900})
    held = await ada.given(second["task_id"])
    await ada.fail(held)
    gone = hub.submit("not any more", needed_capabilities=["fly"])
    same(hub.cancel(gone["task_id"], "changed my mind").status, 200)
    bob = await hub.agent(name + "-bob")
    await bob.send("channel_subscribe", channel=name)
    await ada.send("channel_publish", channel=name, payload={"text": "hello"})
    await ada.send("message", to=name + "-bob", payload={"text": "you there?"})
    await bob.expect("message")
    await bob.send("status", status="idle")
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    same(ask("PUT", f"/api/schemas/{name}", {"schema": schema}).status // 100, 2)
    same(ask("PUT", f"/api/admin/rate-limits/{name}",
             {"normal": {"capacity": 50, "refill_rate_per_min": 500}}).status // 100, 2)
    hub.mint(name + "-viewer", "viewer")
    same(ask("DELETE", f"/admin/tokens/{name}-viewer").status, 200)
    await bob.vanish()
    await ada.settle()


@case(*QUIET)
async def the_store_is_given_back_byte_for_byte(hub):
    begun(hub)
    await live(hub, "ada")
    hub.kill()
    hub.start()
    await live(hub, "eve")
    middle = backup(hub)
    await live(hub, "ida")
    same(hub.stop(), 0)
    target = made_at(hub, "last")
    same(sorted(path.name for path in target.iterdir()), ["data.mdb"])
    same(differing(hub.data, target), [])

    # The nearest backup is taken; without it, the one before leads to the same bytes.
    assert middle in store_at(hub, "last")[1].stdout
    shutil.rmtree(hub.data / "backups" / middle)
    same(differing(target, made_at(hub, "last", "longer")), [])
    hub.start()


@case(*QUIET)
async def the_store_at_an_event_is_what_was_there_then(hub):
    begun(hub)
    first = hub.submit("first")["task_id"]
    event, epoch = event_last(hub)
    second = hub.submit("second")["task_id"]
    done = made_at(hub, event)
    same(tasks_in(done), [first])
    later, _ = event_last(hub)
    same(tasks_in(made_at(hub, later)), sorted([first, second]))
    same(tasks_in(made_at(hub, "last", "at", "--epoch", epoch)), sorted([first, second]))


@case(*QUIET)
async def what_cannot_be_had_is_said(hub):
    begun(hub)
    hub.submit("work")
    last, epoch = event_last(hub)
    for wish, words in ((last + 1000, "ends with event"), (1, "begins with event"),
                        ("soon", "wants the number of an event"),
                        (0, "wants the number of an event")):
        target, done = store_at(hub, wish)
        same(done.returncode, 78)
        assert words in done.stderr, done
        assert not target.exists()
    target, done = store_at(hub, "last", "at", "--epoch", epoch + 1)
    same((done.returncode, target.exists()), (78, False))
    done = run(BIN / "drover-hub", "--data", hub.data, "--store-at", "last")
    same(done.returncode, 78)
    assert "--to" in done.stderr, done

    target = made_at(hub, "last")
    done = run(BIN / "drover-hub", "--data", hub.data, "--store-at", "last", "--to", target)
    same(done.returncode, 78)
    assert "there is something in" in done.stderr, done
    assert (target / "data.mdb").exists()
    shared = hub.folder / "shared"
    shared.mkdir(mode=0o755)
    (shared / "hub.lock").write_text("somebody's")
    done = run(BIN / "drover-hub", "--data", hub.data, "--store-at", "last", "--to", shared)
    same(done.returncode, 78)
    same((shared.stat().st_mode & 0o777, (shared / "hub.lock").read_text()),
         (0o755, "somebody's"))

    shutil.rmtree(hub.data / "backups")
    target, done = store_at(hub, "last")
    same((done.returncode, target.exists()), (78, False))
    target, done = store_at(hub, "last", "at", "--journal-directory", hub.folder / "none")
    same(done.returncode, 78)
    assert "no command journal" in done.stderr, done


@case(*QUIET)
async def a_hub_makes_it_as_a_backup_that_can_be_restored(hub):
    begun(hub)
    ask = lambda **body: hub.http("POST", "/api/admin/store-at", body, token=hub.admin)
    first = hub.submit("first")["task_id"]
    event, epoch = event_last(hub)
    hub.submit("second")
    before = len(backups(hub))
    answer = ask(event=event)
    same((answer.status, answer.json["status"]), (200, "complete"))
    name = answer.json["backup"]
    assert name.startswith("at-"), name
    same(tasks_in(hub.data / "backups" / name), [first])
    same(differing(hub.data / "backups" / name, made_at(hub, event)), [])
    same(len(backups(hub)), before + 1)

    # It does not count among those that make way for others.
    for _ in range(4):
        backup(hub)
    same(len([made for made in backups(hub) if made["name"] == name]), 1)
    # Nor does the one that the journal starts from: it goes with what it is the start of.
    same(len(backups(hub)), 5)
    same(ask(event=event).status, 200)

    told = ask(event=event + 10000)
    same((told.status, told.json["error"]), (404, "history_missing"))
    assert "ends with event" in told.json["detail"], told
    told = ask(event=event, epoch=epoch + 1)
    same(told.status, 404)
    assert "nothing of epoch" in told.json["detail"], told
    same(ask(event=0).status, 422)
    same(hub.http("POST", "/api/admin/store-at", {}, token=hub.submitter).status, 403)

    drover = [BIN / "drover", "--hub", hub.url, "--token", hub.admin, "store"]
    done = run(*drover, "at", event)
    same((done.returncode, done.stderr), (0, ""))
    assert done.stdout.startswith("at-"), done
    same(run(*drover, "at", "last", "--epoch", epoch).returncode, 0)
    done = run(*drover, "at", event, "--data", hub.data, "--to", hub.folder / "beside")
    same((done.returncode, done.stderr), (0, ""))
    same(tasks_in(hub.folder / "beside"), [first])
    done = run(*drover, "at", event + 10000)
    same(done.returncode, 1)
    assert "ends with event" in done.stderr, done

    body = {"backup": name}
    body["confirm"] = hub.http("POST", "/api/admin/restore", body,
                               token=hub.admin).json["confirm"]
    same(hub.http("POST", "/api/admin/restore", body, token=hub.admin).status, 202)
    until(lambda: hub.log().count('"message":"listening"') > 1, "it listens again")
    hub.wait_ready()
    same([task["id"] for task in hub.all_tasks()], [first])


@case()
async def a_hub_without_a_journal_says_that_it_keeps_none(hub):
    answer = hub.http("POST", "/api/admin/store-at", {"event": 1}, token=hub.admin)
    same((answer.status, answer.json["error"]), (404, "history_missing"))
    assert "keeps no command journal" in answer.json["detail"], answer


@case(*QUIET)
async def a_backup_that_rotted_is_passed_over(hub):
    begun(hub)
    hub.submit("work")
    spoilt = hub.data / "backups" / backup(hub) / "data.mdb"
    hub.submit("more work")
    same(hub.stop(), 0)
    with open(spoilt, "r+b") as data:
        data.seek(9000)
        data.write(b"\xff" * 16)
    target, done = store_at(hub, "last")
    same(done.returncode, 0)
    assert "backup_passed_over" in done.stderr, done
    same(differing(hub.data, target), [])
    hub.start()


@case(*QUIET)
async def a_restored_store_has_a_history_of_its_own(hub):
    begun(hub)
    hub.register("ada"), hub.submitter
    name = backup(hub)
    lost = hub.submit("lost")["task_id"]
    event, epoch = event_last(hub)
    made = len(backups(hub))
    body = {"backup": name}
    told = hub.http("POST", "/api/admin/restore", body, token=hub.admin)
    body["confirm"] = told.json["confirm"]
    same(hub.http("POST", "/api/admin/restore", body, token=hub.admin).status, 202)
    until(lambda: hub.log().count('"message":"listening"') > 1, "it listens again")
    hub.wait_ready()
    kept = hub.submit("kept")["task_id"]
    until(lambda: len(backups(hub)) > made, "the new history has one to start from")
    same(tasks_in(made_at(hub, "last")), [kept])
    # What was undone can still be had.
    same(tasks_in(made_at(hub, event, "undone", "--epoch", epoch)), [lost])


@case(*QUIET, "--journal-bytes-max", str(1 << 20))
async def a_history_that_outgrows_its_bound_gets_a_new_backup(hub):
    begun(hub)
    first = backups(hub)[0]["name"]
    hub.exempt("submitter")
    text = "work " * 1900
    hub.stop()
    hub.start()  # a backup is asked for no more often than every ten minutes
    for _ in range(180):
        hub.submit(text)

    def size():
        return sum(path.stat().st_size for path in (hub.data / "journal").iterdir())

    assert size() < (1 << 20) + (1 << 18), size()
    until(lambda: any(made["name"] != first for made in backups(hub)),
          "a backup from which the rest of the journal goes on", PATIENCE_S + 20)
    same(len(tasks_in(made_at(hub, "last"))), 180)


@case(hub=False)
async def a_run_without_the_journal_ends_the_history(folder):
    hub = Hub(folder, *QUIET).start()
    try:
        begun(hub)
        hub.submit("kept")
        same(hub.stop(), 0)
        hub.flags = [flag for flag in QUIET if flag != "--journal"]
        hub.start()
        hub.submit("nobody wrote it down")
        same(hub.stop(), 0)
        hub.flags = list(QUIET)
        hub.start()
        until(lambda: len(backups(hub)) > 1, "the new history has a backup")
        same(len(tasks_in(made_at(hub, "last"))), 2)
        for path in sorted((hub.data / "backups").iterdir())[1:]:
            shutil.rmtree(path)
        target, done = store_at(hub, "last")
        same((done.returncode, target.exists()), (78, False))
        assert "nothing between the commands" in done.stderr, done
        same(hub.stop(), 0)
    finally:
        hub.kill()


main()
