/* SPDX-License-Identifier: ISC
 *
 * What the vCPU finds in ring 0: the stubs of guest-rt/ring0.asm and the tables they need.
 */
#ifndef HUSK_RING0_H
#define HUSK_RING0_H

#include "memory.h"

#define RING0_GDT_LIMIT (16 * 8 - 1)
#define RING0_TSS_LIMIT (104 + (HUSK_PORT + 3) / 8 + 1)
#define RING0_IDT_LIMIT (HUSK_VECTORS * 16 - 1)

/*
 * Write the stubs, GDT, TSS, IDT and the frame with which the stubs enter RT into MEMORY's window.
 */
void ring0_build(const struct guest_memory *memory, const struct husk_note *rt);

#endif
