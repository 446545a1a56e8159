#!/bin/sh
# sizes.sh: no source, header or function of ours is longer than a reader holds.
# A function is what stands between a lone { and a lone } in the first column,
# which is how clang-format leaves it; the line that names it counts too.
set -eu

here=$(dirname "$0")
"$here/sources.sh" '*.[ch]' hub sidecar tools tests | xargs -0 -r awk '
    function too_long(what, lines, limit) {
        printf "%s: %s has %d lines, at most %d\n", what_file, what, lines, limit
        bad = 1
    }
    function file_end() {
        if (what_file == "")
            return
        if (what_file ~ /\.h$/ && file_lines > 250)
            too_long("the header", file_lines, 250)
        if (what_file ~ /\.c$/ && file_lines > 600)
            too_long("the file", file_lines, 600)
        if (opened)
            too_long("a function that never closes", file_lines - opened, 70)
    }
    FNR == 1 { file_end(); what_file = FILENAME; opened = 0; before = "" }
    { file_lines = FNR }
    /^[{][ \t]*$/ { opened = FNR; name = before }
    /^[}]/ && opened {
        if (FNR - opened + 2 > 70)
            too_long("\"" name "\"", FNR - opened + 2, 70)
        opened = 0
    }
    { before = $0 }
    END { file_end(); exit bad }
' >&2
