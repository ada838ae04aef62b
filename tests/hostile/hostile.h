/* SPDX-License-Identifier: ISC
 *
 * What the attacking guests share. They go past guest-rt and ring the doorbell themselves. Each
 * ends with status 0 and the one line "held" if the monitor refused what it had to refuse; what it
 * did not is told on standard output.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "husk/abi.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BOOT         ((const volatile struct husk_boot *)HUSK_BOOT_PAGE)

/* struct statx, which musl 1.2.3 does not have. */
enum { STATX_ALL = 0xfff, STATX_SIZE = 256 };

/* guest-rt uses descriptor 0. */
enum { MINE = 7 };

static int breaches;

static inline volatile struct husk_desc *descriptor(unsigned index)
{
    return (volatile struct husk_desc *)HUSK_DESC_PAGE + index;
}

static inline int64_t ring_filled(unsigned index)
{
    __asm__ volatile("out %0, %1" : : "a"(index), "d"((uint16_t)HUSK_PORT) : "memory");
    return descriptor(index)->result;
}

static inline int64_t ring6(uint32_t op, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                            uint64_t f, ...)
{
    volatile struct husk_desc *desc = descriptor(MINE);

    desc->op = op;
    desc->flags = 0;
    desc->arg[0] = a;
    desc->arg[1] = b;
    desc->arg[2] = c;
    desc->arg[3] = d;
    desc->arg[4] = e;
    desc->arg[5] = f;
    desc->result = 0x5a5a5a5a;
    return ring_filled(MINE);
}
/* The operation with the arguments that are given, and zeroes. */
#define RING(...) RING_(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define RING_(op, a, b, c, d, e, f, ...)                                                           \
    ring6((op), (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e),         \
          (uint64_t)(f))

__attribute__((format(printf, 2, 3))) static inline void expect(bool good, const char *format, ...)
{
    va_list args;

    if (good)
        return;
    breaches++;
    if (breaches > 20)
        return;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

#define expect_result(wanted, ...) expect_result_(#__VA_ARGS__, RING(__VA_ARGS__), wanted)

static inline void expect_result_(const char *call, int64_t result, int64_t wanted)
{
    expect(result == wanted, "%s gave %lld, not %lld", call, (long long)result, (long long)wanted);
}

/* A file or directory by the hypercall: its handle, or -errno. */
static inline int64_t open_handle(const char *path, uint64_t flags)
{
    int64_t result = RING(HUSK_OP_OPEN, HUSK_DIR_ROOT, path, strlen(path), flags);

    return result < 0 ? result : HUSK_OPEN_HANDLE(result);
}

static inline int held(void)
{
    if (breaches) {
        printf("%d breaches\n", breaches);
        return 1;
    }
    puts("held");
    return 0;
}

/* Addresses that no operation may touch: unmapped, another's, beyond the end, or not canonical. */
static inline size_t wild_addresses(uint64_t wild[64])
{
    const uint64_t ram = BOOT->ram_size;
    const uint64_t all[] = {
        0,
        1,
        0xfff,
        HUSK_NULL_GUARD - 1,
        HUSK_NULL_GUARD,
        BOOT->stack_low - 1,
        BOOT->stack_low - HUSK_PAGE_SIZE,
        ram,
        ram + 1,
        ram + HUSK_PAGE_SIZE,
        ram + HUSK_WINDOW_SIZE, /* physical address of the page tables */
        ram + HUSK_WINDOW_SIZE + HUSK_PAGE_SIZE,
        BOOT->far_start - HUSK_PAGE_SIZE,
        BOOT->far_start,
        BOOT->far_end - HUSK_PAGE_SIZE,
        BOOT->far_end,
        HUSK_RAM_MAX,
        HUSK_WINDOW - HUSK_PAGE_SIZE,
        HUSK_RING0_TEXT,
        HUSK_RING0_TABLES,
        HUSK_RING0_TABLES + HUSK_TSS_OFFSET,
        HUSK_RING0_TABLES + HUSK_IDT_OFFSET,
        HUSK_RING0_STACK,
        HUSK_RING0_STACK + HUSK_PAGE_SIZE - 8,
        HUSK_RING0_VIEW,
        HUSK_CLOCK_PAGE,
        HUSK_BOOT_PAGE,
        HUSK_DESC_PAGE,
        HUSK_DESC_PAGE + HUSK_PAGE_SIZE,
        HUSK_RT_BASE - 1,
        HUSK_WINDOW + HUSK_WINDOW_SIZE - HUSK_PAGE_SIZE,
        HUSK_WINDOW + HUSK_WINDOW_SIZE,
        1ULL << 46,
        (1ULL << 47) - HUSK_PAGE_SIZE,
        1ULL << 47, /* the first that is not canonical */
        0x8000000000000000,
        0xffff7fffffffffff,
        0xffff800000000000,
        0xffff888000000000, /* Linux's map of all memory */
        0xffffffff81000000, /* Linux's text */
        0xffffffffff600000, /* its vsyscall page */
        0 - 2 * (uint64_t)HUSK_PAGE_SIZE,
        0 - (uint64_t)HUSK_PAGE_SIZE,
        0 - (uint64_t)8,
        UINT64_MAX,
    };
    _Static_assert(COUNT(all) <= 64, "wild has room for 64");

    memcpy(wild, all, sizeof(all));
    return COUNT(all);
}

#endif
