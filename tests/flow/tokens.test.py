#!/usr/bin/python3
"""Tokens: what they are narrowed to, and that they end when they must, for live sockets too."""

import os
import pathlib
import re
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from support import case, eventually, main, now_ms, same, until  # noqa: E402

CLOSE_WITHIN_S = 2
TOKEN_REVOKED = 4503


def listed(hub, agent_id):
    tokens = hub.http("GET", "/admin/tokens", token=hub.admin).json["tokens"]
    return [token for token in tokens if token["agent_id"] == agent_id]


def rotate(hub, agent_id, token=None, **body):
    answer = hub.http("POST", f"/admin/tokens/{agent_id}/rotate", body,
                      token=token or hub.admin)
    assert answer.status == 201, answer
    return answer.json


def status(hub, token, method="GET", path="/api/tasks", body=None):
    return hub.http(method, path, body, token=token).status


async def connected(hub, agent_id, token):
    """An agent on this token; it says nothing more."""
    link = await hub.link()
    await link.identify(token, agent_id=agent_id)
    await link.expect("identified")
    return link


async def closed_within(link, seconds):
    """The close came, and this long after it was due."""
    started = time.monotonic()
    same(await link.closed(), TOKEN_REVOKED)
    waited = time.monotonic() - started
    assert waited <= seconds, f"closed after {waited:.2f} s"


@case()
async def a_revoked_token_is_refused_at_once_and_its_sockets_are_closed(hub):
    token = hub.mint("ada", "agent")
    other = hub.mint("ada", "agent")
    links = [await connected(hub, "ada", token), await connected(hub, "ada", token)]
    kept = await connected(hub, "bob", hub.register("bob"))
    same(hub.http("DELETE", f"/admin/tokens/ada/{token[:8]}", token=hub.admin).status, 200)
    same(status(hub, token), 401)
    await closed_within(links[1], CLOSE_WITHIN_S)
    await links[0].closed()
    same(status(hub, other), 200)
    await kept.settle()

    again = await hub.link()
    await again.identify(token, agent_id="ada")
    await again.error("invalid_token")
    hub.stop(signal.SIGKILL)
    hub.start()
    same(status(hub, token), 401)
    same(status(hub, other), 200)
    same(hub.http("DELETE", "/admin/tokens/ada", token=hub.admin).json,
         {"status": "revoked", "agent_id": "ada"})
    same(status(hub, other), 401)


@case()
async def a_token_ends_with_its_time_though_nobody_says_anything(hub):
    token = hub.mint("ada", "agent", expires_in_ms=1500)
    [shown] = listed(hub, "ada")
    link = await connected(hub, "ada", token)
    same(status(hub, token), 200)
    end_s = (shown["expires_at"] - now_ms()) / 1000
    await closed_within(link, end_s + CLOSE_WITHIN_S)
    assert now_ms() >= shown["expires_at"], "not before its time"
    refused = hub.http("GET", "/api/tasks", token=token)
    same((refused.status, refused.headers["WWW-Authenticate"]), (401, "Bearer"))
    same(listed(hub, "ada"), [])
    short = hub.mint("eve", "agent", expires_in_ms=1000)
    hub.stop()
    until(lambda: now_ms() > shown["expires_at"], "its time is over")
    hub.start()
    until(lambda: status(hub, short) == 401, "it ends while the hub is down, too")
    until(lambda: listed(hub, "eve") == [], "it is removed")


@case()
async def a_rotated_token_is_good_until_the_overlap_is_over(hub):
    old = hub.mint("ada", "agent", label="laptop")
    link = await connected(hub, "ada", old)
    answer = rotate(hub, "ada", overlap_ms=1200)
    new = answer["token"]
    same((answer["rotated"], answer["label"], answer["role"]), (1, "laptop", "agent"))
    same((status(hub, old), status(hub, new)), (200, 200))
    same([token["rotated"] for token in listed(hub, "ada")].count(True), 1)
    await link.settle()
    await closed_within(link, (answer["overlap_until"] - now_ms()) / 1000 + CLOSE_WITHIN_S)
    assert now_ms() >= answer["overlap_until"], "not before the overlap is over"
    same((status(hub, old), status(hub, new)), (401, 200))

    second = await connected(hub, "ada", new)
    newest = rotate(hub, "ada", overlap_ms=0)["token"]
    await closed_within(second, CLOSE_WITHIN_S)
    same((status(hub, new), status(hub, newest)), (401, 200))
    hub.stop(signal.SIGKILL)
    hub.start()
    same((status(hub, new), status(hub, newest)), (401, 200))
    same(hub.http("POST", "/admin/tokens/ada/rotate", {"overlap_ms": 86400001},
                  token=hub.admin).status, 422)


@case()
def an_agent_rotates_and_revokes_its_own_and_nobody_elses(hub):
    ada, bob = hub.register("ada"), hub.register("bob")
    new = rotate(hub, "ada", token=ada, overlap_ms=60000)["token"]
    for path in ("/admin/tokens/bob", "/admin/tokens/nobody"):
        for method, tail in (("DELETE", ""), ("POST", "/rotate"),
                             ("DELETE", f"/{bob[:8]}")):
            answer = hub.http(method, path + tail, {} if tail == "/rotate" else None, new)
            same((answer.status, answer.json), (403, {"error": "forbidden"}))
    # The one in whose place it is works, but is no key to more.
    same((status(hub, ada), status(hub, ada, "DELETE", f"/admin/tokens/ada/{new[:8]}")),
         (200, 403))
    same(status(hub, new, "DELETE", "/admin/tokens/ada"), 200)
    same((status(hub, ada), status(hub, new), status(hub, bob)), (401, 401, 200))


@case()
async def a_narrowed_token_is_good_for_its_scopes_alone(hub):
    reader = hub.mint("ci", "submitter", scopes=["tasks:read"])
    same(status(hub, reader), 200)
    refused = hub.http("POST", "/api/tasks", {"description": "x"}, token=reader)
    same((refused.status, refused.json["error"]), (403, "forbidden"))
    assert "tasks:submit" in refused.json["detail"], refused
    same(status(hub, reader, "DELETE", "/admin/tokens/ci"), 403)

    worker = hub.mint("ada", "agent", scopes=["agents:connect", "tasks:work"])
    link = await connected(hub, "ada", worker)
    await link.settle()
    await link.send("list_agents")
    same((await link.error("forbidden"))["detail"], "the token lacks the scope agents:read")
    await link.send("task_submit", description="x")
    await link.error("forbidden")
    task = hub.submit("x")
    await link.complete(await link.given(task["task_id"]))
    stranger = await hub.link()
    await stranger.identify(hub.mint("eve", "agent", scopes=["tasks:read"]),
                            agent_id="eve")
    await stranger.error("forbidden")

    for scopes in (["tasks:fly"], []):
        answer = hub.http("POST", "/admin/tokens", {"agent_id": "x", "scopes": scopes},
                          token=hub.admin)
        same(answer.status, 422)
    narrow = hub.mint("half", "admin", scopes=["tokens:write"])
    for fields in ({"role": "admin"}, {"role": "viewer", "scopes": ["tasks:read"]}):
        same(hub.http("POST", "/admin/tokens", {"agent_id": "x", **fields},
                      token=narrow).status, 403)
    same(status(hub, narrow, "GET", "/admin/tokens"), 403)


@case()
async def a_use_is_seen_and_costs_no_write_per_request(hub):
    token = hub.mint("ada", "agent")
    same(listed(hub, "ada")[0]["last_used_at"], None)
    before = now_ms()
    same(status(hub, token), 200)

    def used():
        return listed(hub, "ada")[0]["last_used_at"]

    seen = await eventually(used, "the use is seen")
    assert before <= seen <= now_ms() + 1000, seen
    for _ in range(80):
        same(status(hub, token), 200)
    same(used(), seen)
    hub.stop()
    [commits] = re.findall(r'"commits":(\d+)', hub.log())
    assert int(commits) < 20, f"{commits} commits for 80 questions"
    hub.start()
    same(listed(hub, "ada")[0]["last_used_at"], seen)


@case()
async def a_token_in_a_url_is_refused_and_no_route_is_told_apart(hub):
    token = hub.register("ada")
    for path in ("/api/tasks", "/health", "/admin/tokens", "/api/tasks?limit=1&x"):
        mark = "&" if "?" in path else "?"
        answer = hub.http("GET", f"{path}{mark}token={token}")
        same((answer.status, answer.json["error"]), (400, "token_in_url"))
        same(hub.http("GET", f"{path}{mark}token={token}", token=token).status, 400)
    refused = hub.http("GET", f"/ws?token={token}", headers={
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="})
    same((refused.status, refused.json["error"]), (400, "token_in_url"))


@case("--token-in-url", "--log-level", "debug")
def a_setting_lets_a_token_stand_in_a_url(hub):
    token = hub.register("ada")
    same(hub.http("GET", f"/api/tasks?token={token}&limit=1").status, 200)
    same(hub.http("GET", f"/api/tasks?token={'0' * 64}").status, 401)
    same(hub.http("GET", f"/api/tasks?token={token}", token="0" * 64).status, 401)
    same(hub.http("GET", f"/admin/tokens?token={token}").status, 403)
    same(hub.http("POST", f"/api/mailbox/ada/ack?token={token}", {"seq": 0}).status, 200)
    assert token[:16] not in hub.log(), "it is never logged"


@case()
def each_change_of_a_token_is_told_once_with_who_did_it_from_where(hub):
    admin = hub.http("POST", "/api/enrol", {"agent_id": "root"}, token=hub.secret)
    hub.admin_token = admin.json["token"]
    old = hub.mint("ada", "agent", scopes=["tasks:read", "tokens:own"], label="laptop")
    new = rotate(hub, "ada", token=old, overlap_ms=300)["token"]
    until(lambda: status(hub, old) == 401, "the overlap is over")

    def told():
        answer = hub.http("GET", "/api/events?since=0&limit=1000", token=hub.admin)
        same(answer.status, 200)
        for text in (admin.json["token"], old, new):
            assert text[8:] not in answer.text, "an event holds a secret"
        return [event for event in answer.json["events"]
                if event["type"].startswith(("token_", "admin_", "enrolment_"))]

    until(lambda: any(event["type"] == "token_expired" for event in told()), "it is told")
    same(status(hub, hub.admin, "DELETE", f"/admin/tokens/ada/{new[:8]}"), 200)
    same(status(hub, hub.register("bob"), "POST", "/admin/tokens/eve/rotate", {}), 403)
    events = told()
    same([event["type"] for event in events],
         ["enrolment_offered", "admin_enrolled", "token_created", "token_rotated",
          "token_expired", "token_revoked", "token_created"])
    data = [event["data"] for event in events]
    same([event.get("agent_id") for event in data],
         [None, "root", "ada", "ada", "ada", "ada", "bob"])
    same((data[2]["prefix"], data[2]["scopes"], data[2]["label"]),
         (old[:8], ["tasks:read", "tokens:own"], "laptop"))
    same((data[3]["prefix"], data[3]["count"], data[4]["prefix"]), (new[:8], 1, old[:8]))
    same((data[5]["count"], data[5]["prefix"]), (1, new[:8]))
    same([(event.get("actor"), event.get("address")) for event in events[2:4]],
         [("root", "127.0.0.1"), ("ada", "127.0.0.1")])


@case("--log-level", "debug")
def no_token_is_ever_written_down(hub):
    texts = [hub.secret, hub.admin, hub.register("ada"), hub.mint("ci", "viewer")]
    texts.append(rotate(hub, "ada")["token"])
    same(status(hub, texts[-1]), 200)
    hub.http("GET", f"/api/tasks?token={texts[-1]}")
    hub.http("GET", "/api/tasks", token="f" * 64)
    hub.http("POST", "/admin/tokens", {"agent_id": texts[-1][:9], "role": "no"},
             token=texts[1])
    same(hub.stop(), 0)
    for path in [hub.log_path, *filter(pathlib.Path.is_file, hub.data.rglob("*"))]:
        content = path.read_bytes()
        for text in texts:
            # The first digits stand in the list of tokens, no more of them.
            assert text[:16].encode() not in content, f"{path.name} has {text[:8]}..."
            assert bytes.fromhex(text) not in content, f"{path.name} has {text[:8]}..."


if __name__ == "__main__":
    main()
