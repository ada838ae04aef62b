/* SPDX-License-Identifier: ISC
 *
 * From the application's `syscall` to the function that serves it; hypercalls.
 */
#include "thread.h"

static syscall_fn *const table[] = {
#define SYSCALL(number, name) [number] = sys_##name,
#include "syscalls.def"
#undef SYSCALL
};

uint64_t hypercall_count;

int64_t hypercall(enum husk_op op, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                  uint64_t a5)
{
    volatile struct husk_desc *desc = (struct husk_desc *)HUSK_DESC_PAGE;

    desc->op = op;
    desc->flags = 0;
    desc->arg[0] = a0;
    desc->arg[1] = a1;
    desc->arg[2] = a2;
    desc->arg[3] = a3;
    desc->arg[4] = a4;
    desc->arg[5] = a5;
    hypercall_count++;
    __asm__ volatile("out %0, %1" : : "a"(0), "d"((uint16_t)HUSK_PORT) : "memory");
    return desc->result;
}

static void trace(const struct husk_regs *regs, uint64_t number, int64_t result, uint64_t exits)
{
    struct husk_trace record = {
        .number = number,
        .arg = {regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9},
        .result = result,
        .exits = exits,
    };

    HYPERCALL(HUSK_OP_TRACE, &record);
}

static bool ends_the_run(uint64_t number)
{
    return number == 60 || number == 231;
}

/* Something came while guest-rt was at work. */
static bool interrupted(void)
{
    return ((volatile struct husk_doorbell *)HUSK_DESC_PAGE)->pending.due;
}

/*
 * Called by entry.asm; returns whether registers were changed that a system call does not change.
 * The calling convention of Linux: the x86-64 System V ABI's appendix A.2.1.
 */
bool rt_syscall(struct husk_regs *regs)
{
    uint64_t number = regs->rax, before = hypercall_count;
    const struct call call = {
        .arg = {regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9},
        .regs = regs,
    };
    bool tracing = BOOT->flags & HUSK_BOOT_TRACE;

    current->call = (int64_t)number;
    if (tracing && ends_the_run(number))
        trace(regs, number, 0, 1);
    if (number < ARRAY_SIZE(table) && table[number])
        regs->rax = table[number](&call);
    else
        regs->rax = -ENOSYS;
    if (tracing)
        trace(regs, number, regs->rax, hypercall_count - before);
    if (thread_work || interrupted() || regs->rax == (uint64_t)-ERESTARTSYS)
        return thread_return(regs, false);
    return false;
}

/* Called by entry.asm: the monitor interrupted the application. */
void rt_interrupt(struct husk_regs *regs)
{
    current->call = -1;
    thread_return(regs, true);
}
