/* SPDX-License-Identifier: ISC */
/*
 * Argument: what to do with its own memory against its rights: write to code or constants, or
 * execute the stack, the heap or data.
 */
#include "hostile.h"

/* ret: harmless where it can be executed. */
static uint8_t data[] = {0xc3};
static const uint8_t constant[] = {0xc3};

static void execute(const volatile void *code)
{
    ((void (*)(void))code)();
}

int main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";
    volatile uint8_t stack[] = {0xc3};
    uint8_t *heap = malloc(1);

    *heap = 0xc3;
    if (strcmp(what, "write-code") == 0)
        *(volatile uint8_t *)main = 0xc3;
    else if (strcmp(what, "write-constant") == 0)
        *(volatile uint8_t *)constant = 0;
    else if (strcmp(what, "write-runtime-code") == 0)
        *(volatile uint8_t *)(HUSK_RT_BASE + HUSK_PAGE_SIZE) = 0xc3;
    else if (strcmp(what, "execute-stack") == 0)
        execute(stack);
    else if (strcmp(what, "execute-heap") == 0)
        execute(heap);
    else if (strcmp(what, "execute-data") == 0)
        execute(data);
    else if (strcmp(what, "execute-constant") == 0)
        execute(constant);
    printf("%s was allowed\n", what);
    return 1;
}
