#!/usr/bin/python3
"""The manual pages name every setting, command and option there is."""

import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fleet import BIN, holds, run, same  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def page(name):
    with open(os.path.join(ROOT, "docs/man", name)) as file:
        return file.read()


def properties(name):
    with open(os.path.join(ROOT, "schemas", name)) as file:
        return json.load(file)["properties"]


def every_setting_of_the_sidecar_has_its_place():
    named = re.findall(r"^\.It Cm (\w+) Pq", page("drover-sidecar.1"), re.M)
    same(named, list(properties("sidecar_config.json")), "settings")


def every_setting_of_the_hub_has_its_place():
    named = re.findall(r"^\.It Fl -([\w-]+)", page("drover-hub.8"), re.M)
    flags = [rule["x-flag"][2:] for rule in properties("config.json").values()]
    errands = ["config", "check-config", "new-enrolment", "verify-store",
               "verify-events", "restore", "yes", "force", "store-at", "to", "epoch"]
    same(sorted(named), sorted([*flags, *errands]), "settings")


def every_command_and_option_has_its_place():
    def helps(*words):
        return subprocess.run([f"{BIN}/drover", *words, "--help"], capture_output=True,
                              text=True, check=True).stdout

    words = re.findall(r"^  ([a-z]+) ?([a-z-]*)", helps().split("For all commands:")[0], re.M)
    for group, command in words:
        # What is not worth a page of its own stands in drover(1).
        own_page = os.path.exists(os.path.join(ROOT, f"docs/man/drover-{group}.1"))
        text = page(f"drover-{group}.1" if own_page else "drover.1")
        head = f".Ss {command}\n" if own_page else f"Cm {group} {command}".rstrip()
        holds(head in text, f"{group} {command} has no section")
        own = helps(group, *command.split()).split("For all commands:")[0]
        for option in re.findall(r"^  --([\w-]+)", own, re.M):
            holds(f"Fl -{option}" in text,
                  f"--{option} of {group} {command} is not in its page")
    for option in re.findall(r"^  --([\w-]+)", helps().split("For all commands:")[1], re.M):
        holds(f".It Fl -{option}" in page("drover.1"), f"--{option} is not in drover.1")


def every_promise_is_held_by_a_test_that_there_is():
    with open(os.path.join(ROOT, "docs/promises.md")) as file:
        named = set(re.findall(r"`((?:unit|flow|crash|property|simulation)\.[a-z_.0-9]+)`",
                               file.read()))
    holds(len(named) > 20, f"tests named: {named}")
    for name in sorted(named):
        kind, *rest = name.split(".")
        places = {"unit": [f"tests/unit/{rest[0]}/test_{rest[-1]}.c"],
                  "flow": [f"tests/flow/{rest[0]}.test.py", f"tests/flow/{rest[0]}.test.mjs"],
                  "crash": [f"tests/crash/{rest[0]}.py"],
                  "property": [f"tests/property/test_{rest[0]}.c"],
                  "simulation": ["tests/simulation/main.c"]}[kind]
        holds(any(os.path.exists(os.path.join(ROOT, place)) for place in places),
              f"there is no {name}")


if __name__ == "__main__":
    run([every_setting_of_the_sidecar_has_its_place,
         every_setting_of_the_hub_has_its_place, every_command_and_option_has_its_place,
         every_promise_is_held_by_a_test_that_there_is])
