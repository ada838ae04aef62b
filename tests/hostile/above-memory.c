/* SPDX-License-Identifier: ISC
 *
 * Reads, writes and jumps to addresses of every size that the guest does not have, above RAM in
 * particular, and survives each fault by a signal handler.
 */
#include <setjmp.h>
#include <signal.h>

#include "hostile.h"

static sigjmp_buf back;

static void on_fault(int signal)
{
    (void)signal;
    siglongjmp(back, 1);
}

static void touch(volatile uint64_t addr)
{
    if (sigsetjmp(back, 1) == 0) {
        (void)*(volatile char *)addr;
        expect(false, "0x%llx can be read", (unsigned long long)addr);
    }
    if (sigsetjmp(back, 1) == 0) {
        *(volatile char *)addr = 1;
        expect(false, "0x%llx can be written to", (unsigned long long)addr);
    }
}

static void jump(volatile uint64_t addr)
{
    if (sigsetjmp(back, 1) == 0) {
        ((void (*)(void))addr)();
        expect(false, "0x%llx can be executed", (unsigned long long)addr);
    }
}

int main(void)
{
    const struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
    const uint64_t ram = BOOT->ram_size, end = BOOT->far_start + (2 << 20);

    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    for (uint64_t addr = ram; addr < end; addr += 16 * HUSK_PAGE_SIZE) {
        touch(addr);
        jump(addr);
    }
    for (unsigned bit = 33; bit < 64; bit++) {
        if (1ULL << bit >= HUSK_WINDOW + HUSK_WINDOW_SIZE)
            touch(1ULL << bit);
        touch(0 - (1ULL << bit));
    }
    for (uint64_t addr = BOOT->far_start; addr < BOOT->far_end; addr += 16 << 20)
        touch(addr);
    for (uint64_t addr = BOOT->far_end - 4 * HUSK_PAGE_SIZE; addr < 1ULL << 32; addr += 1 << 20)
        touch(addr);
    touch(0);
    return held();
}
