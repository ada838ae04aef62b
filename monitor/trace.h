/* SPDX-License-Identifier: ISC
 *
 * --trace: one line a system call, in strace's manner.
 */
#ifndef HUSK_TRACE_H
#define HUSK_TRACE_H

#include <stddef.h>

#include "husk/abi.h"
#include "memory.h"

#define TRACE_LINE_MAX 1024

/*
 * Format one system call: name, decoded arguments, result, and how many exits it caused, ending
 * in a newline. Writes at most TRACE_LINE_MAX bytes with the terminating zero to LINE and returns
 * the length without it. Everything in RECORD and behind its pointers is untrusted: strings are
 * read with a bound and printed escaped, an unreadable pointer prints as an address.
 */
size_t trace_format(const struct guest_memory *memory, const struct husk_trace *record,
                    char line[TRACE_LINE_MAX]);

/* The name of a Linux x86-64 system call, or NULL. */
const char *syscall_name(uint64_t number);

/* "ENOENT" and so on, or NULL. NUMBER is positive. */
const char *errno_name(int number);

/* "SIGSEGV" and so on, or NULL. */
const char *signal_name(int number);

#endif
