/* SPDX-License-Identifier: ISC
 *
 * The one check of guest addresses, and the monitor's copies from and to the guest.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "memory_tables.h"

void *memory_pointer_prefix(const struct guest_memory *memory, guest_addr_t addr, uint64_t *len,
                            int access)
{
    uint64_t needed = PTE_PRESENT | PTE_USER | (access & HUSK_PROT_WRITE ? PTE_WRITE : 0);
    uint64_t refused = access & HUSK_PROT_EXEC ? PTE_NX : 0;
    uint64_t want = max_u64(*len, 1), have = 0;
    uint64_t limit;
    const uint64_t *pte;

    if (memory_in_ram(memory, addr, 1))
        limit = (addr >= memory->far_start ? memory->far_end : memory->ram_size) - addr;
    else if (memory_in_runtime(addr, 1))
        limit = HUSK_WINDOW + HUSK_WINDOW_SIZE - addr;
    else
        return NULL;
    want = min_u64(want, limit);
    pte = memory_pte(memory, addr);
    for (; have < want && (*pte & (needed | refused)) == needed; pte++)
        have += HUSK_PAGE_SIZE - (addr + have) % HUSK_PAGE_SIZE;
    if (have == 0)
        return NULL;
    *len = min_u64(min_u64(have, want), *len);
    return memory_host(memory, addr);
}

void *memory_pointer(const struct guest_memory *memory, guest_addr_t addr, uint64_t len, int access)
{
    uint64_t have = len;
    void *host = memory_pointer_prefix(memory, addr, &have, access);

    return have == len ? host : NULL;
}

/*
 * A page of a file that is shorter by now raises SIGBUS, one that the host may only read SIGSEGV:
 * the copy then fails as for memory that is not there. The signal comes in the thread that copies;
 * the server may do so while the vCPU's thread writes a report.
 */
static _Thread_local sigjmp_buf *volatile bus_error; /* of the copy under way, or NULL */

void memory_on_bus_error(int signal)
{
    static const char text[] =
        "husk: memory behind the program is gone: a file that it has mapped was truncated\n";

    (void)signal;
    if (bus_error)
        siglongjmp(*bus_error, 1);
    if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
        _exit(STATUS_HUSK);
    _exit(STATUS_HUSK);
}

static int copy(void *dst, const void *src, size_t len)
{
    sigjmp_buf failed;
    int ret = 0;

    if (sigsetjmp(failed, 0) == 0) {
        bus_error = &failed;
        memcpy(dst, src, len);
    } else {
        ret = -EFAULT;
    }
    bus_error = NULL;
    return ret;
}

int memory_read(const struct guest_memory *memory, void *dst, guest_addr_t addr, size_t len)
{
    const void *src = memory_pointer(memory, addr, len, HUSK_PROT_READ);

    return src ? copy(dst, src, len) : -EFAULT;
}

int memory_poke(const struct guest_memory *memory, guest_addr_t addr, uint8_t byte)
{
    void *dst = memory_pointer(memory, addr, 1, HUSK_PROT_EXEC);

    return dst ? copy(dst, &byte, 1) : -EFAULT;
}

int memory_write(const struct guest_memory *memory, guest_addr_t addr, const void *src, size_t len)
{
    void *dst = memory_pointer(memory, addr, len, HUSK_PROT_WRITE);

    return dst ? copy(dst, src, len) : -EFAULT;
}
