#!/usr/bin/python3
"""
What agents say to each other: directly, to all, in channels; to who is there and to who
is away, over WebSockets and over HTTP, and across a restart.
"""

import sys

sys.dont_write_bytecode = True
from support import case, eventually, main, same  # noqa: E402


def ask(hub, who, method, path, body=None, status=200):
    answer = hub.http(method, path, body, hub.register(who))
    same(answer.status, status)
    return answer.json


def mailbox(hub, who, since=0):
    return ask(hub, who, "GET", f"/api/mailbox/{who}?since={since}")


@case()
async def a_message_is_delivered_or_queued_and_the_sender_is_told(hub):
    ada = await hub.agent("ada")
    bob = await hub.agent("bob")
    await ada.send("message", to="bob", payload={"text": "one"}, message_type="request")
    sent = await ada.expect("message_sent", delivery="delivered")
    got = await bob.expect("message", id=sent["id"])
    same((got["from"], got["message_type"], got["payload"]),
         ("ada", "request", {"text": "one"}))
    await bob.leave()
    await ada.expect("agent_left")
    await ada.say('{"type":"message","to":"bob","payload":{"n": 1.50, "z" :"two"}}')
    await ada.expect("message_sent", delivery="queued")
    answer = hub.http("GET", "/api/mailbox/bob", token=hub.register("bob"))
    same((answer.json["count"], answer.json["last_seq"]), (1, 1))
    assert '{"n": 1.50, "z" :"two"}' in answer.text, answer
    same(ask(hub, "bob", "POST", "/api/mailbox/bob/ack", {"seq": 1}),
         {"status": "acked", "up_to": 1})
    same(mailbox(hub, "bob")["messages"], [])
    same(hub.http("GET", "/api/mailbox/bob", token=hub.register("ada")).status, 401)
    sent = ask(hub, "carol", "POST", "/api/message", {"to": "ada", "payload": {}})
    same((sent["status"], sent["delivery"]), ("sent", "delivered"))
    await ada.expect("message", id=sent["id"])


@case()
async def a_broadcast_reaches_all_and_waits_for_the_absent(hub):
    hub.register("carol")
    ada = await hub.agent("ada")
    bob = await hub.agent("bob")
    await ada.send("message", payload={"text": "all"})
    sent = await ada.expect("message_sent")
    await ada.expect("message", id=sent["id"])
    await bob.expect("message", id=sent["id"])
    await eventually(lambda: mailbox(hub, "carol")["count"] == 1, "carol has it")
    same(mailbox(hub, "bob")["count"], 0)
    same(mailbox(hub, "ada")["count"], 0)


@case()
async def the_mailbox_is_pushed_on_connect_and_outlives_a_restart(hub):
    for number in range(3):
        ask(hub, "ada", "POST", "/api/message", {"to": "bob", "payload": {"n": number}})
    same(hub.stop(), 0)
    hub.start()
    bob = await hub.agent("bob", mailbox=True, mailbox_since=1)
    pushed = await bob.expect("mailbox")
    same([item["payload"] for item in pushed["messages"]], [{"n": 1}, {"n": 2}])
    same((pushed["last_seq"], pushed["more"]), (3, False))
    await bob.send("mailbox_ack", seq=pushed["last_seq"])
    await bob.expect("mailbox_acked", up_to=3)
    await bob.leave()
    ask(hub, "ada", "POST", "/api/message", {"to": "bob", "payload": {}})
    await eventually(lambda: mailbox(hub, "bob")["last_seq"] == 4, "it goes on with 4")


@case()
async def a_publish_reaches_each_subscriber_once(hub):
    ada = await hub.agent("ada")
    bob = await hub.agent("bob")
    made = ask(hub, "ada", "POST", "/api/channels", {"name": "#Dev", "description": "d"},
               201)
    same((made["channel"], made["name"]), ("#Dev", "dev"))
    await ada.send("channel_subscribe", channel="dev")
    await ada.expect("channel_subscribed", channel="dev")
    # Over HTTP, and the open socket hears it at once.
    same(ask(hub, "bob", "POST", "/api/channels/dev/subscribe")["status"], "subscribed")
    same(ask(hub, "bob", "POST", "/api/channels/dev/subscribe")["status"],
         "already_subscribed")
    await ada.expect("channel_agent_joined", agent_id="bob")
    ask(hub, "carol", "POST", "/api/channels/dev/subscribe")
    await ada.send("channel_publish", channel="#DEV", payload={"text": "x"})
    published = await ada.expect("channel_published", channel="dev", seq=1)
    heard = await bob.expect("channel_message", id=published["id"])
    same((heard["from"], heard["channel"], heard["payload"]), ("ada", "dev", {"text": "x"}))
    await ada.none("channel_message")
    same(mailbox(hub, "bob")["count"], 0)
    same([item["channel"] for item in mailbox(hub, "carol")["messages"]], ["dev"])
    shown = ask(hub, "ada", "GET", "/api/channels/dev")
    same((shown["subscriber_count"], sorted(shown["subscribers"])),
         (3, ["ada", "bob", "carol"]))
    await bob.send("channel_unsubscribe", channel="*")
    await bob.expect("channel_unsubscribed", count=1)
    await ada.send("channel_publish", channel="dev", payload={})
    await ada.expect("channel_published", seq=2)
    await bob.none("channel_message")
    same(ask(hub, "bob", "GET", "/api/agents/bob/subscriptions")["channels"], [])
    await bob.send("channel_publish", channel="nowhere", payload={})
    await bob.error("channel_not_found")
    same(hub.http("POST", "/api/channels", {"name": "###"}, hub.register("ada")).status, 422)


@case()
def a_channels_history_is_read_forward_without_a_gap(hub):
    ask(hub, "ada", "POST", "/api/channels", {"name": "log"}, 201)
    for number in range(10):
        ask(hub, "ada", "POST", "/api/channels/log/publish", {"payload": {"n": number}})
    seen = []
    since = 0
    while True:
        page = ask(hub, "ada", "GET", f"/api/channels/log/history?since={since}&limit=3")
        seen += [item["message"]["payload"]["n"] for item in page["messages"]]
        if not page["more"]:
            break
        since = page["messages"][-1]["seq"]
    same(seen, list(range(10)))
    page = ask(hub, "ada", "GET", "/api/channels/log/history?limit=2")
    same([item["seq"] for item in page["messages"]], [9, 10])
    page = ask(hub, "ada", "GET", "/api/channels/log/history?limit=2&before=9")
    same([item["seq"] for item in page["messages"]], [7, 8])


@case()
def threads_and_history_know_what_was_said(hub):
    root = ask(hub, "ada", "POST", "/api/message", {"to": "bob", "payload": {}})["id"]
    reply = ask(hub, "bob", "POST", "/api/message",
                {"to": "ada", "payload": {}, "reply_to": root})["id"]
    leaf = ask(hub, "ada", "POST", "/api/message",
               {"to": "bob", "payload": {}, "reply_to": reply})["id"]
    thread = ask(hub, "ada", "GET", f"/api/threads/{leaf}")
    same((thread["root"], [item["id"] for item in thread["messages"]]),
         (root, [root, reply, leaf]))
    same([item["id"] for item in
          ask(hub, "ada", "GET", f"/api/threads/{root}/replies")["replies"]], [reply])
    same(ask(hub, "ada", "GET", f"/api/threads/{leaf}/root")["root"], root)
    found = ask(hub, "ada", "GET", "/api/messages?from=ada&limit=1")
    same((found["messages"][0]["id"], found["count"]), (root, 1))
    found = ask(hub, "ada", "GET", f"/api/messages?from=ada&cursor={found['cursor']}")
    same(([item["id"] for item in found["messages"]], found["cursor"]), ([leaf], None))


@case("--mailbox-max", "2")
async def a_mailbox_keeps_the_newest_for_its_time(hub):
    for number in range(3):
        ask(hub, "ada", "POST", "/api/message", {"to": "bob", "payload": {"n": number}})
    same([item["seq"] for item in mailbox(hub, "bob")["messages"]], [2, 3])
    path = "/api/config/mailbox-retention"
    same(hub.http("PUT", path, {"mailbox_ttl_ms": 1}, hub.register("ada")).status, 403)
    same(hub.http("PUT", path, {"mailbox_ttl_ms": 1}, hub.admin).json,
         {"mailbox_ttl_ms": 1, "status": "updated"})
    same(hub.http("POST", "/api/mailbox/evict", None, hub.admin).json,
         {"status": "eviction_triggered"})
    await eventually(lambda: mailbox(hub, "bob")["count"] == 0, "the mail is gone")


if __name__ == "__main__":
    main()
