/* SPDX-License-Identifier: ISC */
/*
 * Argument: NUMBER. Reports a fault of its own making: the report is made from registers, stack and
 * addresses that the guest chose.
 */
#include "hostile.h"

int main(int argc, char **argv)
{
    unsigned number = argc == 2 ? (unsigned)atoi(argv[1]) : 0;
    struct husk_fault fault = {.vector = 14, .signal = 11};
    uint64_t wild[64], *words = (uint64_t *)&fault.regs;
    size_t count = wild_addresses(wild);
    static uint64_t loop[64];

    /* Frames that lead in circles, for an unwinder that follows rbp. */
    for (size_t i = 0; i < COUNT(loop); i += 2) {
        loop[i] = (uint64_t)&loop[(i + 2) % COUNT(loop)];
        loop[i + 1] = (uint64_t)main + i;
    }
    for (size_t i = 0; i < sizeof(fault.regs) / 8; i++)
        words[i] = number % 2 ? (uint64_t)loop : wild[(number + i) % count];
    if (number % 2)
        fault.regs.rip = (uint64_t)main + number;
    fault.address = wild[number * 3 % count];
    fault.error = number * 0x1111111111111111;
    if (number % 4 == 3)
        fault.vector = number % 8 == 3 ? UINT64_MAX : number;
    RING(HUSK_OP_FAULT, &fault);
    puts("the report was refused");
    return 1;
}
