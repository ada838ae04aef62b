#!/bin/sh
# SPDX-License-Identifier: ISC
# make demo: real programs on real files, each in a VM of its own.
set -eu
husk=$1/husk
apps=$1/apps

show() {
    printf '\n$ %s\n' "$*"
    status=0
    "$@" || status=$?
    printf '[exit %d]\n' "$status"
}

"$husk" doctor
show "$husk" run "$apps/hello"
show "$husk" run -v "$PWD:/src" "$apps/sha256sum" /src/LICENSE
printf '(the host says %s)\n' "$(sha256sum LICENSE | cut -d' ' -f1)"
show "$husk" run -v "$PWD:/src" /bin/busybox wc -l /src/Makefile /src/LICENSE
echo; echo "(what no flag grants is not there)"
show "$husk" run "$apps/cat" /etc/shadow
show "$husk" run "$apps/crash" null-write

# A server and a client, each in a VM of its own; the port is whichever is free.
printf '\n$ %s run -p 0:80 -v docs:/srv %s/httpd /srv &\n' "$husk" "$apps"
log=$(mktemp)
"$husk" run -p 0:80 -v "$PWD/docs:/srv" "$apps/httpd" /srv 2>"$log" &
server=$!
for try in 1 2 3 4 5 6 7 8 9 10; do
    port=$(sed -n 's/.*listening on 127.0.0.1:\([0-9]*\).*/\1/p' "$log")
    [ -z "$port" ] || break
    sleep 0.2
done
cat "$log"
show "$husk" run --connect "localhost:$port" "$apps/fetch" "http://localhost:$port/"
show "$husk" run "$apps/fetch" "http://localhost:$port/"
kill $server
wait $server || true
rm -f "$log"
