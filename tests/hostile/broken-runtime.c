/* SPDX-License-Identifier: ISC */
/*
 * Argument: what of guest-rt to take away, or where to put the stack pointer, before a fault. Ring
 * 0 cannot deliver the exception as usual: this aims at double and triple faults.
 */
#include "hostile.h"

#define RUNTIME_END (HUSK_WINDOW + HUSK_WINDOW_SIZE)

static void change_runtime(uint32_t op)
{
    for (uint64_t page = HUSK_RT_BASE; page < RUNTIME_END; page += HUSK_PAGE_SIZE)
        RING(op, page, HUSK_PAGE_SIZE, HUSK_PROT_NONE);
}

static _Noreturn void fault_with_stack_at(uint64_t address)
{
    __asm__ volatile("mov %0, %%rsp; ud2" : : "r"(address));
    __builtin_unreachable();
}

int main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";
    void (*volatile nowhere)(void) = (void (*)(void))0x1000;

    if (strcmp(what, "unmap") == 0)
        change_runtime(HUSK_OP_UNMAP);
    else if (strcmp(what, "protect") == 0)
        change_runtime(HUSK_OP_PROTECT);
    else if (strcmp(what, "discard") == 0)
        change_runtime(HUSK_OP_DISCARD);
    else if (strcmp(what, "zeroes") == 0) /* fresh pages instead of its code and data */
        RING(HUSK_OP_MAP, HUSK_RT_BASE, RUNTIME_END - HUSK_RT_BASE, HUSK_PROT_READ);
    else if (strcmp(what, "stack-null") == 0)
        fault_with_stack_at(0);
    else if (strcmp(what, "stack-ring0") == 0)
        fault_with_stack_at(HUSK_RING0_STACK + 0x800);
    else if (strcmp(what, "stack-tables") == 0)
        fault_with_stack_at(HUSK_RING0_TABLES + 0x800);
    else if (strcmp(what, "stack-kernel") == 0)
        fault_with_stack_at(0xffffffff81000000);
    else if (strcmp(what, "stack-wild") == 0)
        fault_with_stack_at(0x8000000000000000);
    else if (strcmp(what, "stack-of-runtime") == 0)
        fault_with_stack_at(HUSK_RT_BASE + 8);
    nowhere();
    return 1;
}
