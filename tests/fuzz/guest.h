/* SPDX-License-Identifier: ISC
 *
 * Guest memory without a VM, for the targets that drive the monitor's handlers and loader. Each
 * input finds it as the first one did: what an input does depends on nothing but the input.
 */
#ifndef FUZZ_GUEST_H
#define FUZZ_GUEST_H

#include "memory.h"

#define GUEST_RAM (8ULL << 20) /* more than the lowest address of programs that ld links: 4 MiB */

void guest_create(struct guest_memory *memory);

/* What is as it is now stays when the guest is emptied. */
void guest_keep(const struct guest_memory *memory);

/*
 * Take back all mappings but those that are kept. guest_unmap asks the monitor, and so the kernel,
 * to do it. guest_wipe is many times as fast: it writes the page tables and zeroes the pages, for
 * targets that neither map files nor call memory_protect.
 */
void guest_unmap(struct guest_memory *memory);
void guest_wipe(struct guest_memory *memory);

/* End with a report if CONDITION is false; WHAT says what the monitor should have seen to. */
void require(bool condition, const char *what);

#endif
