/* SPDX-License-Identifier: ISC */
/* Standard input is a file that cannot be mapped (/proc/cpuinfo): the failed attempt must not leave
 * a hole in the guest's memory. */
#include "hostile.h"

int main(void)
{
    const uint64_t address = 0x4000000;
    long result = RING(HUSK_OP_MAPFILE, address, 0x2000, 0, 0, HUSK_PROT_READ, 0);

    expect(result < 0, "a file of /proc can be mapped");
    expect_result(0, HUSK_OP_MAP, address, 0x2000, HUSK_PROT_READ | HUSK_PROT_WRITE);
    expect_result(0, HUSK_OP_CLOCK, address);
    *(volatile char *)(address + 0x1000) = 1;
    return held();
}
