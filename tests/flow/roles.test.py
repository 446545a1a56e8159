#!/usr/bin/python3
"""The role matrix: every route and socket type the hub describes, times every role, no token,
a wrong one, one that has ended and one that lacks the scope. Made from the hub's own documents:
what is new is in it by itself."""

import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from support import case, main, same, until  # noqa: E402

ROLES = ("agent", "submitter", "viewer", "operator", "admin", "enrol")
WITH_BODY = ("POST", "PUT", "PATCH")
ROUTES_PER_ID = 4


class Caller:
    """Requests that come as far as the door: a body of the wrong kind is refused behind it."""

    def __init__(self, hub):
        self.hub = hub
        self.tokens = {}
        self.addresses = 0

    def token(self, role, routes, **fields):
        """One id for a few routes, so that no limit of rate is met."""
        key = (role, routes // ROUTES_PER_ID, str(fields))
        if key not in self.tokens:
            name = f"{role}-{len(self.tokens)}"
            self.tokens[key] = (name, self.hub.mint(name, role, **fields))
        return self.tokens[key]

    def forget(self, token):
        """What was asked may have ended it."""
        self.tokens = {key: value for key, value in self.tokens.items() if value[1] != token}

    def ask(self, method, path, token=None, name="nobody", address=None):
        for part in ("agent_id", "task_id", "channel", "name", "message_id", "token_prefix"):
            value = name if part == "agent_id" else "00000000"
            path = path.replace("{%s}" % part, value)
        while "{" in path:
            path = path[:path.index("{")] + "00000000" + path[path.index("}") + 1:]
        connection = self.hub.connection()
        if address is not None:
            connection.source_address = (address, 0)
        headers = {"Content-Type": "text/plain"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        body = b"x" if method in WITH_BODY else None
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        # A stream that was opened has no end.
        endless = response.status == 200 and "event-stream" in response.headers["Content-Type"]
        text = b"" if endless else response.read()
        connection.close()
        return response.status, text, response.headers

    def stranger(self):
        """An address from which nobody has guessed yet."""
        self.addresses += 1
        return f"127.1.{self.addresses // 200}.{1 + self.addresses % 200}"


def routes_of(hub):
    document = hub.http("GET", "/openapi.json").json
    return [(method.upper(), path, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()]


def types_of(hub):
    """What the hub receives: its roles, its scope and an example."""
    document = hub.http("GET", "/asyncapi.json").json
    found = {}
    for operation in document["operations"].values():
        if operation["action"] != "receive":
            continue
        [message] = operation["messages"]
        described = document["channels"]["ws"]["messages"][message["$ref"].split("/")[-1]]
        if "$ref" in described:
            described = document["components"]["messages"][described["$ref"].split("/")[-1]]
        example = described["examples"][0]["payload"]
        found[example["type"]] = (operation["x-roles"], operation.get("x-scope"), example)
    return found


def other_scope(scope):
    return "schemas:read" if scope != "schemas:read" else "tasks:read"


@case()
def every_route_is_open_to_its_roles_and_to_nobody_else(hub):
    caller = Caller(hub)
    ended = hub.mint("ended", "admin", expires_in_ms=1000)
    until(lambda: hub.http("GET", "/admin/tokens", token=ended).status == 401, "it has ended")
    same(len(routes_of(hub)) > 40, True)
    strangers = set()
    for number, (method, path, operation) in enumerate(routes_of(hub)):
        where = f"{method} {path}"
        roles = operation["x-roles"]
        assert roles and set(roles) <= {*ROLES, "anybody", "bootstrap"}, where
        if "anybody" in roles:
            for token in (None, "0" * 64, *(caller.token(role, number)[1] for role in ROLES)):
                status, text, _ = caller.ask(method, path, token)
                assert status not in (401, 403, 429), (where, status, text)
            continue
        if roles != ["bootstrap"]:
            assert operation.get("x-scope"), f"{where} names no scope"
        for token in (None, "0" * 64, "x", ended):
            status, text, headers = caller.ask(method, path, token, address=caller.stranger())
            same((where, token, status), (where, token, 401))
            same((where, headers["WWW-Authenticate"]), (where, "Bearer"))
            if roles != ["bootstrap"]:
                strangers.add(text)
        for role in ROLES:
            name, token = caller.token(role, number)
            status, text, headers = caller.ask(method, path, token, name)
            if role not in roles:
                same((where, role, status, json.loads(text)),
                     (where, role, 403, {"error": "forbidden"}))
                continue
            assert status not in (401, 403, 429), (where, role, status, text)
            if method == "DELETE":
                caller.forget(token)
            scope = operation["x-scope"]
            name, token = caller.token(role, number, scopes=[lacking(role, scope, hub)])
            status, text, _ = caller.ask(method, path, token, name)
            same((where, role, status), (where, role, 403))
            assert scope in json.loads(text)["detail"], (where, role, text)
    same(len(strangers), 1)


def lacking(role, scope, hub, seen={}):
    """A scope that the role has a use for, but not this one."""
    if not seen:
        for _, _, operation in routes_of(hub):
            for each in operation["x-roles"]:
                if operation.get("x-scope"):
                    seen.setdefault(each, set()).add(operation["x-scope"])
    return sorted(seen[role] - {scope})[0]


@case()
def agents_and_submitters_steer_their_own_tasks_alone(hub):
    own, other = hub.register("own"), hub.register("other")
    made = hub.http("POST", "/api/tasks", {"description": "x"}, token=own)
    task_id = made.json["task_id"]
    for name, role, status in (("other", None, 403), ("ci", "submitter", 403),
                               ("vera", "viewer", 403), ("olga", "operator", 200)):
        token = other if role is None else hub.mint(name, role)
        same(hub.http("GET", f"/api/tasks/{task_id}", token=token).status, 200)
        retried = hub.http("POST", f"/api/tasks/{task_id}/retry", token=token).status
        same((name, retried), (name, 409 if status == 200 else 403))
        cancelled = hub.http("POST", f"/api/tasks/{task_id}/cancel", token=token).status
        same((name, cancelled), (name, status))
    task_id = hub.http("POST", "/api/tasks", {"description": "y"}, token=own).json["task_id"]
    same(hub.http("POST", f"/api/tasks/{task_id}/cancel", token=own).status, 200)
    same(hub.http("POST", "/api/tasks/task-0123456789abcdef/cancel", token=other).status, 404)


@case()
def the_enrolment_secret_opens_one_route(hub):
    caller = Caller(hub)
    opened = []
    for method, path, operation in routes_of(hub):
        if "anybody" in operation["x-roles"]:
            continue
        status, text, _ = caller.ask(method, path, hub.secret)
        if status == 403:
            same(json.loads(text), {"error": "forbidden"})
        else:
            opened.append(path)
    same(opened, ["/api/enrol"])


async def one_that_brings_its_token(hub, kind, roles, scope, example):
    """It says who it is by itself, so a connection that has not identified may send it."""
    def token(role, **fields):
        return hub.mint(f"{kind}-{role}-{len(fields)}", role, **fields)

    tries = [("0" * 64, "invalid_token"), (None, "not_identified")]
    tries += [(token(role), None if role in roles else "forbidden") for role in ROLES]
    tries += [(token(role, scopes=[lacking(role, scope, hub)]), "forbidden")
              for role in roles]
    for shown, wanted in tries:
        link = await hub.link()
        asked = {**example, "token": shown, "since": 0}
        await link.say(json.dumps(asked))
        heard = await link.expect()
        same((kind, heard.get("error")), (kind, wanted))
        await link.leave()


@case()
async def every_socket_type_is_open_to_its_roles_and_to_nobody_else(hub):
    types = types_of(hub)
    same(len(types) > 15, True)
    whole = await hub.agent("ada")
    for kind, (roles, scope, example) in types.items():
        assert roles and scope, f"{kind} names no role or no scope"
        if kind != "identify" and "token" in example:
            await one_that_brings_its_token(hub, kind, roles, scope, example)
            continue
        # Nobody is anybody here: the first word is who one is.
        if kind != "identify":
            stranger = await hub.link()
            await stranger.say(json.dumps(example))
            same((await stranger.error())["error"], "not_identified")
            await stranger.leave()
            await whole.say(json.dumps(example))
            await whole.settle()
            assert not whole.waiting("error", error="forbidden"), kind
        narrow = await hub.link()
        await narrow.identify(
            hub.mint(f"narrow-{kind}", "agent", scopes=[
                name for name in (other_scope(scope), "agents:connect") if name != scope]),
            agent_id=f"narrow-{kind}")
        if scope == "agents:connect":
            same((await narrow.error("forbidden"))["detail"],
                 "the token lacks the scope agents:connect")
            await narrow.leave()
            continue
        await narrow.expect("identified")
        await narrow.say(json.dumps(example))
        refused = await narrow.error("forbidden")
        same((kind, refused["detail"]), (kind, f"the token lacks the scope {scope}"))
        await narrow.leave()


@case()
async def who_may_connect_is_as_the_table_says(hub):
    roles, _, _ = types_of(hub)["identify"]
    for role in ROLES:
        link = await hub.link()
        await link.identify(hub.mint(f"one-{role}", role), agent_id=f"one-{role}")
        if role in roles:
            await link.expect("identified")
        else:
            await link.error("forbidden")
        await link.leave()
    for token in ("0" * 64, hub.secret if hub.admin_token is None else "x"):
        link = await hub.link()
        await link.identify(token, agent_id="ada")
        await link.error("invalid_token")
        await link.leave()


if __name__ == "__main__":
    main()
