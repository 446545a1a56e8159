#!/usr/bin/python3
"""The hub stops and starts, politely or not, and nothing that was acknowledged is lost."""

import asyncio
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from support import (PATIENCE_S, SANITIZED, Hub, case, eventually, main,  # noqa: E402
                     now_ms, same, until)

READY_WITHIN_S = 30 if SANITIZED else 2
MANY = 10_000 if SANITIZED else 100_000


def again(hub, number=signal.SIGTERM):
    """Ends the hub and starts it on the same port and folder."""
    if number == signal.SIGKILL:
        hub.kill()
    else:
        same(hub.stop(number), 0)
    return hub.start()


@case()
async def asked_to_stop_it_closes_with_1012_and_exits_0(hub):
    for number in (signal.SIGTERM, signal.SIGINT):
        agents = [await hub.agent(f"{number}-{n}") for n in range(5)]
        silent = await hub.link()
        started = time.monotonic()
        hub.process.send_signal(number)
        for agent in agents:
            same(await agent.closed(), 1012)
        await silent.closed()
        same(hub.process.wait(PATIENCE_S), 0)
        assert time.monotonic() - started < 10
        hub.start()


@case()
async def what_was_sent_before_the_stop_is_kept_or_was_never_acknowledged(hub):
    ada = await hub.agent("ada", max_concurrent=0)
    for n in range(500):
        await ada.send("task_submit", description=str(n), request_id=str(n))
    hub.process.send_signal(signal.SIGTERM)
    await ada.closed()
    same(hub.process.wait(PATIENCE_S), 0)
    acked = {frame["task_id"] for frame in ada.waiting("task_submitted")}
    hub.start()
    kept = [task["id"] for task in hub.all_tasks()]
    assert acked <= set(kept), acked - set(kept)
    same(len(kept), len(set(kept)))


@case()
async def every_task_is_the_same_after_a_restart(hub):
    ada = await hub.agent("ada", capabilities=["a"])
    need = {"needed_capabilities": ["a"], "metadata": {"n": [1, None, "\u00e9"]}}
    done = hub.submit("done", **need)["task_id"]
    await ada.complete(await ada.given(done), result={"ok": 1.5}, tokens_used=3)
    dead = hub.submit("dead", max_retries=1, **need)["task_id"]
    await ada.fail(await ada.given(dead), "why")
    hub.cancel(hub.submit("cancelled", needed_capabilities=["b"])["task_id"], "so")
    queued = hub.submit("queued", priority="urgent", needed_capabilities=["b"])
    hub.submit("blocked", depends_on=[queued["task_id"], dead])
    hub.submit("scheduled", not_before=now_ms() + 3_600_000)
    before, stats = hub.all_tasks(), hub.stats()
    same(len(before), 6)
    for number in (signal.SIGTERM, signal.SIGKILL):
        again(hub, number)
        same(hub.all_tasks(), before)
        same(hub.stats(), stats)
    ada = await hub.agent("bob", capabilities=["b"])
    await ada.complete(await ada.given(queued["task_id"]))


@case()
async def a_worker_goes_on_after_a_restart(hub):
    ada = await hub.agent("ada")
    task_id = hub.submit()["task_id"]
    given = await ada.given(task_id)
    await ada.accept(given)
    for number in (signal.SIGTERM, signal.SIGKILL):
        again(hub, number)
        same((hub.task(task_id)["state"], hub.task(task_id)["assigned_to"]),
             ("working", "ada"))
        eve = await hub.agent("eve")
        await eve.none("task_assign")
        ada = await hub.agent("ada")
        await ada.send("task_recovering", task_id=task_id)
        same((await ada.expect("task_continue"))["generation"], given["generation"])
    await ada.complete(given)
    task = hub.task(task_id)
    same((task["state"], task["retry_count"], task["generation"]), ("completed", 0, 1))


@case()
async def an_offer_is_made_again_after_a_restart(hub):
    ada = await hub.agent("ada")
    task_id = hub.submit()["task_id"]
    given = await ada.given(task_id)
    again(hub, signal.SIGKILL)
    ada = await hub.agent("ada")
    same((await ada.given(task_id))["generation"], given["generation"])
    await ada.complete(given)


@case("--reconnect-grace-ms", "300")
async def who_does_not_come_back_loses_the_task(hub):
    ada = await hub.agent("ada")
    task_id = hub.submit()["task_id"]
    await ada.accept(await ada.given(task_id))
    again(hub, signal.SIGKILL)
    eve = await hub.agent("eve")
    given = await eve.given(task_id)
    same(given["generation"], 3)
    await eve.complete(given)


@case("--lease-ms", "1500")
async def time_the_hub_is_down_takes_nothing_from_a_lease(hub):
    ada = await hub.agent("ada")
    task_id = hub.submit()["task_id"]
    given = await ada.given(task_id)
    await ada.accept(given)
    same(hub.stop(), 0)
    await asyncio.sleep(1.8)
    hub.start()
    ada = await hub.agent("ada")
    await ada.complete(given)
    same(hub.task(task_id)["retry_count"], 0)


@case()
async def a_time_that_came_while_the_hub_was_down_is_seen(hub):
    due = now_ms() + 400
    task_id = hub.submit(not_before=due)["task_id"]
    same(hub.task(task_id)["state"], "scheduled")
    same(hub.stop(), 0)
    await eventually(lambda: now_ms() > due, "its time has come")
    hub.start()
    ada = await hub.agent("ada")
    await ada.given(task_id)


@case()
def keys_and_tokens_hold_across_restarts(hub):
    first = hub.submit("once", key="k")
    admin = hub.admin
    hub.register("gone")
    same(hub.http("DELETE", "/admin/tokens/gone", token=admin).status, 200)
    for number in (signal.SIGTERM, signal.SIGKILL):
        again(hub, number)
        same(hub.submit("once", key="k"), first)
        other = hub.http("POST", "/api/tasks", {"description": "else"},
                         token=hub.submitter, headers={"Idempotency-Key": "k"})
        same(other.status, 409)
        same(hub.http("GET", "/api/tasks", token=hub.tokens["gone"]).status, 401)
        same(hub.http("GET", "/admin/tokens", token=hub.admin).status, 200)
        same(hub.http("GET", "/admin/tokens", token=admin).status, 200)
    same(hub.tasks()["count"], 1)


@case()
async def ids_and_order_go_on_after_a_restart(hub):
    tasks = [hub.submit(str(n))["task_id"] for n in range(3)]
    again(hub, signal.SIGKILL)
    tasks += [hub.submit(str(n))["task_id"] for n in range(3, 6)]
    same(tasks, sorted(set(tasks)))
    ada = await hub.agent("ada")
    for task_id in tasks:
        given = await ada.given()
        same(given["task_id"], task_id)
        await ada.complete(given)


@case()
def a_second_hub_on_the_same_folder_is_refused(hub):
    folder = hub.folder / "second"
    folder.mkdir()
    second = Hub(folder)
    second.data = hub.data
    second.spawn()
    try:
        code = second.process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        second.kill()
        raise
    assert code > 0, code
    assert "another" in second.log() or "lock" in second.log(), second.log()
    same(hub.http("GET", "/health").status, 200)
    hub.submit()


@case()
def killed_while_it_starts_it_starts_the_next_time(hub):
    wanted = [hub.submit(str(n))["task_id"] for n in range(5)]
    hub.kill()
    for delay_s in (0, 0.001, 0.003, 0.006, 0.01, 0.02, 0.03, 0.05) * 2:
        hub.spawn()
        try:
            hub.process.wait(delay_s)
            raise AssertionError(f"it ended by itself: {hub.log_tail()}")
        except subprocess.TimeoutExpired:
            hub.kill()
    hub.start()
    same([task["id"] for task in hub.all_tasks()], wanted)
    same(hub.http("GET", "/admin/tokens", token=hub.admin).status, 200)


async def fill(hub, count):
    """Submits over four sockets, a thousand unanswered at most on each."""
    async def one(name, share):
        hub.exempt(name)
        agent = await hub.agent(name, max_concurrent=0)
        sent = got = 0
        while got < share:
            while sent < share and sent - got < 1000:
                await agent.send("task_submit", description=f"{name} {sent}",
                                 metadata={"n": sent, "text": "x" * 100})
                sent += 1
            await agent.expect("task_submitted")
            got += 1

    await asyncio.gather(*[one(f"filler-{n}", count // 4) for n in range(4)])


@case()
async def with_very_many_tasks_it_is_ready_soon(hub):
    started = time.monotonic()
    await fill(hub, MANY)
    print(f"        {MANY} tasks went in at {MANY / (time.monotonic() - started):.0f}/s",
          flush=True)
    same(hub.stats()["by_status"]["queued"], MANY)
    for number in (signal.SIGTERM, signal.SIGKILL):
        if number == signal.SIGKILL:
            hub.kill()
        else:
            same(hub.stop(number), 0)
        started = time.monotonic()
        hub.spawn()
        hub.wait_listening()
        hub.wait_ready()
        took = time.monotonic() - started
        print(f"        ready after {took:.3f} s", flush=True)
        assert took <= READY_WITHIN_S, took
        same(hub.stats()["by_status"]["queued"], MANY)
    ada = await hub.agent("ada")
    for _ in range(20):
        await ada.complete(await ada.given())
    until(lambda: hub.stats()["by_status"]["completed"] == 20, "twenty are done")


if __name__ == "__main__":
    main()
