#!/bin/sh
# SPDX-License-Identifier: ISC
# Private memory of the monitor and of its guest, which sleeps; a crowd of those; what touching
# memory costs. HUSK_BENCH_VMS is how many there are at once: 1,000.
set -eu

idle=$B/bench/native/idle
failed=0
# shellcheck disable=SC2046 # peers.sh prints words
"$B/bench/run" -v -o "$B/bench.json" -n 9 -w 1 -g 'husk: own private<=1024' memory \
    -- native "$B/bench/memory" "$idle" \
    -- husk "$B/bench/memory" "$B/husk" run "$B/bench/husk/idle" \
    -- bwrap $(bench/peers.sh bwrap "$idle" 0 | sed "s|^bwrap|$B/bench/memory &|; s| 0\$||") ||
    failed=1

# Each ends by itself after ten minutes, should the crowd be killed that looks after them.
vms=${HUSK_BENCH_VMS:-1000}
"$B/bench/run" -v -o "$B/bench.json" -n 3 -w 0 crowd \
    -- native "$B/bench/crowd" "$vms" "$idle" 600 \
    -- husk "$B/bench/crowd" "$vms" "$B/husk" run "$B/bench/husk/idle" 600 || failed=1

"$B/bench/run" -v -o "$B/bench.json" -n 9 -w 1 touch \
    -- native "$B/bench/native/touch" \
    -- husk "$B/husk" run "$B/bench/husk/touch" || failed=1
exit $failed
