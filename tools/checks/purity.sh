#!/bin/sh
# purity.sh CORE_LIB LIB...: the core calls itself, the libraries named, mem*/str*
# and what the compiler adds around those; so it has no clock, chance, file,
# thread or memory of its own. Meant for a build without sanitizers.
set -eu

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

symbols() { nm --just-symbols "$@" | grep -Ev ':$|^$' | sort -u; }

symbols --undefined-only "$1" >"$scratch/wants"
[ -s "$scratch/wants" ] || {
    echo "$1: no symbols were read" >&2
    exit 1
}
symbols --defined-only "$@" >"$scratch/has"
leaks=$(comm -23 "$scratch/wants" "$scratch/has" |
    grep -Ev '^(mem|str)[a-z]+$|^__(mem|str)[a-z]+_chk$' |
    grep -Ev '^(__stack_chk_fail|_GLOBAL_OFFSET_TABLE_)$' |
    grep -Ev '^str(error|signal|coll|xfrm|ftime|ptime|dup|ndup)' || true)
drawn=$(comm -23 "$scratch/wants" "$scratch/has" |
    grep -E '^str(error|signal|coll|xfrm|ftime|ptime|dup|ndup)' || true)
[ -z "$leaks$drawn" ] && exit 0
printf '%s must not call:\n%s\n%s\n' "$1" "$leaks" "$drawn" >&2
exit 1
