/* SPDX-License-Identifier: ISC */
#include "embedded.h"

#define EMBED(name, path)                                                                          \
    __asm__(".section .rodata\n"                                                                   \
            ".balign 8\n"                                                                          \
            ".globl " #name "\n" #name ": .incbin \"" path "\"\n"                                  \
            "1: .balign 8\n"                                                                       \
            ".globl " #name "_size\n" #name "_size: .quad 1b - " #name "\n"                        \
            ".previous\n")

EMBED(embedded_ring0, "guest-rt/ring0.bin");
EMBED(embedded_guest_rt, "guest-rt/guest-rt.elf");
EMBED(embedded_jail, "jail.bpf");
