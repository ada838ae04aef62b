/* SPDX-License-Identifier: ISC
 *
 * What the build puts inside the monitor: guest-rt/ring0.bin and guest-rt/guest-rt.elf.
 */
#ifndef HUSK_EMBEDDED_H
#define HUSK_EMBEDDED_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t embedded_ring0[], embedded_guest_rt[];
extern const size_t embedded_ring0_size, embedded_guest_rt_size;

#endif
