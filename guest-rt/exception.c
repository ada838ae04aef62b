/* SPDX-License-Identifier: ISC
 *
 * Exceptions: guest-rt's own page faults on the application's memory, the breakpoint of --stats,
 * and everything else as the signal that Linux would send.
 */
#include <asm/signal.h>

#include "rt.h"

enum { VECTOR_BREAKPOINT = 3, VECTOR_PAGE_FAULT = 14 };

extern const char user_copy_insn[], user_scan_insn[], user_fault[];

/* Signals by vector, as arch/x86/kernel/traps.c of Linux maps them; 0 is SIGSEGV. */
static const uint8_t signals[] = {
    [0] = SIGFPE,  [1] = SIGTRAP, [3] = SIGTRAP, [4] = SIGSEGV, [5] = SIGSEGV,
    [6] = SIGILL,  [7] = SIGSEGV, [9] = SIGFPE,  [11] = SIGBUS, [12] = SIGBUS,
    [16] = SIGFPE, [17] = SIGBUS, [19] = SIGFPE,
};

static bool is_user_access(const struct husk_regs *regs)
{
    return regs->rip == (uint64_t)user_copy_insn || regs->rip == (uint64_t)user_scan_insn;
}

/* Called by entry.asm, on a stack of its own. */
void rt_exception(struct husk_regs *regs, uint64_t vector, uint64_t error, uint64_t address)
{
    int signal = vector < ARRAY_SIZE(signals) && signals[vector] ? signals[vector] : SIGSEGV;

    /* A non-canonical address raises #GP, or #SS through rbp and rsp, instead of #PF. */
    if (is_user_access(regs)) {
        regs->rip = (uint64_t)user_fault;
        return;
    }
    if (vector == VECTOR_BREAKPOINT && BOOT->main_break && regs->rip == BOOT->main_break + 1) {
        regs->rip--;
        HYPERCALL(HUSK_OP_MARK, HUSK_MARK_MAIN);
        return;
    }
    rt_fault(regs, vector, error, vector == VECTOR_PAGE_FAULT ? address : 0, signal);
}

_Noreturn void rt_fault(const struct husk_regs *regs, uint64_t vector, uint64_t error,
                        uint64_t address, uint64_t signal)
{
    struct husk_fault fault = {
        .regs = *regs, .vector = vector, .error = error, .address = address, .signal = signal};

    for (;;)
        HYPERCALL(HUSK_OP_FAULT, &fault);
}
