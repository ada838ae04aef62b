/* SPDX-License-Identifier: ISC
 *
 * Has every signal passed on, takes none of them, and spins without a hypercall.
 */
#include "hostile.h"

int main(void)
{
    RING(HUSK_OP_FORWARD, UINT64_MAX);
    RING(HUSK_OP_ALARM, 0);
    for (;;)
        __asm__ volatile("");
}
