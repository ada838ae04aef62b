/* SPDX-License-Identifier: ISC
 *
 * Landlock: files, TCP ports, signals and abstract sockets that are out of reach even for system
 * calls that the seccomp filter lets through. By system calls, as libc has no functions for it.
 */
#ifndef HUSK_LANDLOCK_H
#define HUSK_LANDLOCK_H

struct mounts;

/*
 * Give up everything but the directories of MOUNTS (NULL: none), each with its right. Needs
 * no_new_privs. Returns the ABI version that the host has, at least 1, or -errno.
 */
int landlock_enter(const struct mounts *mounts);

/* From which ABI on Landlock confines TCP. */
#define LANDLOCK_ABI_TCP 4

#endif
