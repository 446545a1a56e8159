#!/usr/bin/python3
"""The first administrator: one secret, used once, and a way in after every mishap."""

import concurrent.futures
import os
import pathlib
import signal
import stat
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from support import BIN, ENVIRONMENT, case, main, same, until  # noqa: E402

IN_USE = 69


def secret_file(hub):
    return hub.data / "enrolment.secret"


def enrol(hub, secret, **body):
    return hub.http("POST", "/api/enrol", body, token=secret)


def offer(hub):
    """What drover-hub --new-enrolment says, and its exit code."""
    done = subprocess.run(
        [str(BIN / "drover-hub"), "--data", str(hub.data), "--new-enrolment"],
        capture_output=True, text=True, env={**os.environ, **ENVIRONMENT})
    return done.returncode, done.stdout, done.stderr


def drover(hub, *arguments, home=None):
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("DROVER_") and name != "XDG_CONFIG_HOME"}
    environment["HOME"] = str(home or hub.folder)
    done = subprocess.run([str(BIN / "drover"), "--hub", hub.url, *arguments],
                          capture_output=True, text=True, cwd=hub.folder, env=environment)
    return done.returncode, done.stdout.strip(), done.stderr


def keeps_no_text(hub, *texts):
    """None of these stands in the log or in a file of the data directory."""
    for path in [hub.log_path, *filter(pathlib.Path.is_file, hub.data.rglob("*"))]:
        content = path.read_bytes()
        for text in texts:
            assert text.encode() not in content, f"{text[:8]}... stands in {path.name}"


@case()
def the_secret_is_for_the_owner_alone_and_good_once(hub):
    secret = hub.secret
    same(stat.S_IMODE(os.stat(secret_file(hub)).st_mode), 0o600)
    same(len(secret), 64)
    answer = enrol(hub, secret, agent_id="root")
    same(answer.status, 201)
    same((answer.json["agent_id"], answer.json["role"]), ("root", "admin"))
    token = answer.json["token"]
    assert not secret_file(hub).exists(), "the file goes before the answer comes"
    same(hub.http("GET", "/admin/tokens", token=token).status, 200)

    again = enrol(hub, secret)
    same((again.status, again.json["error"]), (401, "unauthorized"))
    assert "--new-enrolment" in again.json["hint"], again
    same(again.headers["WWW-Authenticate"], "Bearer")
    keeps_no_text(hub, secret, token)


@case()
def the_secret_opens_no_other_route(hub):
    for method, path in [("GET", "/api/tasks"), ("GET", "/admin/tokens"),
                         ("POST", "/admin/tokens"), ("DELETE", "/admin/tokens/admin")]:
        same(hub.http(method, path, token=hub.secret).status, 403)
    same(hub.http("POST", "/api/enrol", {}, token=hub.register("ada")).status, 403)
    same(hub.http("POST", "/api/enrol", {}).status, 401)
    same(hub.http("POST", "/api/enrol", {}, token="0" * 64).status, 401)
    hub.admin  # still good


@case()
def of_many_at_once_one_becomes_administrator(hub):
    secret = hub.secret
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: enrol(hub, secret, agent_id=f"a{n}"), range(8)))
    made = [answer for answer in answers if answer.status == 201]
    same(len(made), 1)
    assert {answer.status for answer in answers} <= {201, 401, 410}, answers
    listed = hub.http("GET", "/admin/tokens", token=made[0].json["token"]).json["tokens"]
    same([token["role"] for token in listed], ["admin"])


@case()
def a_kill_before_keeps_the_secret_and_a_kill_after_does_not(hub):
    secret = hub.secret
    hub.stop(signal.SIGKILL)
    hub.start()
    same(hub.secret, secret)
    token = hub.admin
    # As if it had been killed between the commit and the removal.
    hub.stop(signal.SIGKILL)
    secret_file(hub).write_text(secret + "\n")
    hub.start()
    assert not secret_file(hub).exists(), "a void secret is removed at the start"
    same(enrol(hub, secret).status, 401)
    same(hub.http("GET", "/admin/tokens", token=token).status, 200)


@case()
def a_lost_secret_is_replaced_at_the_next_start(hub):
    secret = hub.secret
    hub.stop()
    secret_file(hub).unlink()
    hub.start()
    assert hub.secret != secret
    same(enrol(hub, secret).status, 401)
    hub.admin


@case()
def whoever_has_the_data_directory_finds_the_way_back_in(hub):
    first = hub.admin
    code, said, _ = offer(hub)
    same((code, said), (IN_USE, ""))
    hub.stop()
    code, said, why = offer(hub)
    same((code, said), (0, f"{secret_file(hub)}\n"))
    secret = hub.secret
    assert secret not in why, "the secret goes into its file alone"
    code, _, _ = offer(hub)
    same(code, 0)
    assert hub.secret != secret
    hub.start()
    same(enrol(hub, secret).status, 401)
    second = enrol(hub, hub.secret)
    same(second.status, 201)
    for token in (first, second.json["token"]):
        same(hub.http("GET", "/admin/tokens", token=token).status, 200)
    assert not secret_file(hub).exists()


@case()
def the_command_line_enrols_and_finds_its_token_again(hub):
    out = hub.folder / "own" / "token"
    status, _, why = drover(hub, "hub", "enrol", "--data", str(hub.data), "--out", str(out))
    same(status, 1)
    assert "No such file" in why, why
    out.parent.mkdir()
    same(drover(hub, "hub", "enrol", "--data", str(hub.data), "--out", str(out), "root"),
         (0, str(out), ""))
    same(stat.S_IMODE(os.stat(out).st_mode), 0o600)
    same([path.name for path in out.parent.iterdir()], ["token"])
    same(drover(hub, "--token-file", str(out), "task", "list")[0], 0)
    status, _, why = drover(hub, "hub", "enrol", "--data", str(hub.data))
    same(status, 3)
    assert "--new-enrolment" in why, why

    hub.stop()
    offer(hub)
    hub.start()
    same(drover(hub, "hub", "enrol", "--data", str(hub.data), "--out", str(out))[0], 4)
    home = hub.folder / "home"
    home.mkdir()
    kept = home / ".config" / "drover" / "token"
    same(drover(hub, "hub", "enrol", "--data", str(hub.data), home=home), (0, str(kept), ""))
    same(stat.S_IMODE(os.stat(kept).st_mode), 0o600)
    same(drover(hub, "task", "list", home=home)[0], 0)
    same(drover(hub, "task", "list")[0], 5)
    until(lambda: not secret_file(hub).exists(), "the secret is gone")


if __name__ == "__main__":
    main()
