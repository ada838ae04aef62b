/* SPDX-License-Identifier: ISC */
#include "report.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "symbols.h"
#include "trace.h"

#define STACK_GUARD (1ULL << 20)

/* Bits of a page fault's error code: SDM 3A figure 4-12. */
enum { PF_PRESENT = 1, PF_WRITE = 2, PF_FETCH = 16 };

enum { VECTOR_GP = 13, VECTOR_PF = 14 };

/* SDM 3A table 6-1, in words. */
static const char *const causes[32] = {
    [0] = "division by zero or its result does not fit",
    [1] = "single step",
    [2] = "non-maskable interrupt",
    [3] = "breakpoint",
    [4] = "overflow",
    [5] = "bound range exceeded",
    [6] = "illegal instruction",
    [7] = "floating point unit not available",
    [8] = "double fault",
    [10] = "invalid TSS",
    [11] = "segment not present",
    [12] = "stack segment fault: non-canonical address",
    [16] = "x87 floating point exception",
    [17] = "misaligned access",
    [18] = "machine check",
    [19] = "SIMD floating point exception",
    [21] = "control protection fault",
};

static void describe_page_fault(const struct run *run, const struct husk_fault *fault, char *text,
                                size_t size)
{
    unsigned long long at = fault->address;
    const struct program *program = &run->program;

    if (fault->address >= program->stack_low - STACK_GUARD && fault->address < program->stack_low)
        snprintf(text, size, "stack overflow: 0x%llx is below the stack's %llu KiB", at,
                 (unsigned long long)(program->stack_top - program->stack_low) >> 10);
    else if (fault->error & PF_FETCH)
        snprintf(text, size, "%s 0x%llx%s",
                 fault->address < HUSK_NULL_GUARD ? "jump to null address" : "execution of", at,
                 fault->address < HUSK_NULL_GUARD ? ""
                 : fault->error & PF_PRESENT      ? ", which is not executable"
                                                  : ", which is not mapped");
    else if (fault->address < HUSK_NULL_GUARD)
        snprintf(text, size, "null pointer: %s address 0x%llx",
                 fault->error & PF_WRITE ? "write to" : "read of", at);
    else if (fault->error & PF_PRESENT)
        snprintf(text, size, "%s memory at 0x%llx",
                 fault->error & PF_WRITE ? "write to read-only" : "read of protected", at);
    else
        snprintf(text, size, "%s unmapped memory at 0x%llx",
                 fault->error & PF_WRITE ? "write to" : "read of", at);
}

/* #GP says nothing about its cause; the instruction often does. */
static const char *describe_protection_fault(const struct run *run, const struct husk_fault *fault)
{
    uint8_t code[2] = {0};

    memory_read(&run->memory, code, fault->regs.rip, sizeof(code));
    if (code[0] == 0x66 || code[0] == 0xf3)
        code[0] = code[1];
    switch (code[0]) {
    case 0xf4:
        return "privileged instruction hlt";
    case 0xfa:
    case 0xfb:
        return "privileged instruction cli or sti";
    case 0xe4 ... 0xe7:
    case 0xec ... 0xef:
    case 0x6c ... 0x6f:
        return "access to an I/O port";
    case 0x0f:
        if (code[1] <= 0x09 || (code[1] >= 0x20 && code[1] <= 0x23) || code[1] == 0x30 ||
            code[1] == 0x32)
            return "privileged instruction";
    }
    return "general protection: non-canonical address, misaligned SSE operand or privileged "
           "instruction";
}

static void describe(const struct run *run, const struct husk_fault *fault, char *text, size_t size)
{
    const char *cause = "unknown exception";

    if (fault->vector == VECTOR_PF) {
        describe_page_fault(run, fault, text, size);
        return;
    }
    if (fault->vector == VECTOR_GP)
        cause = describe_protection_fault(run, fault);
    else if (fault->vector < sizeof(causes) / sizeof(causes[0]) && causes[fault->vector])
        cause = causes[fault->vector];
    snprintf(text, size, "%s", cause);
}

static void print_registers(const struct husk_regs *regs)
{
    const struct {
        const char *name;
        uint64_t value;
    } all[] = {
        {"rip", regs->rip}, {"rsp", regs->rsp},      {"rbp", regs->rbp}, {"rax", regs->rax},
        {"rbx", regs->rbx}, {"rcx", regs->rcx},      {"rdx", regs->rdx}, {"rsi", regs->rsi},
        {"rdi", regs->rdi}, {"r8", regs->r8},        {"r9", regs->r9},   {"r10", regs->r10},
        {"r11", regs->r11}, {"r12", regs->r12},      {"r13", regs->r13}, {"r14", regs->r14},
        {"r15", regs->r15}, {"flags", regs->rflags},
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        fprintf(stderr, "%s%5s %016llx",
                i % 3 ? "  "
                : i   ? "\n"
                      : "",
                all[i].name, (unsigned long long)all[i].value);
    fprintf(stderr, "\n");
}

/* Names come from the image: print nothing that a terminal would act on. */
static void print_name(const char *name)
{
    for (size_t i = 0; i < 200 && name[i]; i++)
        fputc(name[i] >= 0x20 && name[i] < 0x7f ? name[i] : '?', stderr);
}

static void print_frame(const struct symbols *symbols, size_t index, uint64_t address)
{
    uint64_t offset = 0, back = index > 0;
    /* What a caller's frame returns to may be the next function's first byte. */
    const char *name = symbols ? symbols_find(symbols, address - back, &offset) : NULL;

    fprintf(stderr, "  #%-2zu 0x%llx", index, (unsigned long long)address);
    if (name) {
        fprintf(stderr, " ");
        print_name(name);
        fprintf(stderr, "+0x%llx", (unsigned long long)(offset + back));
    } else if (address - HUSK_WINDOW < HUSK_WINDOW_SIZE) {
        fprintf(stderr, " (guest-rt)");
    }
    fprintf(stderr, "\n");
}

/* The address as the image's symbols know it. */
static uint64_t as_linked(const struct program *program, guest_addr_t address)
{
    uint64_t linked = address - program->bias;

    return linked >= program->image.low && linked < program->image.high ? linked : address;
}

static void print_backtrace(const struct run *run, const struct husk_regs *regs)
{
    const struct program *program = &run->program;
    struct symbols *symbols = symbols_load(&program->image.file);
    guest_addr_t frames[BACKTRACE_MAX];
    size_t count = backtrace_walk(&program->image, program->bias, &run->memory, regs, frames);

    for (size_t i = 0, same; i < count; i += same) {
        print_frame(symbols, i, as_linked(program, frames[i]));
        for (same = 1; i + same < count && frames[i + same] == frames[i]; same++)
            continue;
        if (same > 1)
            fprintf(stderr, "      and %zu more of it\n", same - 1);
    }
    symbols_free(symbols);
}

static void print_signal(const struct run *run, int signal, const char *cause)
{
    const char *name = signal_name(signal);

    fprintf(stderr, "husk: %s: %s (%s)\n", run->program.image.file.name, cause,
            name ? name : "unknown signal");
}

void report_fault(const struct run *run, const struct husk_fault *fault)
{
    char cause[160];

    describe(run, fault, cause, sizeof(cause));
    print_signal(run, (int)(fault->signal & 0x7f), cause);
    print_registers(&fault->regs);
    print_backtrace(run, &fault->regs);
}

void report_signal(const struct run *run, int signal)
{
    /* A closed pipe is how many a pipeline ends: no shell tells either. */
    if (signal != SIGPIPE)
        print_signal(run, signal, "ended by a signal of its own");
}

void report_exit(const struct run *run, const char *what, ...)
{
    struct husk_regs regs;
    va_list args;

    fprintf(stderr, "husk: %s: ", run->program.image.file.name);
    va_start(args, what);
    vfprintf(stderr, what, args);
    va_end(args);
    fprintf(stderr, "\n");
    vm_registers(&run->vm, &regs);
    print_registers(&regs);
    print_backtrace(run, &regs);
}
