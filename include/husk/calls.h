/* SPDX-License-Identifier: ISC
 *
 * Trampolines: how a system call of a husk image becomes a jump into guest-rt. linker/husk-calls
 * writes them into the finished image, guest-rt is jumped to and knows their form, and the monitor
 * only counts them. They are no matter between monitor and guest-rt: both sides of a jump are in
 * the same image.
 *
 *     site:   mov eax, 39              site:   jmp moved
 *             syscall                          syscall          still there
 *     back:   ...                      back:   ...
 *
 *                                      moved:  mov eax, 39      the instructions as they were
 *                                      tail:   lea rcx, [back]
 *                                              jmp [entry]
 *
 * The `syscall` stays: a call that a signal interrupted is made again by moving RIP back two bytes,
 * and jumps that lead to it trap. Nothing is written, so the red zone is left alone.
 */
#ifndef HUSK_CALLS_H
#define HUSK_CALLS_H

#include <stdint.h>

/* The section of the room for them, at its start struct husk_calls. Read and execute. */
#define HUSK_CALLS_SECTION ".husk.calls"

/* Each trampoline has this many bytes, aligned to as many, and ends with a tail of these. */
#define HUSK_CALL_SIZE 32
#define HUSK_CALL_TAIL 13 /* lea rcx, [rip + back]; jmp [rip + entry] */
#define HUSK_CALLS_MAX 511

struct husk_calls {
    uint64_t entry;  /* in guest-rt: syscall_called of entry.asm */
    uint32_t turned; /* trampolines; the first follows at HUSK_CALL_SIZE */
    uint32_t sites;  /* system calls in the image's text: those, and those that stay traps */
    uint64_t reserved[2];
};
_Static_assert(sizeof(struct husk_calls) == HUSK_CALL_SIZE, "the place of a trampoline");

#endif
