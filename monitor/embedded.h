/* SPDX-License-Identifier: ISC
 *
 * What the build puts inside the monitor: guest-rt/ring0.bin, guest-rt/guest-rt.elf and the jail's
 * filters (jail.h: struct jail_filter).
 */
#ifndef HUSK_EMBEDDED_H
#define HUSK_EMBEDDED_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t embedded_ring0[], embedded_guest_rt[], embedded_jail[];
extern const size_t embedded_ring0_size, embedded_guest_rt_size, embedded_jail_size;

/*
 * A descriptor of husk's own file, and in *OFFSET where DATA, one of the above, starts in it: a
 * multiple of the page size for embedded_guest_rt. -1 where there is no procfs.
 */
int embedded_open(const uint8_t *data, uint64_t *offset);

#endif
