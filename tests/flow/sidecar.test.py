#!/usr/bin/python3
"""The sidecar against a real hub: tasks to results, and everything that can go wrong."""

import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fleet import BIN, Fleet, alive, await_true, ends, holds, run, same  # noqa: E402


def shell(script):
    return {"command": ["/bin/sh", "-c", script]}


def a_task_reaches_its_command_and_its_result_comes_back():
    with Fleet() as fleet:
        fleet.sidecar("ada", **shell(
            'read -r line || exit 9; printf "%s\\n" "$line" >task.json;'
            'echo "$DROVER_TASK_ID|$DROVER_TASK_GENERATION|$DROVER_TASK_DESCRIPTION|'
            '$DROVER_TASK_METADATA|$DROVER_AGENT_ID|${DROVER_TOKEN-none}"'))
        nasty = 'say "hi" $(touch harmed) `touch harmed` \'; touch harmed #\n\u00e9'
        task_id = fleet.submit(nasty, metadata={"n": [1, 2.5]})
        task = fleet.await_state(task_id, "completed")
        same(task["result"], {
            "output": f'{task_id}|1|{nasty}|{{"n": [1, 2.5]}}|ada|none\n',
            "exit_code": 0,
        }, "the result")
        with open(fleet.path("ada/task.json")) as file:
            given = json.load(file)
        same((given["task_id"], given["description"], given["generation"]),
             (task_id, nasty, 1), "what stood on standard input")
        holds(not os.path.exists(fleet.path("ada/harmed")), "the text was run as shell")


def a_result_of_the_commands_own_is_kept_as_it_is():
    with Fleet() as fleet:
        fleet.sidecar("ada", **shell(
            'echo working; echo \'{"progress": 40, "note": "half way"}\'; sleep 0.8;'
            'echo \'{"status":"success","output":{"n":1.50},"tokens_used":7}\''))
        task_id = fleet.submit("anything")
        task = await_true("progress is shown", lambda: (
            lambda task: task if task.get("progress") == 40 else None)(fleet.task(task_id)))
        same(task["progress_note"], "half way", "the note")
        task = fleet.await_state(task_id, "completed")
        same(task["result"], {"status": "success", "output": {"n": 1.5}, "tokens_used": 7},
             "the result")
        same(task["tokens_used"], 7, "tokens")


def a_failure_tells_its_reason():
    with Fleet() as fleet:
        fleet.sidecar("ada", **shell(
            'case $DROVER_TASK_DESCRIPTION in'
            ' code) echo "no such luck" >&2; exit 3;;'
            ' own) echo \'{"status":"failed","reason":"tests fail"}\';;'
            ' lie) echo \'{"status":"success"}\'; exit 4;;'
            ' signal) kill -9 $$;;'
            'esac'))
        for description, wanted in (("code", "exit code 3: no such luck"),
                                    ("own", "tests fail"),
                                    ("lie", "exit code 4 after reporting success"),
                                    ("signal", "killed by signal 9")):
            task_id = fleet.submit(description, max_retries=1)
            task = fleet.await_state(task_id, "dead_letter")
            holds(task["last_error"].startswith(wanted),
                  f"{description}: {task['last_error']!r}")


def output_is_kept_within_its_bound():
    with Fleet() as fleet:
        fleet.sidecar("ada", output_bytes_max=4096, **shell(
            'echo first; head -c 3000000 /dev/zero | tr "\\0" "\\001"; echo; echo last'))
        task = fleet.await_state(fleet.submit("much"), "completed")
        output = task["result"]["output"]
        holds(output.startswith("first\n"), "the head is kept")
        holds(output.endswith("last\n"), "the tail is kept")
        holds("bytes left out" in output, "it says that something is left out")
        holds(len(output) < 4200, f"it is {len(output)} long")
        same(task["result"]["truncated"], True, "truncated")


def a_cancelled_task_takes_its_whole_process_group_along():
    with Fleet() as fleet:
        fleet.sidecar("ada", kill_grace_ms=400, **shell(
            'trap "" TERM; sleep 1000 & echo $! >child; echo $$ >self; wait; wait; sleep 1000'))
        task_id = fleet.submit("long")
        fleet.await_state(task_id, "working")
        pids = fleet.pids("ada/child", "ada/self")
        same(fleet.http("POST", f"/api/tasks/{task_id}/cancel", {})[0], 200, "cancel")
        await_true("the group is gone", lambda: not any(alive(pid) for pid in pids))
        # The place is free again: the next task is taken, and told apart.
        await_true("the agent is free", lambda: fleet.agents()["ada"]["tasks_held"] == 0)
        same(fleet.task(task_id)["state"], "cancelled", "its state")


def a_task_over_its_time_limit_is_stopped():
    with Fleet() as fleet:
        fleet.sidecar("ada", time_limit_ms=300, kill_grace_ms=200,
                      **shell("sleep 1000 & echo $! >child; wait"))
        task_id = fleet.submit("long", max_retries=1)
        task = fleet.await_state(task_id, "dead_letter")
        holds(task["last_error"].startswith("time_limit"), task["last_error"])
        [pid] = fleet.pids("ada/child")
        await_true("its child is gone", lambda: not alive(pid))


def a_lease_is_kept_alive_by_the_sidecar():
    with Fleet("--lease-ms", "600") as fleet:
        fleet.sidecar("ada", **shell("echo run >>runs; sleep 2.5"))
        task = fleet.await_state(fleet.submit("long"), "completed")
        same(task["generation"], 1, "it was handed out once")
        with open(fleet.path("ada/runs")) as file:
            same(file.read(), "run\n", "it ran once")


def a_result_made_while_the_hub_is_away_is_delivered_once():
    with Fleet() as fleet:
        fleet.sidecar("ada", **shell("echo run >>runs; until [ -e go ]; do sleep 0.05; done;"
                                     "echo done"))
        task_id = fleet.submit("long")
        fleet.await_state(task_id, "working")
        await_true("it runs", lambda: os.path.exists(fleet.path("ada/runs")))
        fleet.hub_kill()
        fleet.write("ada/go", "")
        outbox = fleet.path("ada/outbox")
        await_true("the report waits on disk", lambda: [
            name for name in os.listdir(outbox) if name.endswith(".report")])
        fleet.hub_start()
        task = fleet.await_state(task_id, "completed")
        same((task["generation"], task["result"]["output"]), (1, "done\n"), "the result")
        with open(fleet.path("ada/runs")) as file:
            same(file.read(), "run\n", "it ran once")
        await_true("the outbox is empty", lambda: sorted(os.listdir(outbox)) == ["lock"])
        same([event["event"] for event in task["history"]].count("completed"), 1,
             "completed in the history")


def a_command_goes_on_while_the_hub_restarts():
    with Fleet() as fleet:
        fleet.sidecar("ada", **shell("echo run >>runs; until [ -e go ]; do sleep 0.05; done"))
        task_id = fleet.submit("long")
        fleet.await_state(task_id, "working")
        fleet.hub_kill()
        fleet.hub_start()
        fleet.await_agent("ada")
        time.sleep(0.5)
        same(fleet.task(task_id)["state"], "working", "it is still the agent's")
        fleet.write("ada/go", "")
        same(fleet.await_state(task_id, "completed")["generation"], 1, "its generation")
        with open(fleet.path("ada/runs")) as file:
            same(file.read(), "run\n", "it ran once")


def a_killed_sidecar_takes_its_command_along_and_tells_at_its_next_start():
    with Fleet() as fleet:
        process = fleet.sidecar("ada", **shell(
            "if [ -e self ]; then exit 0; fi; sleep 1000 & echo $! >child; echo $$ >self; wait"))
        task_id = fleet.submit("long", max_retries=3)
        fleet.await_state(task_id, "working")
        pids = fleet.pids("ada/child", "ada/self")
        process.kill()
        process.wait()
        await_true("the group is gone", lambda: not any(alive(pid) for pid in pids))
        fleet.sidecar_start(fleet.path("ada/config.json"))
        task = fleet.await_state(task_id, "completed")
        holds(any("sidecar_restarted" in str(event.get("details"))
                  for event in task["history"]), f"the history: {task['history']}")
        same(task["generation"], 3, "failed once, handed out twice")


def a_sidecar_told_to_end_finishes_its_task_and_takes_no_other():
    with Fleet() as fleet:
        process = fleet.sidecar("ada", **shell("until [ -e go ]; do sleep 0.05; done"))
        task_id = fleet.submit("long")
        fleet.await_state(task_id, "working")
        fleet.drain(process, "ada")
        other = fleet.submit("one more")
        same(fleet.task(other)["pending"]["agents"],
             [{"agent_id": "ada", "reason": "draining"}], "why it waits")
        # A hub that comes back hands it nothing either.
        fleet.hub_kill()
        fleet.hub_start()
        await_true("it drains on", lambda: fleet.agents().get("ada", {}).get("flags")
                   == ["draining"])
        fleet.write("ada/go", "")
        same(ends(process, 10), 0, "its exit status")
        same(fleet.task(task_id)["state"], "completed", "the task")
        same(fleet.task(other)["state"], "queued", "the other one")
        same(os.listdir(fleet.path("ada/outbox")), ["lock"], "the outbox")
        fleet.sidecar_start(fleet.path("ada/config.json"))
        fleet.await_state(other, "completed")


def a_sidecar_without_a_task_ends_at_once():
    with Fleet() as fleet:
        process = fleet.sidecar("ada", **shell("true"))
        process.send_signal(signal.SIGINT)
        same(ends(process, 5), 0, "its exit status")


def a_drain_does_not_take_longer_than_it_may():
    with Fleet() as fleet:
        process = fleet.sidecar("ada", kill_grace_ms=500, drain_limit_ms=300,
                                **shell("sleep 1000"))
        task_id = fleet.submit("long", max_retries=1)
        fleet.await_state(task_id, "working")
        process.send_signal(signal.SIGTERM)
        same(ends(process, 10), 0, "its exit status")
        same(fleet.task(task_id)["last_error"], "sidecar_stopped", "the reason")


def a_command_may_say_that_it_is_blocked():
    with Fleet() as fleet:
        fleet.sidecar("ada", **shell(
            'echo \'{"blocked": "which API?"}\'; until [ -e go ]; do sleep 0.05; done;'
            'echo \'{"blocked": false}\'; until [ -e on ]; do sleep 0.05; done;'
            'echo \'{"blocked": true}\'; echo done'))
        task_id = fleet.submit("long")
        await_true("it is blocked", lambda: fleet.task(task_id).get("blocked_reason")
                   == "which API?")
        same(fleet.agents()["ada"]["fsm_state"], "blocked", "the agent's state")
        fleet.hub_kill()
        fleet.hub_start()
        await_true("it is blocked still", lambda: fleet.agents().get("ada", {})
                   .get("fsm_state") == "blocked")
        fleet.write("ada/go", "")
        await_true("it goes on", lambda: fleet.agents()["ada"]["fsm_state"] == "working")
        fleet.write("ada/on", "")
        task = fleet.await_state(task_id, "completed")
        same(task["result"]["output"], "done\n", "what it said else")
        same([event["event"] for event in task["history"]][-4:],
             ["agent_blocked", "accepted", "assigned", "queued"], "the history")


def a_sidecar_told_twice_to_end_reports_its_task():
    with Fleet() as fleet:
        process = fleet.sidecar("ada", kill_grace_ms=500, **shell("sleep 1000"))
        task_id = fleet.submit("long", max_retries=1)
        fleet.await_state(task_id, "working")
        fleet.drain(process, "ada")
        process.send_signal(signal.SIGTERM)
        same(ends(process, 5), 0, "its exit status")
        task = fleet.await_state(task_id, "dead_letter")
        same(task["last_error"], "sidecar_stopped", "the reason")
        same(os.listdir(fleet.path("ada/outbox")), ["lock"], "the outbox")


def a_revoked_token_ends_the_sidecar():
    with Fleet() as fleet:
        process = fleet.sidecar("ada", **shell("true"))
        same(fleet.http("DELETE", "/admin/tokens/ada")[0], 200, "revoke")
        same(ends(process), 77, "its exit status")
        process = fleet.sidecar_start(fleet.path("ada/config.json"))
        same(ends(process), 77, "the exit status of the next one")


def the_newer_of_two_sidecars_stays():
    with Fleet() as fleet:
        token = fleet.register("ada")
        first = fleet.sidecar_start(fleet.sidecar_config("ada", token, **shell("true")))
        fleet.await_agent("ada")
        second_config = fleet.sidecar_config("ada", token, outbox_dir="./other",
                                             **shell("true"))
        fleet.sidecar_start(second_config)
        same(ends(first), 69, "the exit status of the older one")
        fleet.await_state(fleet.submit("x"), "completed")


def one_outbox_serves_one_sidecar():
    with Fleet() as fleet:
        fleet.sidecar("ada", **shell("true"))
        same(ends(fleet.sidecar_start(fleet.path("ada/config.json"))), 75, "exit status")


def tasks_at_once_are_as_many_as_allowed():
    with Fleet() as fleet:
        fleet.sidecar("ada", max_concurrent=3, **shell(
            "touch on.$DROVER_TASK_ID; until [ -e go ]; do sleep 0.05; done"))
        tasks = [fleet.submit(f"t{i}") for i in range(4)]
        await_true("three run", lambda: len([
            name for name in os.listdir(fleet.path("ada")) if name.startswith("on.")]) == 3)
        time.sleep(0.3)
        same(fleet.task(tasks[3])["state"], "queued", "the fourth")
        fleet.write("ada/go", "")
        for task_id in tasks:
            fleet.await_state(task_id, "completed")


def an_agent_woken_by_a_command_answers_by_files():
    with Fleet() as fleet:
        wake = ("printf '%s' \"${TASK_DESCRIPTION}\" >description; printf '%s' ${TASK_JSON} >json;"
                "printf '%s' '${TASK_ID}' >id;"
                "touch results/${TASK_ID}.started;"
                "(sleep 0.3; printf '{\"status\":\"success\",\"output\":\"ok\",\"tokens_used\":5}'"
                " >results/${TASK_ID}.json) >/dev/null 2>&1 & wait")
        fleet.sidecar("ada", wake_command=wake)
        nasty = 'a "b" $(touch harmed) `touch harmed`; \'touch harmed\' \\ *'
        task_id = fleet.submit(nasty)
        task = fleet.await_state(task_id, "completed")
        same(task["result"], {"status": "success", "output": "ok", "tokens_used": 5}, "result")
        same(task["tokens_used"], 5, "tokens")
        with open(fleet.path("ada/description")) as file:
            same(file.read(), nasty, "the description")
        with open(fleet.path("ada/json")) as file:
            same(json.load(file)["task_id"], task_id, "the task")
        with open(fleet.path("ada/id")) as file:
            same(file.read(), task_id, "a reference in single quotes")
        holds(not os.path.exists(fleet.path("ada/harmed")), "the text was run as shell")
        same(os.listdir(fleet.path("ada/results")), [], "the files are removed")


def an_agent_that_does_not_wake_or_confirm_fails_its_task():
    with Fleet() as fleet:
        fleet.sidecar("ada", wake_retry_delays_ms=[50, 50], confirmation_timeout_ms=200,
                      wake_command='echo x >>"tries.${TASK_DESCRIPTION}";'
                                   '[ "${TASK_DESCRIPTION}" = silent ] || exit 1')
        for description, wanted in (("asleep", "wake_failed_after_2_attempts"),
                                    ("silent", "confirmation_timeout")):
            task = fleet.await_state(fleet.submit(description, max_retries=1),
                                     "dead_letter")
            same(task["last_error"], wanted, description)
        with open(fleet.path("ada/tries.asleep")) as file:
            same(file.read(), "x\nx\nx\n", "the tries")


def a_woken_agent_outlives_its_sidecar():
    with Fleet() as fleet:
        process = fleet.sidecar("ada", wake_command="touch results/${TASK_ID}.started")
        task_id = fleet.submit("slow")
        fleet.await_state(task_id, "working")
        fleet.await_log("ada.log", "agent_confirmed")
        process.kill()
        process.wait()
        fleet.write(f"ada/results/{task_id}.json", '{"status":"success","output":1}')
        fleet.sidecar_start(fleet.path("ada/config.json"))
        same(fleet.await_state(task_id, "completed")["generation"], 1, "its generation")


def certificate_make(folder, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName={name}", "-keyout",
                    f"{folder}/key.pem", "-out", f"{folder}/cert.pem"],
                   check=True, capture_output=True)


def a_hub_with_tls_is_told_from_one_that_only_says_so():
    for name, fits in (("DNS:localhost", True), ("DNS:other.example", False)):
        with tempfile.TemporaryDirectory() as folder:
            certificate_make(folder, name)
            fleet = Fleet("--tls-certificate", f"{folder}/cert.pem", "--tls-key",
                          f"{folder}/key.pem")
            fleet.tls = ssl._create_unverified_context()
            with fleet:
                token = fleet.register("ada")
                url = f"wss://localhost:{fleet.port}/ws"
                untrusting = fleet.sidecar_start(fleet.sidecar_config(
                    "ada", token, hub_url=url, **shell("true")))
                fleet.await_log("ada.log", "disconnected")
                same(fleet.agents(), {}, "connected without trust")
                untrusting.kill()
                untrusting.wait()
                os.unlink(fleet.path("ada.log"))
                fleet.sidecar_start(fleet.sidecar_config(
                    "ada", token, hub_url=url, ca_file=f"{folder}/cert.pem",
                    **shell("true")))
                if fits:
                    fleet.await_agent("ada")
                    fleet.await_state(fleet.submit("x"), "completed")
                    hub = ("--hub", f"https://localhost:{fleet.port}")
                    same(fleet.drover(*hub, "--ca", f"{folder}/cert.pem", "task", "list")[0],
                         0, "the command line with trust")
                    same(fleet.drover(*hub, "task", "list")[0], 6, "without")
                else:
                    fleet.await_log("ada.log", "disconnected")
                    same(fleet.agents(), {}, "connected to another host")


def settings_that_are_wrong_are_refused_with_their_place():
    with Fleet() as fleet:
        def refused(text, *wanted, mode=0o600):
            config = fleet.write("bad.json", text, mode)
            process = fleet.sidecar_start(config)
            same(ends(process), 78, f"exit status for {text}")
            said = process.stderr.read().decode()
            for word in wanted:
                holds(word in said, f"{word} is not in {said!r}")

        good = {"agent_id": "ada", "token": "t", "hub_url": "ws://127.0.0.1:1/ws",
                "command": ["true"]}
        refused(json.dumps({**good, "colour": "red"}), "/colour")
        refused(json.dumps({**good, "max_concurrent": 0}), "/max_concurrent")
        refused(json.dumps({**good, "hub_url": "http://x"}), "/hub_url")
        refused(json.dumps({**good, "command": ["no-such-program"]}), "/command/0")
        refused(json.dumps({**good, "token_file": "x"}), "/token")
        refused(json.dumps({**good, "wake_command": "x"}), "/command")
        refused('{"agent_id": "ada",\n "agent_id"', "line 2")
        refused(json.dumps(good), "everybody can read", mode=0o644)
        fleet.write("secret", "t\n", 0o644)
        without = {key: value for key, value in good.items() if key != "token"}
        refused(json.dumps({**without, "token_file": "secret"}), "everybody can read")
        fleet.write("secret", "t\n", 0o600)
        config = fleet.write("good.json", json.dumps({**without, "token_file": "secret"}))
        same(os.spawnl(os.P_WAIT, f"{BIN}/drover-sidecar", "drover-sidecar", "--config",
                       config, "--check-config"), 0, "good settings")


if __name__ == "__main__":
    run([story for story in list(globals().values())
         if callable(story) and getattr(story, "__module__", "") == "__main__"
         and story not in (shell, certificate_make)])
