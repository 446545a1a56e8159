#!/bin/sh
# tidy.sh BUILD: clang-tidy over what is shipped, with the commands of BUILD.
set -eu

here=$(dirname "$0")
command -v clang-tidy >/dev/null || {
    echo "clang-tidy is missing (tools/install --test)" >&2
    exit 1
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# It counts the warnings it suppressed in system headers; only ours matter.
if "$here/sources.sh" '*.c' hub sidecar tools |
    xargs -0 -r -n 1 -P "$(nproc)" clang-tidy -p "$1" --quiet \
        --extra-arg=-Wno-unknown-warning-option >"$log" 2>/dev/null; then
    exit 0
fi
cat "$log" >&2
exit 1
