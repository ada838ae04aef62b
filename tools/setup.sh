#!/bin/sh
# SPDX-License-Identifier: ISC
# setup.sh build|tests|svm: install the Debian packages that the build and the demo, also the tests and
# lint, or also the emulated machine need; do nothing when all are there. setup.sh bench: what the
# benchmarks load servers with, compare husk with, and draw with; each of them can be done without.
set -eu

packages="gcc make nasm musl-tools libc6-dev linux-libc-dev libseccomp-dev libsqlite3-dev
liblua5.4-dev libcapstone-dev busybox-static"
case ${1:-build} in
build) ;;
tests | svm)
    packages="$packages libcmocka-dev clang lld clang-format clang-tidy cppcheck bc curl wrk nginx
libevent-dev libuv1-dev zlib1g-dev libbz2-dev libzstd-dev libpng-dev libjpeg62-turbo-dev libgmp-dev
libssl-dev jq gnuplot-nox"
    ;;
bench) packages="wrk jq gnuplot-nox bubblewrap crun runc" ;;
*)
    echo "usage: setup.sh build|tests|svm|bench" >&2
    exit 2
    ;;
esac
[ "${1:-build}" != svm ] || packages="$packages qemu-system-x86 linux-image-amd64 cpio"

missing=
for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=sudo
else
    echo "husk needs packages that are not installed; run:" >&2
    echo "    sudo apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
echo "husk: installing$missing"
# Tests start nginx themselves: its service must not run, neither now nor when the machine starts.
case " $missing " in
*" nginx "*)
    service=/etc/systemd/system/nginx.service
    [ ! -d /etc/systemd/system ] || [ -e $service ] || [ -L $service ] || {
        echo "husk: nginx.service is masked (systemctl unmask nginx undoes it)"
        $as_root ln -s /dev/null $service
    }
    ;;
esac
# shellcheck disable=SC2086
install() {
    $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -qq -y --no-install-recommends $missing >/dev/null
}
install || { $as_root apt-get update -qq && install; }
