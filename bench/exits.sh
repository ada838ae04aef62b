#!/bin/sh
# SPDX-License-Identifier: ISC
# How often real programs leave the VM, and for what: a count, so that it means something on any KVM,
# emulated ones too. On one processor, where the monitor's server does not run and every hypercall is
# an exit. Without what --stats itself adds (mark). httpd is told by the request: the difference of two
# runs.
#
# HUSK=PATH counts another husk.
set -eu

husk=${HUSK:-$B/husk}
dir=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM

make_inputs() {
    awk 'BEGIN { for (i = 0; i < 20000; i++) printf "%d line %d\n", i * 7919 % 20011, i }' \
        >"$dir/lines"
    dd if=/dev/zero of="$dir/large" bs=65536 count=64 2>/dev/null
    for i in 0 1 2 3 4 5 6 7 8 9; do
        mkdir -p "$dir/tree/$i"
        for j in 0 1 2 3 4 5 6 7 8 9; do
            echo "file $i $j" >"$dir/tree/$i/$j"
        done
    done
    echo '<h1>Hello</h1>' >"$dir/tree/index.html"
    {
        echo 'create table t (id integer primary key, text text);'
        echo 'begin;'
        awk 'BEGIN { for (i = 0; i < 1000; i++) printf "insert into t (text) values (\"row %d\");\n", i }'
        echo 'commit;'
        echo 'select count(*), max(text) from t;'
    } >"$dir/one.sql"
    {
        echo 'create table t (id integer primary key, text text);'
        awk 'BEGIN { for (i = 0; i < 20; i++) printf "insert into t (text) values (\"row %d\");\n", i }'
    } >"$dir/twenty.sql"
    cat >"$dir/script.lua" <<'END'
local words, count = {}, 0
for line in io.lines("/d/lines") do
    for word in line:gmatch("%w+") do
        words[word] = (words[word] or 0) + 1
        count = count + 1
    end
end
print(count, words.line)
END
}

# The table's line: NAME, exits, then each operation and how often; what MINUS counts is taken off and
# the rest divided by PER.
line() { # NAME STATS [MINUS PER]
    awk -v name="$1" -v minus="${3:-}" -v per="${4:-1}" '
        /"count": / && !/"mark": / {
            split($0, parts, "\"")
            number = $0
            sub(/.*"count": /, "", number)
            counts[parts[2]] += sign() * number
        }
        /"mark": / { sub(/.*"count": /, ""); exits -= sign() * $0 }
        /"io": / { split($0, parts, "\"io\": "); exits += sign() * parts[2] }
        function sign() { return FILENAME == minus ? -1 : 1 }
        function shown(value) {
            return per == 1 ? sprintf("%d", value) : sprintf("%.2f", value / per)
        }
        END {
            printf "%-24s %8s ", name, shown(exits)
            for (;;) {
                best = ""
                for (op in counts)
                    if (counts[op] > 0 && (best == "" || counts[op] > counts[best] ||
                                           (counts[op] == counts[best] && op < best)))
                        best = op
                if (best == "" || counts[best] / per < 0.005)
                    break
                printf " %s %s", best, shown(counts[best])
                delete counts[best]
            }
            print ""
        }' "$2" ${3:+"$3"}
}

# With taskset, so that there is no server.
run() { # STATS [OPTION...] IMAGE [ARGUMENT...]
    stats=$1
    shift
    taskset -c 0 "$husk" run --stats="$stats" -v "$dir:/d" "$@" >"$dir/out"
}

count() { # NAME [OPTION...] IMAGE [ARGUMENT...]
    name=$1
    shift
    run "$dir/stats" "$@" </dev/null
    line "$name" "$dir/stats"
}

count_sqlite() { # NAME SQL
    rm -f "$dir"/db/*
    mkdir -p "$dir/db"
    run "$dir/stats" -v "$dir/db:/db:rw" "$B/apps/sqlite" /db/file <"$2"
    line "$1" "$dir/stats"
}

serve() { # STATS CONNECTIONS ROUNDS
    taskset -c 0 "$husk" run --stats="$1" -v "$dir:/d" -p $port:80 "$B/apps/httpd" /d/tree &
    server=$!
    "$B/bench/native/requests" $port "$2" "$3"
    kill $server
    wait $server 2>/dev/null || true
    server=
    port=$((port + 1))
}

count_requests() { # CONNECTIONS
    serve "$dir/few" "$1" 10
    serve "$dir/many" "$1" 110
    line "httpd, per request at $1" "$dir/many" "$dir/few" $((100 * $1))
}

count_fetch() {
    "$B/bench/native/httpd" -p $port "$dir/tree" &
    server=$!
    "$B/bench/native/requests" $port 1 1
    count 'fetch a page' --connect 127.0.0.1:$port "$B/apps/fetch" "http://127.0.0.1:$port/"
    kill $server
    wait $server 2>/dev/null || true
    server=
}

make_inputs
port=$((20000 + $$ % 20000))
printf '%-24s %8s  %s\n' program exits operations
count hello "$B/apps/hello"
count 'sort, 20,000 lines' /bin/busybox sort /d/lines
count 'grep -r, 100 files' /bin/busybox grep -r 'file 5' /d/tree
count 'find, 110 names' /bin/busybox find /d/tree
count 'wc, 20,000 lines' /bin/busybox wc /d/lines
count 'sha256sum, 4 MiB' "$B/apps/sha256sum" /d/large
count 'lua, 20,000 lines' "$B/apps/lua" /d/script.lua
count_sqlite 'sqlite, 1,000 inserts' "$dir/one.sql"
count_sqlite 'sqlite, 20 commits' "$dir/twenty.sql"
count_fetch
count_requests 1
count_requests 64
