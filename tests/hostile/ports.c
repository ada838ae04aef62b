/* SPDX-License-Identifier: ISC */
/* Argument: HOW PORT. Reaches for an I/O port by outb, outw, outl, inb, inw, inl, outsb or insl. */
#include "hostile.h"

int main(int argc, char **argv)
{
    uint16_t port = argc == 3 ? (uint16_t)strtoul(argv[2], NULL, 0) : 0;
    const char *how = argc == 3 ? argv[1] : "";
    static uint32_t data[64];
    void *at = data;
    uint64_t count = 4;
    uint32_t value = MINE;

    if (strcmp(how, "outb") == 0)
        __asm__ volatile("outb %b0, %1" : : "a"(value), "d"(port));
    else if (strcmp(how, "outw") == 0)
        __asm__ volatile("outw %w0, %1" : : "a"(value), "d"(port));
    else if (strcmp(how, "outl") == 0)
        __asm__ volatile("outl %0, %1" : : "a"(value), "d"(port));
    else if (strcmp(how, "inb") == 0)
        __asm__ volatile("inb %1, %b0" : "+a"(value) : "d"(port));
    else if (strcmp(how, "inw") == 0)
        __asm__ volatile("inw %1, %w0" : "+a"(value) : "d"(port));
    else if (strcmp(how, "inl") == 0)
        __asm__ volatile("inl %1, %0" : "+a"(value) : "d"(port));
    else if (strcmp(how, "outsb") == 0)
        __asm__ volatile("rep outsb" : "+S"(at), "+c"(count) : "d"(port) : "memory");
    else if (strcmp(how, "insl") == 0)
        __asm__ volatile("rep insl" : "+D"(at), "+c"(count) : "d"(port) : "memory");
    printf("%s of port %#x had no effect\n", how, port);
    return 1;
}
