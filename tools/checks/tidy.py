#!/usr/bin/env python3
"""tidy.py BUILD [SHARD OF]: clang-tidy over what is shipped, with the commands of BUILD.

SHARD (from 1) of OF takes every so many-th file, the largest first, so that all take as
long. What was found clean is not looked at again while everything it was judged by is the
same: the file, its headers, its command, .clang-tidy and clang-tidy itself (BUILD/tidy).
"""
import hashlib
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FOLDERS = ("hub", "sidecar", "tools")
# It counts the warnings it suppressed in system headers; only ours matter.
TIDY = ("clang-tidy", "--quiet", "--extra-arg=-Wno-unknown-warning-option")


def said(*command, **options):
    return subprocess.run(command, capture_output=True, check=True, **options).stdout


def files_of(shard, of):
    found = said(HERE / "sources.sh", "*.c", *FOLDERS, cwd=ROOT).decode().split("\0")
    files = sorted((ROOT / name for name in found if name),
                   key=lambda file: (-file.stat().st_size, file))
    return files[shard - 1::of]


def inputs_of(entry):
    """All files the compiler reads: the source and its headers, of the system too."""
    words = iter(shlex.split(entry["command"])[1:])
    command = ["clang", "-M", "-w"]
    for word in words:
        if word == "-o":
            next(words)
        elif word not in ("-c", "-Werror"):
            command.append(word)
    rule = said(*command, cwd=entry["directory"]).decode()
    return shlex.split(rule.partition(":")[2].replace("\\\n", " "))


def digest_of(entry, common):
    digest = hashlib.sha256(common + entry["command"].encode())
    for name in inputs_of(entry):
        path = pathlib.Path(entry["directory"], name)
        digest.update(b"\0" + os.fsencode(path) + b"\0" + path.read_bytes())
    return digest.hexdigest()


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    shard, of = (int(word) for word in sys.argv[2:4]) if len(sys.argv) > 2 else (1, 1)
    if shutil.which("clang-tidy") is None:
        sys.exit("clang-tidy is missing (tools/install --test)")
    entries = {entry["file"]: entry for entry in
               json.loads((build / "compile_commands.json").read_text())}
    clean = build / "tidy"
    clean.mkdir(exist_ok=True)
    common = b"\0".join((said("clang-tidy", "--version"), repr(TIDY).encode(),
                         (ROOT / ".clang-tidy").read_bytes()))
    failed = False
    for file in files_of(shard, of):
        if str(file) not in entries:
            sys.exit(f"{file} is not built: nothing says how to read it")
        mark = clean / str(file.relative_to(ROOT)).replace("/", ".")
        digest = digest_of(entries[str(file)], common)
        if mark.exists() and mark.read_text() == digest:
            continue
        done = subprocess.run([*TIDY, "-p", build, file], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, cwd=ROOT, check=False)
        if done.returncode == 0:
            mark.write_text(digest)
        else:
            failed = True
            sys.stderr.buffer.write(done.stdout)
    sys.exit(failed)


if __name__ == "__main__":
    main()
