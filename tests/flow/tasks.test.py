#!/usr/bin/python3
"""A task goes in, an agent does it, the result comes out; and all that can come between."""

import asyncio
import concurrent.futures
import json
import random
import sys
import time

sys.dont_write_bytecode = True
from support import case, eventually, main, now_ms, same  # noqa: E402

ODD_JSON = ('{ "a" : 1.0,"b":0.1 ,\t"big": 123456789012345678901234567890123, '
            '"e":1E+2, "neg":-0, "u":"\\u00e9\\/\\ud83d\\ude00 \u00e9\U0001f600",'
            '"nest":{"":[ [ ],{ } ,null,true ]} }')


async def refused(agent, code, **fields):
    """An error frame for a report; v1.1 writes what failed in front of the code."""
    error = await agent.error(**fields)
    same(error["error"].split(": ")[-1], code)
    return error


def still(task):
    """What does not change by being looked at: a lease is shown on the wall's clock."""
    return {key: value for key, value in task.items() if key != "lease_until"}


@case()
async def a_task_goes_in_is_done_and_the_result_comes_out(hub):
    submitted = hub.submit("Fix the flaky test", priority="high", metadata={"n": 1},
                           max_retries=5, needed_capabilities=["git"])
    same((submitted["status"], submitted["priority"], submitted["state"]),
         ("queued", 1, "queued"))
    task_id = submitted["task_id"]
    same((task_id[:5], len(task_id)), ("task-", 21))
    int(task_id[5:], 16)

    task = hub.task(task_id)
    same({key: task[key] for key in (
        "id", "description", "metadata", "priority", "status", "state", "assigned_to",
        "assigned_at", "generation", "retry_count", "max_retries", "complete_by",
        "needed_capabilities", "result", "tokens_used", "last_error", "submitted_by")},
        {"id": task_id, "description": "Fix the flaky test", "metadata": {"n": 1},
         "priority": 1, "status": "queued", "state": "queued", "assigned_to": None,
         "assigned_at": None, "generation": 0, "retry_count": 0, "max_retries": 5,
         "complete_by": None, "needed_capabilities": ["git"], "result": None,
         "tokens_used": None, "last_error": None, "submitted_by": "submitter"})
    same([item["event"] for item in task["history"]], ["queued"])
    assert abs(task["created_at"] - now_ms()) < 60_000, task
    same(task["created_at"], submitted["created_at"])

    ada = await hub.agent("ada", capabilities=["git", "c"])
    given = await ada.given(task_id)
    same((given["description"], given["metadata"], given["generation"]),
         ("Fix the flaky test", {"n": 1}, 1))
    task = hub.task(task_id)
    same((task["status"], task["state"], task["assigned_to"], task["generation"]),
         ("assigned", "assigned", "ada", 1))
    same(task["assigned_at"], given["assigned_at"])

    await ada.accept(given)
    task = hub.task(task_id)
    same((task["status"], task["state"]), ("assigned", "working"))
    assert task["lease_until"] > now_ms(), task

    await ada.send("task_progress", task_id=task_id, generation=1, progress=40,
                   note="tests pass")
    await ada.settle()
    task = hub.task(task_id)
    same((task["progress"], task["progress_note"]), (40, "tests pass"))

    await ada.complete(given, result={"status": "success"}, tokens_used=1200)
    task = hub.task(task_id)
    same((task["status"], task["state"], task["assigned_to"], task["generation"],
          task["result"], task["tokens_used"], task["retry_count"]),
         ("completed", "completed", "ada", 1, {"status": "success"}, 1200, 0))
    events = [item["event"] for item in task["history"]]
    same((events[0], events[-1]), ("completed", "queued"))
    assert "assigned" in events, events
    same([a["fsm_state"] for a in hub.http("GET", "/api/agents").json["agents"]], ["idle"])


@case()
async def an_agent_may_submit_over_its_socket(hub):
    ada = await hub.agent("ada", max_concurrent=0)
    await ada.send("task_submit", description="one", priority="urgent", request_id="r1",
                   metadata={"k": [1]}, needed_capabilities=["x"])
    one = await ada.expect("task_submitted", request_id="r1")
    same((one["status"], one["priority"]), ("queued", 0))
    task = hub.task(one["task_id"])
    same((task["description"], task["metadata"], task["submitted_by"], task["priority"],
          task["needed_capabilities"], task["created_at"]),
         ("one", {"k": [1]}, "ada", 0, ["x"], one["created_at"]))

    await ada.send("task_submit", description="", request_id="r2")
    error = await ada.error("validation_failed", message_type="task_submit")
    same([item["field"] for item in error["errors"]], ["description"])
    await ada.send("task_submit", description="two", depends_on=["task-0123456789abcdef"],
                   request_id="r3")
    await ada.error("unknown_dependency", request_id="r3")
    await ada.send("task_submit", description="three", not_before=now_ms() + 3_600_000)
    same((await ada.expect("task_submitted"))["status"], "scheduled")


@case()
async def an_idle_agent_gets_a_new_task_at_once(hub):
    ada = await hub.agent("ada")
    for n in range(20):
        task = hub.submit(f"work {n}")
        given = await ada.given(task["task_id"])
        await ada.accept(given)
        await ada.complete(given)
    same(hub.stats()["by_status"]["completed"], 20)


@case()
async def completing_without_accepting_is_fine(hub):
    ada = await hub.agent("ada")
    first, second = hub.submit("first"), hub.submit("second")
    await ada.complete(await ada.given(first["task_id"]))
    await ada.complete(await ada.given(second["task_id"]))


@case()
async def a_failed_task_is_tried_again_until_it_is_a_dead_letter(hub):
    ada = await hub.agent("ada")
    task_id = hub.submit("poison", max_retries=3)["task_id"]
    generations = []
    for attempt in (1, 2, 3):
        given = await ada.given(task_id)
        generations.append(given["generation"])
        await ada.accept(given)
        ack = await ada.fail(given, f"broke {attempt}")
        same(ack["status"], "retried" if attempt < 3 else "dead_letter")
    same(generations, [1, 3, 5])
    task = hub.task(task_id)
    same((task["status"], task["retry_count"], task["last_error"], task["assigned_to"]),
         ("dead_letter", 3, "broke 3", None))
    events = [item["event"] for item in task["history"]]
    same((events[0], events.count("retry")), ("dead_letter", 2))
    await ada.none("task_assign")

    letters = hub.http("GET", "/api/tasks/dead-letter", token=hub.submitter).json
    same((letters["count"], letters["tasks"][0]["id"]), (1, task_id))
    same(hub.stats()["dead_letter"], 1)


@case()
async def a_dead_letter_gets_a_new_life_by_hand(hub):
    ada = await hub.agent("ada")
    task_id = hub.submit("poison", max_retries=1, priority="low")["task_id"]
    given = await ada.given(task_id)
    same((await ada.fail(given))["status"], "dead_letter")
    buried = hub.task(task_id)["generation"]

    answer = hub.retry(task_id)
    same((answer.status, answer.json),
         (200, {"status": "requeued", "task_id": task_id, "priority": 3}))
    again = await ada.given(task_id)
    assert again["generation"] == buried + 2, (again, buried)
    task = hub.task(task_id)
    same((task["retry_count"], task["last_error"], task["state"]), (0, None, "assigned"))
    await ada.complete(again)

    answer = hub.retry(task_id)
    same((answer.status, answer.json["error"]), (409, "invalid_state"))
    same(hub.http("GET", "/api/tasks/dead-letter", token=hub.submitter).json["count"], 0)


@case()
async def a_reason_stands_in_for_an_error(hub):
    ada = await hub.agent("ada")
    task_id = hub.submit(max_retries=1)["task_id"]
    given = await ada.given(task_id)
    await ada.send("task_failed", task_id=task_id, generation=given["generation"],
                   reason="no error, a reason")
    await ada.expect("task_ack", status="dead_letter")
    same(hub.task(task_id)["last_error"], "no error, a reason")

    task_id = hub.submit(max_retries=1)["task_id"]
    given = await ada.given(task_id)
    await ada.send("task_failed", task_id=task_id, generation=given["generation"])
    await ada.expect("task_ack", status="dead_letter")
    same(hub.task(task_id)["last_error"], "unknown")


@case()
async def a_stale_report_changes_nothing(hub):
    ada = await hub.agent("ada")
    task_id = hub.submit()["task_id"]
    first = await ada.given(task_id)
    await ada.fail(first)
    second = await ada.given(task_id)
    await ada.accept(second)
    before = still(hub.task(task_id))

    for generation in (0, 1, 2, 4, 99):
        await ada.send("task_complete", task_id=task_id, generation=generation,
                       result={"stale": True})
        await ada.error("task_complete_failed: stale_generation")
    await ada.send("task_failed", task_id=task_id, generation=2, error="stale")
    await ada.error("task_fail_failed: stale_generation")
    await ada.send("lease_renew", task_id=task_id, generation=1)
    await refused(ada, "stale_generation")
    same(still(hub.task(task_id)), before)
    await ada.complete(second)


@case()
async def only_the_holder_is_heard(hub):
    ada = await hub.agent("ada", capabilities=["x"])
    eve = await hub.agent("eve")
    task_id = hub.submit(needed_capabilities=["x"])["task_id"]
    given = await ada.given(task_id)
    await ada.accept(given)
    before = still(hub.task(task_id))

    for kind in ("task_complete", "task_failed", "lease_renew", "task_accepted",
                 "task_progress", "task_cancelled"):
        await eve.send(kind, task_id=task_id, generation=given["generation"])
        assert (await eve.error())["error"].split(": ")[-1] in (
            "stale_generation", "invalid_state", "not_found"), kind
    await eve.send("task_recovering", task_id=task_id)
    await eve.expect("task_reassign", task_id=task_id)
    same(still(hub.task(task_id)), before)
    await ada.complete(given)


@case()
async def reports_on_no_task_are_refused(hub):
    ada = await hub.agent("ada")
    for task_id in ("task-0123456789abcdef", "nonsense", "task-", "t" * 128):
        await ada.send("task_complete", task_id=task_id, generation=1)
        error = await ada.error()
        same(error["error"], "task_complete_failed: not_found")
        await ada.send("task_failed", task_id=task_id, generation=1)
        same((await ada.error())["error"], "task_fail_failed: not_found")
        await ada.send("task_recovering", task_id=task_id)
        await ada.expect("task_reassign", task_id=task_id)


@case()
async def a_repeated_report_gets_the_same_answer_and_no_effect(hub):
    ada = await hub.agent("ada")
    done, failed = hub.submit("done"), hub.submit("failed", max_retries=1)
    given = await ada.given(done["task_id"])
    acks = [await ada.complete(given, result={"n": 1}) for _ in range(3)]
    same(acks[1], acks[0])
    same(acks[2], acks[0])
    same(len(hub.task(done["task_id"])["history"]),
         len({(i["event"], i["timestamp"]) for i in
              hub.task(done["task_id"])["history"]}))
    same(hub.stats()["by_status"]["completed"], 1)

    given = await ada.given(failed["task_id"])
    acks = [await ada.fail(given) for _ in range(3)]
    same([ack["status"] for ack in acks], ["dead_letter"] * 3)
    same(hub.task(failed["task_id"])["retry_count"], 1)

    # A repeat of another kind is no repeat.
    await ada.send("task_failed", task_id=done["task_id"], generation=1)
    await ada.error()
    same(hub.task(done["task_id"])["state"], "completed")


@case()
async def a_repeated_failure_is_not_counted_twice(hub):
    ada = await hub.agent("ada")
    task_id = hub.submit(max_retries=3)["task_id"]
    given = await ada.given(task_id)
    for _ in range(3):
        same((await ada.fail(given))["status"], "retried")
    same(hub.task(task_id)["retry_count"], 1)


@case()
async def the_repeat_may_come_over_a_new_connection(hub):
    ada = await hub.agent("ada")
    task_id = hub.submit()["task_id"]
    given = await ada.given(task_id)
    await ada.complete(given)
    await ada.vanish()
    ada = await hub.agent("ada")
    await ada.complete(given)


@case()
async def a_lost_agent_gets_its_task_back_with_the_same_generation(hub):
    task_id = hub.submit()["task_id"]
    ada = await hub.agent("ada")
    given = await ada.given(task_id)
    await ada.accept(given)
    eve = await hub.agent("eve")
    await ada.vanish()
    await eve.expect("agent_left", agent_id="ada")
    same((hub.task(task_id)["state"], hub.task(task_id)["assigned_to"]),
         ("working", "ada"))

    ada = await hub.agent("ada")
    await ada.send("task_recovering", task_id=task_id)
    back = await ada.expect("task_continue", task_id=task_id)
    same(back["generation"], given["generation"])
    await eve.none("task_assign")
    await ada.none("task_assign")
    await ada.complete(given)
    same(hub.task(task_id)["retry_count"], 0)


@case()
async def a_task_not_yet_accepted_is_offered_again_after_a_reconnect(hub):
    task_id = hub.submit()["task_id"]
    ada = await hub.agent("ada")
    given = await ada.given(task_id)
    await ada.vanish()
    ada = await hub.agent("ada")
    again = await ada.given(task_id)
    same(again["generation"], given["generation"])
    await ada.accept(again)
    await ada.complete(again)


@case("--reconnect-grace-ms", "200")
async def past_the_grace_the_task_goes_to_somebody_else(hub):
    task_id = hub.submit()["task_id"]
    ada = await hub.agent("ada")
    given = await ada.given(task_id)
    await ada.accept(given)
    eve = await hub.agent("eve")
    await ada.vanish()
    taken = await eve.given(task_id)
    same(taken["generation"], given["generation"] + 2)
    task = hub.task(task_id)
    same((task["retry_count"], task["assigned_to"]), (1, "eve"))
    assert "reclaimed" in [item["event"] for item in task["history"]], task

    ada = await hub.agent("ada")
    await ada.send("task_recovering", task_id=task_id)
    await ada.expect("task_reassign", task_id=task_id)
    await ada.send("task_complete", task_id=task_id, generation=given["generation"],
                   result={"late": True})
    await ada.error("task_complete_failed: stale_generation")
    await eve.complete(taken, result={"by": "eve"})
    same(hub.task(task_id)["result"], {"by": "eve"})


@case("--reconnect-grace-ms", "50")
async def a_task_that_loses_every_agent_is_buried(hub):
    task_id = hub.submit(max_retries=2)["task_id"]
    for name in ("ada", "bob"):
        agent = await hub.agent(name)
        await agent.accept(await agent.given(task_id))
        await agent.vanish()
    task = await hub.reaches(task_id, "dead_letter")
    same(task["retry_count"], 2)
    assert task["last_error"], task


@case("--acceptance-ms", "300")
async def who_does_not_accept_loses_the_task_and_gets_no_other(hub):
    ada = await hub.agent("ada")
    task_id = hub.submit()["task_id"]
    given = await ada.given(task_id)
    task = await hub.reaches(task_id, "queued")
    same((task["generation"], task["retry_count"]), (given["generation"] + 1, 1))
    same(task["pending"]["agents"], [{"agent_id": "ada", "reason": "unresponsive"}])
    other = hub.submit("other")["task_id"]
    same(hub.task(other)["state"], "queued")
    assert not ada.waiting("task_assign"), ada.box

    # Any word of its brings it back.
    await ada.send("ping")
    again = await ada.given(task_id)
    same(again["generation"], given["generation"] + 2)
    await ada.accept(again)


@case("--acceptance-ms", "300")
async def a_task_not_accepted_goes_to_the_next_agent(hub):
    ada = await hub.agent("ada")
    task_id = hub.submit()["task_id"]
    await ada.given(task_id)
    bob = await hub.agent("bob")
    given = await bob.given(task_id)
    same(given["generation"], 3)
    await bob.accept(given)
    await bob.complete(given)


@case("--lease-ms", "500")
async def a_silent_worker_loses_its_task(hub):
    ada = await hub.agent("ada")
    task_id = hub.submit()["task_id"]
    given = await ada.given(task_id)
    await ada.accept(given)
    started = time.monotonic()
    told = await ada.expect("task_cancel", task_id=task_id)
    same((told["generation"], told["reason"]), (given["generation"], "lease_expired"))
    assert time.monotonic() - started > 0.4
    task = hub.task(task_id)
    same((task["state"], task["generation"], task["retry_count"]),
         ("queued", given["generation"] + 1, 1))
    same(task["pending"]["agents"], [{"agent_id": "ada", "reason": "unresponsive"}])
    # Any word of its brings it back.
    await ada.settle()
    again = await ada.given(task_id)
    same(again["generation"], given["generation"] + 2)
    await ada.send("task_complete", task_id=task_id, generation=given["generation"])
    await ada.error("task_complete_failed: stale_generation")


@case("--lease-ms", "1000")
async def progress_and_renewals_keep_the_lease(hub):
    ada = await hub.agent("ada", max_concurrent=2)
    tasks = [hub.submit(f"work {n}")["task_id"] for n in range(2)]
    given = [await ada.given(task_id) for task_id in tasks]
    for one in given:
        await ada.accept(one)
    limit = time.monotonic() + 2.5
    while time.monotonic() < limit:
        await ada.send("lease_renew", task_id=tasks[0], generation=1)
        renewed = await ada.expect("lease_renewed", task_id=tasks[0])
        same((renewed["generation"], renewed["lease_ms"]), (1, 1000))
        await ada.send("task_progress", task_id=tasks[1], generation=1)
        await asyncio.sleep(0.05)
    await ada.none("task_assign")
    same([hub.task(task_id)["retry_count"] for task_id in tasks], [0, 0])
    for one in given:
        await ada.complete(one)


@case()
async def an_overdue_task_is_taken_back_once(hub):
    ada = await hub.agent("ada")
    task_id = hub.submit(complete_by=now_ms() + 1000)["task_id"]
    given = await ada.given(task_id)
    await ada.accept(given)
    again = await ada.given(task_id)
    same(again["generation"], given["generation"] + 2)
    task = hub.task(task_id)
    same(task["retry_count"], 1)
    assert task["complete_by"] is not None, task
    # Late already: it stays where it is now.
    await ada.accept(again)
    await ada.complete(again)


@case()
async def a_queued_task_is_cancelled_at_once(hub):
    task_id = hub.submit()["task_id"]
    answer = hub.cancel(task_id, "no longer needed")
    same((answer.status, answer.json),
         (200, {"status": "cancelled", "task_id": task_id, "state": "cancelled",
                "assigned_to": None}))
    same(hub.cancel(task_id).status, 200)
    task = hub.task(task_id)
    same((task["status"], task["history"][0]["event"], task["history"][0]["details"]),
         ("cancelled", "cancelled", "no longer needed"))
    ada = await hub.agent("ada")
    await ada.none("task_assign")
    same((hub.retry(task_id).status, hub.retry(task_id).json["error"]),
         (409, "invalid_state"))


@case()
async def cancelling_reaches_the_agent_that_holds_the_task(hub):
    ada = await hub.agent("ada")
    task_id = hub.submit()["task_id"]
    given = await ada.given(task_id)
    await ada.accept(given)
    answer = hub.cancel(task_id, "changed my mind")
    same((answer.status, answer.json["assigned_to"]), (200, "ada"))
    told = await ada.expect("task_cancel", task_id=task_id)
    same((told["generation"], told["reason"]), (given["generation"], "changed my mind"))

    # Its place is taken until it says that it has stopped.
    other = hub.submit("other")["task_id"]
    await ada.none("task_assign")
    await ada.send("task_cancelled", task_id=task_id, generation=given["generation"])
    await ada.expect("task_ack", task_id=task_id, status="cancelled")
    await ada.complete(await ada.given(other))
    same(hub.task(task_id)["state"], "cancelled")


@case()
async def a_result_after_the_cancel_is_refused_and_frees_the_agent(hub):
    ada = await hub.agent("ada")
    task_id = hub.submit()["task_id"]
    given = await ada.given(task_id)
    await ada.accept(given)
    hub.cancel(task_id)
    await ada.send("task_complete", task_id=task_id, generation=given["generation"],
                   result={"too": "late"})
    await refused(ada, "task_cancelled")
    task = hub.task(task_id)
    same((task["state"], task["result"]), ("cancelled", None))
    other = hub.submit("other")["task_id"]
    await ada.given(other)


@case("--lease-ms", "300")
async def a_cancelled_task_never_blocks_its_agent_for_ever(hub):
    ada = await hub.agent("ada")
    task_id = hub.submit()["task_id"]
    await ada.accept(await ada.given(task_id))
    hub.cancel(task_id)
    other = hub.submit("other")["task_id"]
    await ada.given(other)
    same(hub.task(task_id)["state"], "cancelled")


@case()
async def what_is_over_cannot_be_cancelled(hub):
    ada = await hub.agent("ada")
    task_id = hub.submit()["task_id"]
    await ada.complete(await ada.given(task_id))
    answer = hub.cancel(task_id)
    same((answer.status, answer.json["error"]), (409, "invalid_state"))
    same(hub.task(task_id)["state"], "completed")


@case()
async def a_task_waits_for_those_it_depends_on(hub):
    first, second = hub.submit("first")["task_id"], hub.submit("second")["task_id"]
    third = hub.submit("third", depends_on=[first, second], priority="urgent")
    same(third["state"], "blocked")
    third = third["task_id"]
    task = hub.task(third)
    same((task["status"], task["depends_on"]), ("blocked", [first, second]))
    assert first in task["pending"]["reason"], task["pending"]

    ada = await hub.agent("ada", max_concurrent=4)
    given = [await ada.given(first), await ada.given(second)]
    await ada.complete(given[0])
    await ada.none("task_assign")
    same(hub.task(third)["state"], "blocked")
    await ada.complete(given[1])
    await ada.complete(await ada.given(third))

    late = hub.submit("late", depends_on=[first, third])
    same(late["state"], "queued")


@case()
async def a_cancelled_dependency_cancels_what_waits_for_it(hub):
    chain = [hub.submit("0")["task_id"]]
    for n in range(1, 60):
        chain.append(hub.submit(str(n), depends_on=[chain[-1]])["task_id"])
    wide = [hub.submit(f"w{n}", depends_on=[chain[0]])["task_id"] for n in range(80)]
    hub.cancel(chain[0])
    await eventually(lambda: hub.stats()["by_status"]["cancelled"] == 140,
                     lambda: f"all are cancelled: {hub.stats()}")
    same(hub.task(wide[-1])["state"], "cancelled")


@case()
async def a_dead_dependency_leaves_what_waits_blocked_and_says_so(hub):
    ada = await hub.agent("ada")
    first = hub.submit(max_retries=1)["task_id"]
    second = hub.submit(depends_on=[first])["task_id"]
    await ada.fail(await ada.given(first))
    task = hub.task(second)
    same(task["state"], "blocked")
    assert first in task["pending"]["reason"], task
    assert "dead_letter" in task["pending"]["reason"], task
    hub.retry(first)
    await ada.complete(await ada.given(first))
    await ada.complete(await ada.given(second))


@case()
async def a_dependency_that_does_not_exist_is_refused(hub):
    for depends_on in (["task-0123456789abcdef"], ["nonsense"]):
        answer = hub.http("POST", "/api/tasks",
                          {"description": "x", "depends_on": depends_on},
                          token=hub.submitter)
        same((answer.status, answer.json["error"]), (422, "unknown_dependency"))
    same(hub.tasks()["count"], 0)


@case()
async def a_scheduled_task_waits_for_its_time(hub):
    ada = await hub.agent("ada")
    due = now_ms() + 1200
    task = hub.submit("later", not_before=due)
    same(task["state"], "scheduled")
    task_id = task["task_id"]
    shown = hub.task(task_id)
    same((shown["status"], shown["not_before"]), ("scheduled", due))
    assert "scheduled" in shown["pending"]["reason"], shown
    now = hub.submit("now")["task_id"]
    await ada.complete(await ada.given(now))
    given = await ada.given(task_id)
    assert due <= given["assigned_at"] < due + 2000, (due, given)
    await ada.complete(given)
    same(hub.submit("past", not_before=1)["state"], "queued")
    late = hub.submit("much later", not_before=now_ms() + 3_600_000)["task_id"]
    same(hub.cancel(late).status, 200)


@case("--retry-delay-ms", "600")
async def a_failed_task_may_have_to_wait(hub):
    ada = await hub.agent("ada")
    task_id = hub.submit()["task_id"]
    await ada.fail(await ada.given(task_id))
    failed = time.monotonic()
    same(hub.task(task_id)["state"], "scheduled")
    given = await ada.given(task_id)
    assert time.monotonic() - failed > 0.5
    same(given["generation"], 3)


@case()
async def urgent_goes_before_low_and_first_before_later(hub):
    wanted = {word: [] for word in ("urgent", "high", "normal", "low")}
    for word in ("low", "normal", "urgent", "high", "normal", "low", "urgent", "high"):
        wanted[word].append(hub.submit(word, priority=word)["task_id"])
    wanted["normal"].append(hub.submit("no word")["task_id"])
    ada = await hub.agent("ada")
    order = []
    for _ in range(9):
        given = await ada.given()
        order.append(given["task_id"])
        await ada.complete(given)
    same(order, sum(wanted.values(), []))


@case()
async def a_task_that_goes_back_keeps_its_place(hub):
    first, second = hub.submit("first")["task_id"], hub.submit("second")["task_id"]
    ada = await hub.agent("ada")
    given = await ada.given()
    same(given["task_id"], first)
    await ada.fail(given)
    given = await ada.given()
    same(given["task_id"], first)
    await ada.complete(given)
    same((await ada.given())["task_id"], second)


@case()
async def a_task_goes_only_to_who_can_do_it(hub):
    ada = await hub.agent("ada", capabilities=["c", "git"])
    bob = await hub.agent("bob", capabilities=["Git", "rust"])
    both = hub.submit("both", needed_capabilities=["git", "c", "git"])["task_id"]
    await ada.complete(await ada.given(both))
    rust = hub.submit("rust", needed_capabilities=["rust"])["task_id"]
    await bob.complete(await bob.given(rust))
    nobody = hub.submit("nobody", needed_capabilities=["git", "rust"])["task_id"]
    await ada.none("task_assign")
    await bob.none("task_assign")
    pending = hub.task(nobody)["pending"]
    reasons = {item["agent_id"]: item["reason"] for item in pending["agents"]}
    same(set(reasons), {"ada", "bob"})
    assert "rust" in reasons["ada"] and "git" in reasons["bob"], reasons
    # Nobody who can do less is kept from other work by it.
    plain = hub.submit("plain")["task_id"]
    await eventually(lambda: hub.task(plain)["state"] == "assigned", "it is handed out")
    eve = await hub.agent("eve", capabilities=["rust", "git"])
    await eve.given(nobody)


@case()
async def an_agent_takes_as_many_as_it_says(hub):
    tasks = [hub.submit(str(n))["task_id"] for n in range(5)]
    none = await hub.agent("none", max_concurrent=0)
    three = await hub.agent("three", max_concurrent=3)
    given = [await three.given(task_id) for task_id in tasks[:3]]
    await three.none("task_assign")
    await none.none("task_assign")
    reasons = {item["agent_id"]: item["reason"]
               for item in hub.task(tasks[3])["pending"]["agents"]}
    same(reasons, {"none": "takes no tasks", "three": "busy"})
    await three.complete(given[1])
    await three.given(tasks[3])
    await three.none("task_assign")


@case()
async def idle_agents_take_turns(hub):
    agents = [await hub.agent(f"agent-{n}") for n in range(4)]
    counts = {}
    for n in range(20):
        task_id = hub.submit(str(n))["task_id"]
        holder = (await eventually(
            lambda: (lambda t: t["assigned_to"] and t)(hub.task(task_id)),
            "it is handed out"))["assigned_to"]
        counts[holder] = counts.get(holder, 0) + 1
        agent = next(a for a in agents if a.agent_id == holder)
        await agent.complete(await agent.given(task_id))
    same(counts, {f"agent-{n}": 5 for n in range(4)})


@case()
async def a_waiting_task_says_why(hub):
    task_id = hub.submit(needed_capabilities=["gpu"])["task_id"]
    same(hub.task(task_id)["pending"],
         {"reason": "no agent connected", "agents": []})
    await hub.agent("ada")
    pending = hub.task(task_id)["pending"]
    same(pending["agents"], [{"agent_id": "ada", "reason": "missing capability gpu"}])
    ann = await hub.agent("ann", capabilities=["gpu"])
    given = await ann.given(task_id)
    assert hub.task(task_id).get("pending") is None
    await ann.complete(given)
    assert hub.task(task_id).get("pending") is None


@case()
async def what_is_opaque_comes_back_byte_for_byte(hub):
    body = '{"metadata":' + ODD_JSON + ' ,"description":"d\\u00e9\\ud83d\\ude00\\n"}'
    answer = hub.http("POST", "/api/tasks", body, token=hub.submitter)
    same(answer.status, 201)
    task_id = answer.json["task_id"]
    ada = await hub.agent("ada")
    given = await ada.given(task_id)
    assert '"metadata":' + ODD_JSON in given.text, given.text
    same(given["description"], "d\u00e9\U0001f600\n")
    await ada.say('{"type":"task_complete","task_id":"' + task_id +
                  '","generation":1,"result":' + ODD_JSON + '}')
    await ada.expect("task_ack", status="complete")
    text = hub.http("GET", f"/api/tasks/{task_id}", token=hub.submitter).text
    assert '"metadata":' + ODD_JSON in text, text
    assert '"result":' + ODD_JSON in text, text
    text = hub.http("GET", "/api/tasks", token=hub.submitter).text
    assert '"metadata":' + ODD_JSON in text, text

    await ada.say('{"type":"task_submit","description":"x","needed_capabilities":["z"],'
                  '"metadata": ' + ODD_JSON + '}')
    task_id = (await ada.expect("task_submitted"))["task_id"]
    text = hub.http("GET", f"/api/tasks/{task_id}", token=hub.submitter).text
    assert '"metadata":' + ODD_JSON in text, text


@case()
async def large_payloads_go_the_whole_way(hub):
    metadata = {"blob": "x\u20ac" * 100_000}
    task_id = hub.submit(metadata=metadata)["task_id"]
    ada = await hub.agent("ada")
    given = await ada.given(task_id)
    same(given["metadata"], metadata)
    result = {"log": "line\n" * 30_000}
    await ada.complete(given, result=result)
    task = hub.task(task_id)
    same((task["metadata"], task["result"]), (metadata, result))


@case()
async def tokens_used_may_stand_in_the_result(hub):
    ada = await hub.agent("ada")
    for fields, wanted in (({"result": {"tokens_used": 7}}, 7),
                           ({"result": {"tokens_used": 7}, "tokens_used": 8}, 8),
                           ({"result": {"tokens_used": "many"}}, None),
                           ({"result": None}, None)):
        task_id = hub.submit()["task_id"]
        await ada.complete(await ada.given(task_id), **fields)
        same(hub.task(task_id)["tokens_used"], wanted)


@case()
async def lists_are_filtered(hub):
    ada = await hub.agent("ada", max_concurrent=2, capabilities=["x"])
    need = {"needed_capabilities": ["x"]}
    working = hub.submit("working", **need)["task_id"]
    await ada.accept(await ada.given(working))
    assigned = hub.submit("assigned", priority="high", **need)["task_id"]
    await ada.given(assigned)
    queued = hub.submit("queued", priority="urgent", **need)["task_id"]
    blocked = hub.submit("blocked", depends_on=[queued])["task_id"]
    scheduled = hub.submit("scheduled", not_before=now_ms() + 3_600_000)["task_id"]
    cancelled = hub.submit("cancelled", priority="low", **need)["task_id"]
    hub.cancel(cancelled)
    for query, wanted in (
            ("", [working, assigned, queued, blocked, scheduled, cancelled]),
            ("?status=assigned", [working, assigned]),
            ("?status=working", [working]),
            ("?status=queued", [queued]),
            ("?status=blocked", [blocked]),
            ("?status=scheduled", [scheduled]),
            ("?status=cancelled", [cancelled]),
            ("?status=completed", []),
            ("?status=dead_letter", []),
            ("?priority=urgent", [queued]),
            ("?priority=normal", [working, blocked, scheduled]),
            ("?priority=normal&status=blocked", [blocked]),
            ("?assigned_to=ada", [working, assigned]),
            ("?assigned_to=ada&priority=high", [assigned]),
            ("?assigned_to=ada&status=working", [working]),
            ("?assigned_to=nobody", []),
            ("?status=assigned&assigned_to=ada&priority=low", [])):
        page = hub.tasks(query)
        same((query, [task["id"] for task in page["tasks"]], page["count"],
              page["cursor"]), (query, wanted, len(wanted), None))

    stats = hub.stats()
    same(stats["by_status"], {"queued": 1, "assigned": 1, "working": 1, "completed": 0,
                              "scheduled": 1, "blocked": 1, "cancelled": 1,
                              "dead_letter": 0})
    same((stats["dead_letter"], stats["queued_index_size"]), (0, 1))


@case()
async def a_long_list_comes_in_pages_each_task_once(hub):
    hub.exempt("ada")
    ada = await hub.agent("ada", max_concurrent=0)
    for n in range(250):
        await ada.send("task_submit", description=str(n),
                       priority=("urgent", "low")[n % 2])
    wanted = [(await ada.expect("task_submitted"))["task_id"] for _ in range(250)]
    same(wanted, sorted(wanted))
    same(hub.tasks()["count"], 100)
    for size in (1, 7, 100, 249, 250, 251):
        found, cursor, pages = [], "", 0
        while cursor is not None and pages < 300:
            page = hub.tasks(f"?limit={size}{cursor and '&cursor=' + cursor}")
            assert page["count"] == len(page["tasks"]) <= size, page
            found += [task["id"] for task in page["tasks"]]
            cursor, pages = page["cursor"], pages + 1
        same((size, found), (size, wanted))
    low = hub.all_tasks("&priority=low")
    same([task["id"] for task in low], wanted[1::2])
    for query in ("?limit=0", "?limit=1001", "?limit=x", "?limit=-1", "?limit=",
                  "?status=bogus", "?status=", "?priority=critical", "?cursor=",
                  "?cursor=" + "9" * 65):
        answer = hub.http("GET", "/api/tasks" + query, token=hub.submitter)
        same((query, answer.status, answer.json["error"]),
             (query, 422, "validation_failed"))


@case()
async def a_page_is_bounded_in_bytes_too(hub):
    for n in range(12):
        hub.submit(str(n), metadata={"x": "y" * 200_000})
    page = hub.http("GET", "/api/tasks?limit=1000", token=hub.submitter)
    assert len(page.data) < 2 * 1024 * 1024, len(page.data)
    assert 0 < page.json["count"] < 12, page.json["count"]
    same([task["description"] for task in hub.all_tasks()], [str(n) for n in range(12)])


@case()
async def a_repeated_submit_makes_one_task(hub):
    body = {"description": "once", "metadata": {"n": 1}}
    headers = {"Idempotency-Key": "key-1"}
    first = hub.http("POST", "/api/tasks", body, token=hub.submitter, headers=headers)
    same((first.status, first.headers.get("Idempotency-Replayed")), (201, None))
    for _ in range(3):
        again = hub.http("POST", "/api/tasks", body, token=hub.submitter,
                         headers=headers)
        same((again.status, again.json, again.headers.get("Idempotency-Replayed")),
             (201, first.json, "true"))
    other = hub.http("POST", "/api/tasks", {"description": "else"}, token=hub.submitter,
                     headers=headers)
    same((other.status, other.json["error"]), (409, "idempotency_conflict"))
    # The key is the caller's own.
    bob = hub.http("POST", "/api/tasks", body, token=hub.register("bob"),
                   headers=headers)
    assert bob.status == 201 and bob.json["task_id"] != first.json["task_id"], bob
    same(hub.tasks()["count"], 2)
    # It holds when the task is long done.
    ada = await hub.agent("ada")
    await ada.complete(await ada.given(first.json["task_id"]))
    again = hub.http("POST", "/api/tasks", body, token=hub.submitter, headers=headers)
    same((again.status, again.json), (201, first.json))


@case()
async def parallel_retries_make_one_task(hub):
    token = hub.submitter

    def post(n):
        answer = hub.http("POST", "/api/tasks", {"description": f"key {n % 4}"},
                          token=token, headers={"Idempotency-Key": f"key-{n % 4}"})
        assert answer.status == 201, answer
        return n % 4, answer.json["task_id"], answer.headers.get("Idempotency-Replayed")

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(post, range(64)))
    same(len({(key, task_id) for key, task_id, _ in answers}), 4)
    same(sum(replayed is None for _, _, replayed in answers), 4)
    same(hub.tasks()["count"], 4)


@case()
async def a_submit_over_the_socket_is_idempotent_too(hub):
    ada = await hub.agent("ada", max_concurrent=0)
    for n in range(3):
        await ada.send("task_submit", description="once", idempotency_key="k",
                       request_id=f"r{n}")
    ids = {(await ada.expect("task_submitted", request_id=f"r{n}"))["task_id"]
           for n in range(3)}
    same(len(ids), 1)
    await ada.send("task_submit", description="else", idempotency_key="k",
                   request_id="r9")
    await ada.error("idempotency_conflict", request_id="r9")
    same(hub.tasks()["count"], 1)


@case("--tasks-open-max", "3")
async def a_full_queue_refuses_and_takes_again(hub):
    tasks = [hub.submit()["task_id"] for _ in range(3)]
    answer = hub.http("POST", "/api/tasks", {"description": "x"}, token=hub.submitter)
    same((answer.status, answer.json["error"]), (503, "queue_full"))
    same(hub.tasks()["count"], 3)
    ada = await hub.agent("ada")
    await ada.complete(await ada.given(tasks[0]))
    hub.submit()


@case()
async def a_viewer_reads_and_changes_nothing(hub):
    task_id = hub.submit()["task_id"]
    viewer = hub.mint("eye", "viewer")
    for path in (f"/api/tasks/{task_id}", "/api/tasks", "/api/tasks/stats",
                 "/api/tasks/dead-letter"):
        same(hub.http("GET", path, token=viewer).status, 200)
    for path, body in (("/api/tasks", {"description": "x"}),
                       (f"/api/tasks/{task_id}/retry", None),
                       (f"/api/tasks/{task_id}/cancel", None)):
        answer = hub.http("POST", path, body, token=viewer)
        same((answer.status, answer.json["error"]), (403, "forbidden"))
    same(hub.task(task_id)["state"], "queued")


@case()
async def many_tasks_and_many_agents_each_task_done_once(hub):
    hub.exempt(*[f"s{n}" for n in range(4)])
    submitters = [await hub.agent(f"s{n}", max_concurrent=0) for n in range(4)]
    agents = [await hub.agent(f"a{n}", max_concurrent=1 + n % 3) for n in range(8)]
    done = []

    async def work(agent):
        while True:
            given = await agent.expect("task_assign", patience_s=3600)
            await agent.accept(given)
            await agent.complete(given, result={"by": agent.agent_id})
            done.append(given["task_id"])

    workers = [asyncio.create_task(work(agent)) for agent in agents]
    wanted = set()
    for n in range(600):
        one = submitters[n % 4]
        await one.send("task_submit", description=json.dumps({"n": n}))
    for n in range(600):
        wanted.add((await submitters[n % 4].expect("task_submitted"))["task_id"])
    await eventually(lambda: len(done) >= 600 or any(w.done() for w in workers),
                     lambda: f"all are done: {len(done)}")
    for worker in workers:
        worker.cancel()
    same((len(done), set(done)), (600, wanted))
    stats = hub.stats()
    same((stats["by_status"]["completed"], stats["by_status"]["queued"],
          stats["queued_index_size"]), (600, 0, 0))


@case()
async def very_many_may_wait_for_one(hub):
    hub.exempt("ada")
    ada = await hub.agent("ada", max_concurrent=0)
    first = hub.submit("first", needed_capabilities=["x"])["task_id"]
    for n in range(500):
        await ada.send("task_submit", description=str(n), depends_on=[first])
    for _ in range(500):
        same((await ada.expect("task_submitted"))["status"], "blocked")
    bob = await hub.agent("bob", capabilities=["x"], max_concurrent=0)
    await bob.none("task_assign")
    eve = await hub.agent("eve", capabilities=["x"])
    await eve.complete(await eve.given(first))
    for _ in range(500):
        await eve.complete(await eve.given())
    same(hub.stats()["by_status"]["completed"], 501)


class Restless:
    """An agent whose connection breaks, doubles and comes back at any moment."""

    def __init__(self, hub, name, seed, done):
        self.hub, self.name, self.done = hub, name, done
        self.random = random.Random(seed)
        self.reported = {}

    async def live(self, until):
        while True:
            agent = await self.hub.agent(self.name, max_concurrent=2)
            for task_id, generation in list(self.reported.items()):
                await self.report(agent, task_id, generation)
            steps = self.random.randint(1, 12) if not until.is_set() else 1_000_000
            try:
                for _ in range(steps):
                    await self.hear(agent, await agent.expect(patience_s=0.3))
            except AssertionError:
                if until.is_set() and not agent.ended:
                    continue
            if self.random.random() < 0.3:
                agent = await self.hub.agent(self.name, max_concurrent=2)
            if self.random.random() < 0.5 and not agent.ended:
                await agent.vanish()

    async def report(self, agent, task_id, generation):
        await agent.send("task_complete", task_id=task_id, generation=generation,
                         result={"by": self.name})

    async def hear(self, agent, frame):
        task_id = frame.get("task_id")
        if frame["type"] == "task_assign":
            await agent.send("task_accepted", task_id=task_id,
                             generation=frame["generation"])
            if self.random.random() < 0.9:
                self.reported[task_id] = frame["generation"]
                await self.report(agent, task_id, frame["generation"])
        elif frame["type"] == "task_ack" and frame["status"] == "complete":
            if self.reported.pop(task_id, None) is not None:
                self.done.append(task_id)
        elif frame["type"] == "error":
            assert frame["error"].split(": ")[-1] in (
                "stale_generation", "invalid_state"), frame
            self.reported.pop(frame["task_id"], None)


@case("--reconnect-grace-ms", "150", "--lease-ms", "700", "--acceptance-ms", "700")
async def agents_that_come_and_go_lose_nothing(hub):
    hub.exempt("boss")
    boss = await hub.agent("boss", max_concurrent=0)
    for n in range(400):
        await boss.send("task_submit", description=str(n), max_retries=100)
    wanted = {(await boss.expect("task_submitted"))["task_id"] for _ in range(400)}
    done, calm = [], asyncio.Event()
    agents = [asyncio.create_task(Restless(hub, f"a{n}", n, done).live(calm))
              for n in range(8)]
    for agent in agents:
        agent.add_done_callback(lambda task: task.cancelled() or task.exception() and
                                print(task.exception()))
    await eventually(lambda: len(done) > 250, lambda: f"most are done: {len(done)}")
    calm.set()
    await eventually(lambda: hub.stats()["by_status"]["completed"] == 400,
                     lambda: f"all are done: {hub.stats()}")
    # Python's wait_for may swallow a cancellation that meets a result: ask again.
    while agents:
        for agent in agents:
            agent.cancel()
        _, agents = await asyncio.wait(agents, timeout=0.5)
    assert set(done) <= wanted and len(done) == len(set(done)), len(done)


if __name__ == "__main__":
    main()
