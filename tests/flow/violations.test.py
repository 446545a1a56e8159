#!/usr/bin/python3
"""Who sends one invalid message after the other is sent away, and everybody can see it."""

import re
import sys

sys.dont_write_bytecode = True
from support import case, main, same  # noqa: E402

POLICY = 1008
STRUCK = "too many validation errors"


async def misbehave(link, times=10):
    """Invalid messages until the line is closed."""
    for _ in range(times):
        await link.send("status", status=1)
    for _ in range(times):
        await link.error("validation_failed")
    same((await link.closed(), link.socket.close_reason), (POLICY, STRUCK))


async def turned_away(link):
    """The line is closed with the seconds to wait, and with nothing else."""
    same(await link.closed(), POLICY)
    words = link.socket.close_reason
    found = re.fullmatch(r"cooldown active: retry in (\d+)s", words)
    assert found and 0 < int(found[1]) <= 30, words
    same(link.box, [])


async def comes_back(hub, agent_id):
    """A connection that identifies; it is not waited for the answer."""
    link = await hub.link()
    link.agent_id = agent_id
    await link.identify()
    return link


def figures(hub):
    answer = hub.http("GET", "/api/validation", token=hub.admin)
    same(answer.status, 200)
    return answer.json


@case()
async def who_was_sent_away_may_not_identify_for_half_a_minute(hub):
    ada, bob = await hub.agent("ada"), await hub.agent("bob")
    await misbehave(ada)
    for _ in range(2):
        await turned_away(await comes_back(hub, "ada"))
    await bob.settle()
    cyd = await hub.agent("cyd")
    await cyd.settle()


@case()
async def a_cooldown_is_told_to_the_owner_of_the_token_alone(hub):
    await misbehave(await hub.agent("ada"))
    link = await hub.link()
    await link.send("identify", agent_id="ada", token="0" * 64)
    await link.error("invalid_token")
    await link.send("identify", agent_id="ada", token=hub.register("bob"))
    await link.error("token_agent_mismatch")
    await link.send("identify", agent_id="ada", token=hub.register("ada"))
    await turned_away(link)


@case()
async def a_stranger_is_known_by_its_address(hub):
    hub.register("ada")
    await misbehave(await hub.link())
    link = await hub.link()
    await link.send("status", status=1)
    await turned_away(link)
    link = await hub.link()
    await link.send("identify", agent_id="ada", token="0" * 64)
    await turned_away(link)
    # A good token at the same address is nobody's offender.
    ada = await hub.agent("ada")
    await ada.settle()
    seen = figures(hub)["validation"]["recent_disconnects"]
    same([(one["agent_id"], one["address"], one["times"]) for one in seen],
         [(None, "127.0.0.1", 1)])


@case()
async def a_restart_of_the_hub_forgets_cooldowns_and_figures(hub):
    await misbehave(await hub.agent("ada"))
    same(hub.stop(), 0)
    hub.start()
    same(figures(hub)["validation"]["total_failures_this_hour"], 0)
    ada = await hub.agent("ada")
    await ada.settle()


@case()
async def everything_refused_is_seen(hub):
    same(figures(hub), {
        "validation": {"recent_failures": [], "failure_counts_by_agent": {},
                       "recent_disconnects": [], "total_failures_this_hour": 0},
        "warning": None})

    ada = await hub.agent("ada")
    await ada.send("task_complete", task_id=5)
    await ada.error("validation_failed")
    stranger = await hub.link()
    await stranger.send("nonsense")
    await stranger.error("validation_failed")
    await stranger.say("{")
    await stranger.error("invalid_json")
    answer = hub.http("POST", "/api/tasks", {"description": 1}, token=hub.submitter)
    same(answer.status, 422)

    seen = figures(hub)["validation"]
    same([(one["agent_id"], one["message_type"]) for one in seen["recent_failures"]],
         [("submitter", "post_task"), (None, "nonsense"), ("ada", "task_complete")])
    same(seen["failure_counts_by_agent"], {"ada": 1, "submitter": 1})
    same(seen["total_failures_this_hour"], 3)
    first = seen["recent_failures"][-1]
    same(first["address"], "127.0.0.1")
    same(first["error_count"], len(first["errors"]))
    same({item["field"]: item["error"] for item in first["errors"]}["task_id"],
         "wrong_type")
    assert all("value" not in item or item["value"] is None
               for one in seen["recent_failures"] for item in one["errors"]), seen


@case()
async def more_than_fifty_failures_are_worth_a_warning(hub):
    for name in ("ada", "bob", "cyd", "dan", "eve"):
        await misbehave(await hub.agent(name))
    same(figures(hub)["warning"], None)
    ada = await hub.agent("fay")
    await ada.send("status", status=1)
    await ada.error("validation_failed")
    seen = figures(hub)
    same(seen["warning"], "51 validation failures within the hour")
    seen = seen["validation"]
    same((len(seen["recent_failures"]), seen["total_failures_this_hour"]), (50, 51))
    same([one["agent_id"] for one in seen["recent_disconnects"]],
         ["eve", "dan", "cyd", "bob", "ada"])
    same({(one["times"], one["cooldown_ms"]) for one in seen["recent_disconnects"]},
         {(1, 30000)})
    same(seen["failure_counts_by_agent"],
         {"ada": 10, "bob": 10, "cyd": 10, "dan": 10, "eve": 10, "fay": 1})


@case()
def the_figures_are_for_who_watches_the_hub(hub):
    for role, status in (("viewer", 200), ("operator", 200), ("admin", 200),
                         ("agent", 403), ("submitter", 403), ("enrol", 403)):
        token = hub.mint(f"one-{role}", role)
        same((role, hub.http("GET", "/api/validation", token=token).status),
             (role, status))
    same(hub.http("GET", "/api/validation").status, 401)


if __name__ == "__main__":
    main()
