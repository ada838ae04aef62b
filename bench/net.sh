#!/bin/sh
# SPDX-License-Identifier: ISC
# TCP and HTTP on loopback: the server natively and in a guest, the client always native.
#
# Called with "native" or "husk" it is one round of that side, for bench/run.
set -eu

side() {
    port=$((20000 + $$ % 20000))
    dir=$(mktemp -d)
    server=
    trap 'kill $server 2>/dev/null || true; rm -rf "$dir"' EXIT
    trap 'exit 1' HUP INT TERM
    echo '<h1>Hello</h1>' >"$dir/index.html"

    if [ "$1" = husk ]; then
        "$B/husk" run -p $port:$port "$B/bench/husk/peer" $port &
    else
        "$B/bench/native/peer" $port &
    fi
    server=$!
    "$B/bench/native/load" $port
    kill $server
    wait $server 2>/dev/null || true

    port=$((port + 1))
    if [ "$1" = husk ]; then
        "$B/husk" run -p $port:80 -v "$dir:/srv" "$B/apps/httpd" /srv &
    else
        "$B/bench/native/httpd" -p $port "$dir" &
    fi
    server=$!
    for try in 1 2 3 4 5 6 7 8 9; do
        wrk -t1 -c1 -d1s "http://127.0.0.1:$port/" >/dev/null 2>&1 && break
    done
    for count in 1 64; do
        wrk -t1 -c$count -d2s "http://127.0.0.1:$port/" |
            awk -v n=$count '/^Requests\/sec/ { print "requests at " n, $2, "/s" }'
    done
    kill $server
    wait $server 2>/dev/null || true
}

if [ $# -gt 0 ]; then
    side "$1"
    exit 0
fi
native='sh bench/net.sh native' husk='sh bench/net.sh husk'
if ! command -v wrk >/dev/null; then
    native='! wrk is not installed' husk=$native
fi
# shellcheck disable=SC2086 # words
"$B/bench/run" -v -o "$B/bench.json" -n 5 -w 1 -g 'husk: requests at 64>=0.35' net \
    -- native $native -- husk $husk
