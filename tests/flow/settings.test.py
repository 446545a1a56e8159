#!/usr/bin/python3
"""Settings come from file, environment and flags; what is wrong is said with its place."""

import contextlib
import json
import os
import socket
import subprocess
import sys

sys.dont_write_bytecode = True
from support import (BIN, ENVIRONMENT, PATIENCE_S, Hub, case, main,  # noqa: E402
                     make_certificate, same)

BAD_SETTINGS = 78


def run(folder, *flags, env=None):
    """The hub with these flags, which must end by itself."""
    return subprocess.run(
        [str(BIN / "drover-hub"), *map(str, flags)], cwd=folder,
        env={**os.environ, **ENVIRONMENT, **(env or {})}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=PATIENCE_S)


def refused(done, *words):
    same((done.returncode, done.stderr), (BAD_SETTINGS, done.stderr))
    for word in words:
        assert word in done.stderr, f"{word!r} is not in {done.stderr!r}"


def file_of(folder, settings):
    path = folder / "hub.json"
    path.write_text(settings if isinstance(settings, str) else json.dumps(settings))
    return path


@case(hub=False)
def the_version_and_help_are_told(folder):
    done = run(folder, "--version")
    same((done.returncode, done.stderr), (0, ""))
    assert "drover" in done.stdout and any(c.isdigit() for c in done.stdout), done.stdout
    same(len(done.stdout.splitlines()), 1)
    done = run(folder, "--help")
    same(done.returncode, 0)
    for word in ("--listen", "--data", "--config", "--check-config", "--lease-ms",
                 "DROVER_LEASE_MS", "300000"):
        assert word in done.stdout, word


@case(hub=False)
def a_bad_flag_is_refused_with_its_place(folder):
    refused(run(folder, "--lease-ms", "0"), "--lease-ms", "0")
    refused(run(folder, "--lease-ms", "soon"), "--lease-ms", "soon")
    refused(run(folder, "--lease-ms", "99999999999999999999"), "--lease-ms")
    refused(run(folder, "--lease-ms=1.5"), "--lease-ms")
    refused(run(folder, "--lease-ms"), "--lease-ms")
    refused(run(folder, "--attempts-max=101"), "--attempts-max", "100")
    refused(run(folder, "--log-level", "loud"), "--log-level", "loud")
    refused(run(folder, "--bogus", "1"), "--bogus")
    refused(run(folder, "stray"), "stray")
    refused(run(folder, "--listen", "nowhere"), "listen")
    refused(run(folder, "--listen", "127.0.0.1:99999"), "listen")
    refused(run(folder, "--insecure-listen=maybe"), "--insecure-listen", "maybe")
    same([path.name for path in folder.iterdir()], [])


@case(hub=False)
def a_bad_variable_is_refused_with_its_name(folder):
    refused(run(folder, env={"DROVER_LEASE_MS": "x"}), "DROVER_LEASE_MS")
    refused(run(folder, env={"DROVER_LEASE_MS": "-1"}), "DROVER_LEASE_MS")
    refused(run(folder, env={"DROVER_LEAS_MS": "1"}), "DROVER_LEAS_MS")


@case(hub=False)
def a_bad_file_is_refused_with_line_and_reason(folder):
    for settings, *words in (
            ({"lease_ms": 0}, "lease_ms"),
            ({"lease_ms": "1"}, "lease_ms"),
            ({"lease_ms": 1.5}, "lease_ms"),
            ({"log_level": "loud"}, "log_level"),
            ({"hosts": "one"}, "hosts"),
            ({"hosts": [1]}, "hosts"),
            ({"bogus": 1}, "bogus"),
            ("[]", "hub.json"),
            ("", "hub.json"),
            ('{\n"data":"x",\n"lease_ms":07\n}', "hub.json:3"),
            ('{\n"lease_ms": 5,\n"lease_ms": 6}', "hub.json:3"),
            ('{\n\n"lease_ms": 0\n}', "hub.json:3"),
            ('{"data": "a\\u0000b"}', "data")):
        path = file_of(folder, settings)
        refused(run(folder, "--config", path, "--check-config"), *words)
        refused(run(folder, "--config", path), *words)
    refused(run(folder, "--config", folder / "none.json"), "none.json")


@case(hub=False)
def all_that_is_wrong_with_a_file_is_said_at_once(folder):
    path = file_of(folder, {"lease_ms": 0, "bogus": 1, "acceptance_ms": "x"})
    refused(run(folder, "--config", path), "lease_ms", "bogus", "acceptance_ms")


@case(hub=False)
def good_settings_are_checked_without_a_trace(folder):
    path = file_of(folder, {"listen": "127.0.0.1:4000", "lease_ms": 1000,
                            "hosts": ["a", "b"], "open_registration": False})
    done = run(folder, "--config", path, "--check-config")
    same((done.returncode, done.stderr), (0, done.stderr))
    done = run(folder, "--check-config", "--lease-ms", "5", env={"DROVER_DATA": "x"})
    same(done.returncode, 0)
    same([entry.name for entry in folder.iterdir()], ["hub.json"])


@case(hub=False)
async def a_flag_wins_over_the_environment_and_that_over_the_file(folder):
    path = file_of(folder, {"lease_ms": 1111, "acceptance_ms": 1,
                            "reconnect_grace_ms": 4444})
    hub = Hub(folder, "--config", str(path), "--lease-ms", "3333",
              env={"DROVER_LEASE_MS": "2222", "DROVER_ACCEPTANCE_MS": "60000"}).start()
    try:
        ada = await hub.agent("ada")
        same((ada.identified["lease_ms"], ada.identified["reconnect_grace_ms"]),
             (3333, 4444))
        task_id = hub.submit()["task_id"]
        await ada.given(task_id)
        await ada.settle()
        same(hub.task(task_id)["retry_count"], 0)
        same(hub.stop(), 0)
    finally:
        hub.kill()


@case(hub=False)
def listening_beyond_loopback_without_tls_is_refused(folder):
    for address in ("0.0.0.0:0", "[::]:0"):
        done = run(folder, "--data", folder / "d", "--listen", address)
        refused(done, "listen", "insecure")
        refused(run(folder, "--data", folder / "d", "--listen", address,
                    "--check-config"), "insecure")
    assert not (folder / "d").exists()


@case(hub=False)
def it_may_be_told_to_in_full_words_and_then_registration_is_closed(folder):
    hub = Hub(folder, "--insecure-listen", host="0.0.0.0").start()
    try:
        same(hub.http("GET", "/health").status, 200)
        answer = hub.http("POST", "/api/onboard/register", {"agent_id": "ada"})
        assert answer.status in (401, 403), answer
        answer = hub.http("POST", "/api/onboard/register", {"agent_id": "ada"},
                          token=hub.mint("door", "enrol"))
        same(answer.status, 201)
        same(hub.stop(), 0)
    finally:
        hub.kill()


@case(hub=False)
async def tls_carries_both_doors(folder):
    certificate, key, context = make_certificate(folder)
    hub = Hub(folder, "--tls-certificate", str(certificate), "--tls-key", str(key),
              tls=context).start()
    try:
        answer = hub.http("POST", "/api/onboard/register", {"agent_id": "ada"})
        same((answer.status, answer.json["hub_ws_url"], answer.json["hub_api_url"]),
             (201, hub.ws_url, hub.url))
        hub.tokens["ada"] = answer.json["token"]
        ada = await hub.agent("ada")
        task_id = hub.submit("over TLS", metadata={"x": "y" * 50_000})["task_id"]
        given = await ada.given(task_id)
        same(given["metadata"], {"x": "y" * 50_000})
        await ada.complete(given, result={"z": "w" * 50_000})
        same(hub.task(task_id)["state"], "completed")
        assert ada.socket.transport.get_extra_info("cipher")[1] in ("TLSv1.2", "TLSv1.3")

        # Whoever speaks in the clear gets nowhere, and holds nobody up.
        with socket.create_connection((hub.host, hub.port), PATIENCE_S) as line:
            line.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                assert b"200" not in line.recv(4096)
        await ada.settle()
        same(hub.stop(), 0)
    finally:
        hub.kill()


@case(hub=False)
def bad_tls_files_are_refused(folder):
    certificate, key, _ = make_certificate(folder)
    data = ("--data", folder / "d", "--listen", "127.0.0.1:0")
    refused(run(folder, *data, "--tls-certificate", certificate), "tls_key")
    refused(run(folder, *data, "--tls-key", key), "tls_certificate")
    refused(run(folder, *data, "--tls-certificate", folder / "none", "--tls-key", key),
            "none")
    (folder / "junk").write_text("junk")
    refused(run(folder, *data, "--tls-certificate", folder / "junk", "--tls-key", key),
            "junk")


@case(hub=False)
def a_port_in_use_is_said_and_nothing_hangs(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(folder, "--data", folder / "d", "--listen", f"127.0.0.1:{port}")
        assert done.returncode not in (0, None) and done.returncode > 0, done
        assert str(port) in done.stderr, done.stderr


@case(hub=False)
def a_data_folder_that_cannot_be_is_said(folder):
    (folder / "file").write_text("")
    done = run(folder, "--data", folder / "file" / "d", "--listen", "127.0.0.1:0")
    assert done.returncode > 0, done
    assert "file/d" in done.stderr, done.stderr


@case(hub=False)
def what_the_hub_writes_is_its_owners_alone(folder):
    hub = Hub(folder).start()
    try:
        hub.submit()
        for path in [hub.data, *hub.data.rglob("*")]:
            assert path.stat().st_mode & 0o077 == 0, (path, oct(path.stat().st_mode))
        same(len(hub.admin), 64)
        same(hub.stop(), 0)
    finally:
        hub.kill()


@case()
def every_line_of_the_log_is_json(hub):
    hub.submit("a\nb\x1b[31m")
    hub.http("GET", "/api/tasks", token="x")
    same(hub.stop(), 0)
    lines = hub.log().splitlines()
    assert lines, "nothing was logged"
    for line in lines:
        assert isinstance(json.loads(line), dict), line
        assert hub.tokens["submitter"] not in line


if __name__ == "__main__":
    main()
