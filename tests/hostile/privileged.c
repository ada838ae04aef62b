/* SPDX-License-Identifier: ISC */
/* Argument: an instruction that only ring 0 may execute, or that leads into it. */
#include "hostile.h"

static uint8_t area[512] __attribute__((aligned(64)));
static const struct {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed)) table = {0xfff, 0x400000};
/* To HUSK_KERNEL_CS. */
static const struct {
    uint32_t offset;
    uint16_t selector;
} __attribute__((packed)) far_pointer = {0x400000, HUSK_KERNEL_CS};

#define ATTACK(name, ...)                                                                          \
    static void name(void)                                                                         \
    {                                                                                              \
        __asm__ volatile(__VA_ARGS__);                                                             \
    }
ATTACK(hlt, "hlt")
ATTACK(cli, "cli")
ATTACK(sti, "sti")
ATTACK(lgdt, "lgdt %0" : : "m"(table))
ATTACK(lidt, "lidt %0" : : "m"(table))
ATTACK(lldt, "lldt %w0" : : "r"(0))
ATTACK(ltr, "ltr %w0" : : "r"(HUSK_TSS_SEL))
ATTACK(lmsw, "lmsw %w0" : : "r"(1))
ATTACK(clts, "clts")
ATTACK(read_cr0, "mov %%cr0, %0" : : "r"(0ULL))
ATTACK(write_cr0, "mov %0, %%cr0" : : "r"(0ULL))
ATTACK(read_cr3, "mov %%cr3, %%rax" : : : "rax")
ATTACK(write_cr3, "mov %0, %%cr3" : : "r"(0x400000ULL))
ATTACK(write_cr4, "mov %0, %%cr4" : : "r"(0ULL))
ATTACK(write_cr8, "mov %0, %%cr8" : : "r"(0ULL))
ATTACK(read_dr7, "mov %%dr7, %%rax" : : : "rax")
ATTACK(write_dr7, "mov %0, %%dr7" : : "r"(0x401ULL))
ATTACK(rdmsr, "rdmsr" : : "c"(0xc0000082) : "rax", "rdx")
ATTACK(wrmsr, "wrmsr" : : "c"(0xc0000082), "a"(0x400000), "d"(0))
ATTACK(wrmsr_efer, "wrmsr" : : "c"(0xc0000080), "a"(0), "d"(0))
ATTACK(wrmsr_clock, "wrmsr" : : "c"(0x4b564d01), "a"(0x400001), "d"(0))
ATTACK(rdpmc, "rdpmc" : : "c"(0) : "rax", "rdx")
ATTACK(invlpg, "invlpg %0" : : "m"(area))
ATTACK(invd, "invd")
ATTACK(wbinvd, "wbinvd")
ATTACK(xsetbv, "xsetbv" : : "c"(0), "a"(1), "d"(0))
ATTACK(swapgs, "swapgs")
ATTACK(sysret, "sysretq" : : : "rcx", "r11")
ATTACK(sysexit, "sysexit" : : : "rcx", "rdx")
ATTACK(sysenter, "sysenter" : : "a"(20) : "memory")
ATTACK(monitor, "monitor" : : "a"(area), "c"(0), "d"(0))
ATTACK(mwait, "mwait" : : "a"(0), "c"(0))
ATTACK(vmcall, "vmcall" : : "a"(5) : "memory")
ATTACK(vmmcall, "vmmcall" : : "a"(5) : "memory")
ATTACK(vmxon, "vmxon %0" : : "m"(area))
ATTACK(vmlaunch, "vmlaunch")
ATTACK(vmrun, "vmrun" : : "a"(area))
ATTACK(vmload, "vmload" : : "a"(area))
ATTACK(stgi, ".byte 0x0f, 0x01, 0xdc")
ATTACK(skinit, ".byte 0x0f, 0x01, 0xde" : : "a"(0))
ATTACK(rsm, ".byte 0x0f, 0xaa")
ATTACK(int3, "int3")
ATTACK(icebp, ".byte 0xf1")
ATTACK(int_0, "int $0")
ATTACK(int_2, "int $2")
ATTACK(int_3, ".byte 0xcd, 0x03")
ATTACK(int_8, "int $8")
ATTACK(int_13, "int $13")
ATTACK(int_14, "int $14")
ATTACK(int_32, "int $32")
ATTACK(int_128, "int $128")
ATTACK(int_255, "int $255")
ATTACK(into, ".byte 0xce")
ATTACK(ud2, "ud2")
ATTACK(ud1, "ud1 %eax, %eax")
ATTACK(far_jump, "ljmp *%0" : : "m"(far_pointer))
ATTACK(far_call, "lcall *%0" : : "m"(far_pointer))
ATTACK(far_return, "pushq %0; pushq $0x400000; lretq" : : "i"(HUSK_KERNEL_CS))
ATTACK(iret_to_ring0, "mov %%rsp, %%rax; pushq %0; pushq %%rax; pushfq; pushq %1; lea 1f(%%rip), "
                      "%%rax; pushq %%rax; iretq; 1:"
       :
       : "i"(HUSK_KERNEL_SS), "i"(HUSK_KERNEL_CS)
       : "rax", "memory")
ATTACK(load_kernel_segment, "mov %w0, %%ds" : : "r"(HUSK_KERNEL_SS))
ATTACK(load_kernel_stack, "mov %w0, %%ss" : : "r"(HUSK_KERNEL_SS))
ATTACK(load_tss_segment, "mov %w0, %%ds" : : "r"(HUSK_TSS_SEL))
ATTACK(trap_flag, "pushfq; orl $0x100, (%%rsp); popfq; nop; nop" : : : "memory", "cc")
ATTACK(io_privilege, "pushfq; orl $0x3000, (%%rsp); popfq; cli" : : : "memory", "cc")
ATTACK(non_canonical_jump, "jmp *%0" : : "r"(0x800000000000ULL))
ATTACK(non_canonical_return, "push %0; ret" : : "r"(0x800000000000ULL))
ATTACK(long_instruction, ".fill 15, 1, 0x66; nop")

static const struct {
    const char *name;
    void (*run)(void);
} attacks[] = {
#define NAMED(name)                                                                                \
    {                                                                                              \
#name, name                                                                                \
    }
    NAMED(hlt),
    NAMED(cli),
    NAMED(sti),
    NAMED(lgdt),
    NAMED(lidt),
    NAMED(lldt),
    NAMED(ltr),
    NAMED(lmsw),
    NAMED(clts),
    NAMED(read_cr0),
    NAMED(write_cr0),
    NAMED(read_cr3),
    NAMED(write_cr3),
    NAMED(write_cr4),
    NAMED(write_cr8),
    NAMED(read_dr7),
    NAMED(write_dr7),
    NAMED(rdmsr),
    NAMED(wrmsr),
    NAMED(wrmsr_efer),
    NAMED(wrmsr_clock),
    NAMED(rdpmc),
    NAMED(invlpg),
    NAMED(invd),
    NAMED(wbinvd),
    NAMED(xsetbv),
    NAMED(swapgs),
    NAMED(sysret),
    NAMED(sysexit),
    NAMED(sysenter),
    NAMED(monitor),
    NAMED(mwait),
    NAMED(vmcall),
    NAMED(vmmcall),
    NAMED(vmxon),
    NAMED(vmlaunch),
    NAMED(vmrun),
    NAMED(vmload),
    NAMED(stgi),
    NAMED(skinit),
    NAMED(rsm),
    NAMED(int3),
    NAMED(icebp),
    NAMED(int_0),
    NAMED(int_2),
    NAMED(int_3),
    NAMED(int_8),
    NAMED(int_13),
    NAMED(int_14),
    NAMED(int_32),
    NAMED(int_128),
    NAMED(int_255),
    NAMED(into),
    NAMED(ud2),
    NAMED(ud1),
    NAMED(far_jump),
    NAMED(far_call),
    NAMED(far_return),
    NAMED(iret_to_ring0),
    NAMED(load_kernel_segment),
    NAMED(trap_flag),
    NAMED(io_privilege),
    NAMED(load_kernel_stack),
    NAMED(load_tss_segment),
    NAMED(non_canonical_jump),
    NAMED(non_canonical_return),
    NAMED(long_instruction),
};

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "list") == 0)
        for (size_t i = 0; i < COUNT(attacks); i++)
            puts(attacks[i].name);
    for (size_t i = 0; argc == 2 && i < COUNT(attacks); i++)
        if (strcmp(argv[1], attacks[i].name) == 0) {
            attacks[i].run();
            puts("it had no effect");
            return 1;
        }
    return 0;
}
