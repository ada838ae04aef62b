#!/bin/sh
# SPDX-License-Identifier: ISC
# Fills a new directory with what the guest tests of files expect: make-tree.sh DIR
set -eu
LC_ALL=C
export LC_ALL

if [ $# -ne 1 ]; then
    echo "usage: make-tree.sh DIR" >&2
    exit 2
fi
mkdir -p "$1"
cd "$1"
if [ -n "$(ls -A)" ]; then
    echo "make-tree.sh: $1: not empty" >&2
    exit 1
fi
root=$(pwd -P)
umask 022

# Lines that differ from one another: text BYTES
text() {
    awk -v size="$1" 'BEGIN {
        for (n = 1; size > 0; n++) {
            line = sprintf("line %d of the text: %d 0x%x %.4f\n", n, n * n, n * 7, 1 / n)
            printf "%s", substr(line, 1, size)
            size -= length(line)
        }
    }'
}

mkdir files
: > files/empty
text 1 > files/one-byte
text 4095 > files/page-minus-one
text 4096 > files/page
text 4097 > files/page-plus-one
text 9426 > files/two-pages-and-more
text 10000 > files/text
text 1048699 > files/large
printf '\000\001\002\000\377\376\n\000' > files/binary
printf 'no newline at the end' > files/unfinished
text 100 > files/readonly
text 200 > files/executable
text 300 > files/private
ln files/text files/text-hardlink
chmod 644 files/*
chmod 444 files/readonly
chmod 755 files/executable
chmod 600 files/private

mkdir names
echo spaces > 'names/two words'
echo newline > "$(printf 'names/new\nline')"
echo bytes > "$(printf 'names/bytes-\377\200\376')"
echo dash > names/-dash
echo hidden > names/.hidden
echo longest > "names/$(awk 'BEGIN { for (i = 0; i < 255; i++) printf "n" }')"

mkdir many
n=0
while [ $n -lt 300 ]; do
    : > "many/entry-$n"
    n=$((n + 1))
done

mkdir -p nested/a/b/c/d/e empty-dir strict
echo deep > nested/a/b/c/d/e/file
echo near > nested/file
chmod 555 strict

# Out of the tree; for husk-only/local-files.
mkdir outside
ln -s /tmp outside/tmp
ln -s ../outside/../outside/tmp/../dev/null outside/null
ln -s /tmp/round outside/round

mkdir links
ln -s ../files/text links/relative
ln -s "$root/files/text" links/absolute
ln -s ../nested links/directory
ln -s "$root/nested/a" links/absolute-directory
ln -s ../links/../nested/../files/./text links/winding
ln -s nowhere links/dangling
ln -s self links/self
ln -s loop-b links/loop-a
ln -s loop-a links/loop-b
ln -s . links/here
ln -s ../files/text links/chain-0
n=0
while [ $n -lt 45 ]; do
    ln -s "chain-$n" "links/chain-$((n + 1))"
    n=$((n + 1))
done

# A time that is the same everywhere: 2020-01-02 03:04:05 UTC.
TZ=UTC touch -t 202001020304.05 files/* nested
