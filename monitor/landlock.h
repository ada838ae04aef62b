/* SPDX-License-Identifier: ISC
 *
 * Landlock: files, TCP ports, signals and abstract sockets that are out of reach even for system
 * calls that the seccomp filter lets through. By system calls, as libc has no functions for it.
 */
#ifndef HUSK_LANDLOCK_H
#define HUSK_LANDLOCK_H

struct run;

/*
 * Give up everything but the mounts of RUN, each with its right, and the TCP ports that it may
 * connect to; RUN may be NULL, for nothing. Needs no_new_privs. Returns the ABI version that the
 * host has, at least 1, or -errno.
 */
int landlock_enter(const struct run *run);

/* From which ABI on Landlock confines TCP. */
#define LANDLOCK_ABI_TCP 4

#endif
