#!/usr/bin/python3
"""Finished tasks go when they are too old or too many, and the hub works on meanwhile."""

import sys

sys.dont_write_bytecode = True
from support import case, eventually, main, same  # noqa: E402


def status(hub, task_id):
    answer = hub.http("GET", f"/api/tasks/{task_id}", token=hub.submitter)
    if answer.status == 404:
        same(answer.json, {"error": "task_not_found"})
    return answer.status


async def gone(hub, *task_ids):
    await eventually(lambda: all(status(hub, task_id) == 404 for task_id in task_ids),
                     f"{task_ids} are gone")


@case("--completed-ttl-ms", "1", "--cancelled-ttl-ms", "1", "--dead-letter-ttl-ms", "0")
async def what_is_too_old_goes_and_what_is_kept_for_ever_stays(hub):
    ada = await hub.agent("ada")
    done = hub.submit(key="once")["task_id"]
    after = hub.submit(depends_on=[done])["task_id"]
    await ada.complete(await ada.given(done), result={"status": "success", "x": "y" * 9000})
    given = await ada.given(after)
    await gone(hub, done)
    same(hub.submit(key="once")["task_id"], done)
    refused = hub.http("POST", "/api/tasks", {"description": "x", "depends_on": [done]},
                       token=hub.submitter)
    same((refused.status, refused.json["error"]), (422, "unknown_dependency"))
    await ada.complete(given)
    cancelled = hub.submit(not_before=4102444800000)["task_id"]
    same(hub.cancel(cancelled).status, 200)
    await gone(hub, after, cancelled)
    dead = hub.submit(max_retries=1)["task_id"]
    await ada.fail(await ada.given(dead))
    same(hub.task(dead)["state"], "dead_letter")
    same(hub.stats()["by_status"].get("completed", 0), 0)
    same([task["id"] for task in hub.all_tasks()], [dead])
    same(hub.retry(dead).status, 200)
    await ada.complete(await ada.given(dead))
    await gone(hub, dead)


@case()
async def a_hub_that_is_told_to_keep_less_removes_the_rest_while_it_works(hub):
    ada = await hub.agent("ada", max_concurrent=50)
    tasks = [hub.submit(f"task {n}")["task_id"] for n in range(120)]
    for task_id in tasks:
        await ada.complete(await ada.given(task_id))
    await ada.leave()
    same(hub.stop(), 0)
    hub.flags += ["--finished-tasks-max", "10"]
    hub.start()
    ada = await hub.agent("ada")
    one = hub.submit("one more")["task_id"]
    await ada.complete(await ada.given(one))
    await gone(hub, *tasks[:-9])
    same(sorted(task["id"] for task in hub.all_tasks()), sorted([*tasks[-9:], one]))


if __name__ == "__main__":
    main()
