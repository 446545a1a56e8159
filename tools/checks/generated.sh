#!/bin/sh
# generated.sh SCHEMAC SCHEMAS: docs/protocol.md and docs/reference/ say what the schemas
# say, and nothing besides.
set -eu

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
"$1" --schemas "$2" --docs "$fresh"
if ! diff -u docs/protocol.md "$fresh/protocol.md" >&2 ||
    ! diff -ruN docs/reference "$fresh/reference" >&2; then
    echo 'the reference pages are stale: build the target "docs"' >&2
    exit 1
fi
