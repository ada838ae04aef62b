#!/bin/sh
# SPDX-License-Identifier: ISC
# From the start of a process to its end: husk against the floor, a native start and other kinds of
# sandbox; where the time goes.
set -eu

hello=$B/bench/native/hello
peer() {
    EXPECTED='Hello from husk' bench/peers.sh "$1" "$hello"
}

failed=0
# shellcheck disable=SC2046 # peers.sh prints words
"$B/bench/run" -o "$B/bench.json" -n 150 -w 5 -g 'husk hello<=1.2' cold \
    -- floor "$B/bench/floor" \
    -- 'native hello' "$hello" \
    -- 'husk hello' "$B/husk" run "$B/apps/hello" \
    -- 'husk hello, no jail' "$B/bench/husk-no-jail" run "$B/apps/hello" \
    -- 'husk hello, unmodified musl' "$B/husk" run "$hello" \
    -- 'husk hello, unmodified glibc' "$B/husk" run "$B/bench/glibc/hello" \
    -- 'husk hello, 10 MiB image' "$B/husk" run "$B/bench/husk/big" \
    -- 'husk hello, 10 MiB unmodified' "$B/husk" run "$B/bench/native/big" \
    -- unshare $(peer unshare) \
    -- bwrap $(peer bwrap) \
    -- crun $(peer crun) \
    -- runc $(peer runc) || failed=1

# A Linux of its own takes a hundred times as long.
# shellcheck disable=SC2046
"$B/bench/run" -o "$B/bench.json" -n 7 -w 1 boot \
    -- floor "$B/bench/floor" \
    -- 'husk hello' "$B/husk" run "$B/apps/hello" \
    -- 'qemu microvm' $(peer qemu-system-x86_64) || failed=1

# Each step's own time, from --stats; main is found by a breakpoint, which adds to its step.
"$B/bench/run" -v -o "$B/bench.json" -n 50 phases \
    -- husk "$B/bench/phases" "$B/husk" "$B/apps/hello" || failed=1
exit $failed
