#!/bin/sh
# SPDX-License-Identifier: ISC
# Programs that compute: integers, then floating point. Husk's goal is 0.97 of native speed or
# better: 1/0.97 of native time or less.
set -eu

"$B/bench/run" -o "$B/bench.json" -n 9 -w 1 -g 'primes, husk<=1.031' cpu \
    -- 'primes, native' "$B/bench/native/primes" 12000000 \
    -- 'primes, husk' "$B/husk" run "$B/apps/primes" 12000000

"$B/bench/run" -o "$B/bench.json" -n 9 -w 1 -g 'mandelbrot, husk<=1.031' cpu \
    -- 'mandelbrot, native' "$B/bench/native/mandelbrot" 160 120 30000 \
    -- 'mandelbrot, husk' "$B/husk" run "$B/apps/mandelbrot" 160 120 30000
