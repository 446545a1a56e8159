#!/bin/sh
# generated.sh SCHEMAC SCHEMAS: docs/protocol.md says what the schemas say.
set -eu

fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT
"$1" --schemas "$2" --docs "$fresh"
if ! diff -u docs/protocol.md "$fresh" >&2; then
    echo 'docs/protocol.md is stale: build the target "docs"' >&2
    exit 1
fi
