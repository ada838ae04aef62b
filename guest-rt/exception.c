/* SPDX-License-Identifier: ISC
 *
 * Exceptions: guest-rt's own page faults on the application's memory, the breakpoint of --stats,
 * and everything else as the signal that Linux would send.
 */
#include "calls.h"
#include "lazy.h"
#include "thread.h"
#include "vma.h"

enum {
    VECTOR_DIVIDE = 0,
    VECTOR_DEBUG = 1,
    VECTOR_BREAKPOINT = 3,
    VECTOR_INVALID = 6,
    VECTOR_PAGE_FAULT = 14,
    VECTOR_X87 = 16,
    VECTOR_ALIGNMENT = 17,
    VECTOR_SIMD = 19
};

#define FAULT_PRESENT 1 /* of a page fault's error code: SDM 3A figure 4-12 */

extern const char user_copy_insn[], user_scan_insn[], user_fault[], restore_insn[];

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

/* Of the floating point exceptions that are not masked, the first as Linux looks at them. */
static int float_code(uint64_t vector)
{
    uint32_t raised;

    if (vector == VECTOR_SIMD) {
        uint32_t mxcsr;

        __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
        raised = mxcsr & ~(mxcsr >> 7) & 0x3f;
    } else {
        uint16_t status, control;

        __asm__ volatile("fnstsw %0; fnstcw %1" : "=m"(status), "=m"(control));
        raised = status & ~control & 0x3f;
    }
    if (raised & 0x01)
        return FPE_FLTINV;
    if (raised & 0x04)
        return FPE_FLTDIV;
    if (raised & 0x08)
        return FPE_FLTOVF;
    if (raised & 0x12)
        return FPE_FLTUND;
    return raised & 0x20 ? FPE_FLTRES : FPE_FLTUNK;
}

/* si_code and si_addr, as Linux fills them. */
static siginfo_t describe(const struct husk_regs *regs, uint64_t vector, uint64_t address,
                          int signal)
{
    siginfo_t info = {.si_signo = signal, .si_code = SI_KERNEL};
    uint64_t where = regs->rip;

    switch (vector) {
    case VECTOR_DIVIDE:
        info.si_code = FPE_INTDIV;
        break;
    case VECTOR_DEBUG:
        info.si_code = TRAP_TRACE;
        break;
    case VECTOR_INVALID:
        info.si_code = ILL_ILLOPN;
        break;
    case VECTOR_ALIGNMENT:
        info.si_code = BUS_ADRALN;
        break;
    case VECTOR_X87:
    case VECTOR_SIMD:
        info.si_code = float_code(vector);
        break;
    case VECTOR_PAGE_FAULT:
        info.si_code = vma_covers(page_down(address), page_down(address) + HUSK_PAGE_SIZE)
                           ? SEGV_ACCERR
                           : SEGV_MAPERR;
        where = address;
        break;
    default:
        where = 0;
    }
    info._sifields._sigfault._addr = (void *)where;
    return info;
}

/* The application's registers that an iretq could not load: a handler or sigreturn left them. */
static const struct husk_regs *refused_frame(const struct husk_regs *regs)
{
    const uint64_t *frame = (const uint64_t *)regs->rsp;
    static struct husk_regs bad;

    bad = *regs;
    bad.rip = frame[0];
    bad.rflags = frame[2];
    bad.rsp = frame[3];
    return &bad;
}

/* Called by entry.asm: on the thread's stack for the application's exceptions, on one of their own
 * for those of guest-rt. */
void rt_exception(struct husk_regs *regs, uint64_t vector, uint64_t error, uint64_t address)
{
    int signal = vector < ARRAY_SIZE(signals) && signals[vector] ? signals[vector] : SIGSEGV;
    siginfo_t info;

    if (vector != VECTOR_PAGE_FAULT)
        address = 0;
    else if (!(error & FAULT_PRESENT) && lazy_reach(address)) {
        /* That was a hypercall: what came meanwhile waits for guest-rt to look. */
        if (regs->rip - HUSK_WINDOW >= HUSK_WINDOW_SIZE && interrupted())
            rt_interrupt(regs);
        return;
    }
    /* A non-canonical address raises #GP, or #SS through rbp and rsp, instead of #PF. */
    if (is_user_access(regs)) {
        regs->rip = (uint64_t)user_fault;
        return;
    }
    if (vector == VECTOR_BREAKPOINT && BOOT->main_break && regs->rip == BOOT->main_break + 1) {
        regs->rip--;
        HYPERCALL(HUSK_OP_MARK, HUSK_MARK_MAIN);
        if (interrupted())
            rt_interrupt(regs);
        return;
    }
    if (regs->rip == (uint64_t)restore_insn)
        rt_fault(refused_frame(regs), vector, error, address, SIGSEGV);
    if (regs->rip - HUSK_WINDOW < HUSK_WINDOW_SIZE)
        rt_fault(regs, vector, error, address, signal);
    calls_leave(regs, vector == VECTOR_DEBUG);
    current->call = -1;
    current->signals.vector = vector;
    current->signals.error = error;
    current->signals.address = address;
    info = describe(regs, vector, address, signal);
    signal_force(regs, &info);
    thread_return(regs, false);
}

_Noreturn void rt_fault(const struct husk_regs *regs, uint64_t vector, uint64_t error,
                        uint64_t address, uint64_t signal)
{
    struct husk_fault fault = {
        .regs = *regs, .vector = vector, .error = error, .address = address, .signal = signal};

    fault.regs.rip = calls_origin(regs->rip);
    for (;;)
        HYPERCALL(HUSK_OP_FAULT, &fault);
}
