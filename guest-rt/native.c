/* SPDX-License-Identifier: ISC
 *
 * A husk image that was started without husk, as ./configure and builds do with what they have just
 * compiled: an ordinary program, once its system calls are `syscall` again. This runs on Linux, not
 * in a VM.
 */
#include <asm/unistd.h>
#include <linux/mman.h>

#include "husk/calls.h"
#include "rt.h"

#define LEA_SIZE     7
#define JUMP         0xe9 /* jmp rel32 */
#define JUMP_SIZE    5
#define MOVED_MAX    (HUSK_CALL_SIZE - HUSK_CALL_TAIL)
#define SYSCALL_SIZE 2

/* In entry.asm. */
extern const uint64_t call_room[2];

static int32_t displacement(const uint8_t *at)
{
    int32_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static uint8_t *syscall_of(const uint8_t *tail)
{
    return (uint8_t *)tail + LEA_SIZE + displacement(tail + LEA_SIZE - 4) - SYSCALL_SIZE;
}

/* Bytes of the instructions that were moved from before SYSCALL, to before TAIL; 0: none were. */
static size_t moved_before(const uint8_t *syscall, const uint8_t *tail)
{
    for (size_t len = JUMP_SIZE; len <= MOVED_MAX; len++)
        if (*(syscall - len) == JUMP &&
            syscall - len + JUMP_SIZE + displacement(syscall - len + 1) == tail - len)
            return len;
    return 0;
}

static long protect(uint64_t start, uint64_t end, unsigned long prot)
{
    register unsigned long third __asm__("rdx") = prot;
    long result = __NR_mprotect;

    __asm__ volatile("syscall"
                     : "+a"(result)
                     : "D"(start), "S"(end - start), "r"(third)
                     : "rcx", "r11", "memory");
    return result;
}

/* Called by entry.asm before the application starts. */
void native_start(void)
{
    const struct husk_calls *calls = (const struct husk_calls *)call_room[0];
    const uint8_t *first = (const uint8_t *)call_room[0] + HUSK_CALL_SIZE;
    uint64_t low = UINT64_MAX, high = 0;

    if (!calls || calls->turned == 0 || calls->turned > HUSK_CALLS_MAX)
        return;
    for (uint32_t i = 0; i < calls->turned; i++) {
        uint64_t at = (uint64_t)syscall_of(first + (i + 1) * HUSK_CALL_SIZE - HUSK_CALL_TAIL);

        low = at < low ? at : low;
        high = at > high ? at : high;
    }
    low = page_down(low - MOVED_MAX);
    high = page_up(high);
    if (protect(low, high, PROT_READ | PROT_WRITE) < 0)
        return; /* its calls then end with SIGSEGV: nobody is there to take them */
    for (uint32_t i = 0; i < calls->turned; i++) {
        const uint8_t *tail = first + (i + 1) * HUSK_CALL_SIZE - HUSK_CALL_TAIL;
        uint8_t *syscall = syscall_of(tail);
        size_t len = moved_before(syscall, tail);

        memcpy(syscall - len, tail - len, len);
    }
    protect(low, high, PROT_READ | PROT_EXEC);
}
