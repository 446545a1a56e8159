#!/usr/bin/python3
"""Who may say how much: told before it is too much, refused after, and never for a report."""

import asyncio
import sys
import time

sys.dont_write_bytecode = True
from support import PATIENCE_S, case, eventually, main, same, until  # noqa: E402

LIMITS = "/api/admin/rate-limits"
WHITELIST = f"{LIMITS}/whitelist"
QUICK = ("--rate-window-ms", "1500")


def limits(hub, name, token=None, **tiers):
    """PUTs limits of the name's own; tier=(capacity, per minute)."""
    body = {tier: {"capacity": capacity, "refill_rate_per_min": rate}
            for tier, (capacity, rate) in tiers.items()}
    answer = hub.http("PUT", f"{LIMITS}/{name}", body, token=token or hub.admin)
    same((answer.status, answer.json["status"], answer.json["overrides"]),
         (200, "updated", body))


def usage(hub, name):
    agents = hub.http("GET", "/api/rate-limits", token=hub.admin).json["agents"]
    return next((agent for agent in agents if agent["agent_id"] == name), None)


async def pings(agent, count):
    for _ in range(count):
        await agent.send("ping")


@case()
async def the_last_fifth_of_a_bucket_is_warned_of_before_each_answer(hub):
    ada = await hub.agent("ada")
    await pings(ada, 120)
    for _ in range(120):
        await ada.expect("pong")
    warned = ada.waiting("rate_limit_warning")
    same([frame["remaining"] for frame in warned[:2]], [23, 22])
    same({(frame["tier"], frame["capacity"]) for frame in warned}, {("light", 120)})
    assert 20 <= len(warned) <= 24, len(warned)


@case()
async def past_its_rate_a_message_is_refused_and_changes_nothing(hub):
    ada, bob = await hub.agent("ada"), await hub.agent("bob")
    limits(hub, "ada", normal=(2, 1))
    for n in range(3):
        await ada.send("message", to="bob", payload={"n": n})
    refused = await ada.expect("rate_limited")
    same((refused["tier"], refused["message_type"]), ("normal", "message"))
    assert 59000 <= refused["retry_after_ms"] <= 60000, refused
    same([(await bob.expect("message"))["payload"]["n"] for _ in range(2)], [0, 1])
    await bob.none("message")


@case()
async def the_time_promised_is_enough(hub):
    ada = await hub.agent("ada")
    limits(hub, "ada", light=(1, 6000))
    await pings(ada, 2)
    await ada.expect("pong")
    refused = await ada.expect("rate_limited")
    assert 900 <= refused["retry_after_ms"] <= 1000, refused
    await asyncio.sleep(refused["retry_after_ms"] / 1000 - 0.3)
    await ada.send("ping")
    left = (await ada.expect("rate_limited"))["retry_after_ms"]
    assert left < 400, left
    await asyncio.sleep(left / 1000 + 0.005)
    await ada.send("ping")
    await ada.expect("pong")
    # Another violation within the minute costs more.
    await pings(ada, 2)
    assert 1900 <= (await ada.expect("rate_limited"))["retry_after_ms"] <= 2000


@case()
async def other_tiers_and_the_other_channel_go_on_meanwhile(hub):
    ada = await hub.agent("ada")
    limits(hub, "ada", light=(1, 1))
    await pings(ada, 2)
    await ada.expect("rate_limited", tier="light")
    await ada.send("message", payload={})
    await ada.expect("message_sent")
    token = hub.register("ada")
    same([hub.http("GET", "/api/tasks", token=token).status for _ in range(2)], [200, 429])


@case()
def http_tells_what_is_left_and_when_there_is_more(hub):
    token = hub.register("ada")
    answer = hub.http("GET", "/api/tasks", token=token)
    same((answer.headers["RateLimit-Policy"], answer.headers["RateLimit"]),
         ('"light";q=120;w=60', '"light";r=119;t=1'))
    limits(hub, "ada", light=(1, 20))
    hub.http("GET", "/api/tasks", token=token)
    answer = hub.http("GET", "/api/tasks", token=token)
    same((answer.status, answer.json["error"], answer.json["tier"]),
         (429, "rate_limited", "light"))
    assert 2900 <= answer.json["retry_after_ms"] <= 3000, answer
    same((answer.headers["Retry-After"], answer.headers["RateLimit-Policy"],
          answer.headers["RateLimit"]), ("3", '"light";q=1;w=3', '"light";r=0;t=3'))
    problem = hub.http("GET", "/api/tasks", token=token,
                       headers={"Accept": "application/problem+json"})
    same((problem.status, problem.json["type"]), (429, "urn:drover:error:rate_limited"))


@case()
def a_wait_below_a_second_is_told_as_one(hub):
    token = hub.register("ada")
    limits(hub, "ada", light=(1, 6000))
    hub.http("GET", "/api/tasks", token=token)
    until(lambda: hub.http("GET", "/api/tasks", token=token).status == 429, "it is refused")
    same(hub.http("GET", "/api/tasks", token=token).headers["Retry-After"], "1")


@case()
def signs_of_life_are_never_limited(hub):
    for path in ("/health", "/livez", "/readyz"):
        answers = [hub.http("GET", path) for _ in range(150)]
        same({answer.status for answer in answers}, {200})
        same(answers[0].headers["RateLimit"], None)


@case()
def whoever_shows_no_token_is_limited_by_its_address(hub):
    def register(n, token=None):
        return hub.http("POST", "/api/onboard/register", {"agent_id": f"a{n}"}, token=token)

    answers = [register(n) for n in range(11)]
    same([answer.status for answer in answers], [201] * 10 + [429])
    same(answers[-1].json["tier"], "heavy")
    # Others at the same address, who show a token, go on.
    same(register(12, hub.admin).status, 201)


@case()
def who_submits_thousands_a_minute_needs_no_override(hub):
    for n in range(200):
        hub.submit(str(n))
    same(hub.stats()["by_status"]["queued"], 200)
    agent = hub.register("ada")
    posts = [hub.http("POST", "/api/tasks", {"description": "x"}, token=agent).status
             for _ in range(11)]
    same(posts, [201] * 10 + [429])


@case(*QUICK)
async def who_is_limited_gets_no_tasks_until_it_is_over(hub):
    ada = await hub.agent("ada")
    limits(hub, "ada", light=(1, 60))
    await pings(ada, 2)
    await ada.expect("rate_limited")
    since = time.monotonic()
    task = hub.submit("work")
    reasons = (await eventually(lambda: hub.task(task["task_id"])["pending"],
                                "it waits"))["agents"]
    same([(agent["agent_id"], agent["reason"]) for agent in reasons],
         [("ada", "rate limited")])
    given = await ada.given()
    same(given["task_id"], task["task_id"])
    assert time.monotonic() - since > 1, "it was handed out too early"


@case("--rate-reports", "60")
async def reports_are_never_refused_but_read_more_slowly(hub):
    ada = await hub.agent("ada")
    hub.submit("long work")
    task = await ada.given()
    await ada.accept(task)
    since = time.monotonic()
    for n in range(78):  # what the task brought, and the bucket
        await ada.send("task_progress", task_id=task["task_id"], progress=n,
                       generation=task["generation"])
    await ada.send("task_complete", task_id=task["task_id"], result={"n": 1},
                   generation=task["generation"])
    await ada.expect("task_ack", status="complete")
    assert time.monotonic() - since > 0.9, "they were read as fast as they came"
    same(ada.waiting("rate_limited"), [])
    same(hub.task(task["task_id"])["result"], {"n": 1})


@case("--rate-reports", "60")
async def a_working_agent_never_waits_for_its_reports(hub):
    ada = await hub.agent("ada")
    since = time.monotonic()
    for _ in range(100):
        hub.submit("short work")
        task = await ada.given()
        await ada.accept(task)
        await ada.complete(task)
    hub.require_alive()
    assert time.monotonic() - since < PATIENCE_S, "two hundred reports took too long"
    same(hub.stats()["by_status"]["completed"], 100)


@case("--rate-refusals-max", "50")
async def who_goes_on_whatever_it_is_told_is_closed_and_kept_out(hub):
    ada = await hub.agent("ada")
    limits(hub, "ada", light=(1, 1))
    await pings(ada, 60)
    await ada.closed()
    same((ada.socket.close_code, ada.socket.close_reason), (4429, "rate"))
    again = await hub.link()
    await again.send("identify", agent_id="ada", token=hub.register("ada"))
    refused = await again.expect("rate_limited")
    same((refused["tier"], refused["message_type"]), ("heavy", "identify"))
    await again.closed()
    same(again.socket.close_code, 4429)
    # An operator may let it in.
    limits(hub, "ada", light=(100, 100))
    await hub.agent("ada")


@case()
async def who_has_not_said_who_it_is_may_be_wrong_so_often(hub):
    link = await hub.link()
    for _ in range(40):
        await link.say("{")
    await link.closed()
    same(link.socket.close_code, 4429)


@case()
async def text_that_is_no_message_counts_as_well(hub):
    ada = await hub.agent("ada")
    limits(hub, "ada", normal=(5, 5))
    for _ in range(6):
        await ada.say("{")
    for _ in range(5):
        await ada.expect("error", error="invalid_json")
    await ada.expect("rate_limited", tier="normal")


@case()
async def to_say_again_who_one_is_counts_as_heavy(hub):
    ada = await hub.agent("ada")
    for _ in range(11):
        await ada.identify()
    for _ in range(10):
        await ada.expect("identified")
    await ada.expect("rate_limited", tier="heavy", message_type="identify")


@case()
async def what_operators_set_is_in_force_at_once_and_after_a_restart(hub):
    operator = hub.mint("olga", "operator")
    token = hub.register("ada")
    limits(hub, "ada", operator, light=(1, 1))
    same(hub.http("POST", WHITELIST, {"agent_id": "bob"}, token=operator).json,
         {"status": "added", "agent_id": "bob"})
    same([hub.http("GET", "/api/tasks", token=token).status for _ in range(2)], [200, 429])

    def shown():
        answer = hub.http("GET", LIMITS, token=operator).json
        return answer["overrides"], answer["whitelist"]

    there = ({"ada": {"light": {"capacity": 1, "refill_rate_per_min": 1}}}, ["bob"])
    same(shown(), there)
    hub.stop()
    hub.start()
    same(shown(), there)
    same([hub.http("GET", "/api/tasks", token=token).status for _ in range(2)], [200, 429])
    same({hub.http("GET", "/api/tasks", token=hub.register("bob")).status
          for _ in range(130)}, {200})
    same(hub.http("DELETE", f"{LIMITS}/ada", token=operator).json,
         {"status": "removed", "agent_id": "ada"})
    same([hub.http("GET", "/api/tasks", token=token).status for _ in range(2)], [200, 200])
    same(hub.http("DELETE", f"{WHITELIST}/bob", token=operator).json,
         {"status": "removed", "agent_id": "bob"})
    same(shown(), ({}, []))


@case()
def the_whitelist_is_shown_and_replaced(hub):
    put = hub.http("PUT", WHITELIST, {"agent_ids": ["cy", "ada", "cy"]}, token=hub.admin)
    same((put.status, put.json), (200, {"status": "updated", "whitelist": ["ada", "cy"]}))
    same(hub.http("GET", WHITELIST, token=hub.admin).json, {"whitelist": ["ada", "cy"]})
    same(hub.http("PUT", WHITELIST, {"agent_ids": []}, token=hub.admin).json["whitelist"], [])


@case()
def limits_that_are_none_are_refused(hub):
    good = {"capacity": 10, "refill_rate_per_min": 10}
    for body in ({}, {"light": 7}, {"light": {"capacity": 10}}, {"medium": good},
                 {"light": {**good, "capacity": -1}}, {"light": {**good, "capacity": 0}},
                 {"light": {**good, "refill_rate_per_min": 10**9}},
                 {"light": {**good, "capacity": "10"}}, {"light": {**good, "capacity": 1.5}}):
        answer = hub.http("PUT", f"{LIMITS}/ada", body, token=hub.admin)
        same((body, answer.status, answer.json["error"]), (body, 422, "invalid_overrides"))
    for body in ({}, {"agent_ids": "ada"}, {"agent_ids": [7]}, {"agent_ids": [""]}):
        answer = hub.http("PUT", WHITELIST, body, token=hub.admin)
        same((body, answer.status, answer.json["error"]), (body, 422, "invalid_whitelist"))
    for body in ({}, {"agent_id": ""}, {"agent_id": 7}):
        answer = hub.http("POST", WHITELIST, body, token=hub.admin)
        same((body, answer.status, answer.json["error"]), (body, 422, "invalid_agent_id"))
    same(hub.http("GET", LIMITS, token=hub.admin).json["overrides"], {})


@case()
def the_defaults_are_shown_for_every_role(hub):
    shown = hub.http("GET", LIMITS, token=hub.admin).json

    def numbers(tiers):
        return [tiers[tier]["capacity"] for tier in ("light", "normal", "heavy")]

    same(numbers(shown["defaults"]), [120, 60, 10])
    same({role: numbers(tiers) for role, tiers in shown["role_defaults"].items()},
         {"anybody": [120, 60, 10], "agent": [120, 60, 10],
          "submitter": [6000, 6000, 60000], "viewer": [1200, 600, 60],
          "operator": [6000, 6000, 6000], "admin": [6000, 6000, 6000]})


@case()
async def the_figures_tell_who_uses_how_much(hub):
    ada = await hub.agent("ada")
    limits(hub, "ada", light=(4, 1))
    await pings(ada, 5)
    await ada.expect("rate_limited")
    hub.exempt("bob")
    shown = hub.http("GET", "/api/rate-limits", token=hub.admin).json
    same(shown["agents"][0]["agent_id"], "ada")
    seen = usage(hub, "ada")
    same(seen["ws"]["light"], {"remaining": 0, "capacity": 4, "usage_pct": 100})
    same(seen["http"]["light"], {"remaining": 4, "capacity": 4, "usage_pct": 0})
    same((seen["violations"], seen["rate_limited"], seen["exempt"]),
         ({"consecutive": 1, "total_in_window": 1}, True, False))
    same((shown["total_violations_1h"], shown["active_rate_limited"], shown["exempt_count"],
          shown["top_offenders"]), (1, 1, 1, [{"agent_id": "ada", "violations": 1}]))
    same(usage(hub, "bob")["exempt"], True)


main()
