#!/bin/sh
# SPDX-License-Identifier: ISC
# suite.sh BENCH...: one benchmark after the other, into a new build/bench.json. What fails has a row
# that says why, and the others go on; then the exit status is 1.
set -eu

failed=
rm -f "$B/bench.json"
for bench; do
    sh "bench/$bench.sh" || failed="$failed $bench"
done
[ -z "$failed" ] || {
    echo "bench: not everything could be measured:$failed" >&2
    exit 1
}
