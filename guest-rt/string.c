/* SPDX-License-Identifier: ISC
 *
 * What compilers expect of any libc. String instructions are fast on every CPU that has KVM (ERMS).
 */
#include "rt.h"

void *memcpy(void *restrict dst, const void *restrict src, size_t len)
{
    void *at = dst;

    __asm__ volatile("rep movsb" : "+D"(at), "+S"(src), "+c"(len) : : "memory");
    return dst;
}

void *memmove(void *dst, const void *src, size_t len)
{
    char *to = (char *)dst + len;
    const char *from = (const char *)src + len;

    if ((uintptr_t)dst - (uintptr_t)src >= len)
        return memcpy(dst, src, len);
    while (len--)
        *--to = *--from;
    return dst;
}

void *memset(void *dst, int byte, size_t len)
{
    void *at = dst;

    __asm__ volatile("rep stosb" : "+D"(at), "+c"(len) : "a"(byte) : "memory");
    return dst;
}

size_t strlen(const char *string)
{
    size_t len = 0;

    while (string[len])
        len++;
    return len;
}
