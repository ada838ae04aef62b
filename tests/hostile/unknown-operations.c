/* SPDX-License-Identifier: ISC */
/*
 * Operations and flags that are not defined; and, by argument "ring" INDEX, a doorbell for a
 * descriptor that does not exist, which ends the run.
 */
#include "hostile.h"

int main(int argc, char **argv)
{
    static const uint32_t operations[] = {HUSK_OP_COUNT, HUSK_OP_COUNT + 1, 0xff,       0x100,
                                          0xffff,        0x10000,           0x7fffffff, 0x80000000,
                                          UINT32_MAX};
    volatile struct husk_desc *desc = descriptor(MINE);

    if (argc == 3) {
        ring_filled((unsigned)strtoul(argv[2], NULL, 0));
        puts("the doorbell was answered");
        return 1;
    }
    for (size_t i = 0; i < COUNT(operations); i++)
        expect_result(-ENOSYS, operations[i], -1, -1, -1, -1, -1, -1);
    for (uint32_t op = 0; op < HUSK_OP_COUNT; op++)
        for (unsigned bit = 0; bit < 32; bit++) {
            desc->op = op;
            desc->flags = 1U << bit;
            desc->arg[0] = 0;
            expect(ring_filled(MINE) == -ENOSYS, "operation %u with flag %#x", op, 1U << bit);
        }
    for (unsigned index = 0; index < HUSK_DESC_COUNT; index++) {
        descriptor(index)->op = HUSK_OP_COUNT;
        expect(ring_filled(index) == -ENOSYS, "descriptor %u", index);
    }
    return held();
}
