#!/usr/bin/python3
"""What agents say to each other, from the command line."""

import json
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fleet import Fleet, holds, run, same  # noqa: E402

OK, FAILED, USAGE, NOT_FOUND, CONFLICT, AUTH = range(6)


def good(done):
    same(done[0], OK, f"exit status, said {done[2]!r}")
    return done[1]


def a_message_is_sent_and_found():
    with Fleet() as fleet:
        sent = good(fleet.drover("message", "send", "--to", "ada", "--type", "note",
                                 '{"text": "one \u202e"}'))
        holds(re.fullmatch(r"[0-9a-f]{16} queued\n", sent), f"{sent!r}")
        good(fleet.drover("message", "send", "--reply-to", sent.split()[0], '{"n": 2}'))
        listed = good(fleet.drover("message", "list"))
        same([line.split()[0] for line in listed.splitlines()][1], sent.split()[0], "first")
        holds(re.search(r"ada +- +note +{\"text\": \"one \\u{202e}\"}$", listed, re.M),
              f"{listed!r}")
        same(len(good(fleet.drover("message", "list", "--to", "broadcast")).splitlines()), 2,
             "those to all")
        same(len(good(fleet.drover("message", "list", "--after", "+1h")).splitlines()), 1,
             "of a time to come")
        first = fleet.drover("message", "list", "--limit", "1")
        cursor = re.search(r"--cursor (\d+),", first[2]).group(1)
        holds('{"n": 2}' in good(fleet.drover("message", "list", "--limit", "1", "--cursor",
                                              cursor)), "the second page")
        same(len(good(fleet.drover("message", "list", "--limit", "1", "--all")).splitlines()),
             3, "page after page")
        for wrong in ("[1]", "{", ""):
            same(fleet.drover("message", "send", wrong)[0], USAGE, wrong)


def a_channel_is_made_spoken_in_and_read():
    with Fleet() as fleet:
        same(good(fleet.drover("channel", "create", "builds", "--description", "What was")),
             "builds created\n", "create")
        same(fleet.drover("channel", "create", "Builds")[0], CONFLICT, "it is there")
        for i in range(3):
            said = good(fleet.drover("channel", "publish", "builds", f'{{"n": {i}}}'))
            holds(re.fullmatch(rf"[0-9a-f]{{16}} seq {i + 1}\n", said), f"{said!r}")
        listed = good(fleet.drover("channel", "list"))
        holds(re.search(r"^builds +0 +\S+ +What was$", listed, re.M), f"{listed!r}")
        holds("What was" in good(fleet.drover("channel", "show", "builds")), "show")
        history = good(fleet.drover("channel", "history", "builds", "--since", "1"))
        same([line.split()[0] for line in history.splitlines()], ["SEQ", "2", "3"], "since")
        holds(history.endswith('chat  {"n": 2}\n'), f"{history!r}")
        same(fleet.drover("channel", "show", "nowhere")[0], NOT_FOUND, "no such channel")
        same(fleet.drover("channel", "publish", "a/b", "{}")[0], USAGE, "no name at all")


def a_mailbox_is_its_owners():
    with Fleet() as fleet:
        token = good(fleet.drover("token", "create", "ada")).strip()
        for i in range(2):
            good(fleet.drover("message", "send", "--to", "ada", f'{{"n": {i}}}'))
        own = {"token": False, "environment": {"DROVER_TOKEN": token}}
        read = good(fleet.drover("mailbox", "read", "ada", **own))
        same([line.split()[0] for line in read.splitlines()], ["SEQ", "1", "2"], "both")
        same(good(fleet.drover("mailbox", "ack", "ada", "1", **own)), "ada acknowledged\n",
             "ack")
        same(len(good(fleet.drover("mailbox", "read", "ada", **own)).splitlines()), 2, "one")
        same(fleet.drover("mailbox", "read", "bob", **own)[0], AUTH, "another's")
        same(fleet.drover("mailbox", "ack", "ada", "one", **own)[0], USAGE, "no number")
        same(good(fleet.drover("mailbox", "retention", "12h")), "43200000 ms\n", "set")
        same(good(fleet.drover("mailbox", "retention")), "43200000 ms\n", "told")
        same(json.loads(good(fleet.drover("--json", "mailbox", "retention")))
             ["mailbox_ttl_ms"], 43200000, "--json")
        same(fleet.drover("mailbox", "retention", "soon")[0], USAGE, "no time")


if __name__ == "__main__":
    run([a_message_is_sent_and_found, a_channel_is_made_spoken_in_and_read,
         a_mailbox_is_its_owners])
