#!/bin/sh
# SPDX-License-Identifier: ISC
# One program that reads a cached file of 1 GiB, natively and in a guest. The file lies in $TMPDIR,
# or below build/.
set -eu

dir=$(mktemp -d -p "${TMPDIR:-$B/bench}")
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
dd if=/dev/zero of="$dir/file" bs=1M count=1024 status=none

"$B/bench/run" -v -o "$B/bench.json" -n 7 -w 1 -g 'husk: read 1 MiB>=0.8' file \
    -- native "$B/bench/native/files" "$dir/file" \
    -- husk "$B/husk" run -v "$dir:/data:ro" "$B/bench/husk/files" /data/file
