#!/usr/bin/python3
"""What an operator sets while the hub runs: told, kept, and in force at once."""

import json
import subprocess
import sys

sys.dont_write_bytecode = True
from support import (BIN, PATIENCE_S, Hub, case, eventually, main,  # noqa: E402
                     make_certificate, same)

HEARTBEAT = "/api/config/heartbeat-interval"
REPO = "/api/config/default-repo"
LEVEL = "/api/admin/log-level"
URL = "https://git.example/fleet.git"


@case()
async def what_is_set_outlives_a_restart_and_reaches_agents(hub):
    ada = await hub.agent("ada")
    same(ada.identified["heartbeat_interval_ms"], 30000)
    for path, body in ((HEARTBEAT, {"heartbeat_interval_ms": 20000}), (REPO, {"url": URL})):
        same(hub.http("PUT", path, body).status, 401)
        same(hub.http("PUT", path, body, hub.register("ada")).status, 403)
        same(hub.http("PUT", path, body, hub.admin).status, 200)
    await ada.leave()
    same(hub.stop(), 0)
    hub.start()
    same(hub.http("GET", HEARTBEAT, token=hub.register("ada")).json,
         {"heartbeat_interval_ms": 20000, "effective_interval_ms": 20000})
    same(hub.http("GET", REPO).json, {"default_repo": URL, "configured": True})
    ada = await hub.agent("ada")
    same(ada.identified["heartbeat_interval_ms"], 20000)
    bob = hub.http("POST", "/api/onboard/register", {"agent_id": "bob"})
    same((bob.status, bob.json["default_repo"]), (201, URL))


@case("--idle-timeout-ms", "10000")
async def no_agent_is_told_to_be_silent_too_long(hub):
    ada = await hub.agent("ada")
    same(ada.identified["heartbeat_interval_ms"], 5000)


@case()
def the_log_level_holds_at_once_until_the_next_start(hub):
    def lines(word):
        return [line for line in hub.log().splitlines() if word in line]

    def level(word):
        return hub.http("PUT", LEVEL, {"level": word}, hub.admin)

    same(level("loud").json,
         {"error": "invalid_level",
          "valid": ["debug", "info", "notice", "warning", "error"]})
    same(level("error").json, {"status": "ok", "level": "error"})
    same([json.loads(line)["severity"] for line in lines('"log_level_set"')], ["error"])
    same(level("info").status, 200)
    same(json.loads(lines('"log_level_set"')[-1])["triggered_by"], "admin")
    same(level("error").status, 200)
    same(hub.stop(), 0)
    assert not lines("hub_stopped"), hub.log()
    hub.start()
    same(hub.stop(), 0)
    same(len(lines("hub_stopped")), 1)


def register(hub, agent_id, **headers):
    answer = hub.http("POST", "/api/onboard/register", {"agent_id": agent_id},
                      headers=headers)
    same(answer.status, 201)
    return answer.json["hub_ws_url"], answer.json["hub_api_url"]


@case()
def who_registers_is_told_the_hub_where_it_found_it(hub):
    same(register(hub, "ada"), (hub.ws_url, hub.url))
    same(register(hub, "bob", Host="localhost:7"),
         ("ws://localhost:7/ws", "http://localhost:7"))
    again = hub.http("POST", "/api/onboard/register", {"agent_id": "ada"})
    same((again.status, again.json["error"]), (409, "already_registered"))


@case(hub=False)
def under_tls_the_urls_say_so(folder):
    certificate, key, context = make_certificate(folder)
    hub = Hub(folder, "--tls-certificate", str(certificate), "--tls-key", str(key),
              tls=context).start()
    try:
        same(register(hub, "ada"), (hub.ws_url, hub.url))
        assert hub.ws_url.startswith("wss://")
    finally:
        hub.kill()


@case("--public-url", "https://hub.example/drover/")
def behind_a_proxy_the_urls_are_the_public_ones(hub):
    same(register(hub, "ada"), ("wss://hub.example/drover/ws",
                                "https://hub.example/drover"))


@case()
async def a_pushed_task_is_a_task_of_its_agent_alone(hub):
    def push(agent_id, token=None, **fields):
        return hub.http("POST", "/api/admin/push-task",
                        {"agent_id": agent_id, "description": "look", **fields},
                        token or hub.admin)

    same(push("ada", hub.register("ada")).status, 403)
    answer = push("ada")
    same((answer.status, answer.json["error"]), (404, "agent_not_connected"))
    ada = await hub.agent("ada")
    bob = await hub.agent("bob")
    pushed = push("ada", metadata={"branch": "main"}).json
    same((pushed["status"], pushed["agent_id"]), ("pushed", "ada"))
    given = await ada.given(pushed["task_id"])
    same((given["description"], given["metadata"]), ("look", {"branch": "main"}))
    waiting = push("ada").json["task_id"]
    await ada.complete(given)
    second = await ada.given(waiting)
    same(hub.task(pushed["task_id"])["state"], "completed")
    same(hub.task(waiting)["pinned_to"], "ada")
    # Nobody else gets it when its agent goes away, nor after a restart.
    await ada.fail(second)
    second = await ada.given(waiting)
    await ada.vanish()
    same(hub.stop(), 0)
    await bob.closed()
    hub.start()
    bob = await hub.agent("bob")
    await bob.none("task_assign")
    ada = await hub.agent("ada")
    await ada.complete(await ada.given(waiting))
    same(hub.task(waiting)["state"], "completed")


@case()
async def what_agents_say_is_counted_and_outlives_a_restart(hub):
    def agents():
        found = hub.http("GET", "/api/analytics/agents", token=hub.submitter).json
        same(found["cursor"], None)
        return {item["agent_id"]: item for item in found["agents"]}

    same(hub.http("GET", "/api/analytics/summary").status, 401)
    ada = await hub.agent("ada")
    bob = await hub.agent("bob")
    await ada.send("message", to="bob", payload={"text": "hello"})
    await ada.expect("message_sent")
    await bob.send("message", payload={"text": "hello all"})
    await bob.expect("message_sent")
    for _ in range(2):
        found = agents()
        same([(found[name]["messages_sent_24h"], found[name]["messages_received_24h"])
              for name in ("ada", "bob")], [(1, 1), (1, 2)])
        if found["ada"]["connected"]:
            same(found["ada"]["status"], "active")
            same(hub.stop(), 0)
            hub.start()
    same(found["ada"]["status"], "offline")
    summary = hub.http("GET", "/api/analytics/summary", token=hub.submitter).json
    same((summary["total_agents"], summary["agents_connected"],
          summary["total_messages_24h"]), (2, 0, 2))
    hours = hub.http("GET", "/api/analytics/agents/ada/hourly", token=hub.submitter).json
    same((hours["agent_id"], len(hours["hourly"])), ("ada", 24))
    same(sum(hour["sent"] for hour in hours["hourly"]), 1)
    nobody = hub.http("GET", "/api/analytics/agents/nobody/hourly", token=hub.submitter)
    same((nobody.status, sum(hour["sent"] for hour in nobody.json["hourly"])), (200, 0))


@case()
async def a_reset_disconnects_nobody_and_loses_nothing(hub):
    def told(word):
        return [json.loads(line) for line in hub.log().splitlines() if f'"{word}"' in line]

    ada = await hub.agent("ada")
    bob = await hub.agent("bob")
    same(hub.http("POST", "/api/admin/reset", token=hub.register("ada")).status, 403)
    held = await given_of(hub, ada, bob)
    waiting = hub.submit("later", needed_capabilities=["gpu"])["task_id"]
    answer = hub.http("POST", "/api/admin/reset", token=hub.admin)
    same((answer.status, answer.json),
         (200, {"status": "reset_scheduled", "triggered_by": "admin"}))
    await eventually(lambda: told("reset_done"), "the reset is done")
    same(told("reset_done")[0]["differences"], 0)
    same(told("keys_swept"), [])
    # Nobody has gone deaf, and everybody is still known.
    await ada.send("message", to="bob", payload={"text": "still here?"})
    await bob.expect("message")
    await (ada if held["to"] == "ada" else bob).complete(held["task"])
    carol = await hub.agent("carol", capabilities=["gpu"])
    await carol.complete(await carol.given(waiting))
    # What the doors remember is dropped.
    def guess():
        return hub.http("GET", "/api/tasks", token="0" * 64).status

    await eventually(lambda: guess() == 429, "too many guesses")
    same(hub.http("POST", "/api/admin/reset", token=hub.admin).status, 200)
    await eventually(lambda: len(told("reset_done")) == 2, "the second is done")
    same(guess(), 401)


async def given_of(hub, *agents):
    task_id = hub.submit()["task_id"]

    def holder():
        return hub.task(task_id)["assigned_to"]

    name = await eventually(holder, "somebody has it")
    agent = next(agent for agent in agents if agent.agent_id == name)
    return {"to": name, "task": await agent.given(task_id)}


def drover(hub, *words):
    done = subprocess.run([str(BIN / "drover"), *words, "--hub", hub.url, "--token",
                           hub.admin], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=PATIENCE_S)
    same((words, done.returncode, done.stderr), (words, 0, ""))
    return done.stdout


@case()
async def an_operator_steers_from_the_command_line(hub):
    same(drover(hub, "hub", "config"),
         "heartbeat_interval_ms: 900000\nmailbox_ttl_ms: 604800000\n"
         "default_repo: null\n")
    same(json.loads(drover(hub, "hub", "config", "--heartbeat", "20s", "--default-repo", URL,
                           "--mailbox-retention", "1d", "--json")),
         {"heartbeat_interval_ms": 20000, "mailbox_ttl_ms": 86400000, "default_repo": URL})
    assert "debug" in drover(hub, "hub", "log-level", "debug")
    assert "begun" in drover(hub, "hub", "reset")
    ada = await hub.agent("ada")
    task_id = drover(hub, "agent", "push", "ada", "look", "--metadata", '{"a": 1}').strip()
    given = await ada.given(task_id)
    same((given["description"], given["metadata"]), ("look", {"a": 1}))
    assert "ada" in drover(hub, "agent", "stats")
    done = subprocess.run([str(BIN / "drover"), "hub", "log-level", "loud", "--hub",
                           hub.url, "--token", hub.admin], capture_output=True, text=True)
    assert done.returncode != 0 and done.stderr, done


if __name__ == "__main__":
    main()
