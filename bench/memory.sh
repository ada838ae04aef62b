#!/bin/sh
# SPDX-License-Identifier: ISC
# Private memory of the monitor and of its guest, which sleeps; what touching memory costs.
set -eu

"$B/bench/run" -v -o "$B/bench.json" -n 9 -w 1 -g 'husk: own private<=1536' memory \
    -- husk "$B/bench/memory" "$B/husk" run "$B/bench/husk/idle"

"$B/bench/run" -v -o "$B/bench.json" -n 9 -w 1 memory \
    -- native "$B/bench/native/touch" \
    -- husk "$B/husk" run "$B/bench/husk/touch"
