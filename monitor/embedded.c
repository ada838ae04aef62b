/* SPDX-License-Identifier: ISC */
#include "embedded.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <unistd.h>

#define EMBED(name, path, align)                                                                   \
    __asm__(".section .rodata\n"                                                                   \
            ".balign " #align "\n"                                                                 \
            ".globl " #name "\n" #name ": .incbin \"" path "\"\n"                                  \
            "1: .balign 8\n"                                                                       \
            ".globl " #name "_size\n" #name "_size: .quad 1b - " #name "\n"                        \
            ".previous\n")

EMBED(embedded_ring0, "guest-rt/ring0.bin", 8);
EMBED(embedded_guest_rt, "guest-rt/guest-rt.elf", 4096);
EMBED(embedded_jail, "jail.bpf", 8);

extern const Elf64_Ehdr __ehdr_start; /* the linker's name for the start of the first segment */

int embedded_open(const uint8_t *data, uint64_t *offset)
{
    const Elf64_Phdr *headers = (const Elf64_Phdr *)getauxval(AT_PHDR);
    uint64_t address = (uint64_t)(data - (const uint8_t *)&__ehdr_start);

    for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++)
        if (headers[i].p_type == PT_LOAD && address >= headers[i].p_vaddr &&
            address - headers[i].p_vaddr < headers[i].p_filesz) {
            *offset = headers[i].p_offset + (address - headers[i].p_vaddr);
            return open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        }
    return -1;
}
