/* SPDX-License-Identifier: ISC */
#include "rt.h"
#include "synthetic.h"
#include "thread.h"

uint64_t rt_entry, rt_stack_pointer;

/* Called by entry.asm before the application starts at rt_entry with rt_stack_pointer. */
void rt_start(void)
{
    bool stats = BOOT->flags & HUSK_BOOT_STATS;

    if (stats)
        HYPERCALL(HUSK_OP_MARK, HUSK_MARK_FIRST);
    thread_init();
    signals_init();
    mm_init();
    files_init();
    change_init();
    synthetic_init();
    rt_entry = BOOT->entry;
    rt_stack_pointer = BOOT->stack_pointer;
    if (stats)
        HYPERCALL(HUSK_OP_MARK, HUSK_MARK_START);
}
