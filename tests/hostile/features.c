/* SPDX-License-Identifier: ISC
 *
 * Looks in CPUID for what could lead to the host: virtualization, enclaves, MPX, performance
 * counters. (On kvm-pvm the processor shows its own, and this guest is not run.)
 */
#include <cpuid.h>

#include "hostile.h"

static void expect_hidden(const char *name, unsigned function, unsigned reg, unsigned bits)
{
    unsigned r[4] = {0};

    __get_cpuid_count(function, 0, &r[0], &r[1], &r[2], &r[3]);
    expect(!(r[reg] & bits), "%s is there", name);
}

int main(void)
{
    expect_hidden("VMX", 1, 2, 1U << 5);
    expect_hidden("SVM", 0x80000001, 2, 1U << 2);
    expect_hidden("SVM's revision", 0x8000000a, 0, ~0U);
    expect_hidden("SGX", 7, 1, 1U << 2);
    expect_hidden("MPX", 7, 1, 1U << 14);
    expect_hidden("performance counters", 0xa, 0, ~0U);
    expect_hidden("AMD's performance counters", 0x80000001, 2, 1U << 23 | 1U << 24);
    return held();
}
