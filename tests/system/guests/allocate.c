/* SPDX-License-Identifier: ISC */
/* Argument: MIB. Allocates and fills that much memory, or says that it cannot. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    size_t size = argc == 2 ? (size_t)atol(argv[1]) << 20 : 0;
    char *memory = malloc(size);

    if (!memory) {
        puts("no memory");
        return 1;
    }
    memset(memory, 1, size);
    printf("%zu MiB\n", size >> 20);
    free(memory);
    return 0;
}
