#!/usr/bin/python3
"""
The stories AgentCom v1.1 was tried by, told again with its own conditions: agents that speak
v1.1's plain messages and nothing else, and the hub as it is by default, limits of rate and all.
"""

import asyncio
import json
import sys
import time

sys.dont_write_bytecode = True
from support import Agent, case, main, same  # noqa: E402

# How long a lost agent may come back: by default longer than a test should wait.
SHORT_GRACE = ("--reconnect-grace-ms", "500")
POLL_S = 0.2


class Mind:
    """An agent of v1.1: it takes a task, acts at once, and reports."""

    def __init__(self, hub, agent_id):
        self.agent_id = agent_id
        self.link = Agent(hub, agent_id)
        self.completed = []
        self.given = []
        self.acting = asyncio.Event()
        self.acting.set()

    async def connect(self):
        await self.link.open()
        token = self.link.hub.register(self.agent_id)
        await self.link.send("identify", agent_id=self.agent_id, token=token,
                             name=self.agent_id, status="idle", capabilities=[])
        same(set(await self.link.expect("identified")) >= {"type", "agent_id"}, True)
        self.work = asyncio.create_task(self.live())
        return self

    async def live(self):
        while not self.link.ended:
            frame = await self.link.expect(patience_s=120)
            if frame["type"] != "task_assign":
                assert frame["type"] in ("agent_joined", "agent_left", "task_ack"), frame
                continue
            self.given.append(frame["task_id"])
            await self.link.send("task_accepted", task_id=frame["task_id"])
            await self.acting.wait()
            await self.link.send("task_complete", task_id=frame["task_id"],
                                 generation=frame["generation"], tokens_used=0,
                                 result={"status": "success", "output": self.agent_id})
            self.completed.append(frame["task_id"])

    async def die(self):
        self.work.cancel()
        await self.link.vanish()


class Desk:
    """Who submits, with a submitter's token, and looks every 200 ms as v1.1's tests do."""

    def __init__(self, hub):
        self.hub = hub
        self.token = hub.mint("desk", "submitter")

    def submit(self, description, priority="normal"):
        answer = self.hub.http("POST", "/api/tasks",
                               {"description": description, "priority": priority},
                               token=self.token)
        same(answer.status, 201)
        return answer.json["task_id"]

    def tasks(self):
        answer = self.hub.http("GET", "/api/tasks", token=self.token)
        same(answer.status, 200)
        return {task["id"]: task for task in answer.json["tasks"]}

    async def all_completed(self, task_ids, within_s):
        limit = time.monotonic() + within_s
        while True:
            tasks = self.tasks()
            left = [i for i in task_ids if tasks[i]["status"] != "completed"]
            if not left:
                return [tasks[i] for i in task_ids]
            assert time.monotonic() < limit, f"not completed in {within_s} s: {left}"
            await asyncio.sleep(POLL_S)


async def minds(hub, count):
    return [await Mind(hub, f"mind-{n}").connect() for n in range(count)]


def completed_once(tasks):
    for task in tasks:
        events = [event["event"] for event in task["history"]]
        same((task["id"], events.count("completed")), (task["id"], 1))


def mean(numbers):
    return sum(numbers) / len(numbers)


@case()
async def two_agents_do_ten_tasks(hub):
    ada, bob = await minds(hub, 2)
    desk = Desk(hub)
    tasks = await desk.all_completed([desk.submit(f"task {n}") for n in range(10)], 30)
    for task in tasks:
        assert task["assigned_at"] - task["created_at"] < 5000, task
        assert task["tokens_used"] < 500, task
    completed_once(tasks)
    assert ada.completed and bob.completed, (ada.completed, bob.completed)
    same(sorted(ada.completed + bob.completed), sorted(task["id"] for task in tasks))


@case(*SHORT_GRACE)
async def a_killed_agents_task_is_finished_by_the_other(hub):
    ada = await Mind(hub, "ada").connect()
    ada.acting.clear()
    desk = Desk(hub)
    task_id = desk.submit("survive")
    while not ada.given:
        await asyncio.sleep(0.01)
    bob = await Mind(hub, "bob").connect()
    await ada.die()
    [task] = await desk.all_completed([task_id], 60)
    completed_once([task])
    same((task["assigned_to"], bob.completed, ada.completed), ("bob", [task_id], []))
    same(task["result"]["output"], "bob")


@case(*SHORT_GRACE)
async def five_tasks_survive_a_killed_agent_without_a_duplicate(hub):
    ada, bob = await minds(hub, 2)
    ada.acting.clear()
    desk = Desk(hub)
    task_ids = [desk.submit(f"task {n}") for n in range(5)]
    while not ada.given:
        await asyncio.sleep(0.01)
    await ada.die()
    tasks = await desk.all_completed(task_ids, 60)
    completed_once(tasks)
    same(sorted(bob.completed), sorted(task_ids))


async def scale(hub, priorities):
    """Four agents; they act once all is submitted."""
    agents = await minds(hub, 4)
    for agent in agents:
        agent.acting.clear()
    desk = Desk(hub)
    task_ids = [desk.submit(f"{priority} {n}", priority)
                for n, priority in enumerate(priorities)]
    for agent in agents:
        agent.acting.set()
    tasks = await desk.all_completed(task_ids, 30)
    completed_once(tasks)
    lanes = {}
    for task in tasks:
        lanes.setdefault(task["description"].split()[0], []).append(task["assigned_at"])
    return agents, lanes


@case()
async def four_agents_share_twenty_tasks_by_their_lanes(hub):
    agents, lanes = await scale(
        hub, ["urgent"] * 4 + ["high"] * 4 + ["normal"] * 8 + ["low"] * 4)
    for agent in agents:
        assert 3 <= len(agent.completed) <= 7, [len(a.completed) for a in agents]
    assert mean(lanes["urgent"]) <= mean(lanes["low"]), lanes


@case()
async def twelve_tasks_of_alternating_lanes_are_done(hub):
    _, lanes = await scale(hub, ["low", "urgent"] * 6)
    # Two of each were handed out before the rest was there.
    assert max(lanes["urgent"]) <= sorted(lanes["low"])[2], lanes


@case()
async def an_agents_own_token_is_held_to_its_rate(hub):
    token = hub.register("hasty")
    answers = [hub.http("POST", "/api/tasks", {"description": f"{n}"}, token=token)
               for n in range(12)]
    same([answer.status for answer in answers], [201] * 10 + [429] * 2)
    refused = json.loads(answers[-1].text)
    same((refused["error"], refused["tier"]), ("rate_limited", "heavy"))


if __name__ == "__main__":
    main()
