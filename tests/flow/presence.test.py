#!/usr/bin/python3
"""
Who is there, for those who ask: a snapshot in pages, changes as they happen, and what was
missed after a pause, a restart or a slow moment. Nobody else hears of it.
"""

import asyncio
import sys
import time

sys.dont_write_bytecode = True
import support  # noqa: E402
from support import case, eventually, main, same  # noqa: E402

QUICK = ("--presence-interval-ms", "20")


class Watcher:
    """A subscriber, and what it knows by what it was told."""

    def __init__(self, hub, agent_id="eye"):
        self.hub = hub
        self.agent_id = agent_id
        self.known = {}
        self.epoch = self.sequence = None
        self.frames = 0

    async def connect(self):
        self.link = await self.hub.agent(self.agent_id, max_concurrent=0)
        return self

    async def subscribe(self, **fields):
        if self.epoch is not None:
            fields.update(epoch=self.epoch, sequence=self.sequence)
        while True:
            await self.link.send("presence_subscribe", **fields)
            while True:
                page = await self.link.expect()
                if page["type"] == "presence_snapshot":
                    break
                self.take(page, paging=True)
            if not page["resumed"] and "cursor" not in fields:
                self.known = {}
            self.learn(page["agents"])
            if "cursor" not in page:
                break
            fields = {**fields, "cursor": page["cursor"]}
        self.epoch, self.sequence = page["epoch"], page["sequence"]
        return page

    def learn(self, agents):
        for agent in agents:
            if agent["fsm_state"] == "offline":
                self.known.pop(agent["agent_id"], None)
            else:
                self.known[agent["agent_id"]] = agent

    def take(self, frame, paging=False):
        if frame["type"] != "presence_changed":
            return
        assert paging or frame["from"] <= self.sequence, (self.sequence, frame)
        self.frames += 1
        self.learn(frame["agents"])
        self.sequence = frame["sequence"]

    def hear(self):
        box, self.link.box = self.link.box, []
        for frame in box:
            assert frame["type"] != "presence_gap", frame
            self.take(frame)

    def knows(self):
        self.hear()
        there = {agent["agent_id"]: agent
                 for agent in self.hub.http("GET", "/api/agents").json["agents"]}
        return self.known == there

    async def agrees(self):
        await eventually(self.knows, lambda: f"what it knows is so: {self.known}")


@case(*QUICK)
async def a_subscriber_knows_everybody_as_they_are(hub):
    ada = await hub.agent("ada", capabilities=["git"])
    eye = await Watcher(hub).connect()
    page = await eye.subscribe()
    same((page["resumed"], page["agents_connected"], sorted(eye.known)),
         (False, 2, ["ada", "eye"]))
    await eye.agrees()
    bob = await hub.agent("bob")
    await eye.agrees()
    task = hub.submit()["task_id"]
    given = await ada.given(task)
    await eye.agrees()
    same((eye.known["ada"]["fsm_state"], eye.known["ada"]["current_task_id"]),
         ("assigned", task))
    await ada.accept(given)
    await ada.send("status", status="busy")
    await bob.leave()
    await eventually(lambda: eye.knows() and "bob" not in eye.known, "it knows who left")
    same(sorted(eye.known), ["ada", "eye"])
    await ada.complete(given)
    hub.http("POST", "/api/agents/ada/drain", token=hub.admin)
    await eye.agrees()
    same(eye.known["ada"]["flags"], ["draining"])
    await eye.link.send("presence_unsubscribe")
    await eye.link.expect("presence_unsubscribed")
    await ada.send("status", status="unheard")
    await ada.settle()
    await asyncio.sleep(0.1)
    await eye.link.none("presence_changed")


@case("--presence-events-agents-max", "3", *QUICK)
async def in_a_large_fleet_only_subscribers_hear_of_others(hub):
    eye = await Watcher(hub).connect()
    await eye.subscribe()
    agents = [await hub.agent(f"a{n}") for n in range(12)]
    await agents[3].send("status", status="new")
    await agents[4].leave()
    await eye.agrees()
    for agent in agents[5:]:
        await agent.settle()
        same({frame["type"] for frame in agent.box}, set())
    # v1.1's clients of a small one do.
    for agent in agents[2:4] + agents[5:]:
        await agent.leave()
    await eventually(lambda: hub.http("GET", "/health").json["agents_connected"] == 3,
                     "three are left")
    await agents[0].send("status", status="few")
    await agents[1].expect("status_changed")


@case(*QUICK)
async def a_snapshot_comes_in_pages_and_changes_in_between_are_not_lost(hub):
    agents = [await hub.agent(f"a{n:02}") for n in range(25)]

    async def restless():
        for n in range(40):
            await agents[n % 20].send("status", status=f"{n}")
            await agents[n % 20].settle()
        await agents[20].leave()

    eye = await Watcher(hub).connect()
    talk = asyncio.create_task(restless())
    await eye.subscribe(limit=4)
    await talk
    await eventually(lambda: eye.knows() and "a20" not in eye.known, "it knows who left")
    listed, cursor = [], {}
    while True:
        await eye.link.send("list_agents", limit=10, **cursor)
        page = await eye.link.expect("agents")
        listed += [agent["agent_id"] for agent in page["agents"]]
        if "cursor" not in page:
            break
        cursor = {"cursor": page["cursor"]}
    same(sorted(listed), sorted(eye.known))
    await eye.link.send("list_agents")
    same(sorted(await eye.link.expect("agents")), ["agents", "type"])


@case(*QUICK)
async def who_comes_back_hears_what_has_changed_even_over_a_restart(hub):
    ada, bob = await hub.agent("ada"), await hub.agent("bob")
    eye = await Watcher(hub).connect()
    await eye.subscribe()
    await eye.agrees()
    await eye.link.vanish()
    await ada.send("status", status="changed")
    await bob.leave()
    await ada.settle()
    await eye.connect()
    page = await eye.subscribe()
    same(page["resumed"], True)
    await eventually(lambda: eye.knows() and "bob" not in eye.known, "it knows who left")
    same(sorted(eye.known), ["ada", "eye"])
    await ada.leave()
    await eye.link.leave()
    same(hub.stop(), 0)
    hub.start()
    await hub.agent("carol")
    await eye.connect()
    same((await eye.subscribe())["resumed"], True)
    await eye.agrees()
    same(sorted(eye.known), ["carol", "eye"])
    eye.sequence += 10 ** 6
    same((await eye.subscribe())["resumed"], False)
    await eye.agrees()


@case("--presence-interval-ms", "1", "--send-queue-bytes-max", "65536")
async def a_slow_subscriber_misses_changes_hears_so_and_stays(hub):
    many = ["x" * 100] * 15
    loud = [await hub.agent(f"loud-{n}", capabilities=[f"{n}{i}{c}" for i, c in
                                                       enumerate(many)]) for n in range(8)]
    eye = Watcher(hub)
    eye.link = support.Agent(hub, "eye")
    await eye.link.open_narrow()
    await eye.link.identify(max_concurrent=0)
    await eye.link.expect("identified")
    await eye.subscribe()

    async def disturb():
        for agent in loud:
            await agent.send("status", status=f"{time.time_ns()}")
        for agent in loud:
            await agent.settle()

    await eye.link.starve(disturb, "presence_gap")
    while True:
        frame = await eye.link.expect()
        if frame["type"] == "presence_gap":
            break
        eye.take(frame)
    page = await eye.subscribe()
    same(page["resumed"], True)
    await eye.agrees()


@case("--presence-subscribers-max", "1")
async def there_are_no_more_subscribers_than_allowed(hub):
    ada, bob = await hub.agent("ada"), await hub.agent("bob")
    await ada.send("presence_subscribe")
    await ada.expect("presence_snapshot")
    await bob.send("presence_subscribe")
    await bob.error("too_many_subscribers")
    await ada.vanish()

    async def let_in():
        await bob.send("presence_subscribe")
        return (await bob.expect())["type"] == "presence_snapshot"

    while not await let_in():
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    main()
