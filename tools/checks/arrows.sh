#!/bin/sh
# arrows.sh FOLDER ALLOWED...: FOLDER may include its own files, the rooms
# ALLOWED names ("base"), and the single headers it names ("store/transaction.h").
set -eu

folder=$1
shift
[ -d "$folder" ] || exit 0

own=$(basename "$folder")
allowed="$own/"
for arrow in "$@"; do
    case $arrow in
    */*) allowed="$allowed|$(printf '%s' "$arrow" | sed 's/\./\\./g')\"" ;;
    *) allowed="$allowed|$arrow/" ;;
    esac
done

# A bare name is a file of the folder itself.
strays=$(grep -rnE '^ *# *include +"' --include='*.[ch]' "$folder" |
    grep -vE "\"($allowed)" | grep -vE '"[a-z0-9_]+\.[a-z]+"' || true)
[ -z "$strays" ] && exit 0
printf 'These includes point the wrong way:\n%s\n' "$strays" >&2
exit 1
