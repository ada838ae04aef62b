#!/bin/sh
# SPDX-License-Identifier: ISC
# svm.sh BENCH...: the benchmarks in QEMU's emulated AMD SVM, on a clock that counts instructions: a
# microsecond is a thousand of them, the kernel's and the guest's too. That tells of software alone,
# not of caches or of what an exit costs in hardware, but hardly differs from run to run. The table
# goes to standard output, the rows to build/bench-svm.json.
#
# Without "rep stosb", which counts once for each byte. HUSK_BENCH_HUGEPAGES=always is how Debian's
# kernel is set up, but then most of a start is clearing huge pages for the guest.
set -eu

# Within the emulated machine.
if [ -n "${HUSK_BENCH_SVM:-}" ]; then
    B=$HUSK_BENCH_B
    export B
    echo "$HUSK_BENCH_HUGEPAGES" >/sys/kernel/mm/transparent_hugepage/enabled
    # shellcheck disable=SC2086
    sh bench/suite.sh $HUSK_BENCH_SVM
    echo 'bench.json begins'
    cat "$B/bench.json"
    echo 'bench.json ends'
    exit 0
fi

unset HUSK_SVM_NAME
log=$B/bench/svm/svm.log
mkdir -p "$B/bench/svm"
HUSK_BENCH_SVM=$*
HUSK_BENCH_B=$B
HUSK_BENCH_CLOCK=instructions
HUSK_BENCH_ROUNDS=${HUSK_BENCH_ROUNDS:-15}
HUSK_BENCH_VMS=${HUSK_BENCH_VMS:-50}
HUSK_BENCH_FILE_MIB=${HUSK_BENCH_FILE_MIB:-64}
HUSK_BENCH_HUGEPAGES=${HUSK_BENCH_HUGEPAGES:-never}
HUSK_SVM_QEMU_OPTIONS='-cpu max,la57=off,erms=off -icount shift=0,sleep=off'
export HUSK_BENCH_SVM HUSK_BENCH_B HUSK_BENCH_CLOCK HUSK_BENCH_ROUNDS HUSK_BENCH_HUGEPAGES \
    HUSK_BENCH_VMS HUSK_BENCH_FILE_MIB HUSK_SVM_QEMU_OPTIONS
set -- bench "$B/husk" "$B/bench/run" "$B/bench/floor" "$B/bench/memory" "$B/bench/crowd" \
    "$B/bench/phases" "$B/bench/husk-no-jail" "$B/bench/native" "$B/bench/husk" "$B/bench/traps" \
    "$B/bench/glibc" "$B/apps"
for program in wrk unshare bwrap crun runc; do
    path=$(command -v $program) && set -- "$@" "$path"
done
for path; do
    shift
    set -- "$@" -f "$path"
done
status=0
tests/svm/check-svm "$@" "$B/bench/svm" -- bench/svm.sh || status=$?
tr -d '\r' <"$log" | sed -n '/^husk-svm: begin/,/^bench.json begins/{/^husk-svm/d;/^bench.json/d;p}'
tr -d '\r' <"$log" | sed -n '/^bench.json begins/,/^bench.json ends/{/^bench.json/d;p}' \
    >"$B/bench-svm.json"
exit "$status"
