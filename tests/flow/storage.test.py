#!/usr/bin/python3
"""The store grows, fills up, meets a full disk; what was acknowledged stays."""

import resource
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
from support import PATIENCE_S, Hub, case, eventually, main, same, until  # noqa: E402

MIB = 1024 * 1024
BLOB = {"blob": "x" * 100_000}


def fill(hub, most):
    """Submits until one is refused or there are enough: (ids, the refusal or None)."""
    acked = []
    while len(acked) < most:
        answer = hub.http("POST", "/api/tasks", {"description": str(len(acked)),
                                                 "metadata": BLOB}, token=hub.submitter)
        if answer.status != 201:
            return acked, answer
        acked.append(answer.json["task_id"])
    return acked, None


@case("--map-bytes-first", str(MIB))
async def the_store_grows_and_nobody_notices(hub):
    hub.exempt("ada")
    ada = await hub.agent("ada", max_concurrent=0)
    acked, refused = fill(hub, 120)
    same(refused, None)
    for n in range(400):
        await ada.send("task_submit", description=str(n), metadata=BLOB)
    acked += [(await ada.expect("task_submitted"))["task_id"] for _ in range(400)]
    tasks = hub.all_tasks()
    same([task["id"] for task in tasks], acked)
    assert all(task["metadata"] == BLOB for task in tasks)
    same(hub.stop(), 0)
    hub.start()
    same([task["id"] for task in hub.all_tasks()], acked)


@case("--map-bytes-first", str(MIB), "--map-bytes-max", str(16 * MIB))
async def a_full_store_refuses_new_work_and_lets_the_old_be_finished(hub):
    ada = await hub.agent("ada", max_concurrent=3)
    acked, refused = fill(hub, 1000)
    assert 20 < len(acked) < 1000, len(acked)
    same((refused.status, refused.json["error"]), (507, "storage_full"))
    same(hub.http("GET", "/health").status, 200)
    same([task["id"] for task in hub.all_tasks()], acked)

    # Those at work finish, and what waits goes on to them.
    for _ in range(20):
        given = await ada.given()
        await ada.accept(given)
        await ada.complete(given)
    same(hub.cancel(acked[-1]).status, 200)
    same(hub.stats()["by_status"]["completed"], 20)
    await ada.send("task_submit", description="x", metadata=BLOB, request_id="r")
    await ada.error("storage_full", request_id="r", message_type="task_submit")

    same(hub.stop(), 0)
    hub.spawn()
    hub.wait_listening()
    # It is up, and says to those who ask that it takes no work.
    until(lambda: hub.http("GET", "/readyz").status == 503, "it knows that it is full")
    same([task["id"] for task in hub.all_tasks()], acked)
    same(hub.stats()["by_status"]["completed"], 20)


@case("--map-bytes-max", str(4 * MIB), "--map-bytes-first", str(4 * MIB))
def a_hub_starts_on_a_store_without_a_free_page_however_often(hub):
    acked, refused = fill(hub, 1000)
    same(refused.status, 507)
    # Smaller and smaller, until nothing at all fits any more.
    for size in (50_000, 10_000, 2_000, 500, 1):
        status = 200
        while status == 200:
            body = {"to": "nobody", "payload": {"text": "x" * size}}
            status = hub.http("POST", "/api/message", body, token=hub.admin).status
        same(status, 507)
    for _ in range(5):
        same(hub.stop(), 0)
        hub.spawn()
        hub.wait_listening()
        assert {task["id"] for task in hub.all_tasks()} >= set(acked)


@case("--map-bytes-max", str(4 * MIB), "--map-bytes-first", str(MIB))
def a_store_that_was_full_takes_work_again_with_more_room(hub):
    acked, refused = fill(hub, 1000)
    same(refused.status, 507)
    same(hub.stop(), 0)
    hub.flags = []
    hub.start()
    hub.submit("one more")
    same(len(hub.all_tasks()), len(acked) + 1)


def limited(hub, most):
    """The hub as a process whose files may not grow past this."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    started = subprocess.Popen

    def popen(*arguments, **fields):
        return started(*arguments, preexec_fn=limit, **fields)

    subprocess.Popen = popen
    try:
        return hub.start()
    finally:
        subprocess.Popen = started


@case(hub=False)
def a_disk_that_takes_no_more_loses_nothing(folder):
    hub = limited(Hub(folder), 6 * MIB)
    try:
        acked, refused = fill(hub, 1000)
        assert 5 < len(acked) < 1000, len(acked)
        assert refused.status in (503, 507), refused
        same(refused.json["error"], {503: "storage_error", 507: "storage_full"}[
            refused.status])
        if refused.status == 507:
            same(hub.http("GET", "/health").status, 200)
            same(hub.stop(), 0)
        else:
            same(hub.process.wait(PATIENCE_S), 74)
        hub.start()
        same([task["id"] for task in hub.all_tasks()], acked)
        hub.submit("one more")
        same(hub.stop(), 0)
    finally:
        hub.kill()


@case("--capability-sets-max", "3")
async def only_so_many_sets_of_capabilities_are_known_at_once(hub):
    tasks = [hub.submit(needed_capabilities=[str(n)])["task_id"] for n in range(2)]

    def post(*needed):
        return hub.http("POST", "/api/tasks",
                        {"description": "x", "needed_capabilities": needed},
                        token=hub.submitter)

    until(lambda: post(str(len(tasks)), "x").status != 201 or tasks.append(""),
          "no more are taken")
    assert len(tasks) <= 4, tasks
    same(post("y").status, 503)
    same(hub.http("GET", "/health").status, 200)
    same(post("1").status, 201)
    hub.cancel(tasks[0])
    await eventually(lambda: post("z").status == 201, "room is made")


@case("--history-max", "6")
async def a_history_keeps_its_newest(hub):
    task_id = hub.submit(max_retries=100)["task_id"]
    ada = await hub.agent("ada")
    for _ in range(10):
        await ada.fail(await ada.given(task_id))
    await ada.given(task_id)
    history = hub.task(task_id)["history"]
    same(len(history), 6)
    same([item["event"] for item in history[:2]], ["assigned", "retry"])


if __name__ == "__main__":
    main()
