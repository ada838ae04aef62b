/* SPDX-License-Identifier: ISC
 *
 * Prints without end, in pieces of every size, whatever becomes of them.
 */
#include "hostile.h"

static char block[1 << 16];

int main(void)
{
    memset(block, 'x', sizeof(block));
    for (uint64_t size = 1;; size = size * 3 % sizeof(block) + 1)
        RING(HUSK_OP_WRITE, 1 + size % 2, block, size, HUSK_STREAM);
}
