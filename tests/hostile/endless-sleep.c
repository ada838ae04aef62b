/* SPDX-License-Identifier: ISC */
/* Argument: NANOSECONDS to sleep by the hypercall, for longer than anybody waits. */
#include "hostile.h"

int main(int argc, char **argv)
{
    puts("asleep");
    fflush(stdout);
    RING(HUSK_OP_WAIT, 0, 0, argc == 2 ? strtoull(argv[1], NULL, 0) : 0);
    return 1;
}
