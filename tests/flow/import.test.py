#!/usr/bin/python3
"""An AgentCom v1.1 moves in: its export is checked, taken over, and worked on with."""

import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
from support import BIN, PATIENCE_S, case, main, same  # noqa: E402

TOKEN = "5d1c" * 16
EXPORT = {
    "format": "agentcom-export",
    "version": 1,
    "config": {"heartbeat_interval_ms": 20000, "mailbox_ttl_ms": 604800000,
               "default_repo": "https://git.example/fleet.git"},
    "tokens": [{"agent_id": "ada", "token": TOKEN}, {"agent_id": "bob", "token": "0b" * 32}],
    "tasks": [
        {"id": "task-00000000000000b2", "description": "second", "metadata": {"a": [1, 2]},
         "priority": 2, "status": "assigned", "assigned_to": "bob", "assigned_at": 2500,
         "generation": 3, "retry_count": 1, "max_retries": -1, "complete_by": None,
         "needed_capabilities": [], "result": None, "tokens_used": None,
         "last_error": None, "submitted_by": "boss", "created_at": 2000,
         "updated_at": 2500, "history": [
             {"event": "assigned", "timestamp": 2500, "details": {"agent_id": "bob"}},
             {"event": "queued", "timestamp": 2000, "details": None}]},
        {"id": "task-ffffffffffffffa1", "description": "first", "status": "queued",
         "created_at": 1000},
        {"id": "task-00000000000000c3", "description": "done", "status": "completed",
         "created_at": 500, "result": "plain text", "assigned_to": "ada"},
        {"id": "task-00000000000000d4", "description": "dead", "status": "dead_letter",
         "created_at": 400, "retry_count": 3, "last_error": "it broke"},
    ],
    "channels": [
        {"name": "general", "description": "talk", "created_at": 100, "created_by": "ada",
         "subscribers": ["ada", "bob"], "history": [
             {"seq": 7, "stored_at": 150, "message": {
                 "id": "00000000000000aa", "from": "ada", "type": "chat",
                 "payload": {"text": "hello"}, "reply_to": None, "timestamp": 150}}]},
    ],
    "mailboxes": [
        {"agent_id": "bob", "messages": [
            {"seq": 12, "id": "00000000000000ab", "from": "ada", "to": "bob",
             "type": "chat", "payload": {"text": "psst"}, "reply_to": None,
             "timestamp": 4102444800000}]},
    ],
    "mailbox_last_seq": 30,
}


def run(hub, *words, text=None):
    path = hub.folder / "export.json"
    path.write_text(text if text is not None else json.dumps(EXPORT, indent=1))
    return subprocess.run(
        [str(BIN / "drover"), "import", "agentcom-export", str(path), "--hub", hub.url,
         "--token", hub.admin, *words], stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=PATIENCE_S, env={**os.environ, "HOME": str(hub.folder)})


@case()
async def agents_go_on_with_their_tokens_and_their_tasks(hub):
    done = run(hub)
    same((done.returncode, done.stdout, done.stderr),
         (0, "12 taken over, 0 there already, 0 not taken\n", ""))
    again = run(hub, "--json")
    same((again.returncode, json.loads(again.stdout)),
         (0, {"imported": 1, "present": 11, "refused": 0}))

    hub.tokens["ada"] = TOKEN
    ada = await hub.agent("ada")
    same(ada.identified["heartbeat_interval_ms"], 20000)
    for task_id, generation in (("task-ffffffffffffffa1", 1), ("task-00000000000000b2", 5)):
        given = await ada.given()
        same((given["task_id"], given["generation"]), (task_id, generation))
        await ada.complete(given)
        same(hub.task(task_id)["state"], "completed")
    same(hub.task("task-00000000000000b2")["metadata"], {"a": [1, 2]})
    same(hub.task("task-00000000000000c3")["result"], {"value": "plain text"})
    sparse = hub.task("task-00000000000000c3")
    same((sparse["priority"], sparse["max_retries"]), (2, 3))
    dead = hub.http("GET", "/api/tasks/dead-letter", token=TOKEN).json["tasks"]
    same([(task["id"], task["last_error"]) for task in dead],
         [("task-00000000000000d4", "it broke")])
    same(hub.http("POST", "/api/tasks/task-00000000000000d4/retry",
                  token=hub.admin).status, 200)
    await ada.given("task-00000000000000d4")

    history = hub.http("GET", "/api/channels/general/history", token=TOKEN).json["messages"]
    same([(entry["seq"], entry["message"]["id"]) for entry in history],
         [(7, "00000000000000aa")])
    await ada.send("channel_publish", channel="general", payload={"text": "new"})
    await ada.expect("channel_published", seq=8)
    box = hub.http("GET", "/api/mailbox/bob?since=0", token="0b" * 32).json
    same([message["seq"] for message in box["messages"]], [12, 31])
    same(hub.http("GET", "/api/config/default-repo").json["configured"], True)


@case()
def a_dry_run_says_what_would_come_and_asks_nobody(hub):
    wanted = {"tokens": 2, "channels": 1, "messages": 2, "mailboxes": 2, "tasks": 4}
    done = run(hub, "--dry-run", "--json")
    same((done.returncode, json.loads(done.stdout)), (0, wanted))
    same(hub.http("GET", "/api/tasks", token=hub.submitter).json["count"], 0)
    same(hub.stop(), 0)
    done = run(hub, "--dry-run")
    same((done.returncode, done.stdout),
         (0, "".join(f"{name}: {count}\n" for name, count in wanted.items())))


@case()
def a_broken_file_is_refused_with_its_place_and_nothing_comes(hub):
    good = json.dumps(EXPORT, indent=1)
    for text, words in (
            (good[:-20], ("export.json:",)),
            ("{\n\n}", ("export.json:1:", "format", "is missing")),
            (good.replace('"status": "dead_letter"', '"status": "lost"'),
             ("at /tasks/3/status", "export.json:")),
            (good.replace('"task-00000000000000d4"', '"task-D4"'), ("at /tasks/3/id",)),
            (good.replace(f'"{TOKEN}"', "7"), ("at /tokens/0/token",))):
        done = run(hub, text=text)
        same((done.returncode, done.stderr), (1, ""))
        for word in words:
            assert word in done.stdout, (word, done.stdout)
        assert TOKEN not in done.stdout
    line = good.splitlines().index('   "status": "dead_letter",') + 1
    done = run(hub, text=good.replace('"dead_letter"', '"lost"'))
    assert f"export.json:{line}:" in done.stdout, done.stdout
    same(hub.http("GET", "/api/tasks", token=hub.submitter).json["count"], 0)
    same(hub.http("GET", "/api/channels", token=hub.submitter).json["channels"], [])


if __name__ == "__main__":
    main()
