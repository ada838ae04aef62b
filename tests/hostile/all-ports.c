/* SPDX-License-Identifier: ISC
 *
 *     all-ports FIRST LAST
 *
 * Writes to all these I/O ports but the doorbell's four, and survives each fault by a signal
 * handler.
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

int main(int argc, char **argv)
{
    const struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
    volatile unsigned long port = argc == 3 ? strtoul(argv[1], NULL, 0) : 0;
    const unsigned long last = argc == 3 ? strtoul(argv[2], NULL, 0) : 0xffff;

    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    for (; port <= last; port++) {
        if (port >= HUSK_PORT && port < HUSK_PORT + 4)
            continue;
        if (sigsetjmp(back, 1) == 0) {
            __asm__ volatile("outb %0, %1" : : "a"((uint8_t)0xff), "d"((uint16_t)port));
            expect(false, "port 0x%lx can be written to", port);
        }
    }
    return held();
}
