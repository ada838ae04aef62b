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
