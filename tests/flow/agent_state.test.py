#!/usr/bin/python3
"""
What an agent does is seen from outside, from its first moment to its last; it can be
drained, and it can say that it is blocked.
"""

import sys

sys.dont_write_bytecode = True
from support import case, eventually, main, same  # noqa: E402

V11_STATES = {"agent_id", "fsm_state", "current_task_id", "capabilities", "flags",
              "connected_at", "name"}


def state(hub, agent_id):
    answer = hub.http("GET", f"/api/agents/{agent_id}/state", token=hub.submitter)
    same(answer.status, 200)
    return answer.json


async def away(hub, agent_id):
    await eventually(lambda: state(hub, agent_id)["fsm_state"] == "offline",
                     f"{agent_id} is offline")


def operate(hub, agent_id, verb):
    return hub.http("POST", f"/api/agents/{agent_id}/{verb}", token=hub.admin)


@case()
async def the_states_have_the_members_of_v11(hub):
    ada = await hub.agent("ada", name="Ada", capabilities=["git"])
    same(hub.http("GET", "/api/agents/states").status, 401)
    states = hub.http("GET", "/api/agents/states", token=hub.submitter).json
    same(sorted(states), ["agents"])
    listed = states["agents"][0]
    assert V11_STATES <= set(listed), listed
    shown = state(hub, "ada")
    assert V11_STATES | {"last_state_change"} <= set(shown), shown
    same((shown["fsm_state"], shown["current_task_id"], shown["flags"], shown["name"],
          shown["capabilities"], shown["max_concurrent"]),
         ("idle", None, [], "Ada", ["git"], 1))
    same(hub.http("GET", "/api/agents").json["agents"][0]["fsm_state"], "idle")
    absent = hub.http("GET", "/api/agents/nobody/state", token=hub.submitter)
    same((absent.status, absent.json), (404, {"error": "agent_not_found"}))
    await ada.leave()


@case()
async def a_task_takes_its_agent_through_all_states(hub):
    ada = await hub.agent("ada")
    task = hub.submit()
    given = await ada.given(task["task_id"])
    shown = state(hub, "ada")
    same((shown["fsm_state"], shown["current_task_id"]), ("assigned", task["task_id"]))
    await ada.accept(given)
    same(state(hub, "ada")["fsm_state"], "working")

    await ada.send("task_blocked", task_id=task["task_id"], generation=given["generation"],
                   reason="which API?")
    await ada.expect("task_ack", status="blocked", task_id=task["task_id"])
    same(state(hub, "ada")["fsm_state"], "blocked")
    blocked = hub.task(task["task_id"])
    same((blocked["status"], blocked["state"], blocked["blocked_reason"]),
         ("assigned", "working", "which API?"))
    same(blocked["pending"]["reason"], "its agent is blocked")
    same(blocked["history"][0]["event"], "agent_blocked")
    await ada.send("task_unblocked", task_id=task["task_id"],
                   generation=given["generation"])
    await ada.expect("task_ack", status="unblocked")
    same(state(hub, "ada")["fsm_state"], "working")
    assert "blocked_reason" not in hub.task(task["task_id"])
    await ada.complete(given)
    same(state(hub, "ada")["fsm_state"], "idle")
    await ada.leave()
    await away(hub, "ada")
    same(state(hub, "ada")["fsm_state"], "offline")
    same(hub.http("GET", "/api/agents/states", token=hub.submitter).json["agents"], [])
    known = hub.http("GET", "/api/agents/states?offline=true", token=hub.submitter).json
    same([agent["fsm_state"] for agent in known["agents"]], ["offline"])


@case()
async def an_operator_drains_an_agent_and_a_reconnect_does_not_end_it(hub):
    ada = await hub.agent("ada")
    first = await ada.given(hub.submit()["task_id"])
    await ada.accept(first)
    same(operate(hub, "ada", "drain").json,
         {"status": "draining", "agent_id": "ada", "draining_by_agent": False,
          "draining_by_operator": True, "tasks_held": 1})
    await ada.expect("agent_draining", draining=True, by_operator=True)
    second = hub.submit()["task_id"]
    await ada.complete(first)
    await ada.none("task_assign")
    why = hub.task(second)["pending"]
    same(why["agents"], [{"agent_id": "ada", "reason": "draining"}])
    shown = state(hub, "ada")
    same((shown["state"], shown["flags"], shown["tasks_held"]), ("draining", ["draining"], 0))

    await ada.leave()
    await away(hub, "ada")
    same((hub.stop(), hub.start() and 0), (0, 0))
    ada = await hub.agent("ada")
    same(ada.identified["draining"], True)
    await ada.none("task_assign")
    same(operate(hub, "ada", "resume").json["status"], "resumed")
    await ada.given(second)
    same(operate(hub, "nobody", "drain").json, {"error": "agent_not_found"})
    same(hub.http("POST", "/api/agents/ada/drain", token=hub.submitter).status, 403)


@case()
async def an_agent_drains_itself_until_its_connection_ends(hub):
    ada = await hub.agent("ada")
    await ada.send("agent_drain")
    await ada.expect("agent_draining", draining=True, by_agent=True, tasks_held=0)
    task = hub.submit()["task_id"]
    await ada.none("task_assign")
    await ada.send("agent_drain", on=False)
    await ada.expect("agent_draining", draining=False)
    await ada.given(task)
    await ada.send("agent_drain")
    await ada.leave()
    await away(hub, "ada")
    ada = await hub.agent("ada")
    assert "draining" not in ada.identified
    await ada.given(task)


@case()
async def agents_come_in_pages_for_who_asks(hub):
    agents = [await hub.agent(f"a{n}", max_concurrent=n) for n in range(5)]
    found, query = [], "?limit=2"
    while query:
        page = hub.http("GET", f"/api/agents{query}").json
        found += [(agent["agent_id"], agent["max_concurrent"]) for agent in page["agents"]]
        query = f"?limit=2&cursor={page['cursor']}" if "cursor" in page else None
    same(found, [(f"a{n}", n) for n in range(5)])
    same(sorted(hub.http("GET", "/api/agents").json), ["agents"])
    same(hub.http("GET", "/api/agents?cursor=nonsense").status, 422)
    for agent in agents:
        await agent.leave()


if __name__ == "__main__":
    main()
