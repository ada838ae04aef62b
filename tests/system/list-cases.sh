#!/bin/sh
# SPDX-License-Identifier: ISC
# Prints the runs of tests/guest/cases.sh for test_programs.c, each field ended by a zero byte: name,
# standard input, environment (one variable a line), number of arguments, arguments. @TREE@ stands
# for the tree of make-tree.sh. With "scratch": for test_writing.c, names of programs that change
# files.
set -eu
LC_ALL=C
export LC_ALL

# The file of cases decides what it names; guest_environment is its way to say so.
# shellcheck disable=SC2034
tree=@TREE@

guest_case() {
    name=$1 stdin=$2
    shift 2
    printf '%s\0%s\0%s\0%d\0' "$name" "$stdin" "$guest_environment" $#
    [ $# -eq 0 ] || printf '%s\0' "$@"
}

guest_scratch_case() {
    printf '%s\0' "$1"
}

# shellcheck source=../guest/cases.sh
. "$(dirname "$0")/../guest/cases.sh"
"guest_${1:+${1}_}cases"
