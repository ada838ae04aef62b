/* SPDX-License-Identifier: ISC
 *
 * A hundred thousand hypercalls as fast as they go, through every descriptor, most of them wrong.
 */
#include "hostile.h"

int main(void)
{
    for (unsigned i = 0; i < 100000; i++) {
        volatile struct husk_desc *desc = descriptor(8 + i % (HUSK_DESC_COUNT - 8));

        desc->op = i % 3 == 0 ? HUSK_OP_CLOSE : i % 3 == 1 ? HUSK_OP_COUNT + i : HUSK_OP_SEEK;
        desc->flags = i % 5 == 0;
        for (unsigned j = 0; j < 6; j++)
            desc->arg[j] = ~(uint64_t)i << j;
        if (ring_filled(8 + i % (HUSK_DESC_COUNT - 8)) >= 0)
            breaches++;
    }
    return held();
}
