# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC1003,SC2016,SC2034,SC2154
# The runs of the guest tests, to be sourced by what makes them. That defines a function guest_case,
# called as guest_case NAME STDIN [ARGUMENT...], and sets tree to a directory filled by
# make-tree.sh. The variables of guest_environment (one a line) are the run's environment, where it
# is not empty.
#
# guest_scratch_cases is for programs that change files: guest_scratch_case NAME. Each gets a new
# empty directory as its only argument, and what it leaves there has to be the same too.

guest_cases() {
    guest_environment=

    guest_case args /dev/null
    guest_case args /dev/null '' 'two words' '' 'quote"backslash\' "$(printf 'tab\tnewline\nend')"
    guest_case args /dev/null "$(printf '\001\177\200\377')" -- --help -x '*' '$HOME'
    # shellcheck disable=SC2046
    guest_case args /dev/null $(awk 'BEGIN { for (i = 1; i <= 200; i++) print "argument-" i }')
    guest_case args /dev/null "$(awk 'BEGIN { for (i = 0; i < 5000; i++) printf "long " }')"

    guest_environment=$(printf '%s\n' HUSK_TEST_ONE=1 HUSK_TEST_EMPTY= HUSK_TEST_EQUALS=a=b=c \
        'HUSK_TEST_WORDS=two words' "$(printf 'HUSK_TEST_BYTES=\200\377')" OTHER=other)
    guest_case environment /dev/null
    guest_environment=

    guest_case auxv /dev/null
    for way in fgets fread getline getc ungetc scanf read; do
        guest_case stdio-echo "$tree/files/text" $way
    done
    guest_case stdio-echo /dev/null fgets
    guest_case stdio-echo "$tree/files/binary" fread
    guest_case stdio-echo "$tree/files/unfinished" getline
    guest_case stdio-echo "$tree/files/large" fread
    guest_case stdio-echo "$tree/files/large" read
    guest_case stdio-format /dev/null
    for status in 0 1 77 255 256; do
        guest_case exit-status /dev/null $status
    done
    for way in return exit quick_exit _exit; do
        guest_case exit-status /dev/null 3 $way
    done

    guest_case malloc-stress /dev/null
    guest_case brk /dev/null
    guest_case mmap /dev/null
    guest_case mremap /dev/null
    guest_case reservations /dev/null
    guest_case mprotect-jit /dev/null
    guest_case madvise /dev/null
    guest_case mmap-file /dev/null "$tree/files/two-pages-and-more"
    guest_case mmap-file /dev/null "$tree/files/large"
    guest_case big-bss /dev/null
    guest_case deep-stack /dev/null
    guest_case bad-pointers /dev/null "$tree"

    guest_case clocks /dev/null
    guest_case random /dev/null
    guest_case identity /dev/null
    guest_case limits /dev/null

    guest_case files /dev/null "$tree"
    guest_case stat-family /dev/null "$tree"
    guest_case directories /dev/null "$tree"
    guest_case links /dev/null "$tree"
    guest_case paths /dev/null "$tree"
    guest_case cwd /dev/null "$tree"
    guest_case descriptors /dev/null "$tree"
    guest_case tmpfs /dev/null /tmp
    guest_case tmpfs-errors /dev/null /tmp
    guest_case devices /dev/null
    guest_case shared-memory /dev/null
    guest_case own-image /dev/null

    guest_case pipes /dev/null
    guest_case epolls /dev/null
    guest_case local-sockets /dev/null
    guest_case timer-files /dev/null
    guest_case signal-files /dev/null
    guest_case events /dev/null
    guest_case polling /dev/null
    guest_case polling "$tree/files/text"

    guest_case red-zone /dev/null
    guest_case turned-calls /dev/null
    guest_case parted /dev/null
    guest_case float /dev/null
    guest_case tls /dev/null
    guest_case longjmp /dev/null
    guest_case qsort-search /dev/null
    guest_case strings /dev/null
    guest_case locale-wide /dev/null
    guest_case cpuid /dev/null

    for name in thread-life thread-mutexes thread-sync thread-keys thread-raw futexes preemption \
        c11-threads thread-times thread-stacks stack-mappings stack-signals signal-actions \
        signal-faults signal-context signal-waits signal-threads signal-timers thread-stress; do
        guest_case $name /dev/null
    done
}

guest_scratch_cases() {
    for name in append attributes big-file copying create-flags descriptor-links descriptors-many \
        directories-change errors file-limit hard-links locks names private-mapping renames \
        shared-mapping stack-buffers symlinks-create truncation unlink-open writing; do
        guest_scratch_case $name
    done
}
