/* SPDX-License-Identifier: ISC */
/* 64 MiB without initial value, of which a few pages are touched. */
#include "check.h"
#include "memory.h"

enum { MIB = 1024 * 1024, SIZE = 64 * MIB, STEP = 257 * PAGE };

static char block[SIZE];
static char before = 1;
static char after[3] = {1, 2, 3};

int main(void)
{
    unsigned sum = 0;
    bool zero = true;

    check(holds_only(block, 0, PAGE), "the first page is zero");
    check(holds_only(block + SIZE - PAGE, 0, PAGE), "the last page is zero");
    for (size_t i = 0; i < SIZE; i += STEP)
        zero &= holds_only(block + i, 0, 64);
    check(zero, "so are those between that are looked at");
    for (size_t i = 0; i < SIZE; i += STEP)
        block[i] = (char)(i / STEP);
    for (size_t i = 0; i < SIZE; i += STEP)
        sum += (unsigned char)block[i];
    printf("sum %u\n", sum);
    check(block[1] == 0 && block[STEP - 1] == 0 && block[STEP + 1] == 0, "neighbours stay zero");
    block[SIZE - 1] = 5;
    check(block[SIZE - 1] == 5, "the last byte can be written");
    check(before == 1 && after[0] == 1 && after[2] == 3, "initialised data is whole");
    return exit_status();
}
