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

/* Take back all mappings but those that are kept, and what was registered with KVM. */
void guest_restore(struct guest_memory *memory);

/* The same without a system call, where pages are mapped but not unmapped, protected or shown a
 * file, and where the caller zeroes what was written. What lies nowhere is left alone. */
void guest_forget(struct guest_memory *memory);
void guest_zero(struct guest_memory *memory, guest_addr_t addr, uint64_t len);

/* End with a report if CONDITION is false; WHAT says what the monitor should have seen to. */
void require(bool condition, const char *what);

#endif
