#!/bin/sh
# SPDX-License-Identifier: ISC
# suite.sh BENCH...: one benchmark after the other, into a new build/bench.json.
set -eu

rm -f "$B/bench.json"
for bench; do
    sh "bench/$bench.sh"
done
