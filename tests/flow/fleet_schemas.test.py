#!/usr/bin/python3
"""The fleet's own schemas: registered while the hub runs, and kept by everybody after."""

import json
import subprocess
import sys

sys.dont_write_bytecode = True
from support import BIN, case, main, same  # noqa: E402

REPOSITORY = {"type": "object", "required": ["repository"],
              "properties": {"repository": {"type": "string"}}}
COUNTED = {"type": "object", "required": ["repository", "number"],
           "properties": {"repository": {"type": "string"},
                          "number": {"type": "integer", "minimum": 1}}}
DONE = {"type": "object", "required": ["commits"],
        "properties": {"commits": {"type": "array", "items": {"type": "string"}}}}


def put(hub, name, schema, query="", **fields):
    return hub.http("PUT", f"/api/schemas/{name}{query}", {"schema": schema, **fields},
                    token=hub.admin)


def registered(hub, name, schema, query="", **fields):
    answer = put(hub, name, schema, query, **fields)
    same(answer.status, 200)
    return answer.json


def get(hub, path):
    return hub.http("GET", path, token=hub.submitter)


def try_submit(hub, key=None, **fields):
    headers = {"Idempotency-Key": key} if key else None
    return hub.http("POST", "/api/tasks", {"description": "work", **fields},
                    token=hub.submitter, headers=headers)


def refused(answer, status, code):
    same((answer.status, answer.json["error"]), (status, code))
    return answer.json


@case()
async def a_schema_is_registered_shown_listed_and_deleted(hub):
    made = registered(hub, "review", REPOSITORY, bind={"kind": "review"})
    same((made["version"], made["created"], made["dry_run"]), (1, True, False))
    same(made["bind"], {"kind": "review", "part": "payload"})
    shown = get(hub, "/api/schemas/review").json
    same((shown["version"], shown["current"], shown["schema"]), (1, True, REPOSITORY))
    listed = get(hub, "/api/fleet-schemas").json
    same([(item["name"], item["version"]) for item in listed["schemas"]], [("review", 1)])
    same(listed["count"], 1)
    gone = hub.http("DELETE", "/api/schemas/review", token=hub.admin)
    same((gone.status, gone.json), (200, {"status": "deleted", "name": "review"}))
    refused(get(hub, "/api/schemas/review"), 404, "schema_not_found")
    refused(get(hub, "/api/schemas/review/history"), 404, "schema_not_found")
    same(get(hub, "/api/fleet-schemas").json, {"schemas": [], "count": 0})
    same(try_submit(hub, kind="review").status, 201)


@case()
async def the_discovery_of_agentcom_stays_what_it_was(hub):
    before = hub.http("GET", "/api/schemas").data
    registered(hub, "review", REPOSITORY)
    same(hub.http("GET", "/api/schemas").data, before)


@case()
async def versions_are_kept_and_the_same_text_makes_none(hub):
    registered(hub, "review", REPOSITORY)
    again = registered(hub, "review", REPOSITORY)
    same((again["version"], again["created"]), (1, False))
    same(registered(hub, "review", COUNTED)["version"], 2)
    same(get(hub, "/api/schemas/review?version=1").json["schema"], REPOSITORY)
    same(get(hub, "/api/schemas/review?version=1").json["current"], False)
    same(get(hub, "/api/schemas/review").json["schema"], COUNTED)
    refused(get(hub, "/api/schemas/review?version=3"), 404, "schema_not_found")
    history = get(hub, "/api/schemas/review/history").json["versions"]
    same([(item["version"], item["current"]) for item in history], [(2, True), (1, False)])


@case("--schema-versions-max", "2")
async def only_so_many_versions_are_kept(hub):
    for i in range(4):
        registered(hub, "review", {"minProperties": i})
    history = get(hub, "/api/schemas/review/history").json["versions"]
    same([item["version"] for item in history], [4, 3])
    refused(get(hub, "/api/schemas/review?version=2"), 404, "schema_not_found")


@case()
async def a_lost_update_is_refused(hub):
    registered(hub, "review", REPOSITORY, expected_version=0)
    refused(put(hub, "review", COUNTED, expected_version=0), 412, "precondition_failed")
    registered(hub, "review", COUNTED, expected_version=1)
    refused(put(hub, "review", REPOSITORY, expected_version=1), 412, "precondition_failed")
    refused(hub.http("DELETE", "/api/schemas/review?expected_version=1", token=hub.admin),
            412, "precondition_failed")
    same(hub.http("DELETE", "/api/schemas/review?expected_version=2",
                  token=hub.admin).status, 200)


@case()
async def metadata_that_does_not_fit_is_refused_and_not_stored(hub):
    registered(hub, "review", COUNTED, bind={"kind": "review"})
    answer = refused(try_submit(hub, "one", kind="review",
                                metadata={"repository": 7, "number": 0}),
                     422, "schema_violation")
    same(answer["detail"], "schema review, version 1")
    same([(item["field"], item["error"], item["pointer"]) for item in answer["errors"]],
         [("metadata", "type", "/repository"), ("metadata", "minimum", "/number")])
    refused(try_submit(hub, kind="review"), 422, "schema_violation")
    same(hub.tasks()["count"], 0)
    good = {"repository": "drover", "number": 1}
    # The key was not used up.
    taken = try_submit(hub, "one", kind="review", metadata=good)
    same(taken.status, 201)
    same((hub.task(taken.json["task_id"])["kind"], hub.task(taken.json["task_id"])["metadata"]),
         ("review", good))
    same(try_submit(hub, kind="other").status, 201)
    same(try_submit(hub).status, 201)


@case()
async def at_most_ten_flaws_are_named(hub):
    registered(hub, "ints", {"additionalProperties": {"type": "integer"}},
               bind={"kind": "ints"})
    answer = refused(try_submit(hub, kind="ints",
                                metadata={f"m{i}": "x" for i in range(30)}),
                     422, "schema_violation")
    same(len(answer["errors"]), 10)


@case()
async def an_agent_that_submits_is_held_to_the_schema_too(hub):
    registered(hub, "review", REPOSITORY, bind={"kind": "review"})
    ada = await hub.agent("ada", max_concurrent=0)
    await ada.say(json.dumps({"type": "task_submit", "description": "x",
                              "kind": "review", "request_id": "r1"}))
    error = await ada.error("schema_violation", request_id="r1")
    same((error["errors"][0]["error"], error["errors"][0]["pointer"]), ("required", ""))
    await ada.say(json.dumps({"type": "task_submit", "description": "x",
                              "kind": "review", "request_id": "r2",
                              "metadata": {"repository": "drover"}}))
    await ada.expect("task_submitted", request_id="r2")
    same(hub.tasks()["count"], 1)


@case()
async def a_result_that_does_not_fit_leaves_the_task_with_its_agent(hub):
    registered(hub, "review-result", DONE, bind={"kind": "review", "part": "result"})
    ada = await hub.agent("ada")
    task_id = hub.submit(kind="review", metadata={"free": True})["task_id"]
    task = await ada.given(task_id)
    same(task["kind"], "review")
    await ada.accept(task)
    for result in ({"commits": [1]}, None):
        await ada.send("task_complete", task_id=task_id, generation=task["generation"],
                       result=result)
        error = await ada.error("task_complete_failed: schema_violation", task_id=task_id)
        same(error["generation"], task["generation"])
        same(error["errors"][0]["field"], "result")
    shown = hub.task(task_id)
    same((shown["state"], shown["assigned_to"], shown["result"]), ("working", "ada", None))
    await ada.complete(task, result={"commits": ["abc"]})
    same(hub.task(task_id)["result"], {"commits": ["abc"]})


@case()
async def a_new_version_says_how_many_stored_payloads_it_would_refuse(hub):
    registered(hub, "review", REPOSITORY, bind={"kind": "review"})
    ids = [hub.submit(kind="review", metadata={"repository": "a", **more})["task_id"]
           for more in ({}, {"number": 1}, {"number": 0})]
    hub.submit(kind="reviewed", metadata={"free": True})
    tried = registered(hub, "review", COUNTED, "?dry_run=true")
    same((tried["version"], tried["dry_run"], tried["checked"], tried["failed"]),
         (2, True, 3, 2))
    same([(item["task_id"], item["error"], item["pointer"]) for item in tried["failures"]],
         [(ids[2], "minimum", "/number"), (ids[0], "required", "")])
    same(get(hub, "/api/schemas/review").json["version"], 1)
    made = registered(hub, "review", COUNTED)
    same((made["version"], made["checked"], made["failed"]), (2, 3, 2))
    refused(try_submit(hub, kind="review", metadata={"repository": "a"}), 422,
            "schema_violation")


@case("--schema-payloads-checked", "2")
async def a_new_version_is_tried_on_the_youngest_payloads(hub):
    ids = [hub.submit(kind="review")["task_id"] for _ in range(5)]
    made = registered(hub, "review", REPOSITORY, bind={"kind": "review"})
    same((made["checked"], made["failed"]), (2, 2))
    same([item["task_id"] for item in made["failures"]], [ids[4], ids[3]])


@case()
async def results_that_are_stored_are_tried_as_well(hub):
    ada = await hub.agent("ada")
    hub.submit(kind="review")
    await complete_one(ada, {"commits": [1]})
    hub.submit(kind="review", not_before=4102444800000)
    made = registered(hub, "done", DONE, bind={"kind": "review", "part": "result"})
    same((made["checked"], made["failed"]), (1, 1))
    same(made["failures"][0]["pointer"], "/commits/0")


async def complete_one(agent, result):
    task = await agent.given()
    await agent.accept(task)
    await agent.complete(task, result=result)


@case()
async def a_payload_is_judged_without_being_stored(hub):
    registered(hub, "review", COUNTED)

    def judge(payload, **fields):
        return hub.http("POST", "/api/schemas/review/validate",
                        {"payload": payload, **fields}, token=hub.submitter)

    same(judge({"repository": "a", "number": 1}).json,
         {"name": "review", "version": 1, "valid": True, "errors": []})
    verdict = judge({"repository": "a"}).json
    same((verdict["valid"], verdict["errors"][0]["error"]), (False, "required"))
    registered(hub, "review", {})
    same(judge({}).json["valid"], True)
    same(judge({}, version=1).json["valid"], False)
    refused(judge({}, version=9), 404, "schema_not_found")
    same(hub.tasks()["count"], 0)


@case("--schemas-max", "1")
async def what_is_no_schema_or_too_much_of_one_is_refused(hub):
    for schema in ({"type": "nothing"}, {"tpye": "object"}, {"pattern": "("},
                   {"$ref": "https://example.com/elsewhere.json"},
                   {"$ref": "file:///etc/passwd"}, {"format": "unheard-of"}):
        answer = refused(put(hub, "review", schema), 422, "schema_rejected")
        same(answer["errors"][0]["field"], "schema")
        assert answer["errors"][0]["detail"], answer
    for schema in ({"description": "x" * 70000}, {"enum": list(range(3000))}):
        refused(put(hub, "review", schema), 422, "schema_too_complex")
    same(put(hub, "Review", {}).status, 422)
    same(get(hub, "/api/fleet-schemas").json["count"], 0)
    registered(hub, "review", {})
    refused(put(hub, "another", {}), 409, "too_many_schemas")


@case("--schema-steps-max", "100")
async def judging_is_bounded(hub):
    registered(hub, "wide", {"additionalProperties": {"allOf": [{"type": "integer"}] * 5}},
               bind={"kind": "wide"})
    refused(try_submit(hub, kind="wide", metadata={f"m{i}": i for i in range(500)}),
            422, "schema_too_complex")
    same(try_submit(hub, kind="wide", metadata={"m": 1}).status, 201)


@case()
async def one_kind_is_bound_to_one_schema(hub):
    registered(hub, "review", REPOSITORY, bind={"kind": "review"})
    refused(put(hub, "other", {}, bind={"kind": "review"}), 409, "schema_conflict")
    registered(hub, "other", {}, bind={"kind": "review", "part": "result"})
    same(registered(hub, "review", COUNTED)["bind"], {"kind": "review", "part": "payload"})
    made = registered(hub, "review", COUNTED, bind={})
    assert "bind" not in made, made
    same(try_submit(hub, kind="review", metadata={}).status, 201)
    registered(hub, "third", {}, bind={"kind": "review"})


TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}


def say(hub, channel, payload):
    return hub.http("POST", f"/api/channels/{channel}/publish", {"payload": payload},
                    token=hub.submitter)


def said(hub, channel):
    history = get(hub, f"/api/channels/{channel}/history").json
    return [item["message"]["payload"] for item in history["messages"]]


@case()
async def what_is_said_in_a_bound_channel_must_fit(hub):
    same(hub.http("POST", "/api/channels", {"name": "general"}, token=hub.admin).status, 201)
    same(hub.http("POST", "/api/channels", {"name": "other"}, token=hub.admin).status, 201)
    made = registered(hub, "chat", TEXT, bind={"channel": "#General"})
    same(made["bind"], {"channel": "general"})
    same(get(hub, "/api/schemas/chat").json["bind"], {"channel": "general"})
    ada = await hub.agent("ada")
    bob = await hub.agent("bob")
    await bob.say(json.dumps({"type": "channel_subscribe", "channel": "general"}))
    await bob.expect("channel_subscribed")

    answer = refused(say(hub, "general", {"text": 7}), 422, "schema_violation")
    same(answer["detail"], "schema chat, version 1")
    same([(item["field"], item["error"], item["pointer"]) for item in answer["errors"]],
         [("payload", "type", "/text")])
    await ada.say(json.dumps({"type": "channel_publish", "channel": "general",
                              "payload": {}}))
    error = await ada.expect("error")
    same((error["error"], error["message_type"], error["errors"][0]["pointer"]),
         ("schema_violation", "channel_publish", ""))
    # Nothing is stored, nobody is told, and no sequence is used up.
    same(said(hub, "general"), [])
    same(say(hub, "general", {"text": "fits"}).json["seq"], 1)
    same((await bob.expect("channel_message"))["payload"], {"text": "fits"})
    await ada.say(json.dumps({"type": "channel_publish", "channel": "general",
                              "payload": {"text": "so does this"}}))
    same((await ada.expect("channel_published"))["seq"], 2)
    same(said(hub, "general"), [{"text": "fits"}, {"text": "so does this"}])
    same(say(hub, "other", {"anything": True}).status, 200)
    # To one agent, whatever the channels are bound to.
    same(hub.http("POST", "/api/message", {"to": "bob", "payload": {}},
                  token=hub.submitter).status, 200)

    registered(hub, "chat", TEXT, bind={})
    same(say(hub, "general", {}).status, 200)
    registered(hub, "chat", TEXT, bind={"channel": "general"})
    same(say(hub, "general", {}).status, 422)
    same(hub.http("DELETE", "/api/schemas/chat", token=hub.admin).status, 200)
    same(say(hub, "general", {}).status, 200)


@case("--schema-payloads-checked", "3")
async def a_new_version_is_tried_on_what_was_said_last(hub):
    hub.http("POST", "/api/channels", {"name": "general"}, token=hub.admin)
    ids = [say(hub, "general", payload).json["id"]
           for payload in ({}, {"text": "a"}, {}, {"text": 1}, {"text": "b"})]
    tried = put(hub, "chat", TEXT, "?dry_run=true", bind={"channel": "general"}).json
    same((tried["dry_run"], tried["checked"], tried["failed"]), (True, 3, 2))
    same([(item["message_id"], item["error"], item["pointer"])
          for item in tried["failures"]],
         [(ids[3], "type", "/text"), (ids[2], "required", "")])
    assert "task_id" not in tried["failures"][0], tried
    same(get(hub, "/api/schemas/chat").status, 404)
    same(say(hub, "general", {}).status, 200)
    # A channel that is not there yet has nothing to try.
    made = registered(hub, "early", TEXT, bind={"channel": "later"})
    same((made["checked"], made["failed"]), (0, 0))
    hub.http("POST", "/api/channels", {"name": "later"}, token=hub.admin)
    refused(say(hub, "later", {}), 422, "schema_violation")
    same(hub.stop(), 0)
    hub.start()
    refused(say(hub, "later", {}), 422, "schema_violation")
    same(say(hub, "later", {"text": "x"}).json["seq"], 1)


@case()
async def a_channel_is_bound_to_one_schema(hub):
    registered(hub, "chat", TEXT, bind={"channel": "general"})
    refused(put(hub, "other", {}, bind={"channel": "GENERAL"}), 409, "schema_conflict")
    registered(hub, "other", {}, bind={"kind": "general"})
    for bind in ({"channel": "?!"}, {"channel": "a", "kind": "b"}, {"channel": ""}):
        refused(put(hub, "third", {}, bind=bind), 422, "validation_failed")
    listed = get(hub, "/api/fleet-schemas").json["schemas"]
    same([item["bind"] for item in listed],
         [{"channel": "general"}, {"kind": "general", "part": "payload"}])


def conditional(hub, method, name, schema=None, query="", **headers):
    body = None if schema is None else {"schema": schema}
    return hub.http(method, f"/api/schemas/{name}{query}", body, token=hub.admin,
                    headers={key.replace("_", "-"): value for key, value in headers.items()})


@case()
async def a_change_is_made_only_to_what_the_asker_knows(hub):
    refused(conditional(hub, "PUT", "review", REPOSITORY, If_Match="*"), 412,
            "precondition_failed")
    made = conditional(hub, "PUT", "review", REPOSITORY, If_None_Match="*")
    same((made.status, made.json["version"]), (200, 1))
    refused(conditional(hub, "PUT", "review", COUNTED, If_None_Match="*"), 412,
            "precondition_failed")
    first = get(hub, "/api/schemas/review").headers["ETag"]
    same(made.headers["ETag"], first)
    assert first[0] == first[-1] == '"' and len(first) == 18, first
    for tags in ('"0000000000000000"', f"W/{first}", first[1:-1], '""', f'{first[:-1]}x"'):
        refused(conditional(hub, "PUT", "review", COUNTED, If_Match=tags), 412,
                "precondition_failed")
        refused(conditional(hub, "DELETE", "review", If_Match=tags), 412,
                "precondition_failed")
    changed = conditional(hub, "PUT", "review", COUNTED, If_Match=f'"x", {first}')
    same((changed.status, changed.json["version"]), (200, 2))
    second = get(hub, "/api/schemas/review").headers["ETag"]
    assert second != first
    # The first version is still shown, and no longer as the current one.
    assert get(hub, "/api/schemas/review?version=1").headers["ETag"] not in (first, second)
    # What it is bound to is part of what is shown.
    registered(hub, "review", COUNTED, bind={"kind": "review"})
    third = get(hub, "/api/schemas/review").headers["ETag"]
    assert third != second
    refused(conditional(hub, "PUT", "review", COUNTED, If_Match=second), 412,
            "precondition_failed")
    # Both ways to say it count.
    refused(conditional(hub, "DELETE", "review", query="?expected_version=1",
                        If_Match=third), 412, "precondition_failed")
    refused(conditional(hub, "DELETE", "review", If_None_Match=f"W/{third}"), 412,
            "precondition_failed")
    same(conditional(hub, "DELETE", "review", query="?expected_version=2",
                     If_Match=third).status, 200)
    refused(conditional(hub, "DELETE", "review", If_Match=third), 404, "schema_not_found")
    # Versions count anew, tags do not.
    conditional(hub, "PUT", "review", REPOSITORY, If_None_Match="*")
    assert get(hub, "/api/schemas/review").headers["ETag"] != first


@case()
async def who_has_a_schema_already_is_told_so(hub):
    registered(hub, "review", REPOSITORY)
    tag = get(hub, "/api/schemas/review").headers["ETag"]
    again = conditional(hub, "GET", "review", If_None_Match=tag)
    same((again.status, again.data, again.headers["ETag"]), (304, b"", tag))
    same(conditional(hub, "GET", "review", If_None_Match='"other"').status, 200)
    registered(hub, "review", COUNTED)
    same(conditional(hub, "GET", "review", If_None_Match=tag).status, 200)


@case()
async def who_may_not_write_may_read_and_judge(hub):
    registered(hub, "review", REPOSITORY)
    for role in ("agent", "submitter", "viewer", "operator", "admin"):
        token = hub.mint(f"one-{role}", role)
        writes = 200 if role in ("operator", "admin") else 403
        same(hub.http("PUT", "/api/schemas/mine", {"schema": {}}, token=token).status,
             writes)
        same(hub.http("DELETE", "/api/schemas/mine", token=token).status, writes)
        for path in ("schemas/review", "schemas/review/history", "fleet-schemas"):
            same(hub.http("GET", f"/api/{path}", token=token).status, 200)
        same(hub.http("POST", "/api/schemas/review/validate", {"payload": {}},
                      token=token).json["valid"], False)


@case()
async def a_restart_keeps_schemas_and_what_they_are_bound_to(hub):
    registered(hub, "review", REPOSITORY, bind={"kind": "review"})
    registered(hub, "review", COUNTED)
    before = [get(hub, path).data for path in
              ("/api/schemas/review", "/api/schemas/review/history", "/api/fleet-schemas")]
    same(hub.stop(), 0)
    hub.start()
    same([get(hub, path).data for path in
          ("/api/schemas/review", "/api/schemas/review/history", "/api/fleet-schemas")],
         before)
    refused(try_submit(hub, kind="review", metadata={"repository": "a"}), 422,
            "schema_violation")
    hub.kill()
    hub.start()
    refused(try_submit(hub, kind="review", metadata={"repository": "a"}), 422,
            "schema_violation")
    same(registered(hub, "review", REPOSITORY)["version"], 3)
    same(try_submit(hub, kind="review", metadata={"repository": "a"}).status, 201)


@case()
async def a_sidecar_whose_result_is_refused_says_that_it_failed(hub):
    registered(hub, "done", DONE, bind={"kind": "review", "part": "result"})
    config = hub.folder / "config.json"
    config.write_text(json.dumps({
        "agent_id": "ada", "token": hub.register("ada"), "hub_url": hub.ws_url,
        "log_file": str(hub.folder / "sidecar.log"), "command": ["cat"]}))
    config.chmod(0o600)
    task_id = hub.submit(kind="review", max_retries=1)["task_id"]
    sidecar = subprocess.Popen([BIN / "drover-sidecar", "--config", str(config)],
                               stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        task = hub.until_state(task_id, "dead_letter")
    finally:
        sidecar.terminate()
        sidecar.wait()
    assert task["last_error"].startswith("result_refused"), task


@case()
async def the_command_line_pushes_lists_shows_and_deletes(hub):
    def drover(*words):
        done = subprocess.run(
            [BIN / "drover", "--hub", hub.url, "--token", hub.admin, *words],
            capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    file = hub.folder / "review.json"
    file.write_text(json.dumps(REPOSITORY, indent=2))
    same(drover("task", "submit", "work", "--kind", "review")[0], 0)
    status, out, _ = drover("schema", "push", "--dry-run", "--bind-kind", "review",
                            "review", str(file))
    same(status, 0)
    assert out.startswith("review version 1, a dry run, bound to kind review (payload)\n"
                          "1 of 1 stored payloads would be refused\n  task-"), out
    same(drover("schema", "show", "review")[0], 3)
    same(drover("schema", "push", "--bind-kind", "review", "review", str(file))[0], 0)
    same(drover("schema", "push", "review", str(file))[1].splitlines()[0],
         "review version 1, as it was, bound to kind review (payload)")
    status, out, _ = drover("schema", "show", "review")
    same((status, json.loads(out)), (0, REPOSITORY))
    status, out, _ = drover("schema", "list")
    same(out.splitlines()[1].split()[:3], ["review", "1", str(len(file.read_text()))])
    assert out.splitlines()[1].endswith("kind review (payload)"), out
    status, _, error = drover("task", "submit", "work", "--kind", "review")
    assert status == 1 and "schema_violation" in error, (status, error)
    file.write_text(json.dumps(COUNTED))
    same(drover("schema", "push", "--expected-version", "7", "review", str(file))[0], 4)
    same(drover("schema", "push", "--unbind", "review", str(file))[1],
         "review version 2\n")
    same(len(drover("schema", "show", "--history", "review")[1].splitlines()), 3)
    same(json.loads(drover("schema", "show", "--version", "1", "review")[1]), REPOSITORY)
    file.write_text('{"type": }')
    same(drover("schema", "push", "review", str(file))[0], 1)
    file.write_text('{"tpye": "object"}')
    status, _, error = drover("schema", "push", "review", str(file))
    assert status == 1 and "/tpye" in error, (status, error)
    same(drover("schema", "push", "--part", "result", "review", str(file))[0], 2)
    same(drover("schema", "push", "--bind-kind", "a", "--bind-channel", "b", "review",
                str(file))[0], 2)
    hub.http("POST", "/api/channels", {"name": "general"}, token=hub.admin)
    say(hub, "general", {})
    file.write_text(json.dumps(TEXT))
    status, out, error = drover("schema", "push", "--bind-channel", "General", "chat",
                                str(file))
    assert out.startswith("chat version 1, bound to channel general\n1 of 1 stored "
                          "payloads would be refused\n  "), (out, error)
    assert "channel general" in drover("schema", "list")[1]
    same(drover("schema", "delete", "review")[0], 0)
    same(drover("schema", "delete", "review")[0], 3)


if __name__ == "__main__":
    main()
