/* SPDX-License-Identifier: ISC */
/* Arguments: HOW ADDRESS. Reads, writes or executes (HOW) what it has no right to. */
#include "hostile.h"

int main(int argc, char **argv)
{
    uint64_t address = argc == 3 ? strtoull(argv[2], NULL, 0) : 0;
    const char *how = argc == 3 ? argv[1] : "";

    if (strcmp(how, "read") == 0)
        (void)*(volatile char *)address;
    else if (strcmp(how, "write") == 0)
        *(volatile char *)address = 0;
    else if (strcmp(how, "execute") == 0)
        ((void (*)(void))address)();
    printf("%s of %#llx was allowed\n", how, (unsigned long long)address);
    return 1;
}
