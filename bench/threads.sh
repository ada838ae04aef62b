#!/bin/sh
# SPDX-License-Identifier: ISC
# Threads natively, on one processor, and in a guest, which has one.
set -eu

"$B/bench/run" -v -o "$B/bench.json" -n 11 -w 1 threads \
    -- native "$B/bench/native/threads" \
    -- husk "$B/husk" run "$B/bench/husk/threads"
