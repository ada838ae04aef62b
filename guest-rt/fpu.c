/* SPDX-License-Identifier: ISC
 *
 * The extended state (x87, SSE, AVX and what else the processor has), which guest-rt itself never
 * uses. SDM 1 chapter 13.
 */
#include "thread.h"

#define CPUID_1_ECX_OSXSAVE (1U << 27)
#define XCR0_MPX            (3ULL << 3)  /* bounds registers: no longer in use on Linux */
#define XCR0_AMX            (3ULL << 17) /* tiles: Linux gives them only to who asks for them */
#define FXSAVE_SIZE         512
#define MXCSR_MASK          0xffbf /* where FXSAVE says 0: SDM 1 11.6.6 */

static uint64_t components; /* of XSAVE; 0: FXSAVE */
static size_t size;         /* 0: not asked for yet */

static void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t reg[4])
{
    __asm__("cpuid"
            : "=a"(reg[0]), "=b"(reg[1]), "=c"(reg[2]), "=d"(reg[3])
            : "a"(leaf), "c"(subleaf));
}

/* The end of the last component that is kept: leaf 0xd gives size and offset of each. */
static size_t area_size(void)
{
    size_t end = FXSAVE_SIZE + 64;

    for (unsigned i = 2; i < 63; i++) {
        uint32_t reg[4];

        if (!(components >> i & 1))
            continue;
        cpuid(0xd, i, reg);
        if (reg[1] + reg[0] > end)
            end = reg[1] + reg[0];
    }
    return end;
}

size_t fpu_size(void)
{
    uint32_t reg[4], low, high;

    if (size)
        return size;
    size = FXSAVE_SIZE;
    cpuid(1, 0, reg);
    if (reg[2] & CPUID_1_ECX_OSXSAVE) {
        __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        components = (low | (uint64_t)high << 32) & ~(XCR0_MPX | XCR0_AMX);
        size = area_size();
    }
    return size;
}

uint64_t fpu_components(void)
{
    return components;
}

void fpu_sanitize(void *area)
{
    uint32_t *mxcsr = (uint32_t *)((char *)area + 24), mask;
    uint64_t *header = (uint64_t *)((char *)area + FXSAVE_SIZE);
    char now[FXSAVE_SIZE] __attribute__((aligned(16)));

    __asm__ volatile("fxsave64 (%0)" : : "r"(now) : "memory");
    memcpy(&mask, now + 28, sizeof(mask));
    *mxcsr &= mask ? mask : MXCSR_MASK;
    if (!components)
        return;
    header[0] &= components;
    for (int i = 1; i < 8; i++)
        header[i] = 0;
}

void fpu_save(void *area)
{
    if (components)
        __asm__ volatile("xsave64 (%0)"
                         :
                         : "r"(area), "a"((uint32_t)components), "d"((uint32_t)(components >> 32))
                         : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

void fpu_load(const void *area)
{
    if (components)
        __asm__ volatile("xrstor64 (%0)"
                         :
                         : "r"(area), "a"((uint32_t)components), "d"((uint32_t)(components >> 32))
                         : "memory");
    else
        __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}
