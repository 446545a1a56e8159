#!/bin/sh
# sources.sh PATTERN FOLDER...: our own files, NUL between them. Installed
# packages and whatever is generated into a build folder are not ours.
set -eu

pattern=$1
shift
for folder in "$@"; do
    [ -d "$folder" ] || continue
    find "$folder" -name node_modules -prune -o -type f -name "$pattern" -print0
done
