/* SPDX-License-Identifier: ISC
 *
 * Calls itself until the stack ends, and a little further.
 */
#include "hostile.h"

static int deeper(volatile int *from)
{
    volatile int here[256];

    here[0] = from[0] + 1;
    return here[0] ? deeper(here) + here[0] : 0;
}

int main(void)
{
    volatile int zero[1] = {0};

    return deeper(zero);
}
