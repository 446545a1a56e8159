#!/bin/sh
# clang.sh BUILD: the other compiler builds everything, and warns of nothing. What it
# builds is not run, so it does not optimise.
set -eu

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if cmake -S . -B "$1" -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug \
    -DCMAKE_C_FLAGS_DEBUG=-O0 -DDROVER_CHECKS=OFF >"$log" 2>&1 && cmake --build "$1" -- --quiet -k 0 >>"$log" 2>&1; then
    exit 0
fi
cat "$log" >&2
exit 1
