/* SPDX-License-Identifier: ISC */
/* Asks for mappings that nobody may have: writable code, husk's own pages, beyond the memory. */
#include "hostile.h"

enum { PAGE = HUSK_PAGE_SIZE, W = HUSK_PROT_WRITE, X = HUSK_PROT_EXEC, R = HUSK_PROT_READ };

static _Alignas(PAGE) char own[2 * PAGE];

static void expect_untouchable(uint64_t address, uint64_t length)
{
    expect_result(-EINVAL, HUSK_OP_MAP, address, length, R | W);
    expect_result(-EINVAL, HUSK_OP_PROTECT, address, length, R | W);
    expect_result(-EINVAL, HUSK_OP_UNMAP, address, length);
    expect_result(-EINVAL, HUSK_OP_DISCARD, address, length);
}

static void writable_code(void)
{
    static const uint64_t both[] = {W | X, R | W | X, UINT64_MAX, 0xffff0006, 1ULL << 32 | W | X};

    for (size_t i = 0; i < COUNT(both); i++) {
        expect_result(-EACCES, HUSK_OP_MAP, own, PAGE, both[i]);
        expect_result(-EACCES, HUSK_OP_PROTECT, own, PAGE, both[i]);
        expect_result(-EACCES, HUSK_OP_PROTECT, (uint64_t)expect_untouchable & -PAGE, PAGE,
                      both[i]);
        expect_result(-EACCES, HUSK_OP_PROTECT, HUSK_RT_BASE, PAGE, both[i]);
        expect_result(-EACCES, HUSK_OP_MAP, BOOT->image_end + 0x100000, PAGE, both[i]);
    }
    own[0] = 1;
    expect(own[0] == 1, "own data");
}

static void shapes(uint64_t ram)
{
    const uint64_t far_start = BOOT->far_start, far_end = BOOT->far_end;
    static const uint64_t wild[] = {0,          1,          PAGE - 1, PAGE + 1,
                                    1ULL << 63, UINT64_MAX, -PAGE,    0x1800};

    for (size_t i = 0; i < COUNT(wild); i++)
        expect_untouchable((uint64_t)own, wild[i]);
    for (uint64_t offset = 1; offset < PAGE; offset <<= 1)
        expect_untouchable((uint64_t)own + offset, PAGE);
    expect_untouchable((uint64_t)own, ram);
    expect_untouchable((uint64_t)own, ram - (uint64_t)own + PAGE);
    expect_untouchable((uint64_t)own, HUSK_WINDOW - (uint64_t)own);
    expect_untouchable((uint64_t)own, HUSK_WINDOW + HUSK_WINDOW_SIZE - (uint64_t)own);
    expect_untouchable((uint64_t)own, 0 - (uint64_t)own);
    expect_untouchable(ram - PAGE, 2 * PAGE);
    expect_untouchable(ram - PAGE, far_start - ram + 2 * PAGE);
    expect_untouchable(ram, far_start - ram);
    expect_untouchable(HUSK_NULL_GUARD, far_end - HUSK_NULL_GUARD);
    expect_untouchable(far_start - PAGE, PAGE);
    expect_untouchable(far_start - PAGE, 2 * PAGE);
    expect_untouchable(far_end - PAGE, 2 * PAGE);
    expect_untouchable(far_end, PAGE);
    expect_untouchable(far_start, 0 - far_start);
    expect_untouchable(HUSK_NULL_GUARD - PAGE, 2 * PAGE);
    expect_untouchable(HUSK_RT_BASE - PAGE, 2 * PAGE);
    expect_untouchable(HUSK_RT_BASE, HUSK_WINDOW_SIZE);
    expect_untouchable(HUSK_WINDOW + HUSK_WINDOW_SIZE - PAGE, 2 * PAGE);
}

/* A page that was never mapped has no rights to change. */
static void never_mapped(void)
{
    uint64_t unmapped = BOOT->image_end + 0x200000;

    expect_result(-ENOMEM, HUSK_OP_PROTECT, BOOT->far_start, PAGE, R | W);
    expect_result(-ENOMEM, HUSK_OP_PROTECT, BOOT->far_end - 2 * PAGE, 2 * PAGE, R);
    expect_result(-ENOMEM, HUSK_OP_PROTECT, unmapped, PAGE, R | W);
    expect_result(-ENOMEM, HUSK_OP_PROTECT, (uint64_t)own, unmapped - (uint64_t)own, R | W);
}

int main(void)
{
    uint64_t wild[64];
    size_t count = wild_addresses(wild);
    uint64_t ram = BOOT->ram_size;

    writable_code();
    shapes(ram);
    never_mapped();
    for (size_t i = 0; i < count; i++) {
        /* A program may map these itself. */
        if ((wild[i] >= HUSK_NULL_GUARD && wild[i] < ram) || wild[i] % PAGE != 0 ||
            (wild[i] >= BOOT->far_start && wild[i] < BOOT->far_end) ||
            (wild[i] >= HUSK_RT_BASE && wild[i] < HUSK_WINDOW + HUSK_WINDOW_SIZE))
            continue;
        expect_untouchable(wild[i], PAGE);
    }
    return held();
}
