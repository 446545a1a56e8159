#!/usr/bin/python3
"""
The hub keeps its own documents: every example of every route and of every message is
replayed, every error that can be provoked is, and each answer is what the document said.

The documents are those of the running hub. Objects are closed before they are validated:
a member that nobody described is a breach, too.
"""

import asyncio
import copy
import json
import shutil
import socket
import sys
import time

sys.dont_write_bytecode = True
import jsonschema  # noqa: E402
import support  # noqa: E402
from support import ROOT, case, main, same, until  # noqa: E402

ROLES = ("agent", "submitter", "viewer", "operator", "admin", "enrol")
MISSING_TASK = "task-ffffffffffffffff"
MIB = 1024 * 1024
METHODS = {"get", "post", "put", "patch", "delete"}
JSON = "application/json"
PROBLEM = "application/problem+json"
# Described by what they must have: the rest is OpenAPI's and AsyncAPI's own.
OPEN_COMPONENTS = {"problem", "get_openapi_answer", "get_asyncapi_answer"}
# Errors of a hub that is broken or full: not every route can be made to meet them, and a
# story of its own meets what it can.
# The last needs two enrolments in one batch: see enrolment.test.py.
UNPROVOKED = {"unavailable", "storage_error", "storage_full", "enrolment_used",
              "jobs_full", "store_corrupt"}


def closed(schema):
    """The schema, with every described object taking nothing else."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict):
        made["properties"] = {name: closed(value)
                              for name, value in schema["properties"].items()}
        made.setdefault("additionalProperties", False)
    return made


class Document:
    """One document of the hub, and what its schemas say of a value."""

    def __init__(self, hub, path):
        answer = hub.http("GET", path)
        same(answer.status, 200)
        self.root = copy.deepcopy(answer.json)
        schemas = self.root["components"]["schemas"]
        for name in schemas:
            if name not in OPEN_COMPONENTS:
                schemas[name] = closed(schemas[name])
        self.resolver = jsonschema.RefResolver("", self.root)

    def require(self, value, schema, what):
        jsonschema.Draft202012Validator.check_schema(schema)
        checker = jsonschema.Draft202012Validator(schema, resolver=self.resolver)
        faults = [f"{'/'.join(map(str, fault.absolute_path))}: {fault.message}"
                  for fault in checker.iter_errors(value)]
        assert not faults, f"{what}: {value!r}: {faults}"


class Http(Document):
    def __init__(self, hub):
        super().__init__(hub, "/openapi.json")
        self.hub = hub
        self.routes = {operation["operationId"]: (method.upper(), path, operation)
                       for path, methods in self.root["paths"].items()
                       for method, operation in methods.items() if method in METHODS}

    def check(self, route, answer, kind=JSON):
        """The answer is one of those that the route's operation documents."""
        operation = self.routes[route][2]
        responses = operation["responses"]
        assert str(answer.status) in responses, (route, answer)
        response = responses[str(answer.status)]
        for name, header in response.get("headers", {}).items():
            if header.get("required") or answer.status in (401, 429):
                assert name in answer.headers, (route, name, answer)
            if name in answer.headers and header["schema"]["type"] == "string":
                self.require(answer.headers[name], header["schema"], f"{route} {name}")
        if "content" not in response:
            same(answer.data, b"")
            return
        same(answer.headers["Content-Type"].split(";")[0], kind)
        self.require(answer.json, response["content"][kind]["schema"], route)

    def own(self, route):
        """What the route answers when all is well: a success, but where it is there to
        say what to do instead."""
        responses = self.routes[route][2]["responses"]
        bare = [int(status) for status, response in responses.items() if status.isdigit()
                and PROBLEM not in response.get("content", {})]
        return [status for status in bare if status < 300] or bare

    def errors(self, route):
        """All (status, code) that the route documents."""
        found = set()
        for status, response in self.routes[route][2]["responses"].items():
            if status.isdigit() and int(status) in self.own(route):
                continue
            for code in response.get("content", {}).get(JSON, {}).get("examples", {}):
                if status.isdigit() and int(status) >= 400:
                    found.add((int(status), code))
        return found

    def roles(self, route):
        return self.routes[route][2]["x-roles"]

    def is_open(self, route):
        return "anybody" in self.roles(route)

    def body(self, route):
        """The first example of a body; None for a route without one."""
        bodies = self.bodies(route)
        return bodies[0] if bodies else None

    def bodies(self, route):
        content = self.routes[route][2].get("requestBody", {}).get("content", {})
        return [example["value"]
                for example in content.get(JSON, {}).get("examples", {}).values()]

    def token(self, role):
        if role == "bootstrap":
            return self.hub.secret if self.hub.admin_token is None else "0" * 64
        if role not in self.hub.tokens:
            self.hub.tokens[role] = self.hub.mint(f"one-{role}", role)
        return self.hub.tokens[role]

    def allowed(self, route):
        """A token that the route takes; None where none is needed."""
        roles = self.roles(route)
        return None if self.is_open(route) else self.token(
            "admin" if "admin" in roles else roles[0])

    def ask(self, route, values=None, body=None, token=None, headers=None, query=""):
        """The request that the route's examples show, with these values for theirs."""
        method, path, operation = self.routes[route]
        sent = {}
        asked = []
        for parameter in operation.get("parameters", []):
            name = parameter["name"]
            value = (values or {}).get(name, parameter.get("example"))
            if value is None:
                continue
            if parameter["in"] == "path":
                path = path.replace("{%s}" % name, value)
            elif parameter["in"] == "query":
                asked.append(f"{name}={value}")
            else:
                sent[name] = value
        tail = query or "&".join(asked)
        sent.update(headers or {})
        return self.hub.http(method, path + (f"?{tail}" if tail else ""), body, token, sent)


# What must be there before a route's example means anything.

def a_dead_letter(hub):
    async def bury():
        ada = await hub.agent("undertaker")
        task_id = hub.submit(max_retries=1)["task_id"]
        await ada.fail(await ada.given(task_id))
        await ada.leave()
        return task_id

    return asyncio.run(bury())


def a_task(hub):
    return hub.submit()["task_id"]


def an_agent_that_stays(hub, agent_id="ada"):
    """Identified, and connected until the story ends; it says nothing more."""
    text = json.dumps({"type": "identify", "agent_id": agent_id,
                       "token": hub.register(agent_id)}).ljust(200).encode()
    link = socket.create_connection((hub.host, hub.port), support.PATIENCE_S)
    hub.kept = getattr(hub, "kept", []) + [link]
    link.sendall(f"GET /ws HTTP/1.1\r\nHost: {hub.host}\r\nConnection: Upgrade\r\n"
                 "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode())
    read = b""
    while b"\r\n\r\n" not in read:
        read += link.recv(4096)
    # One masked frame of text; the mask changes nothing.
    link.sendall(b"\x81\xfe" + len(text).to_bytes(2, "big") + bytes(4) + text)
    while b"identified" not in read:
        read += link.recv(4096)
    return agent_id


def a_channel(hub):
    hub.http("POST", "/api/channels", {"name": "general"}, hub.register("founder"))
    return "general"


def a_publish(hub):
    a_channel(hub)
    answer = hub.http("POST", "/api/channels/general/publish", {"payload": {"text": "hi"}},
                      hub.register("founder"))
    same(answer.status, 200)
    return "general"


def a_letter(hub):
    token = hub.register("founder")
    first = hub.http("POST", "/api/message", {"to": "ada", "payload": {}}, token).json["id"]
    hub.http("POST", "/api/message", {"payload": {}, "reply_to": first}, token)
    return first


def a_schema(hub, name="review", kind=None, schema=None, **fields):
    body = {"schema": {} if schema is None else schema, **fields}
    if kind is not None:
        body["bind"] = {"kind": kind}
    answer = hub.http("PUT", f"/api/schemas/{name}", body, token=hub.admin)
    same(answer.status, 200)
    return {"name": name}


def an_agent(hub):
    """One that was there."""
    async def visit():
        await (await hub.agent("bob")).leave()
        return "bob"

    return asyncio.run(visit())


def a_job(hub):
    answer = hub.http("POST", "/api/admin/backup", token=hub.admin)
    same(answer.status, 200)
    return answer.json["job_id"]


def a_backup_as_shown(hub):
    """One by the example's name, whose manifest says what the example says."""
    a_job(hub)
    place = hub.data / "backups"
    shown = "backup-20260101T000000Z-0000000000000041"
    made = next(one for one in place.iterdir() if one.name != shown)
    shutil.copytree(made, place / shown, dirs_exist_ok=True)
    manifest = json.loads((place / shown / "manifest.json").read_text())
    manifest.update(name=shown, sequence=65)
    (place / shown / "manifest.json").write_text(json.dumps(manifest))
    (place / "touched").mkdir(exist_ok=True)

    def seen():
        answer = hub.http("GET", "/api/admin/backups", token=hub.admin)
        return shown in [one["name"] for one in answer.json["backups"]]

    until(seen, "the backup is seen")


def no_place_for_backups(hub):
    """What stands in the place of the directory is none."""
    place = hub.data / "backups"
    shutil.rmtree(place, ignore_errors=True)
    place.write_text("")


def a_history(hub):
    """Events after the backup that the journal starts from."""
    until(lambda: hub.http("GET", "/api/admin/backups", token=hub.admin).json["backups"],
          "the journal has a backup to start from")
    for _ in range(3):
        a_task(hub)


SCENES = {
    "post_admin_store_at": lambda hub: {"ignored": a_history(hub)},
    "post_admin_push_task": lambda hub: {"ignored": an_agent_that_stays(hub)},
    "post_admin_restore": lambda hub: {"ignored": a_backup_as_shown(hub)},
    "get_admin_job": lambda hub: {"job_id": str(a_job(hub))},
    "get_admin_jobs": lambda hub: {"ignored": a_job(hub)},
    "get_admin_backups": lambda hub: {"ignored": a_job(hub)},
    "get_thread": lambda hub: {"message_id": a_letter(hub)},
    "get_thread_replies": lambda hub: {"message_id": a_letter(hub)},
    "get_thread_root": lambda hub: {"message_id": a_letter(hub)},
    "get_mailbox": lambda hub: {"ignored": a_letter(hub)},
    "get_messages": lambda hub: {"ignored": a_letter(hub)},
    "get_channels": lambda hub: {"ignored": a_channel(hub)},
    "get_channel": lambda hub: {"channel": a_channel(hub)},
    "get_channel_history": lambda hub: {"channel": a_publish(hub)},
    "post_channel_subscribe": lambda hub: {"channel": a_channel(hub)},
    "post_channel_unsubscribe": lambda hub: {"channel": a_channel(hub)},
    "post_channel_publish": lambda hub: {"channel": a_channel(hub)},
    "get_schema": lambda hub: a_schema(hub, kind="review"),
    "get_schema_history": lambda hub: a_schema(hub),
    "get_fleet_schemas": lambda hub: a_schema(hub, kind="review"),
    "delete_schema": lambda hub: a_schema(hub),
    "post_schema_validate": lambda hub: a_schema(hub),
    "get_task": lambda hub: {"task_id": a_task(hub)},
    "get_tasks": lambda hub: {"ignored": a_task(hub)},
    "get_tasks_dead_letter": lambda hub: {"ignored": a_dead_letter(hub)},
    "get_tasks_stats": lambda hub: {"ignored": a_task(hub)},
    "post_task_cancel": lambda hub: {"task_id": a_task(hub)},
    "post_task_retry": lambda hub: {"task_id": a_dead_letter(hub)},
    "delete_admin_token": lambda hub: {"ignored": hub.register("ada")},
    "delete_admin_token_one": lambda hub: {"token_prefix": hub.register("ada")[:8]},
    "post_admin_token_rotate": lambda hub: {"ignored": hub.register("ada")},
    "get_agent_state": lambda hub: {"agent_id": an_agent(hub)},
    "get_agent_states": lambda hub: {"ignored": an_agent(hub)},
    "post_agent_drain": lambda hub: {"agent_id": an_agent(hub)},
    "post_agent_resume": lambda hub: {"agent_id": an_agent(hub)},
}


def a_stream_is_told_as_documented(hub):
    """The first event of the answer that has no end."""
    http = Http(hub)
    connection = hub.connection()
    connection.request("GET", "/api/events/stream?since=0",
                       headers={"Authorization": f"Bearer {http.token('viewer')}"})
    response = connection.getresponse()
    lines = [response.fp.readline().decode() for _ in range(4)]
    same([line.partition(":")[0] for line in lines], ["id", "event", "data", "\n"])
    described = http.routes["get_events_stream"][2]["responses"]["200"]["content"]
    same((response.status, list(described)), (200, ["text/event-stream"]))
    http.require(json.loads(lines[2][6:]), described["text/event-stream"]["schema"],
                 "get_events_stream")
    connection.close()


STREAMS = {"get_events_stream": a_stream_is_told_as_documented}


def examples_of(route):
    if route in STREAMS:
        return STREAMS[route]

    def story(hub):
        http = Http(hub)
        for body in http.bodies(route) or [None]:
            values = SCENES.get(route, lambda _: {})(hub)
            answer = http.ask(route, values, body, http.allowed(route))
            assert answer.status in http.own(route), (route, answer)
            http.check(route, answer)

    story.__name__ = f"the_examples_of_{route}_get_the_answer_documented"
    return story


class Provocations:
    """Asks for each error a route documents, both plainly and as a problem document."""

    def __init__(self, http, route):
        self.http = http
        self.hub = http.hub
        self.route = route
        self.documented = http.errors(route)
        self.met = set()

    def expects(self, status, code):
        return (status, code) in self.documented

    def ask(self, status, code, **request):
        for kind in (JSON, PROBLEM):
            headers = {**request.get("headers", {}), "Accept": kind}
            answer = self.http.ask(self.route, **{**request, "headers": headers})
            same((self.route, answer.status, answer.json.get("error")),
                 (self.route, status, code))
            self.http.check(self.route, answer, kind)
        self.met.add((status, code))

    def credentials(self):
        body = self.http.body(self.route)
        if self.expects(401, "unauthorized") and not self.http.is_open(self.route):
            self.ask(401, "unauthorized", body=body)
            self.ask(401, "unauthorized", body=body, token="0" * 64)
        if self.expects(403, "forbidden") and not self.http.is_open(self.route):
            for role in set(ROLES) - set(self.http.roles(self.route)):
                self.ask(403, "forbidden", body=body, token=self.http.token(role))
        if "/admin/tokens/{agent_id}" in self.http.routes[self.route][1]:
            self.ask(403, "forbidden", token=self.http.token("agent"), body=body)

    def bodies(self):
        route, token = self.route, self.http.allowed(self.route)
        good = json.dumps(self.http.body(route) or {})
        for status, code, request in (
                (400, "invalid_json", {"body": "{"}),
                (400, "bad_request", {"body": good, "query": "a=1&" * 40}),
                (413, "payload_too_large", {"body": good + " " * 4096}),
                (415, "unsupported_media_type",
                 {"body": good, "headers": {"Content-Type": "text/plain"}})):
            if self.expects(status, code):
                self.ask(status, code, token=token, **request)
        if self.expects(422, "validation_failed"):
            self.invalid(token)

    def invalid(self, token):
        content = self.http.routes[self.route][2].get("requestBody")
        if content is None and "{name}" in self.http.routes[self.route][1]:
            self.ask(422, "validation_failed", token=token, values={"name": "No-name"})
            return
        if self.route == "delete_admin_token_one":
            self.ask(422, "validation_failed", token=token, values={"token_prefix": "5d"})
            return
        if self.route.startswith("delete_rate"):
            self.ask(422, "validation_failed", token=token, values={"agent_id": "x" * 129})
            return
        if content is None:
            limited = any(parameter["name"] == "limit" for parameter in
                          self.http.routes[self.route][2].get("parameters", []))
            self.ask(422, "validation_failed", token=token,
                     query="limit=0" if limited else "since=-1")
            return
        schema = content["content"][JSON]["schema"]
        described = self.http.resolver.resolve(schema["$ref"])[1]
        good = self.http.body(self.route)
        for name in described["properties"]:
            self.ask(422, "validation_failed", token=token, body={**good, name: [[7]]})
        for name in described.get("required", []):
            left = {key: value for key, value in good.items() if key != name}
            self.ask(422, "validation_failed", token=token, body=left)

    def states(self):
        token, body = self.http.allowed(self.route), self.http.body(self.route)
        if self.expects(404, "task_not_found"):
            self.ask(404, "task_not_found", token=token, body=body,
                     values={"task_id": MISSING_TASK})
        if self.expects(409, "invalid_state"):
            there = {"post_task_cancel": a_dead_letter, "post_task_retry": a_task}
            self.ask(409, "invalid_state", token=token, body=body,
                     values={"task_id": there[self.route](self.hub)})
        if self.expects(404, "agent_not_found"):
            self.ask(404, "agent_not_found", token=token, body=body,
                     values={"agent_id": "nobody"})
        if self.expects(404, "token_not_found"):
            self.ask(404, "token_not_found", token=token, body=body)
        if self.expects(404, "channel_not_found"):
            self.ask(404, "channel_not_found", token=token, body=body,
                     values={"channel": "nowhere"})
        if self.expects(409, "channel_exists"):
            a_channel(self.hub)
            self.ask(409, "channel_exists", token=token, body=body)
        if self.expects(409, "already_registered"):
            self.hub.register(body["agent_id"])
            self.ask(409, "already_registered", body=body)
        if self.expects(422, "invalid_level"):
            self.ask(422, "invalid_level", token=token, body={"level": "loud"})
        if self.expects(422, "unknown_dependency"):
            self.ask(422, "unknown_dependency", token=token,
                     body={**body, "depends_on": [MISSING_TASK]})
        if self.expects(404, "unknown_table"):
            self.ask(404, "unknown_table", token=token, values={"table": "nothing"})
        if self.expects(404, "job_not_found"):
            self.ask(404, "job_not_found", token=token, values={"job_id": "99"})
        if self.expects(400, "bad_name"):
            self.ask(400, "bad_name", token=token, body={"backup": "../x"})
        if self.expects(404, "backup_not_found"):
            self.ask(404, "backup_not_found", token=token, body={"backup": "never"})
        if self.expects(404, "history_missing"):
            self.ask(404, "history_missing", token=token, body={"event": 10 ** 9})
        for code in ("backup_failed", "verify_failed"):
            if self.expects(500, code):
                no_place_for_backups(self.hub)
                self.ask(500, code, token=token, body=body)
        if self.expects(500, "compaction_failed"):
            (self.hub.data / "compacting").write_text("in the way")
            self.ask(500, "compaction_failed", token=token, body=body)
        self.schemas(token, body)
        self.rates(token, body)
        if self.expects(409, "idempotency_conflict"):
            same(self.http.ask(self.route, body=body, token=token).status, 201)
            again = self.http.ask(self.route, body=body, token=token)
            same((again.status, again.headers["Idempotency-Replayed"]), (201, "true"))
            self.http.check(self.route, again)
            self.ask(409, "idempotency_conflict", token=token,
                     body={**body, "description": "something else"})
        if self.expects(404, "agent_not_connected"):
            self.ask(404, "agent_not_connected", token=token, body=body)
            an_agent_that_stays(self.hub, body["agent_id"])
        if self.expects(503, "queue_full"):
            self.fill()
            self.ask(503, "queue_full", token=token, body=body,
                     values={"Idempotency-Key": "another"})

    def schemas(self, token, body):
        """What schemas of the fleet refuse, and what is refused about them."""
        if self.expects(404, "schema_not_found"):
            self.ask(404, "schema_not_found", token=token, body=body,
                     values={"name": "not-there"})
        if self.expects(412, "precondition_failed"):
            there = a_schema(self.hub, "there")
            asked = ({"body": {**body, "expected_version": 99}} if body
                     else {"query": "expected_version=99"})
            self.ask(412, "precondition_failed", token=token, values=there, **asked)
        if self.expects(422, "schema_rejected"):
            self.ask(422, "schema_rejected", token=token,
                     body={"schema": {"type": "nothing"}})
        if self.expects(422, "schema_violation"):
            a_schema(self.hub, "never", schema={"required": ["x"]},
                     bind={"channel": a_channel(self.hub)} if self.publishes()
                     else {"kind": "never"})
            asked = body if self.publishes() else {**body, "kind": "never"}
            self.ask(422, "schema_violation", token=token, body=asked,
                     values={"Idempotency-Key": "never"})
        self.complex_schemas(token, body)
        if self.expects(409, "schema_conflict"):
            a_schema(self.hub, "there", kind=body["bind"]["kind"])
            self.ask(409, "schema_conflict", token=token, body=body,
                     values={"name": "another"})
        if self.expects(409, "too_many_schemas"):
            for i in range(2):
                a_schema(self.hub, f"filler-{i}")
            self.ask(409, "too_many_schemas", token=token, body={"schema": {}},
                     values={"name": "one-more"})

    def publishes(self):
        return self.route == "post_channel_publish"

    def rates(self, token, body):
        """What nobody can be given as a limit."""
        odd = {"agent_id": "", "agent_ids": [7], "light": {"capacity": 0}}
        for code in ("invalid_overrides", "invalid_whitelist", "invalid_agent_id"):
            if not self.expects(422, code):
                continue
            self.ask(422, code, token=token, body={})
            for name, value in odd.items():
                if name in body or name == "light" and "heavy" in body:
                    self.ask(422, code, token=token, body={**body, name: value})
        if self.expects(409, "too_many_rate_limits"):
            self.fill_rates()
            self.ask(409, "too_many_rate_limits", token=token, body=body,
                     values={"agent_id": "one-more"})

    def fill_rates(self):
        if self.route == "post_rate_whitelist":
            self.hub.exempt(*[f"name-{n}" for n in range(1000)])
            return
        for n in range(1000):
            answer = self.hub.http(
                "PUT", f"/api/admin/rate-limits/name-{n}", token=self.hub.admin,
                body={"heavy": {"capacity": 1, "refill_rate_per_min": 1}})
            same(answer.status, 200)

    def complex_schemas(self, token, body):
        """The hub of these stories judges no payload for long."""
        if not self.expects(422, "schema_too_complex"):
            return
        if self.route == "put_schema":
            self.ask(422, "schema_too_complex", token=token,
                     body={"schema": {"pattern": "a" * 600}})
            return
        bind = {"kind": "wide"}
        if self.publishes():
            same(self.hub.http("DELETE", "/api/schemas/never", token=self.hub.admin).status,
                 200)
            bind = {"channel": a_channel(self.hub)}
        a_schema(self.hub, "wide", bind=bind,
                 schema={"additionalProperties": {"allOf": [{"type": "integer"}] * 5}})
        wide = {f"m{i}": i for i in range(80)}
        asked = ({"payload": wide} if "payload" in body
                 else {**body, "kind": "wide", "metadata": wide})
        self.ask(422, "schema_too_complex", token=token, body=asked,
                 values={"name": "wide", "Idempotency-Key": "wide"})

    def fill(self):
        """The hub of these stories takes few open tasks."""
        def refused():
            answer = self.http.ask(self.route, body=self.http.body(self.route),
                                   token=self.http.allowed(self.route),
                                   values={"Idempotency-Key": f"fill {time.time_ns()}"})
            return answer.status == 503

        until(refused, "the queue is full")

    def guesses(self):
        """Whoever tries one wrong token after the other has to wait."""
        if not self.expects(429, "rate_limited") or self.http.is_open(self.route):
            return

        def limited():
            return self.http.ask(self.route, token="f" * 64,
                                 body=self.http.body(self.route)).status == 429

        until(limited, "too many guesses")
        self.ask(429, "rate_limited", token="f" * 64, body=self.http.body(self.route))

    def left(self):
        """What is documented and was not met, without what cannot be provoked here."""
        return {(status, code) for status, code in self.documented - self.met
                if code not in UNPROVOKED}


def errors_of(route):
    def story(hub):
        provocations = Provocations(Http(hub), route)
        assert provocations.documented or provocations.http.is_open(route), route
        if route == "post_enrol":
            # The secret is spent by whoever mints tokens of other roles.
            provocations.bodies()
            provocations.credentials()
        else:
            provocations.credentials()
            provocations.bodies()
        provocations.states()
        provocations.guesses()
        left = provocations.left()
        if provocations.http.is_open(route):
            # Open to all here; the hub with closed registration has a story of its own.
            left -= {(401, "unauthorized"), (403, "forbidden"),
                     (403, "registration_closed"), (429, "rate_limited")}
        same((route, left), (route, set()))

    story.__name__ = f"the_errors_of_{route}_are_those_documented"
    return story


def route_names():
    return sorted(path.stem for path in (ROOT / "schemas" / "http").glob("*.json"))


for name in route_names():
    case("--journal")(examples_of(name))
    case("--journal", "--body-bytes-max", "1024", "--tasks-open-max", "5",
         "--schemas-max", "3", "--schema-steps-max", "200", "--rate-anybody-heavy", "100")(errors_of(name))


@case("--open-registration=false")
def closed_registration_refuses_as_documented(hub):
    provocations = Provocations(Http(hub), "post_onboard_register")
    body = provocations.http.body("post_onboard_register")
    provocations.ask(403, "registration_closed", body=body)
    provocations.ask(401, "unauthorized", body=body, token="0" * 64)
    provocations.ask(403, "forbidden", body=body, token=provocations.http.token("viewer"))

    def limited():
        return provocations.http.ask("post_onboard_register", body=body,
                                     token="0" * 64).status == 429

    until(limited, "too many guesses")
    provocations.ask(429, "rate_limited", body=body, token="0" * 64)
    answer = provocations.http.ask("post_onboard_register", body=body, token=hub.admin)
    same(answer.status, 201)
    provocations.http.check("post_onboard_register", answer)


@case("--map-bytes-first", str(MIB), "--map-bytes-max", str(8 * MIB))
def a_full_store_answers_as_documented(hub):
    http = Http(hub)
    token = http.token("submitter")
    provocations = Provocations(http, "post_task")
    body = {"description": "much", "metadata": {"blob": "x" * 100_000}}

    def full():
        return http.ask("post_task", {"Idempotency-Key": f"{time.time_ns()}"}, body,
                        token).status == 507

    until(full, "the store is full")
    provocations.ask(507, "storage_full", token=token, body=body,
                     values={"Idempotency-Key": "another"})
    # What the others say now is documented, be it yes or no.
    for route in set(http.routes) - set(STREAMS):
        for kind in (JSON, PROBLEM):
            answer = http.ask(route, body=http.body(route), token=http.allowed(route),
                              headers={"Accept": f"{kind}, {JSON}"})
            http.check(route, answer, JSON if answer.status in http.own(route) else kind)

    same(hub.stop(), 0)
    hub.spawn()
    hub.wait_listening()

    def unready():
        answer = hub.http("GET", "/readyz")
        http.check("get_readyz", answer)
        return answer.status == 503

    until(unready, "it knows that it is full")


@case()
def every_route_is_described_and_every_description_is_a_route(hub):
    http = Http(hub)
    same(sorted(http.routes), route_names())
    described = hub.http("GET", "/api/schemas").json["schemas"]
    for route, (method, path, operation) in http.routes.items():
        same(("requestBody" in operation), (route in described["http"]))
        answer = hub.http(method, path)
        assert answer.status != 405, route
        assert answer.status != 404 or answer.json["error"] != "not_found", route


@case()
def any_other_error_is_the_default_answer(hub):
    http = Http(hub)
    shape = {"$ref": "#/components/schemas/http_error"}
    for status, answer in (
            (404, hub.http("GET", "/nowhere")),
            (405, hub.http("DELETE", "/health")),
            (406, hub.http("GET", "/health", headers={"Accept": "text/html"})),
            (421, hub.http("GET", "/health", headers={"Host": "evil.example"}))):
        same(answer.status, status)
        http.require(answer.json, shape, answer)


@case()
def the_documents_have_one_tag_and_are_not_sent_twice(hub):
    tags = set()
    for path in ("/openapi.json", "/asyncapi.json", "/api/schemas"):
        answer = hub.http("GET", path)
        tag = answer.headers["ETag"]
        tags.add(tag)
        same((answer.status, answer.headers["Cache-Control"]), (200, "no-cache"))
        head = hub.http("HEAD", path)
        same((head.headers["ETag"], head.headers["Content-Length"], head.data),
             (tag, str(len(answer.data)), b""))
        for known in (tag, f"W/{tag}", "*", f'"other", {tag}', f'"a",W/"b" , {tag} '):
            same_text = hub.http("GET", path, headers={"If-None-Match": known})
            same((known, same_text.status, same_text.data), (known, 304, b""))
            same((same_text.headers["ETag"], same_text.headers["Cache-Control"]),
                 (tag, "no-cache"))
            assert "Content-Length" not in same_text.headers, same_text.headers
        for unknown in ('"other"', tag[:-2] + '"', tag.strip('"'), "", ",,", '"', "W/"):
            same(hub.http("GET", path, headers={"If-None-Match": unknown}).status, 200)
        # A token is not asked for, and a wrong one is nobody's business here.
        same(hub.http("GET", path, token="0" * 64).status, 200)
    same(len(tags), 1)
    same(hub.http("GET", "/livez").headers["Cache-Control"], "no-store")


@case()
def a_connection_goes_on_after_an_answer_without_a_body(hub):
    connection = hub.connection()
    for _ in range(3):
        connection.request("GET", "/openapi.json", headers={"If-None-Match": "*"})
        response = connection.getresponse()
        same((response.status, response.read()), (304, b""))
        connection.request("GET", "/livez")
        response = connection.getresponse()
        same((response.status, response.read()), (200, b'{"status":"ok"}'))
    connection.close()


@case()
def discovery_has_the_form_of_v11(hub):
    found = hub.http("GET", "/api/schemas").json
    same((sorted(found), found["version"]), (["schemas", "version"], "1.0"))
    same(sorted(found["schemas"]), ["http", "version", "websocket"])
    same(found["schemas"]["version"], "1.0")
    identify = found["schemas"]["websocket"]["identify"]
    same(sorted(identify), ["description", "optional_fields", "required_fields"])
    same(identify["required_fields"], [{"name": "type", "type": "string"},
                                       {"name": "agent_id", "type": "string"},
                                       {"name": "token", "type": "string"}])
    assert {"name": "capabilities", "type": "array<string>"} in identify["optional_fields"]
    submit = found["schemas"]["http"]["post_task"]
    assert {"name": "max_retries", "type": "positive_integer"} in submit["optional_fields"]
    assert {"name": "metadata", "type": "object"} in submit["optional_fields"]
    types = {field["type"] for group in ("websocket", "http")
             for message in found["schemas"][group].values()
             for field in message["required_fields"] + message["optional_fields"]}
    assert types <= {"string", "integer", "positive_integer", "object", "boolean", "any",
                     "array<string>", "array<object>"}, types


# The WebSocket. Every frame that any link of these stories receives is kept.

SEEN = []
KINDS_SEEN = set()


class Witness(support.Frame):
    def __init__(self, text):
        super().__init__(text)
        SEEN.append(self)


support.Frame = Witness


class Socket(Document):
    def __init__(self, hub):
        super().__init__(hub, "/asyncapi.json")
        self.sent = {}
        self.received = {}
        for name, operation in self.root["operations"].items():
            reference = operation["messages"][0]["$ref"]
            message = self.message(reference)
            there = self.received if operation["action"] == "receive" else self.sent
            there[message["name"]] = (operation, message)

    def message(self, reference):
        """Through the channel into the components."""
        found = self.resolver.resolve(reference)[1]
        return self.resolver.resolve(found["$ref"])[1] if "$ref" in found else found

    def examples(self, kind):
        return [example["payload"] for example in self.received[kind][1]["examples"]]

    def replies(self, kind):
        return [self.message(item["$ref"])["name"]
                for item in self.received[kind][0]["reply"]["messages"]]

    def check_seen(self):
        for frame in SEEN:
            assert frame["type"] in self.sent, frame
            self.require(dict(frame), closed(self.sent[frame["type"]][1]["payload"]),
                         frame["type"])
            KINDS_SEEN.add(frame["type"])


class Stage:
    """A hub with ada, whose messages are replayed, and bob, who watches."""

    def __init__(self, hub):
        self.hub = hub

    async def up(self):
        SEEN.clear()
        self.socket = Socket(self.hub)
        self.bob = await self.hub.agent("bob", max_concurrent=0)
        self.ada = await self.hub.agent("ada", name="Ada", capabilities=["git", "rust"])
        return self

    async def handed(self):
        self.hub.submit("Fix the flaky test", metadata={"a": [1]}, priority="high")
        return await self.ada.given()

    async def accepted(self):
        task = await self.handed()
        await self.ada.accept(task)
        return task

    async def blocked(self):
        task = await self.accepted()
        await self.ada.send("task_blocked", task_id=task["task_id"],
                            generation=task["generation"])
        await self.ada.expect("task_ack", status="blocked")
        return task

    async def cancelled(self):
        task = await self.accepted()
        same(self.hub.cancel(task["task_id"], "no longer needed").status, 200)
        await self.ada.expect("task_cancel", task_id=task["task_id"])
        return task

    async def recovering(self):
        task = await self.accepted()
        await self.ada.vanish()
        self.ada = await self.hub.agent("ada")
        return task

    async def stranger(self):
        """A connection that has not said who it is."""
        self.ada = await self.hub.link()
        return None

    async def subscribed(self):
        await self.ada.send("presence_subscribe")
        await self.ada.expect("presence_snapshot")
        return None

    async def channel(self):
        a_channel(self.hub)
        return None

    async def joined(self):
        """Bob hears of it when ada joins and when she speaks."""
        a_channel(self.hub)
        await self.bob.send("channel_subscribe", channel="general")
        await self.bob.expect("channel_subscribed")
        return None

    async def heard(self):
        await self.joined()
        await self.ada.send("channel_publish", channel="general", payload={"a": 1})
        await self.bob.expect("channel_message")
        return None

    async def nothing(self):
        return None


ACTS = {
    "channel_subscribe": Stage.joined,
    "channel_unsubscribe": Stage.channel,
    "channel_publish": Stage.joined,
    "channel_history": Stage.heard,
    "list_channels": Stage.channel,
    "identify": Stage.stranger,
    "events_subscribe": Stage.stranger,
    "task_accepted": Stage.handed,
    "task_progress": Stage.accepted,
    "task_complete": Stage.accepted,
    "task_failed": Stage.accepted,
    "lease_renew": Stage.accepted,
    "presence_unsubscribe": Stage.subscribed,
    "task_blocked": Stage.accepted,
    "task_unblocked": Stage.blocked,
    "task_cancelled": Stage.cancelled,
    "task_recovering": Stage.recovering,
}


def filled(stage, example, task):
    """The example with the token and the task that are really there."""
    made = dict(example)
    if made["type"] == "events_subscribe":
        made["token"] = stage.hub.mint("watcher", "viewer")
    elif "token" in made:
        made["token"] = stage.hub.register(made["agent_id"])
    if task is not None:
        for name in ("task_id", "generation"):
            if name in made:
                made[name] = task[name]
    return made


async def replay(stage, kind, example):
    task = await ACTS.get(kind, Stage.nothing)(stage)
    made = filled(stage, example, task)
    stage.socket.require(made, stage.socket.received[kind][1]["payload"], kind)
    await stage.ada.say(json.dumps(made))
    answers = [name for name in stage.socket.replies(kind) if name != "error"]
    if not answers:
        await stage.ada.none("error")
        return
    await stage.ada.expect(answers[0])
    if kind != "events_subscribe":  # who follows is no agent, and has no ping
        await stage.ada.none("error")


def message_of(kind):
    async def story(hub):
        stage = await Stage(hub).up()
        for example in stage.socket.examples(kind):
            await replay(stage, kind, example)
        await stage.bob.settle()
        stage.socket.check_seen()

    story.__name__ = f"the_example_of_{kind}_is_answered_as_documented"
    return story


def refusals_of(kind):
    async def story(hub):
        stage = await Stage(hub).up()
        message = stage.socket.received[kind][1]
        example = filled(stage, stage.socket.examples(kind)[0], None)
        if kind == "identify":
            await stage.stranger()
        for name in message["payload"]["required"]:
            if name == "type":
                continue
            broken = {key: value for key, value in example.items() if key != name}
            await stage.ada.say(json.dumps(broken))
            refused = await stage.ada.error("validation_failed", message_type=kind)
            same((refused["errors"][0]["field"], refused["errors"][0]["error"]),
                 (name, "required"))
        assert "error" in stage.socket.replies(kind), kind
        stage.socket.check_seen()

    story.__name__ = f"a_{kind}_without_what_it_needs_is_refused_as_documented"
    return story


def message_names():
    return sorted(path.stem for path in (ROOT / "schemas" / "socket" / "in").glob("*.json"))


for name in message_names():
    case()(message_of(name))
    case()(refusals_of(name))


@case()
async def what_agents_hear_of_each_other_is_as_documented(hub):
    stage = await Stage(hub).up()
    await stage.bob.expect("agent_joined")
    await stage.ada.send("status", status="thinking")
    await stage.bob.expect("status_changed")
    await stage.ada.send("message", to="bob", payload={"text": "hello"}, reply_to="x")
    await stage.bob.expect("message")
    await stage.ada.send("task_recovering", task_id=MISSING_TASK)
    await stage.ada.expect("task_reassign")
    await stage.ada.send("message", to="nobody", payload={})
    await stage.ada.expect("message_sent", delivery="queued")
    await stage.ada.send("nonsense")
    refused = await stage.ada.error("validation_failed")
    same(refused["errors"][0]["error"], "unknown_message_type")
    await stage.ada.say("{")
    await stage.ada.error("invalid_json")
    task = await stage.accepted()
    await stage.ada.send("task_complete", task_id=task["task_id"],
                         generation=task["generation"] + 1)
    await stage.ada.error()
    await stage.ada.leave()
    await stage.bob.expect("agent_left")
    stage.socket.check_seen()


@case("--presence-interval-ms", "1", "--send-queue-bytes-max", "65536",
      "--rate-agent-light", "1000000")
async def who_does_not_read_changes_hears_of_a_gap_as_documented(hub):
    stage = await Stage(hub).up()
    await stage.ada.leave()
    stage.ada = support.Agent(hub, "ada")
    await stage.ada.open_narrow()
    await stage.ada.identify()
    await stage.ada.expect("identified")
    await stage.subscribed()

    loud = [await hub.agent(f"loud-{n}", max_concurrent=0,
                            capabilities=[f"{n} {i} " + "x" * 100 for i in range(15)])
            for n in range(8)]

    async def disturb():
        for agent in loud:
            await agent.send("status", status=f"{time.time_ns()}")
        for agent in loud:
            await agent.settle()

    await stage.ada.starve(disturb, "presence_gap")
    await stage.ada.expect("presence_changed")
    await stage.bob.settle()
    stage.socket.check_seen()


@case()
async def who_goes_too_far_is_warned_and_refused(hub):
    stage = await Stage(hub).up()
    for _ in range(121):
        await stage.ada.send("ping")
    await stage.ada.expect("rate_limit_warning", tier="light", remaining=23)
    await stage.ada.expect("rate_limited", tier="light", message_type="ping")
    stage.socket.check_seen()


@case()
def every_message_of_the_hub_was_heard(hub):
    socket = Socket(hub)
    same(sorted(socket.received), message_names())
    if len(sys.argv) > 1:
        return
    same(sorted(KINDS_SEEN), sorted(socket.sent))


if __name__ == "__main__":
    main()
