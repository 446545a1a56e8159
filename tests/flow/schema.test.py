#!/usr/bin/python3
"""drover schema: files checked, the public suite run, and each exit status."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fleet import BIN, holds, run, same  # noqa: E402

OK, FAILED, USAGE, NOT_FOUND = range(4)
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SUITE = os.path.join(ROOT, "../shared/json-schema-test-suite")
# Where the suite's tests expect its remote documents; part of their text, never asked.
REMOTE = "http://localhost:1234"


@contextlib.contextmanager
def folder(**files):
    """A temporary folder with these files; `__` in a name stands for a slash."""
    where = tempfile.mkdtemp(prefix="drover-schema-")
    try:
        for name, content in files.items():
            path = os.path.join(where, name.replace("__", "/") + ".json")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(content if isinstance(content, str) else json.dumps(content))
        yield where
    finally:
        shutil.rmtree(where)


def schema(where, *arguments, stdin=""):
    done = subprocess.run([os.path.abspath(f"{BIN}/drover"), "schema", *arguments],
                          cwd=where, input=stdin, capture_output=True, text=True,
                          timeout=120)
    return done.returncode, done.stdout, done.stderr


SHAPE = {"type": "object", "required": ["name"],
         "properties": {"name": {"type": "string"}, "sizes": {"items": {"maximum": 9}}}}


def each_instance_gets_its_verdict():
    with folder(shape=SHAPE, good={"name": "a"}, bad={"sizes": [1, 10]}) as where:
        same(schema(where, "check", "shape.json"), (OK, "a valid schema\n", ""), "alone")
        same(schema(where, "check", "shape.json", "good.json"),
             (OK, "good.json: valid\n", ""), "a valid one")
        status, said, _ = schema(where, "check", "shape.json", "bad.json", "good.json")
        same(status, FAILED, "one of them is bad")
        same(said.splitlines()[0], "bad.json: not valid", "the verdict")
        holds('  at the top: "name" is missing (/required)\n' in said,
              f"what is missing: {said}")
        holds(any("/sizes/1" in line and "(/properties/sizes/items/maximum)" in line
                  for line in said.splitlines()), f"what is too large: {said}")
        same(said.splitlines()[-1], "good.json: valid", "the other one")
        said = schema(where, "check", "-", "bad.json",
                      stdin='{"dependentRequired":{"sizes":["unit"]}}')[1]
        holds('"unit" is missing (/dependentRequired)' in said, said)
        same(schema(where, "check", "shape.json", "-", stdin='{"name":"b"}'),
             (OK, "-: valid\n", ""), "standard input")


def the_output_of_the_standard_is_a_line_a_file():
    with folder(shape=SHAPE, good={"name": "a"}, bad={"name": 1}, no="{") as where:
        status, said, _ = schema(where, "check", "--json", "shape.json", "good.json",
                                 "bad.json", "no.json")
        good, bad, no = map(json.loads, said.splitlines())
        same(status, FAILED, "exit status")
        same(good, {"valid": True}, "a valid one")
        same(bad["valid"], False, "a bad one")
        same([(unit["valid"], unit["instanceLocation"], unit["keywordLocation"])
              for unit in bad["errors"]], [(False, "/name", "/properties/name/type")], "why")
        holds(not no["valid"] and no["errors"][0]["error"].startswith("no JSON"), no)
        same(json.loads(schema(where, "check", "--json", "shape.json")[1]),
             {"valid": True}, "the schema alone")


def what_is_no_schema_is_refused():
    with folder(bad={"properties": {"a": {"type": "text"}}}, no="[", good={}) as where:
        status, said, _ = schema(where, "check", "bad.json", "good.json")
        same(status, FAILED, "a wrong keyword")
        holds("at /properties/a/type: no schema" in said, said)
        holds("good.json" not in said, "without a schema there is no verdict")
        status, said, _ = schema(where, "check", "--json", "bad.json", "good.json")
        same(json.loads(said)["errors"][0]["keywordLocation"], "/properties/a/type", "json")
        same(schema(where, "check", "no.json")[0], FAILED, "no JSON at all")
        same(schema(where, "check", "-", "good.json", stdin="false")[1],
             "good.json: not valid\n  at the top: nothing is allowed here\n", "false")
        said = schema(where, "check", "-", "good.json", stdin='{"$ref":"#"}')
        same(said[0], FAILED, "a schema that goes in circles")
        holds("no verdict" in said[1], said)


def unknown_keywords_and_formats_are_refused_when_asked():
    with folder(word={"lenght": 3}, ours={"x-note": 3}, mail={"format": "email"},
                other={"format": "iri"}, text='"nobody"') as where:
        same(schema(where, "check", "word.json")[0], OK, "the standard ignores it")
        same(schema(where, "check", "--strict", "word.json")[0], FAILED, "we do not")
        same(schema(where, "check", "--strict", "ours.json")[0], OK, "but for x-")
        same(schema(where, "check", "mail.json", "text.json")[0], OK, "an annotation")
        same(schema(where, "check", "--format", "mail.json", "text.json")[0], FAILED,
             "an assertion")
        same(schema(where, "check", "--format", "other.json", "text.json")[0], OK,
             "a format we do not name")
        same(schema(where, "check", "--format", "--strict", "other.json")[0], FAILED,
             "which may be refused")


def only_files_on_the_line_are_read():
    reference = {"$ref": "../common file.json#/$defs/id".replace(" ", "%20")}
    with folder(deep__a=reference, **{"common file": {"$defs": {"id": {"minLength": 2}}}},
                named={"$id": "tag:x,2026:n", "type": "null"}, by={"$ref": "tag:x,2026:n"},
                short='"a"', right='"ab"') as where:
        status, said, _ = schema(where, "check", "deep/a.json")
        same(status, FAILED, "it is beside it, but was not named")
        holds("/$ref" in said and "unknown document" in said, said)
        line = ["check", "--with", "common file.json", "deep/a.json"]
        same(schema(where, *line, "right.json")[0], OK, "named")
        status, said, _ = schema(where, *line, "short.json")
        same(status, FAILED, "and applied")
        holds("(/$ref/minLength)" in said, said)
        same(schema(os.path.join(where, "deep"), "check", "a.json", "--with",
                    "../common file.json", "../right.json")[0], OK, "from elsewhere")
        same(schema(where, "check", "by.json", "--with=named.json", "short.json")[0],
             FAILED, "by its $id")
        same(schema(where, "check", "by.json", "--with", "nowhere.json")[0], NOT_FOUND,
             "a file that is not there")


def what_is_wrong_with_the_line_is_said():
    with folder(shape=SHAPE, good={"name": "a"}, bad={}) as where:
        for line in ([], ["check"], ["suite"], ["check", "--optional", "shape.json"],
                     ["suite", ".", "more"], ["check", "shape.json", "--with"]):
            same(schema(where, *line)[0], USAGE, line)
        same(schema(where, "check", "none.json")[0], NOT_FOUND, "no such schema")
        status, said, why = schema(where, "check", "shape.json", "none.json", "good.json")
        same((status, said), (NOT_FOUND, "good.json: valid\n"), "no such instance")
        holds("none.json" in why, why)
        same(schema(where, "check", "shape.json", "bad.json", "none.json")[0], NOT_FOUND,
             "what is missing weighs more than what is wrong")
        same(schema(where, "check", "shape.json", ".")[0], FAILED, "a folder")


def texts_of_others_do_no_harm():
    with folder(shape={"additionalProperties": False},
                bad={"\x1b[31m\u202e": 1}) as where:
        _, said, _ = schema(where, "check", "shape.json", "bad.json")
        holds("\x1b" not in said and "\u202e" not in said and "u{1b}" in said, repr(said))


def many_files_fit_on_a_line():
    with folder(shape=SHAPE, good={"name": "a"}) as where:
        status, said, _ = schema(where, "check", "shape.json", *["good.json"] * 500)
        same((status, said.count(": valid\n")), (OK, 500), "verdicts")


def tests_of(text, **wanted):
    """A file of the suite: one group, a test for each instance and verdict."""
    return [{"description": "a group", "schema": text, "tests": [
        {"description": name, "data": data, "valid": valid}
        for name, (data, valid) in wanted.items()]}]


def a_suite_is_run_with_its_remotes():
    draft = "tests__draft2020-12__"
    formats = draft + "optional__format__"
    good = {draft + "type": tests_of({"type": "null"}, yes=(None, True), no=(1, False)),
            draft + "remote": tests_of({"$ref": f"{REMOTE}/in/far.json"}, no=(1, False)),
            "remotes__in__far": {"type": "string"},
            formats + "ipv4": tests_of({"format": "ipv4"}, no=("1.2.3", False)),
            formats + "iri": tests_of({"format": "iri"}, no=("//", False))}
    with folder(**good) as where:
        same(schema(where, "suite", "."), (OK, "3 passed, 0 failed\n", ""), "required")
        same(schema(where, "suite", ".", "--optional"), (OK, "4 passed, 0 failed\n", ""),
             "with formats, but for those we do not assert")
        same(json.loads(schema(where, "suite", "--json", ".")[1]),
             {"passed": 3, "failed": 0}, "as JSON")
    with folder(**{draft + "type": tests_of({"type": "null"}, yes=(None, True),
                                            lie=(1, True)),
                   draft + "word": tests_of({"type": "nil"}, any=(1, True))}) as where:
        status, said, _ = schema(where, "suite", ".")
        same(status, FAILED, "a test fails")
        same(said.splitlines()[-1], "1 passed, 2 failed", "counts")
        holds("type.json: a group: lie: found not valid" in said, said)
        holds("word.json: a group: any: no schema" in said, said)
    with folder(**{draft + "odd": [1, {}, {"schema": {}, "tests": [{}, 2]}]}) as where:
        same(schema(where, "suite", ".")[0], FAILED, "what is no suite")
        same(schema(where, "suite", "tests")[0], NOT_FOUND, "no suite at all")


def the_public_suite_passes():
    if not os.path.isdir(SUITE):
        print("skipped: the suite is not here")
        return
    status, said, why = schema(ROOT, "suite", SUITE)
    same((status, why), (OK, ""), said)
    passed, failed = said.split()[0], said.split()[2]
    holds(int(passed) >= 1299 and failed == "0", said)
    same(schema(ROOT, "suite", "--optional", SUITE)[0], OK, "with the formats")


if __name__ == "__main__":
    run([each_instance_gets_its_verdict, the_output_of_the_standard_is_a_line_a_file,
         what_is_no_schema_is_refused, unknown_keywords_and_formats_are_refused_when_asked,
         only_files_on_the_line_are_read, what_is_wrong_with_the_line_is_said,
         texts_of_others_do_no_harm, many_files_fit_on_a_line,
         a_suite_is_run_with_its_remotes, the_public_suite_passes])
