/* SPDX-License-Identifier: ISC */
/* An FS base that is not canonical, or the kernel's, must not reach KVM. */
#include "hostile.h"

int main(void)
{
    static const uint64_t wild[] = {
        1ULL << 47,         1ULL << 48,         1ULL << 62,         1ULL << 63, 0x8000000000000001,
        0xffff7fffffffffff, 0xffff800000000000, 0xffffffff81000000, UINT64_MAX,
    };
    uint64_t base, after;

    __asm__ volatile("mov %%fs:0, %0" : "=r"(base));
    for (size_t i = 0; i < COUNT(wild); i++)
        expect_result(-EPERM, HUSK_OP_FSBASE, wild[i]);
    __asm__ volatile("mov %%fs:0, %0" : "=r"(after));
    expect(base == after, "the base has changed");
    expect_result(0, HUSK_OP_FSBASE, base);
    return held();
}
