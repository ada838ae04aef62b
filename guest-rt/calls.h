/* SPDX-License-Identifier: ISC
 *
 * In a husk image most system calls are jumps by way of trampolines (husk/calls.h). Nobody should
 * notice: not a fault report, a handler, an unwinder, nor musl, which compares RIP.
 */
#ifndef HUSK_RT_CALLS_H
#define HUSK_RT_CALLS_H

#include "rt.h"

/* Where the instruction at RIP was linked, if it is one of a trampoline; else RIP. */
uint64_t calls_origin(uint64_t rip);

/* The application was found at REGS: let it go on outside of a trampoline, if that is the same.
 * STEPPING: it traps after each instruction. */
void calls_leave(struct husk_regs *regs, bool stepping);

#endif
