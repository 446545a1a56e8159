#!/usr/bin/python3
"""Agents come, say who they are, talk to each other, and are refused when they must be."""

import asyncio
import json
import sys

sys.dont_write_bytecode = True
from support import case, eventually, main, now_ms, same  # noqa: E402


@case()
async def an_agent_identifies_and_is_listed(hub):
    before = now_ms()
    ada = await hub.agent("ada", name="Ada", status="idle", capabilities=["git", "rust"])
    same(ada.identified["agent_id"], "ada")
    assert ada.identified["lease_ms"] > 0, ada.identified

    await ada.send("list_agents")
    agents = (await ada.expect("agents"))["agents"]
    same(len(agents), 1)
    same({key: agents[0][key] for key in ("agent_id", "name", "status", "capabilities")},
         {"agent_id": "ada", "name": "Ada", "status": "idle",
          "capabilities": ["git", "rust"]})
    assert before - 1000 <= agents[0]["connected_at"] <= now_ms() + 1000, agents

    listed = hub.http("GET", "/api/agents").json["agents"]
    same([item["agent_id"] for item in listed], ["ada"])
    same(listed[0]["fsm_state"], "idle")
    same(hub.http("GET", "/health").json["agents_connected"], 1)


@case()
async def what_identify_leaves_out_has_defaults(hub):
    bob = await hub.agent("bob")
    await bob.send("list_agents")
    agent = (await bob.expect("agents"))["agents"][0]
    same((agent["name"], agent["status"], agent["capabilities"]), ("bob", "connected", []))


@case()
async def fields_the_hub_does_not_know_are_ignored(hub):
    ada = await hub.agent("ada", client_type="sidecar", protocol_version=1,
                          nested={"deep": [1, {"x": None}]})
    await ada.send("ping", extra=1)
    await ada.expect("pong")


@case()
async def an_absent_optional_field_may_be_null(hub):
    ada = await hub.agent("ada", name=None, status=None, capabilities=None)
    await ada.send("message", payload={}, to=None, message_type=None, reply_to=None)
    await ada.expect("message_sent")


@case()
async def ping_is_answered_with_the_time(hub):
    ada = await hub.agent("ada")
    await ada.send("ping")
    pong = await ada.expect("pong")
    assert abs(pong["timestamp"] - now_ms()) < 60_000, pong


@case()
async def a_status_is_kept_and_told_to_all(hub):
    ada = await hub.agent("ada")
    bob = await hub.agent("bob")
    await ada.send("status", status="thinking \u2603")
    await ada.expect("status_updated")
    for one in (ada, bob):
        changed = await one.expect("status_changed")
        same((changed["agent"]["agent_id"], changed["agent"]["status"]),
             ("ada", "thinking \u2603"))
    await bob.send("list_agents")
    agents = {a["agent_id"]: a for a in (await bob.expect("agents"))["agents"]}
    same(agents["ada"]["status"], "thinking \u2603")


@case()
async def a_direct_message_reaches_its_receiver_alone(hub):
    ada, bob, eve = [await hub.agent(name) for name in ("ada", "bob", "eve")]
    await ada.send("message", to="bob", payload={"text": "hello"}, message_type="note",
                   reply_to="m-1")
    sent = await ada.expect("message_sent")
    message = await bob.expect("message")
    same({key: message[key] for key in ("id", "from", "message_type", "payload",
                                        "reply_to")},
         {"id": sent["id"], "from": "ada", "message_type": "note",
          "payload": {"text": "hello"}, "reply_to": "m-1"})
    assert abs(message["timestamp"] - now_ms()) < 60_000, message
    await eve.none("message")
    await ada.none("message")


@case()
async def a_broadcast_reaches_everybody_its_sender_too(hub):
    agents = [await hub.agent(name) for name in ("ada", "bob", "eve")]
    for fields in ({}, {"to": "broadcast"}):
        await agents[0].send("message", payload={"n": len(fields)}, **fields)
        sent = await agents[0].expect("message_sent")
        for one in agents:
            message = await one.expect("message")
            same((message["id"], message["from"], message["message_type"],
                  message["payload"], message["reply_to"]),
                 (sent["id"], "ada", "chat", {"n": len(fields)}, None))


@case()
async def messages_of_one_sender_arrive_in_order(hub):
    hub.exempt("ada")
    ada, bob = await hub.agent("ada"), await hub.agent("bob")
    for n in range(300):
        await ada.send("message", to="bob", payload={"n": n})
    for n in range(300):
        same((await bob.expect("message"))["payload"], {"n": n})


@case()
async def a_payload_is_forwarded_byte_for_byte(hub):
    ada, bob = await hub.agent("ada"), await hub.agent("bob")
    payload = ('{ "a" : 1.0,\t"big":123456789012345678901234567890 , '
               '"e":1E+2,"u":"\\u00e9\\/\\ud83d\\ude00\u00e9", "z":[ ],"":-0.0 }')
    await ada.say('{"payload":' + payload + ',"type":"message","to":"bob"}')
    message = await bob.expect("message")
    assert '"payload":' + payload in message.text, message.text


@case()
async def comings_and_goings_are_told_to_the_others(hub):
    ada = await hub.agent("ada")
    bob = await hub.agent("bob", name="Bob", capabilities=["git"])
    joined = await ada.expect("agent_joined")
    same((joined["agent"]["agent_id"], joined["agent"]["name"],
          joined["agent"]["capabilities"]), ("bob", "Bob", ["git"]))
    await bob.none("agent_joined")
    await bob.leave()
    same((await ada.expect("agent_left"))["agent_id"], "bob")
    same(hub.http("GET", "/health").json["agents_connected"], 1)
    same([a["agent_id"] for a in hub.http("GET", "/api/agents").json["agents"]], ["ada"])


@case()
async def a_broken_connection_is_told_too(hub):
    ada, bob = await hub.agent("ada"), await hub.agent("bob")
    await bob.vanish()
    same((await ada.expect("agent_left"))["agent_id"], "bob")


@case()
async def nothing_is_heard_before_identify(hub):
    link = await hub.link()
    for text in ('{"type":"ping"}', '{"type":"list_agents"}',
                 '{"type":"message","payload":{}}',
                 '{"type":"task_complete","task_id":"task-0","generation":1}'):
        await link.say(text)
        await link.error("not_identified")
    link.agent_id = "ada"
    await link.identify()
    await link.expect("identified")
    same(hub.http("GET", "/health").json["agents_connected"], 1)


@case()
async def an_unknown_token_is_refused(hub):
    hub.register("ada")
    for token in ("0" * 64, "", "x", "f" * 256, "\u00e9" * 64):
        link = await hub.link()
        await link.send("identify", agent_id="ada", token=token)
        await link.error("invalid_token")
    same(hub.http("GET", "/health").json["agents_connected"], 0)


@case()
async def a_token_of_somebody_else_is_refused(hub):
    hub.register("ada")
    link = await hub.link()
    await link.send("identify", agent_id="ada", token=hub.register("bob"))
    await link.error("token_agent_mismatch")
    same(hub.http("GET", "/health").json["agents_connected"], 0)
    link = await hub.link()
    await link.send("identify", agent_id="nobody-yet", token=hub.register("bob"))
    await link.error("token_agent_mismatch")


@case()
async def text_that_is_no_json_gets_an_error_and_the_line_stays(hub):
    ada = await hub.agent("ada")
    for text in ("", "{", "nonsense", '{"type":"ping"', '{"type":"ping"} x',
                 '{"type":"ping",}', "{'type':'ping'}", '{"type":"ping","a":01}',
                 '{"type":"ping","a":NaN}', '{"a":1,"a":2,"type":"ping"}',
                 '{"type":"ping","a":"\\ud800"}', '{"type":"ping","a":"\t"}',
                 "[" * 10_000, '{"type":"ping","a":' + "[" * 40 + "]" * 40 + "}"):
        await ada.say(text)
        error = await ada.error()
        same(error["error"], "invalid_json")
        await ada.settle()


@case()
async def json_that_is_no_object_is_refused(hub):
    ada = await hub.agent("ada")
    for text in ("[]", "1", '"ping"', "null", "true", '[{"type":"ping"}]'):
        await ada.say(text)
        error = await ada.error()
        assert error["error"] in ("invalid_json", "validation_failed"), error
        await ada.settle()


def items(error):
    return [(item["field"], item["error"]) for item in error["errors"]]


@case()
async def an_invalid_message_gets_every_reason_at_once(hub):
    ada = await hub.agent("ada")
    await ada.say('{"type":"status"}')
    error = await ada.error("validation_failed", message_type="status")
    same(items(error), [("status", "required")])
    assert error["errors"][0]["detail"], error

    await ada.say('{"type":"status","status":7}')
    error = await ada.error("validation_failed", message_type="status")
    same(items(error), [("status", "wrong_type")])
    same(error["errors"][0]["value"], 7)

    await ada.say('{"type":"task_complete","generation":"1","result":[]}')
    error = await ada.error("validation_failed", message_type="task_complete")
    same(sorted(items(error)), [("generation", "wrong_type"), ("result", "wrong_type"),
                                ("task_id", "required")])
    same(items(error)[0], ("task_id", "required"))
    await ada.settle()


@case()
async def text_too_long_is_told_with_its_beginning(hub):
    ada = await hub.agent("ada")
    await ada.send("status", status="s" * 257)
    error = await ada.error("validation_failed", message_type="status")
    same(items(error), [("status", "too_long")])
    same(error["errors"][0]["value"], "s" * 50 + "...")
    # Characters count, not bytes.
    await ada.send("status", status="\u20ac" * 256)
    await ada.expect("status_updated")


@case()
async def a_bad_item_of_a_list_is_named_by_its_place(hub):
    link = await hub.link()
    await link.send("identify", agent_id="ada", token=hub.register("ada"),
                    capabilities=["git", 5, None])
    error = await link.error("validation_failed", message_type="identify")
    assert ("capabilities[1]", "wrong_type") in items(error), error


@case()
async def no_value_is_bent_to_fit(hub):
    ada = await hub.agent("ada")
    for fields in ({"generation": "1"}, {"generation": 1.5}, {"generation": True},
                   {"generation": -1}, {"generation": None}, {"generation": 2 ** 70}):
        await ada.send("task_complete", task_id="task-0000000000000000", **fields)
        error = await ada.error("validation_failed")
        same([field for field, _ in items(error)], ["generation"])
    await ada.settle()


@case()
async def an_unknown_type_is_refused_with_the_known_ones(hub):
    ada = await hub.agent("ada")
    await ada.send("task_rejected", task_id="task-1")
    error = await ada.error("validation_failed", message_type="task_rejected")
    same([item["error"] for item in error["errors"]], ["unknown_message_type"])
    known = error["errors"][0]["known_types"]
    same(known, sorted(known))
    assert {"identify", "ping", "task_complete", "lease_renew"} <= set(known), known
    assert "tick" not in known and "task_assign" not in known, known
    for text in ('{"no":"type"}', '{"type":null}', '{"type":5}'):
        await ada.say(text)
        error = await ada.error("validation_failed")
        same([item["field"] for item in error["errors"]], ["type"])


@case()
async def the_hubs_own_commands_cannot_be_sent(hub):
    ada = await hub.agent("ada")
    for kind in ("tick", "hub_started", "link_closed", "task_assign", "task_ack",
                 "post_task", "http_error"):
        await ada.send(kind)
        error = await ada.error("validation_failed", message_type=kind)
        same([item["error"] for item in error["errors"]], ["unknown_message_type"])


@case()
async def the_newest_connection_of_an_agent_wins(hub):
    task = hub.submit(needed_capabilities=["one"])
    old = await hub.agent("ada", capabilities=["one"])
    given = await old.given(task["task_id"])
    await old.accept(given)
    eve = await hub.agent("eve")

    new = await hub.agent("ada", capabilities=["one"], name="new")
    same(await old.closed(), 4509)
    await new.settle()
    same(hub.http("GET", "/health").json["agents_connected"], 2)
    # The task went along, and the old line's end took nothing with it.
    same((hub.task(task["task_id"])["state"], hub.task(task["task_id"])["assigned_to"]),
         ("working", "ada"))
    await eve.none("agent_left")
    await new.complete(given)


@case()
async def late_frames_of_a_replaced_connection_are_ignored(hub):
    hub.register("ada")
    hub.exempt("ada")
    for _ in range(10):
        old = await hub.agent("ada")
        new = await Agent_opened(hub, "ada")
        # Both lines talk at the same time: what the old one says last may come after
        # the new one's identify.
        await asyncio.gather(new.identify(status="new"),
                             *[say_if_open(old, n) for n in range(20)])
        await new.expect("identified")
        same(await old.closed(), 4509)
        await new.settle()
        await new.send("status", status="mine")
        await new.expect("status_updated")
        await new.send("list_agents")
        agents = (await new.expect("agents"))["agents"]
        same([a["status"] for a in agents if a["agent_id"] == "ada"], ["mine"])
        await new.leave()


async def Agent_opened(hub, agent_id):
    link = await hub.link()
    link.agent_id = agent_id
    return link


async def say_if_open(link, n):
    try:
        await link.send("status", status=f"old {n}")
    except Exception:  # closed meanwhile: what is wanted
        assert link.socket.closed


@case()
async def many_connections_at_once_leave_one(hub):
    token = hub.register("ada")
    links = [await Agent_opened(hub, "ada") for _ in range(12)]
    await asyncio.gather(*[link.identify(token) for link in links])
    await eventually(lambda: sum(link.ended for link in links) == 11,
                     "all but one are closed")
    same({link.socket.close_code for link in links if link.ended}, {4509})
    last = next(link for link in links if not link.ended)
    await last.settle()
    same(hub.http("GET", "/health").json["agents_connected"], 1)


@case()
async def an_agent_may_identify_again_on_its_line(hub):
    ada = await hub.agent("ada", capabilities=["old"])
    await ada.identify(capabilities=["new"], status="again")
    await ada.expect("identified")
    await ada.send("list_agents")
    agents = (await ada.expect("agents"))["agents"]
    same([(a["agent_id"], a["capabilities"], a["status"]) for a in agents],
         [("ada", ["new"], "again")])
    task = hub.submit(needed_capabilities=["new"])
    await ada.given(task["task_id"])


@case()
async def names_in_any_script_work(hub):
    name = "\u00c9ve \u96ea \U0001f600 \"q\" \\ /"
    eve = await hub.agent(name, name=name, status=name, capabilities=[name])
    await eve.send("message", to=name, payload={"to": name})
    message = await eve.expect("message")
    same((message["from"], message["payload"]), (name, {"to": name}))
    task = hub.submit(name, needed_capabilities=[name])
    given = await eve.given(task["task_id"])
    same(given["description"], name)
    await eve.complete(given, result={"by": name})
    same(hub.task(task["task_id"])["assigned_to"], name)


@case()
async def a_revoked_token_closes_its_connection(hub):
    ada = await hub.agent("ada")
    answer = hub.http("DELETE", "/admin/tokens/ada", token=hub.admin)
    same((answer.status, answer.json), (200, {"status": "revoked", "agent_id": "ada"}))
    same(await ada.closed(), 4503)
    link = await hub.link()
    await link.send("identify", agent_id="ada", token=hub.tokens["ada"])
    await link.error("invalid_token")


@case("--auth-deadline-ms", "300")
async def who_does_not_identify_in_time_is_closed(hub):
    link = await hub.link()
    same(await link.closed(), 4408)


@case("--idle-timeout-ms", "1000")
async def a_silent_agent_is_closed_and_a_talking_one_is_not(hub):
    ada, bob = await hub.agent("ada"), await hub.agent("bob")

    async def talk():
        while not ada.ended:
            await bob.settle()
            await asyncio.sleep(0.1)

    await talk()
    same(await ada.closed(), 4409)
    assert not bob.ended


@case()
async def a_binary_frame_closes_its_connection_alone(hub):
    ada, bob = await hub.agent("ada"), await hub.agent("bob")
    await ada.socket.send(json.dumps({"type": "ping"}).encode())
    same(await ada.closed(), 1003)
    await bob.settle()


@case("--frame-bytes-max", "4096")
async def a_frame_over_the_limit_closes_its_connection_alone(hub):
    ada, bob = await hub.agent("ada"), await hub.agent("bob")
    await ada.send("message", to="bob", payload={"x": "y" * 3800})
    await bob.expect("message")
    await ada.send("message", to="bob", payload={"x": "y" * 5000})
    same(await ada.closed(), 1009)
    await bob.none("message")


@case()
async def a_message_to_nobody_is_taken(hub):
    ada = await hub.agent("ada")
    await ada.send("message", to="nobody", payload={})
    assert ada.agent_id and (await ada.expect())["type"] in ("message_sent", "error")
    await ada.settle()


@case()
async def ten_invalid_messages_close_the_line(hub):
    ada, bob = await hub.agent("ada"), await hub.agent("bob")
    for _ in range(9):
        await ada.send("status", status=1)
        await ada.error("validation_failed")
    await ada.settle()
    await ada.send("status", status=1)
    same(await ada.closed(), 1008)
    await bob.settle()


@case()
async def who_guesses_tokens_is_closed(hub):
    hub.register("ada")
    link = await hub.link()
    for n in range(5):
        await link.send("identify", agent_id="ada", token=f"{n:064x}")
        await link.error("invalid_token")
    same(await link.closed(), 4501)


@case()
async def large_tasks_do_not_make_their_agent_a_slow_one(hub):
    half = "x" * 500_000
    tasks = [hub.submit(metadata={"halves": [half, half]})["task_id"]]
    tasks += [hub.submit(metadata={"half": half})["task_id"] for _ in range(7)]
    ada = await hub.agent("ada", max_concurrent=len(tasks))
    for task_id in tasks:
        await ada.expect("task_assign", task_id=task_id)

    # None of them accepted, all of them are said again.
    await ada.vanish()
    ada = await hub.agent("ada", max_concurrent=len(tasks))
    for task_id in tasks:
        await ada.expect("task_assign", task_id=task_id)
    await ada.settle()


if __name__ == "__main__":
    main()
