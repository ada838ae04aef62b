#!/bin/sh
# SPDX-License-Identifier: ISC
#     performance.sh JSON DOC
#
# Brings the page DOC up to date with JSON (bench/results.h), which is copied next to it: what lies
# between a line "<!-- bench TABLE -->" and the next "<!-- end -->" becomes that table of tables.jq,
# and plots/*.svg are drawn anew. Of counts of instructions (svm.sh) only "<!-- instructions TABLE -->".
set -eu

json=$1 doc=$2
here=$(dirname "$0")
docs=$(dirname "$doc")

jq -e '.schema == 1 and (.rows | length > 0)' "$json" >/dev/null || {
    echo "performance.sh: $json is no JSON of bench/run" >&2
    exit 1
}
kind=$(jq -r 'if .machine.clock == "instructions" then "emulated-svm" else .machine.kvm end' "$json" |
    tr _ -)
if [ "$kind" = none ]; then
    echo "performance.sh: $json was measured without /dev/kvm" >&2
    exit 1
fi
if [ "$kind" != emulated-svm ] && jq -e '.machine.cpu | test("TCG")' "$json" >/dev/null; then
    echo "performance.sh: $json has times of an emulated machine, which mean nothing" >&2
    exit 1
fi
case $(basename "$json") in
"bench-$kind"*) kept=$docs/$(basename "$json") ;;
*) kept=$docs/bench-$kind.json ;;
esac

word=bench
[ "$kind" != emulated-svm ] || word=instructions
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A table that fails leaves the page as it was.
awk -v word="$word" -v jq="jq -r --arg file ${kept##*/} -f $here/tables.jq $json --arg table " '
$1 == "<!--" && $2 == word && $4 == "-->" {
    print
    command = jq $3
    while ((command | getline line) > 0) print line
    if (close(command) != 0) exit failed = 1
    inside = 1
}
inside && /^<!-- end -->$/ { inside = 0 }
!inside { print }
END { exit failed || inside }' "$doc" >"$work/page" || {
    echo "performance.sh: $doc: a table without an end, or one that jq cannot make" >&2
    exit 1
}
cat "$work/page" >"$doc"
[ "$json" -ef "$kept" ] || cp "$json" "$kept"

[ "$word" = bench ] || exit 0
mkdir -p "$docs/plots"
for plot in start phases native; do
    jq -r --arg file - --arg table "plot:$plot" -f "$here/tables.jq" "$kept" >"$work/$plot"
    if [ -s "$work/$plot" ]; then
        gnuplot -e "data='$work/$plot'" -e "picture='$docs/plots/$plot.svg'" "$here/$plot.gp"
    else
        rm -f "$docs/plots/$plot.svg"
    fi
done
