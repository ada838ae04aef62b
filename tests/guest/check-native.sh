#!/bin/sh
# SPDX-License-Identifier: ISC
# Checks the guest tests themselves: builds each with every toolchain, runs each case natively, and
# compares the outputs with one another and with a second run. Usage: check-native.sh [BUILD-DIR]
set -eu
LC_ALL=C
export LC_ALL

sources=$(cd "$(dirname "$0")" && pwd -P)
work=${1:-$(mktemp -d)}
mkdir -p "$work"
work=$(cd "$work" && pwd -P)
tree=$work/tree
flags='-std=gnu17 -O2 -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wvla'
toolchains='gcc-static musl-static gcc-static-pie clang-static'
failures=0

compiler() {
    case $1 in
    gcc-static) echo gcc -static ;;
    musl-static) echo musl-gcc -static ;;
    gcc-static-pie) echo gcc -static-pie ;;
    clang-static) echo clang -static -fuse-ld=lld ;;
    esac
}

build() {
    for toolchain in $toolchains; do
        mkdir -p "$work/$toolchain"
        for source in "$sources"/*.c; do
            # shellcheck disable=SC2046,SC2086
            $(compiler "$toolchain") $flags "$source" -o "$work/$toolchain/$(basename "$source" .c)"
        done
    done
}

fail() {
    echo "check-native.sh: $*" >&2
    failures=$((failures + 1))
}

# Runs a program with the arguments, into the named file: run PROGRAM STDIN OUTPUT [ARGUMENT...]
run() {
    program=$1 input=$2 output=$3
    shift 3
    if [ -n "$guest_environment" ]; then
        old_ifs=$IFS
        IFS='
'
        set -f
        # shellcheck disable=SC2086
        set -- env -i $guest_environment "$program" "$@"
        set +f
        IFS=$old_ifs
    else
        set -- "$program" "$@"
    fi
    status=0
    "$@" <"$input" >"$output" 2>&1 || status=$?
    printf '\nstatus %d\n' $status >>"$output"
}

guest_case() {
    name=$1 stdin=$2
    shift 2
    for toolchain in $toolchains; do
        run "$work/$toolchain/$name" "$stdin" "$work/output" "$@"
        run "$work/$toolchain/$name" "$stdin" "$work/again" "$@"
        cmp -s "$work/output" "$work/again" || fail "$name, $toolchain: two runs differ"
        [ "$toolchain" = gcc-static ] && mv "$work/output" "$work/expected" && continue
        cmp -s "$work/output" "$work/expected" || fail "$name: $toolchain differs from gcc-static"
    done
    if grep -qE 'NO$|\(WRONG\)$' "$work/expected"; then
        fail "$name $*: $(grep -E 'NO$|\(WRONG\)$' "$work/expected")"
    elif [ "$name" != exit-status ] && [ "$(tail -n 1 "$work/expected")" != 'status 0' ]; then
        fail "$name $*: $(tail -n 1 "$work/expected")"
    fi
    runs=$((runs + 1))
}

# What is in a directory, in a form that can be compared.
list_tree() {
    (cd "$1" && find . ! -type d -printf '%P %y %m %s %n %l\n' -o -printf '%P %y %m\n' | sort)
    (cd "$1" && find . -type f -size -64M -exec sha256sum {} + | sort)
}

guest_scratch_case() {
    name=$1
    for toolchain in $toolchains; do
        rm -rf "$work/scratch"
        mkdir "$work/scratch"
        run "$work/$toolchain/$name" /dev/null "$work/output" "$work/scratch"
        list_tree "$work/scratch" >>"$work/output"
        [ "$toolchain" = gcc-static ] && mv "$work/output" "$work/expected" && continue
        cmp -s "$work/output" "$work/expected" || fail "$name: $toolchain differs from gcc-static"
    done
    rm -rf "$work/scratch"
    ! grep -E 'NO$|\(WRONG\)$' "$work/expected" >&2 || fail "$name"
    grep -qx 'status 0' "$work/expected" || fail "$name: its status is not 0"
    runs=$((runs + 1))
}

build
[ -d "$tree" ] || "$sources/make-tree.sh" "$tree"
runs=0
# shellcheck source=cases.sh
. "$sources/cases.sh"
guest_cases
guest_environment=
guest_scratch_cases
[ $# -eq 1 ] || rm -rf "$work"
echo "$runs cases with each of: $toolchains; $failures failures"
[ $failures -eq 0 ]
