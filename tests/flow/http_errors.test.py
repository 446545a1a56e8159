#!/usr/bin/python3
"""Requests that are wrong get the right answer, and the hub goes on."""

import concurrent.futures
import contextlib
import http.client
import json
import socket
import sys
import time

sys.dont_write_bytecode = True
from support import PATIENCE_S, case, main, same  # noqa: E402


def alive(hub):
    started = time.monotonic()
    answer = hub.http("GET", "/health")
    same((answer.status, answer.json["status"]), (200, "ok"))
    assert time.monotonic() - started < 2, "the hub is slow to answer"


def refused(answer, status, code):
    """An error in v1.1's shape: an object whose error is a word."""
    same((answer.status, answer.json.get("error")), (status, code))
    kind = answer.headers["Content-Type"].split(";")[0]
    same(kind, "application/json")
    for word in ("/work", "/home", "lws", "LMDB", "mdb_", ".c:"):
        assert word not in answer.text, answer.text
    return answer


def raw(hub, data, patience_s=PATIENCE_S):
    """Sends bytes and returns (status or None, whole answer); the peer may just close."""
    with socket.create_connection((hub.host, hub.port), patience_s) as line:
        with contextlib.suppress(OSError):
            line.sendall(data)
        answer = b""
        with contextlib.suppress(OSError):
            while True:
                piece = line.recv(65536)
                if not piece:
                    break
                answer += piece
                if b"\r\n\r\n" in answer and length_reached(answer):
                    break
    status = int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/1.") else None
    return status, answer


def length_reached(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.split(b":")[1])
    return False


@case()
def text_that_is_no_json_is_400(hub):
    for body in ("{", " ", "nonsense", '{"description":"x",}', "{'description':'x'}",
                 '{"description":"x"} x', '{"description":"x","a":01}',
                 '{"description":"x","description":"y"}', b'{"description":"\xff\xfe"}',
                 b'{"description":"a\x00b"}', '{"description":"\\ud800"}',
                 '{"description":"x","metadata":' + "[" * 50 + "]" * 50 + "}",
                 "[" * 100_000):
        answer = hub.http("POST", "/api/tasks", body, token=hub.submitter)
        same((body, answer.status, answer.json["error"]), (body, 400, "invalid_json"))
        alive(hub)
    same(hub.tasks()["count"], 0)


@case()
def the_place_of_the_first_bad_byte_is_told(hub):
    answer = hub.http("POST", "/api/tasks", '{"description": nope}', token=hub.submitter)
    refused(answer, 400, "invalid_json")
    assert 14 <= answer.json["offset"] <= 18, answer


@case()
def who_is_nobody_gets_401_and_always_the_same(hub):
    task_id = hub.submit()["task_id"]
    paths = [("GET", "/api/tasks"), ("GET", f"/api/tasks/{task_id}"),
             ("GET", "/api/tasks/task-0000000000000000"), ("GET", "/api/tasks/stats"),
             ("POST", f"/api/tasks/{task_id}/cancel"), ("GET", "/admin/tokens"),
             ("DELETE", "/admin/tokens/submitter"), ("POST", "/admin/tokens"),
             ("POST", "/api/tasks")]
    bodies = set()
    for method, path in paths:
        body = {"description": "x"} if method == "POST" else None
        answer = refused(hub.http(method, path, body), 401, "unauthorized")
        same(answer.headers["WWW-Authenticate"].split(" ")[0], "Bearer")
        assert answer.json["hint"], answer
        bodies.add(answer.text)
    for header in ("Bearer " + "0" * 64, "Bearer", "Bearer ", "Basic dTpw",
                   hub.submitter, "Bearer " + hub.submitter[:-1]):
        answer = hub.http("GET", "/api/tasks", headers={"Authorization": header})
        refused(answer, 401, "unauthorized")
        same(answer.headers["WWW-Authenticate"].split(" ")[0], "Bearer")
        bodies.add(answer.text)
    same(len(bodies), 1)
    same(hub.task(task_id)["state"], "queued")
    alive(hub)


@case()
def a_token_in_the_url_is_no_token(hub):
    answer = hub.http("GET", f"/api/tasks?token={hub.submitter}")
    assert answer.status in (400, 401), answer
    assert hub.submitter not in answer.text
    assert hub.submitter not in hub.log()


@case()
def guessing_is_slowed_down_and_says_when_to_try_again(hub):
    for n in range(60):
        answer = hub.http("GET", "/api/tasks", token=f"{n:064x}")
        if answer.status == 429:
            break
        refused(answer, 401, "unauthorized")
    refused(answer, 429, "rate_limited")
    assert int(answer.headers["Retry-After"]) >= 1, answer.headers
    assert answer.json["retry_after_ms"] > 0, answer
    alive(hub)


@case()
def a_guesser_does_not_lock_out_who_has_a_token(hub):
    token = hub.submitter
    for n in range(60):
        if hub.http("GET", "/api/tasks", token=f"{n:064x}").status == 429:
            break
    same(hub.http("GET", "/api/tasks", token=token).status, 200)


@case()
def a_role_that_may_not_gets_403(hub):
    agent = hub.register("ada")
    for method, path, body in (("GET", "/admin/tokens", None),
                               ("POST", "/admin/tokens", {"agent_id": "eve"}),
                               ("DELETE", "/admin/tokens/submitter", None)):
        refused(hub.http(method, path, body, token=agent), 403, "forbidden")
    enrol = hub.mint("door", "enrol")
    refused(hub.http("GET", "/api/tasks", token=enrol), 403, "forbidden")
    refused(hub.http("POST", "/api/tasks", {"description": "x"}, token=enrol),
            403, "forbidden")
    same(hub.http("DELETE", "/admin/tokens/ada", token=agent).status, 200)
    refused(hub.http("GET", "/api/tasks", token=agent), 401, "unauthorized")
    alive(hub)


@case("--open-registration=false")
def closed_registration_takes_an_enrolment_token(hub):
    answer = hub.http("POST", "/api/onboard/register", {"agent_id": "ada"})
    assert answer.status in (401, 403), answer
    same(answer.json["error"], "registration_closed")
    for role in ("enrol", "admin"):
        token = hub.mint(f"the-{role}", role)
        answer = hub.http("POST", "/api/onboard/register", {"agent_id": f"by-{role}"},
                          token=token)
        same(answer.status, 201)
        same(hub.http("GET", "/api/tasks", token=answer.json["token"]).status, 200)
    agent = hub.mint("bob", "agent")
    refused(hub.http("POST", "/api/onboard/register", {"agent_id": "eve"}, token=agent),
            403, "forbidden")


@case()
def registration_answers_as_v11_does(hub):
    answer = hub.http("POST", "/api/onboard/register", {"agent_id": "ada"})
    same(answer.status, 201)
    body = answer.json
    same((body["agent_id"], body["hub_ws_url"], body["hub_api_url"]),
         ("ada", f"ws://127.0.0.1:{hub.port}/ws", f"http://127.0.0.1:{hub.port}"))
    same(len(body["token"]), 64)
    int(body["token"], 16)
    assert "default_repo" in body, body
    refused(hub.http("POST", "/api/onboard/register", {"agent_id": "ada"}),
            409, "already_registered")
    listed = hub.http("GET", "/admin/tokens", token=hub.admin)
    rows = {row["agent_id"]: row for row in listed.json["tokens"]}
    same((rows["ada"]["token_prefix"], rows["ada"]["role"]),
         (body["token"][:8] + "...", "agent"))
    assert body["token"] not in listed.text
    for path in hub.data.rglob("*"):
        if path.is_file():
            assert body["token"].encode() not in path.read_bytes(), path
    assert body["token"] not in hub.log()


@case()
def what_is_not_there_is_404(hub):
    for method, path in (("GET", "/"), ("GET", "/api"), ("GET", "/api/nothing"),
                         ("POST", "/api/task"), ("GET", "/api/tasks/"),
                         ("GET", "/API/TASKS"), ("GET", "/api/tasks/a/b/c"),
                         ("GET", "/favicon.ico")):
        answer = hub.http(method, path, {} if method == "POST" else None,
                          token=hub.submitter)
        refused(answer, 404, "not_found")
    bodies = set()
    for task_id in ("task-0123456789abcdef", "nonsense", "task-0123456789ABCDEF", "0",
                    "t" * 128, "%E2%98%83"):
        for answer in (
                hub.http("GET", f"/api/tasks/{task_id}", token=hub.submitter),
                hub.retry(task_id), hub.cancel(task_id)):
            refused(answer, 404, "task_not_found")
            bodies.add(answer.text)
    same(len(bodies), 1)
    alive(hub)


@case()
def odd_paths_are_refused(hub):
    for path in ("/../../etc/passwd", "/api/../admin/tokens", "/%2e%2e/etc/passwd",
                 "/api/tasks/%00", "/api/tasks/%ff", "/api/tasks/%zz", "/api\\tasks",
                 "/api/tasks/%2e%2e", "/api/tasks/" + "x" * 300):
        status, answer = raw(hub, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                                  f"Authorization: Bearer {hub.submitter}\r\n"
                                  "Connection: close\r\n\r\n".encode())
        # What the library makes of dots is looked at like any other path.
        assert status in (None, 400, 403, 404, 414, 422), (path, answer)
        alive(hub)


@case()
def a_method_a_path_has_not_is_405(hub):
    for method, path in (("DELETE", "/api/tasks"), ("PUT", "/api/tasks"),
                         ("POST", "/health"), ("GET", "/api/onboard/register"),
                         ("PATCH", "/admin/tokens"), ("DELETE", "/api/agents"),
                         ("GET", "/api/tasks/task-0123456789abcdef/cancel")):
        answer = hub.http(method, path, token=hub.submitter)
        refused(answer, 405, "method_not_allowed")
        assert answer.headers["Allow"], (method, path, answer.headers)
        assert method not in answer.headers["Allow"], answer.headers
        alive(hub)


@case()
def a_state_that_does_not_allow_it_is_409(hub):
    task_id = hub.submit()["task_id"]
    refused(hub.retry(task_id), 409, "invalid_state")
    hub.submit("a", key="k")
    answer = hub.http("POST", "/api/tasks", {"description": "b"}, token=hub.submitter,
                      headers={"Idempotency-Key": "k"})
    refused(answer, 409, "idempotency_conflict")
    same(hub.stats()["by_status"]["queued"], 2)
    alive(hub)


@case("--body-bytes-max", "4096")
def a_body_too_large_is_413(hub):
    fits = {"description": "x", "metadata": {"x": "y" * 3900}}
    same(hub.http("POST", "/api/tasks", fits, token=hub.submitter).status, 201)
    head = (f"POST /api/tasks HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {hub.submitter}\r\n"
            "Content-Type: application/json\r\n").encode()
    body = json.dumps({"description": "x", "metadata": {"x": "y" * 5000}}).encode()
    started = time.monotonic()
    status, answer = raw(hub, head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
    same(status, 413)
    assert b"payload_too_large" in answer, answer
    # It is the header that is refused: nobody waits for a body that is not wanted.
    status, answer = raw(hub, head + b"Content-Length: 5000000\r\n\r\n{")
    same(status, 413)
    assert time.monotonic() - started < 5
    for length in (b"99999999999999999999999", b"-1", b"0x10", b"+5", b"5, 6"):
        status, answer = raw(hub, head + b"Content-Length: " + length + b"\r\n\r\n{}")
        assert status in (None, 400, 413), answer
        alive(hub)
    same(hub.tasks()["count"], 1)


@case()
def a_body_that_is_no_json_by_its_type_is_415(hub):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                 "application/xml", "application/jsonx"):
        answer = hub.http("POST", "/api/tasks", '{"description":"x"}',
                          token=hub.submitter, headers={"Content-Type": kind})
        refused(answer, 415, "unsupported_media_type")
        alive(hub)
    for kind in ("application/json", "application/json; charset=utf-8",
                 "Application/JSON"):
        answer = hub.http("POST", "/api/tasks", '{"description":"x"}',
                          token=hub.submitter, headers={"Content-Type": kind})
        same(answer.status, 201)


@case()
def a_body_that_does_not_fit_its_schema_is_422_with_every_reason(hub):
    def post(**fields):
        return hub.http("POST", "/api/tasks", fields, token=hub.submitter)

    def items(answer):
        return sorted((item["field"], item["error"]) for item in answer.json["errors"])

    empty = hub.http("POST", "/api/tasks", "", token=hub.submitter)
    for answer in (post(), empty):
        refused(answer, 422, "validation_failed")
        same(items(answer), [("description", "required")])
    answer = refused(post(description=5, metadata=[], max_retries="3",
                          needed_capabilities=["a", 1], complete_by=1.5),
                     422, "validation_failed")
    same(items(answer), [("complete_by", "wrong_type"), ("description", "wrong_type"),
                         ("max_retries", "wrong_type"), ("metadata", "wrong_type"),
                         ("needed_capabilities[1]", "wrong_type")])
    for item in answer.json["errors"]:
        assert item["detail"], item
    values = {item["field"]: item.get("value") for item in answer.json["errors"]}
    same((values["description"], values["max_retries"]), (5, "3"))

    answer = refused(post(description="d" * 10_001), 422, "validation_failed")
    same(items(answer), [("description", "too_long")])
    same(answer.json["errors"][0]["value"], "d" * 50 + "...")
    same(post(description="\u20ac" * 10_000).status, 201)
    for fields in ({"priority": "critical"}, {"max_retries": 0}, {"max_retries": 101},
                   {"complete_by": -1}, {"description": ""},
                   {"needed_capabilities": [""]}, {"depends_on": ["x"] * 65}):
        answer = refused(post(**{"description": "x", **fields}), 422, "validation_failed")
        same(len(answer.json["errors"]), 1)
        assert items(answer)[0][0].startswith(next(iter(fields))), answer
    same(hub.tasks()["count"], 1)

    for body in ("[]", "1", "null", '"x"'):
        answer = hub.http("POST", "/api/tasks", body, token=hub.submitter)
        assert answer.status in (400, 422), answer
        alive(hub)
    for agent_id in ("", "a" * 129, 5, None, "a\nb"):
        answer = hub.http("POST", "/api/onboard/register", {"agent_id": agent_id})
        refused(answer, 422, "validation_failed")
        same([item["field"] for item in answer.json["errors"]], ["agent_id"])
    answer = hub.http("POST", "/admin/tokens", {"agent_id": "x", "role": "root"},
                      token=hub.admin)
    refused(answer, 422, "validation_failed")
    alive(hub)


@case()
def who_asks_for_problem_documents_gets_them(hub):
    wanted = {"Accept": "application/problem+json"}
    for answer, status, code in (
            (hub.http("GET", "/api/nothing", headers=wanted), 404, "not_found"),
            (hub.http("GET", "/api/tasks", headers=wanted), 401, "unauthorized"),
            (hub.http("DELETE", "/health", headers=wanted), 405, "method_not_allowed"),
            (hub.http("POST", "/api/tasks", {"description": 1}, token=hub.submitter,
                      headers=wanted), 422, "validation_failed"),
            (hub.http("GET", "/api/tasks/task-0123456789abcdef", token=hub.submitter,
                      headers=wanted), 404, "task_not_found")):
        same((answer.status, answer.headers["Content-Type"].split(";")[0]),
             (status, "application/problem+json"))
        same((answer.json["status"], answer.json["error"]), (status, code))
        assert answer.json["title"] and answer.json["type"], answer
    answer = hub.http("GET", "/health", headers=wanted)
    same(answer.headers["Content-Type"].split(";")[0], "application/json")


@case()
def a_connection_goes_on_after_an_error(hub):
    line = hub.connection()
    for path, status in (("/health", 200), ("/api/nothing", 404), ("/health", 200),
                         ("/api/tasks", 401), ("/api/agents", 200)) * 3:
        line.request("GET", path)
        response = line.getresponse()
        same((path, response.status), (path, status))
        response.read()
    line.close()


@case()
def half_a_request_holds_nothing_up(hub):
    lines = []
    for data in (b"", b"GET", b"GET /health HTTP/1.1\r\nHost: x\r\n",
                 f"POST /api/tasks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                 f"{hub.submitter}\r\nContent-Type: application/json\r\n"
                 "Content-Length: 100\r\n\r\n{".encode()):
        line = socket.create_connection((hub.host, hub.port), PATIENCE_S)
        line.sendall(data)
        lines.append(line)
    alive(hub)
    for line in lines:
        line.close()
    alive(hub)
    same(hub.tasks()["count"], 0)


@case()
def noise_gets_an_answer_or_a_close(hub):
    for data in (b"\r\n\r\n", b"nonsense\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00",
                 b"GET / HTTP/9.9\r\n\r\n", bytes(range(256)),
                 b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                 b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 2000 + b"\r\n"):
        status, answer = raw(hub, data + b"\r\n\r\n", patience_s=12)
        assert status is None or 400 <= status < 506, answer[:200]
        alive(hub)


@case()
def many_requests_at_once_are_all_answered(hub):
    token = hub.submitter

    def ask(n):
        if n % 3 == 0:
            return hub.http("POST", "/api/tasks", {"description": str(n)}, token=token)
        if n % 3 == 1:
            return hub.http("GET", "/api/tasks?limit=1000", token=token)
        return hub.http("GET", "/api/nothing")

    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        statuses = [answer.status for answer in pool.map(ask, range(240))]
    same(statuses, [201, 200, 404] * 80)
    same(hub.tasks("?limit=1000")["count"], 80)


@case()
def no_answer_may_be_cached_and_none_names_the_server(hub):
    answer = hub.http("GET", "/api/tasks", token=hub.submitter)
    same(answer.headers["Content-Type"].split(";")[0], "application/json")
    same(answer.headers.get("Cache-Control"), "no-store")
    assert "libwebsockets" not in str(answer.headers).lower(), answer.headers
    same(answer.headers.get("Access-Control-Allow-Origin"), None)


@case()
def a_head_request_gets_no_body(hub):
    line = hub.connection()
    line.request("HEAD", "/health")
    response = line.getresponse()
    assert response.status in (200, 405), response.status
    same(response.read(), b"")
    with contextlib.suppress(http.client.HTTPException, OSError):
        line.request("GET", "/health")
        same(line.getresponse().status, 200)
    line.close()
    alive(hub)


if __name__ == "__main__":
    main()
