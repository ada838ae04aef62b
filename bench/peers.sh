#!/bin/sh
# SPDX-License-Identifier: ISC
#     peers.sh NAME PROGRAM [ARG...]
#
# Prints the words of a command that runs a static program in another program's kind of sandbox, all
# of it that this one has; or "! why" where it cannot run on this machine. It is tried before it is
# printed. What it needs is made in build/bench/peers.
set -eu

name=$1 program=$(realpath "$2")
shift 2

cannot() {
    echo "! $*"
    exit 0
}

command -v "$name" >/dev/null || cannot 'not installed'
work=$B/bench/peers
base=${program##*/}
mkdir -p "$work"

# runc and crun take the same kind of bundle: an OCI config and a root.
make_bundle() {
    bundle=$work/$name-$base
    rm -rf "$bundle" "$work/$name-state"
    mkdir -p "$bundle/rootfs"
    cp "$program" "$bundle/rootfs/$base"
    (cd "$bundle" && "$name" spec) || cannot 'writes no config'
    words=
    for word in "/$base" "$@"; do
        words="$words${words:+, }\"$word\""
    done
    # Only the words of the command are on lines of their own between the brackets.
    sed -i -e '/"args": \[/,/\]/{/"sh"/c\'"$words" -e '}' -e 's/"terminal": true/"terminal": false/' \
        "$bundle/config.json"
}

# An initramfs of the program and of bench/boot as its init, and a script that boots it.
make_microvm() {
    root=$work/microvm-$base
    rm -rf "$root"
    mkdir -p "$root"
    cp "$program" "$root/program"
    cp "$B/bench/native/boot" "$root/init"
    (cd "$root" && find . | cpio -o -H newc -R 0:0 --quiet) >"$root.initramfs"
    cat >"$root.sh" <<EOF
exec timeout 20 qemu-system-x86_64 -M microvm,accel=kvm -cpu host -m 256M -nodefaults \\
    -no-user-config -no-reboot -display none -serial stdio -kernel '$kernel' \\
    -initrd '$root.initramfs' -append 'console=ttyS0 quiet panic=-1 reboot=t' </dev/null
EOF
}

case $name in
unshare)
    set -- unshare --user --map-root-user --mount --net --ipc --uts --pid --fork "$program" "$@"
    ;;
bwrap)
    set -- bwrap --unshare-all --die-with-parent --new-session --ro-bind "$program" "/$base" "/$base" "$@"
    ;;
runc | crun)
    make_bundle "$@"
    set -- "$name" --root "$work/$name-state" run --bundle "$bundle" "husk-bench-$base"
    ;;
qemu-system-x86_64)
    [ -r /dev/kvm ] || cannot 'no /dev/kvm'
    command -v cpio >/dev/null || cannot 'cpio is not installed'
    kernel=$(ls /boot/vmlinuz-*-amd64 2>/dev/null | sort -V | tail -n 1)
    [ -r "$kernel" ] || cannot 'no kernel to boot below /boot'
    make_microvm
    set -- sh "$root.sh"
    ;;
*)
    cannot 'unknown'
    ;;
esac

said=$("$@" 2>&1 </dev/null) || cannot "$(printf '%s' "$said" | tr -cs '\040-\176' ' ' | cut -c 1-90)"
case $said in
*"${EXPECTED:-}"*) echo "$@" ;;
*) cannot "does not run it" ;;
esac
