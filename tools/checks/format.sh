#!/bin/sh
# format.sh [--fix] [FOLDER...]: every source of ours is as clang-format leaves it;
# with --fix it is made so.
set -eu

here=$(dirname "$0")
command -v clang-format >/dev/null || {
    echo "clang-format is missing (tools/install --test)" >&2
    exit 1
}
mode='--dry-run -Werror'
if [ "${1:-}" = --fix ]; then
    mode=-i
    shift
fi
[ $# -gt 0 ] || set -- hub sidecar tools tests
# shellcheck disable=SC2086 # two options in one
"$here/sources.sh" '*.[ch]' "$@" | xargs -0 -r -n 32 clang-format $mode
