#!/usr/bin/python3
"""validate.py FOLDER MILLISECONDS: python3-jsonschema on the cases of a folder.

Prints what it is, then for each case its name and validations a second, parsing
included."""

import importlib.metadata
import json
import platform
import sys
import time

from jsonschema import Draft202012Validator as Validator


def rate(call, span_s):
    done = 0
    start = time.perf_counter()
    while True:
        if not call():
            raise SystemExit("not valid any more")
        done += 1
        passed = time.perf_counter() - start
        if passed >= span_s:
            return done / passed


def main(folder, span_s):
    def read(name):
        with open(f"{folder}/{name}", "rb") as file:
            return file.read()

    print(f"jsonschema {importlib.metadata.version('jsonschema')}, "
          f"python {platform.python_version()}")
    for name in read("cases").decode().split():
        validator = Validator(json.loads(read(f"{name}.schema.json")),
                              format_checker=Validator.FORMAT_CHECKER)
        data = read(f"{name}.json")
        validator.validate(json.loads(data))
        if validator.is_valid(json.loads(read(f"{name}.broken.json"))):
            raise SystemExit(f"{name}: what is broken is found valid")
        print(name, rate(lambda: validator.is_valid(json.loads(data)), span_s))


main(sys.argv[1], int(sys.argv[2]) / 1000)
