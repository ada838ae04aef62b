#!/bin/sh
# SPDX-License-Identifier: ISC
# System calls natively and in a guest, there as jumps and as traps; then one that needs the host against a bare exit.
set -eu

failed=0
# shellcheck disable=SC2046 # peers.sh prints words
"$B/bench/run" -v -o "$B/bench.json" -n 15 -w 1 -g 'husk: getpid<=1' syscall \
    -- native "$B/bench/native/syscalls" \
    -- husk "$B/husk" run "$B/bench/husk/syscalls" \
    -- 'husk, traps' "$B/husk" run "$B/bench/traps/syscalls" \
    -- 'husk, unmodified' "$B/husk" run "$B/bench/native/syscalls" \
    -- bwrap $(bench/peers.sh bwrap "$B/bench/native/syscalls") || failed=1

# On one processor: with two, the monitor's server would spare husk the exit.
"$B/bench/run" -1 -v -o "$B/bench.json" -n 25 -w 1 -g 'husk: exit<=1.15' hypercall \
    -- floor "$B/bench/floor" exits 5000 \
    -- husk "$B/husk" run "$B/bench/husk/syscalls" exit || failed=1
exit $failed
