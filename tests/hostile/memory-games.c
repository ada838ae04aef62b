/* SPDX-License-Identifier: ISC
 *
 * Maps, fills, protects, discards and unmaps memory again and again, more in all than there is, to
 * bring the monitor to keep some of it. test_limits.c looks at what it took.
 */
#include "hostile.h"

enum { PIECE = 4 << 20 };

/* Pages that hold something, at an address in the middle of RAM. */
static void fill(uint64_t addr, uint64_t len, char byte)
{
    expect_result(0, HUSK_OP_MAP, addr, len, HUSK_PROT_READ | HUSK_PROT_WRITE);
    memset((void *)addr, byte, len);
}

int main(void)
{
    const uint64_t room = BOOT->stack_low - (16 << 20), base = 8 << 20;

    for (unsigned round = 0; round < 24; round++)
        for (uint64_t at = base; at + PIECE <= room; at += PIECE) {
            fill(at, PIECE, (char)round);
            switch (round % 4) {
            case 0:
                expect_result(0, HUSK_OP_UNMAP, at, PIECE);
                break;
            case 1:
                expect_result(0, HUSK_OP_DISCARD, at, PIECE);
                break;
            case 2: /* every other page has other rights: as many host mappings */
                for (uint64_t page = at; page < at + (256 << 10); page += 2 * HUSK_PAGE_SIZE)
                    expect_result(0, HUSK_OP_PROTECT, page, HUSK_PAGE_SIZE, HUSK_PROT_READ);
                break;
            case 3:
                expect_result(0, HUSK_OP_MAP, at, PIECE, HUSK_PROT_NONE);
            }
        }
    /* Beyond the end there is nothing to have. */
    expect_result(-EINVAL, HUSK_OP_MAP, BOOT->ram_size, PIECE, HUSK_PROT_READ | HUSK_PROT_WRITE);
    expect_result(-EINVAL, HUSK_OP_MAP, base, BOOT->ram_size, HUSK_PROT_READ | HUSK_PROT_WRITE);
    return held();
}
