#!/usr/bin/python3
"""schemas/ is plain JSON Schema: an ordinary tool loads every file of it, references and
all, and judges its examples, and what is made of them by spoiling, as we do."""

import copy
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import warnings

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fleet import BIN, holds, run, same  # noqa: E402

warnings.simplefilter("ignore")
import jsonschema  # noqa: E402

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schemas"
PARTS = {"path": "path_parameters", "query": "query", "headers": "headers",
         "request": "body"}
STRANGERS = [None, True, -1, 1.5, "?", "", [], [0], {}, {"?": 0}]


def schemas_of(path):
    """The schemas of one file: a name for each, itself, and what is shown of it."""
    root = json.loads(path.read_text())
    name = str(path.relative_to(SCHEMAS))
    if "answers" in root:
        shown = root["examples"]
        for part, key in PARTS.items():
            if key in root:
                yield f"{name}.{part}.json", root[key], [one.get(part, {}) for one in shown]
        for status, answer in root["answers"].items():
            if "body" in answer:
                yield f"{name}.{status}.json", answer["body"], [one["answer"] for one in shown]
    elif "http_error" in root:
        for key in ("http_error", "problem"):
            yield f"{name}.{key}.json", root[key], root[key]["examples"]
    elif "type" in root:
        yield name, root, root["examples"]


def spoiled(value, room):
    """Values that differ from `value` in one place."""
    yield from STRANGERS
    if isinstance(value, dict):
        for key in value:
            less = dict(value)
            del less[key]
            yield less
            for other in spoiled(value[key], room - 1) if room else STRANGERS:
                yield {**value, key: other}
        yield {**value, "stranger": 1}
    elif isinstance(value, list):
        for index, item in enumerate(value[:2]):
            for other in spoiled(item, room - 1) if room else STRANGERS:
                yield value[:index] + [other] + value[index + 1:]


def ordinary(path, schema):
    """The validator of a tool that knows nothing of us."""
    jsonschema.Draft202012Validator.check_schema(schema)
    resolver = jsonschema.RefResolver(path.as_uri(), schema)
    return jsonschema.Draft202012Validator(schema, resolver=resolver)


def ours(folder, name, schema, values):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema))
    files = []
    for index, value in enumerate(values):
        files.append(str(folder / f"{index}.json"))
        pathlib.Path(files[-1]).write_text(json.dumps(value))
    done = subprocess.run([f"{BIN}/drover", "schema", "check", "--json", "--strict", "--with",
                           str(folder / "common.json"), str(path), *files],
                          capture_output=True, text=True)
    verdicts = [json.loads(line)["valid"] for line in done.stdout.splitlines()]
    same(len(verdicts), len(values), f"verdicts of {name}: {done.stdout[:500]} {done.stderr}")
    return verdicts


def an_ordinary_tool_judges_as_we_do():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="drover-schemas-"))
    shutil.copy(SCHEMAS / "common.json", folder)
    count = 0
    for path in sorted(SCHEMAS.rglob("*.json")):
        for name, schema, examples in schemas_of(path):
            checker = ordinary(path, schema)
            for example in examples:
                errors = [error.message for error in checker.iter_errors(example)]
                same(errors, [], f"an example of {name}")
            # Spoilt at two depths, and no more of them than one line takes.
            values = [copy.deepcopy(one) for one in examples]
            values += [other for one in examples[:2] for other in spoiled(one, 1)]
            values = values[:700]
            for value, verdict in zip(values, ours(folder, name, schema, values)):
                same(verdict, checker.is_valid(value), f"{name} on {json.dumps(value)}")
            count += 1
    holds(count > 120, f"{count} schemas")
    shutil.rmtree(folder)


def every_reference_is_followed_from_its_file():
    for path in sorted(SCHEMAS.rglob("*.json")):
        for reference in references(json.loads(path.read_text())):
            file, _, pointer = reference.partition("#")
            target = json.loads((path.parent / file).read_text() if file
                                else path.read_text())
            for key in pointer.strip("/").split("/"):
                holds(key in target, f"{path}: {reference} leads nowhere")
                target = target[key]


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for member in value.values():
            yield from references(member)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


if __name__ == "__main__":
    run([an_ordinary_tool_judges_as_we_do, every_reference_is_followed_from_its_file])
