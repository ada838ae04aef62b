#!/bin/sh
# SPDX-License-Identifier: ISC
# Programs that read a cached file of 1 GiB, and that change files: natively, in a guest, and in the
# guest's own /tmp. What is read, and what has to reach a disk, lies in $TMPDIR, or below build/. The
# rest lies in memory, /dev/shm: a disk's own times differ more than what is measured.
# HUSK_BENCH_FILE_MIB is the size of the file that is read.
set -eu

dir=$(mktemp -d -p "${TMPDIR:-$B/bench}")
memory=$(mktemp -d -p /dev/shm)
trap 'rm -rf "$dir" "$memory"' EXIT
trap 'exit 1' HUP INT TERM
failed=0
dd if=/dev/zero of="$dir/file" bs=1M count="${HUSK_BENCH_FILE_MIB:-1024}" 2>/dev/null

"$B/bench/run" -v -o "$B/bench.json" -n 7 -w 1 -g 'husk: read 1 MiB>=0.8' file \
    -- native "$B/bench/native/files" "$dir/file" \
    -- husk "$B/husk" run -v "$dir:/data:ro" "$B/bench/husk/files" /data/file || failed=1
rm "$dir/file"

mkdir "$memory/native" "$memory/husk" "$dir/native" "$dir/husk"
"$B/bench/run" -v -o "$B/bench.json" -n 7 -w 1 -g 'husk: write 1 MiB>=0.8' changes \
    -- native "$B/bench/native/changes" "$memory/native" \
    -- husk "$B/husk" run -v "$memory/husk:/data:rw" "$B/bench/husk/changes" /data \
    -- /tmp "$B/husk" run "$B/bench/husk/changes" /tmp || failed=1
"$B/bench/run" -v -o "$B/bench.json" -n 7 -w 1 disk \
    -- native "$B/bench/native/changes" "$dir/native" commit \
    -- husk "$B/husk" run -v "$dir/husk:/data:rw" "$B/bench/husk/changes" /data commit || failed=1
exit $failed
