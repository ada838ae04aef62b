#!/bin/sh
# SPDX-License-Identifier: ISC
# System calls natively and in a guest, there as jumps and as traps; then one that needs the host against a bare exit.
set -eu

"$B/bench/run" -v -o "$B/bench.json" -n 15 -w 1 -g 'husk: getpid<=1' syscall \
    -- native "$B/bench/native/syscalls" \
    -- husk "$B/husk" run "$B/bench/husk/syscalls" \
    -- "husk, traps" "$B/husk" run "$B/bench/traps/syscalls"

"$B/bench/run" -v -o "$B/bench.json" -n 25 -w 1 hypercall \
    -- floor "$B/bench/floor" exits 5000 \
    -- husk "$B/husk" run "$B/bench/husk/syscalls" exit
