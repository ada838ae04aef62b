/* SPDX-License-Identifier: ISC */
#include "cpuid.h"

#include <stddef.h>
#include <stdint.h>

enum { EAX, EBX, ECX, EDX };

/* SDM 2A, CPUID; APM 3, appendix E. */
static const struct {
    uint32_t function, index, reg, bits;
} hidden[] = {
    {0x1, 0, ECX, 1U << 2 | 1U << 15},                    /* DTES64, PDCM */
    {0x1, 0, ECX, 1U << 3 | 1U << 4 | 1U << 5 | 1U << 6}, /* MONITOR, DS-CPL, VMX, SMX */
    {0x1, 0, EDX, 1U << 21},                              /* DS: debug store */
    {0x7, 0, EBX, 1U << 2 | 1U << 14 | 1U << 25},         /* SGX, MPX, PT */
    {0x7, 0, ECX, 1U << 30},                              /* SGX launch configuration */
    {0x7, 0, EDX, 1U << 1 | 1U << 19},                    /* SGX keys, architectural LBRs */
    {0xd, 0, EAX, 1U << 3 | 1U << 4},                     /* MPX's states */
    {0x80000001, 0, ECX, 1U << 2},                        /* SVM */
    {0x80000001, 0, ECX, 1U << 10},                       /* IBS */
    {0x80000001, 0, ECX, 1U << 12},                       /* SKINIT */
    {0x80000001, 0, ECX, 1U << 23 | 1U << 24 | 1U << 28}, /* performance counters */
};

/* Whole leaves: performance counters, SGX, PT, LBRs, SVM, IBS, extended performance counters. */
static const uint32_t empty[] = {
    0xa, 0x12, 0x14, 0x1c, 0x23, 0x8000000a, 0x8000001b, 0x80000022,
};

static uint32_t *reg_of(struct kvm_cpuid_entry2 *entry, uint32_t reg)
{
    switch (reg) {
    case EAX:
        return &entry->eax;
    case EBX:
        return &entry->ebx;
    case ECX:
        return &entry->ecx;
    default:
        return &entry->edx;
    }
}

static void hide(struct kvm_cpuid_entry2 *entry)
{
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        if (entry->function == hidden[i].function && entry->index == hidden[i].index)
            *reg_of(entry, hidden[i].reg) &= ~hidden[i].bits;
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
        if (entry->function == empty[i])
            entry->eax = entry->ebx = entry->ecx = entry->edx = 0;
}

void cpuid_hide(struct kvm_cpuid_entry2 *entries, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        hide(&entries[i]);
}
