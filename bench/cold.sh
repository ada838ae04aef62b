#!/bin/sh
# SPDX-License-Identifier: ISC
# From the start of a process to its end: husk against the floor and a native start; where the time
# goes.
set -eu

"$B/bench/run" -o "$B/bench.json" -n 200 -w 5 -g 'husk hello<=1.5' cold \
    -- floor "$B/bench/floor" \
    -- 'native hello' "$B/bench/native/hello" \
    -- 'husk hello' "$B/husk" run "$B/apps/hello" \
    -- 'husk hello, no jail' "$B/bench/husk-no-jail" run "$B/apps/hello" \
    -- 'husk hello, unmodified musl' "$B/husk" run "$B/bench/native/hello" \
    -- 'husk hello, unmodified glibc' "$B/husk" run "$B/bench/glibc/hello" \
    -- 'husk hello, 10 MiB image' "$B/husk" run "$B/bench/husk/big" \
    -- 'husk hello, 10 MiB unmodified' "$B/husk" run "$B/bench/native/big"

# Each step's own time, from --stats; main is found by a breakpoint, which adds to its step. The
# output goes to a file: a process that reads it meanwhile would delay KVM's work on its processor.
"$B/bench/run" -v -o "$B/bench.json" -n 50 phases \
    -- husk sh -c "
        '$B/husk' run --stats=/dev/fd/3 '$B/apps/hello' 3>'$B/bench/stats' >'$B/bench/stdout' &&
            awk -f bench/phases.awk '$B/bench/stats'"
