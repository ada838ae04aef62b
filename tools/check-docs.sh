#!/bin/sh
# SPDX-License-Identifier: ISC
# make lint: each option of `husk help run` is in README.md and, in husk.1, in the synopsis and the list;
# and there are no others. husk is $1.
set -eu

# The options are words that begin with "--", here one a line.
words() {
    grep -oE -- '--[a-z][a-z-]*' | sort -u
}

# mdoc writes an option as "Fl -name".
mdoc_words() {
    grep -E '^\.(Op|It) Fl ' | grep -oE '(Fl|,) -[a-z][a-z-]*' | sed -E 's/.* -/--/' | sort -u
}

# A letter and its name are one option; the synopsis has the letter where there is one.
synopsis_of() {
    sed -nE 's/^  (-[a-gi-z]), --[a-z-]+.*/\1/p; s/^      (--[a-z-]+).*/\1/p' | sort -u # -h is not in it
}

failed=0
compare() { # WHAT, EXPECTED, FOUND
    [ "$2" = "$3" ] && return
    echo "check-docs: $1 and \`husk help run\` differ in options:" >&2
    printf '%s\n%s\n' "$2" "$3" | sort | uniq -u | sed 's/^/  /' >&2
    failed=1
}

help=$("$1" help run)
options=$(printf '%s\n' "$help" | sed -nE 's/^ {2,6}(-[a-z], )?(--[a-z-]+).*/\2/p' | sort -u)
compare README.md "$(printf '%s\n' "$options" | grep -v '^--help$')" \
    "$(sed -n '/^| option of/,/^$/p' README.md | grep '^| `-' | cut -d'|' -f2 | words)"
compare 'the list of docs/husk.1' "$options" \
    "$(sed -n '/^\.Ss Options/,/^\.Sh/p' docs/husk.1 | mdoc_words)"
compare 'the synopsis of docs/husk.1' "$(printf '%s\n' "$help" | synopsis_of)" \
    "$(sed -n '/^\.Cm run/,/^\.Ar image/p' docs/husk.1 |
        sed -nE 's/^\.Op Fl ([a-z]|-[a-z-]+)( .*)?$/-\1/p' | sort -u)"
exit $failed
