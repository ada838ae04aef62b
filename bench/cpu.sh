#!/bin/sh
# SPDX-License-Identifier: ISC
# Programs that compute: integers, then floating point. Husk's goal is 0.97 of native speed or
# better: 1/0.97 of native time or less.
set -eu

primes=$B/bench/native/primes mandelbrot=$B/bench/native/mandelbrot
failed=0
# shellcheck disable=SC2046 # peers.sh prints words
"$B/bench/run" -o "$B/bench.json" -n 9 -w 1 -g 'primes, husk<=1.031' cpu \
    -- 'primes, native' "$primes" 12000000 \
    -- 'primes, husk' "$B/husk" run "$B/apps/primes" 12000000 \
    -- 'primes, bwrap' $(bench/peers.sh bwrap "$primes" 12000000) || failed=1

# shellcheck disable=SC2046
"$B/bench/run" -o "$B/bench.json" -n 9 -w 1 -g 'mandelbrot, husk<=1.031' cpu \
    -- 'mandelbrot, native' "$mandelbrot" 160 120 30000 \
    -- 'mandelbrot, husk' "$B/husk" run "$B/apps/mandelbrot" 160 120 30000 \
    -- 'mandelbrot, bwrap' $(bench/peers.sh bwrap "$mandelbrot" 160 120 30000) || failed=1
exit $failed
