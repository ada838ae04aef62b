/* SPDX-License-Identifier: ISC
 *
 * Host calls that fail on demand. The linker leads every call of the monitor's own objects that
 * host_calls.def names to faults.c (--wrap), and nothing else changes.
 */
#ifndef HUSK_FAULTS_H
#define HUSK_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

/* From now on count host calls; the NTH (1: the next) fails with ERROR. 0: none does. Failing
 * allocations always say ENOMEM, and a close that fails has closed. */
void faults_arm(unsigned nth, int error);

/* The same for the next call NAME, e.g. "openat2"; nth of that name. */
void faults_arm_call(const char *name, unsigned nth, int error);

/* From now on reads and writes move at most MOST bytes. 0: as many as they can. */
void faults_shorten(size_t most);

/* The end of both. Returns the number of host calls that were counted. */
unsigned faults_disarm(void);

/* The name of the NTH that was counted, up to the first 64. */
const char *faults_name(unsigned nth);

/* Has the call that was to fail been made? */
bool faults_happened(void);

#endif
