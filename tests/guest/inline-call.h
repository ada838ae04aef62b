/* SPDX-License-Identifier: ISC */
/* A system call as compilers inline it, in the middle of a function. */
#ifndef GUEST_INLINE_CALL_H
#define GUEST_INLINE_CALL_H

static inline long inline_call(long number, long a, long b, long c)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

#endif
