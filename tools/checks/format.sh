#!/bin/sh
# format.sh [--fix] [FOLDER...]: every source of ours is as clang-format leaves it;
# with --fix it is made so.
set -eu

here=$(dirname "$0")
command -v clang-format >/dev/null || {
    echo "clang-format is missing (tools/install --test)" >&2
    exit 1
}
fix=
if [ "${1:-}" = --fix ]; then
    fix=1
    shift
fi
[ $# -gt 0 ] || set -- hub sidecar tools tests

if [ -n "$fix" ]; then
    "$here/sources.sh" '*.[ch]' "$@" | xargs -0 -r clang-format -i
    exit 0
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$here/sources.sh" '*.[ch]' "$@" |
    xargs -0 -r clang-format --dry-run -Werror 2>"$log" && exit 0
grep -E '^[^ ].*: (error|warning): ' "$log" | cut -d: -f1,2 | sort -u >&2 || cat "$log" >&2
echo 'tools/checks/format.sh --fix [FOLDER...] puts it right' >&2
exit 1
