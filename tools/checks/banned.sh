#!/bin/sh
# banned.sh: the libraries stay behind the rooms that own them, nothing starts a
# shell, and a few words never enter the tree. Comments may say what they like,
# except for those words.
set -eu

here=$(dirname "$0")
found=0

# code FOLDER...: "file:line:text" without comments.
code() {
    "$here/sources.sh" '*.[ch]' "$@" | xargs -0 -r -n 1 sh -c '
        gcc -fpreprocessed -dD -E -P -x c "$1" 2>/dev/null | sed "s|^|$1: |"' sh
}

# gate REASON PATTERN EXCEPT: lines of standard input that match.
gate() {
    lines=$(grep -E "$2" | grep -Ev "$3" || true)
    [ -z "$lines" ] && return 0
    printf '%s:\n%s\n' "$1" "$lines" >&2
    found=1
}

all=$(mktemp)
trap 'rm -f "$all"' EXIT
code hub sidecar tools tests >"$all"

gate 'LMDB belongs to hub/store' \
    '(^|[^A-Za-z0-9_])(mdb_[a-z_]+|MDB_[a-z]+)|<lmdb\.h>' \
    '^(hub/store|tests)/' <"$all"
gate 'libwebsockets belongs to the sockets (net, sidecar, cli, bench)' \
    '(^|[^A-Za-z0-9_])(lws_[a-z_]+|LWS_[A-Z_]+)|<libwebsockets\.h>' \
    '^(hub/net|sidecar|tools/cli|tools/bench|tests)/' <"$all"
gate 'jansson belongs to the schema compiler and the tests' \
    '<jansson\.h>' '^(tools/schemac|tests)/' <"$all"
gate 'no shell is started' \
    '(^|[^A-Za-z0-9_>.])(system|popen|execlp|execvp) *\(' \
    '^hub/base/banned\.h|^(tests)/' <"$all"
gate 'a struct is called a struct' \
    'typedef +(struct|union) ' '^$' <"$all"
gate 'assertions are ENSURE, which stays on' \
    '<assert\.h>|[^a-z_]NDEBUG' '^tests/' <"$all"

words=$("$here/sources.sh" '*.[ch]' hub sidecar tools tests |
    xargs -0 -r grep -nE '(^|[^A-Za-z_])(TODO|FIXME|XXX)([^A-Za-z_]|$)' /dev/null || true)
[ -z "$words" ] || {
    printf 'finish it or leave it out:\n%s\n' "$words" >&2
    found=1
}
exit "$found"
