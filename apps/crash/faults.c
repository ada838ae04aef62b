/* SPDX-License-Identifier: ISC */
#include "faults.h"

#include <emmintrin.h>
#include <limits.h>
#include <signal.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

static const uintptr_t WILD_ADDRESS = 0x123456789000;
static const uintptr_t NON_CANONICAL_ADDRESS = 0x8000000000000000;

static const char rodata[] = "constant";
static unsigned char data[] = {0xc3}; /* ret: harmless if data could be executed */

VISIBLE static void read_at(uintptr_t address)
{
    (void)*(volatile char *)address;
}

VISIBLE static void write_at(uintptr_t address)
{
    *(volatile char *)address = 1;
}

VISIBLE static void jump_to(uintptr_t address)
{
    ((void (*)(void))address)();
    keep_frame();
}

VISIBLE static void null_read(int number)
{
    read_at((uintptr_t)number);
    keep_frame();
}

VISIBLE static void null_write(int number)
{
    write_at((uintptr_t)number);
    keep_frame();
}

VISIBLE static void wild_read(int number)
{
    read_at(WILD_ADDRESS + (uintptr_t)number);
    keep_frame();
}

VISIBLE static void wild_write(int number)
{
    write_at(WILD_ADDRESS + (uintptr_t)number);
    keep_frame();
}

VISIBLE static void non_canonical(int number)
{
    read_at(NON_CANONICAL_ADDRESS + (uintptr_t)number);
    keep_frame();
}

VISIBLE static void write_text(int number)
{
    write_at((uintptr_t)read_at + (uintptr_t)number);
    keep_frame();
}

VISIBLE static void write_rodata(int number)
{
    write_at((uintptr_t)rodata + (uintptr_t)number);
    keep_frame();
}

VISIBLE static void exec_data(int number)
{
    jump_to((uintptr_t)data + (uintptr_t)number);
    keep_frame();
}

VISIBLE static void exec_null(int number)
{
    jump_to((uintptr_t)number);
    keep_frame();
}

/* Each frame is in use until the callee returns, so the compiler can neither drop nor reuse it. */
VISIBLE static int recurse(volatile char *caller_frame, unsigned depth)
{
    volatile char frame[256];

    frame[0] = *caller_frame;
    if (depth == UINT_MAX)
        return 0;
    return recurse(frame, depth + 1) + frame[0];
}

VISIBLE static void stack_overflow(int number)
{
    volatile char frame = (char)number;

    recurse(&frame, 0);
    keep_frame();
}

VISIBLE static int divide(int dividend, int divisor)
{
    volatile int quotient = dividend / divisor;

    return quotient;
}

VISIBLE static void div_zero(int number)
{
    divide(1, number);
    keep_frame();
}

VISIBLE static void illegal(int number)
{
    (void)number;
    __asm__ volatile("ud2");
}

VISIBLE static void privileged(int number)
{
    (void)number;
    __asm__ volatile("hlt");
}

VISIBLE static void breakpoint(int number)
{
    (void)number;
    __asm__ volatile("int3");
}

/* 0x80 is the BIOS's diagnostic port: harmless if it were reached. */
VISIBLE static void port(int number)
{
    __asm__ volatile("outb %b0, $0x80" : : "a"(number));
}

VISIBLE static void misaligned_sse(int number)
{
    static alignas(16) char bytes[32];

    __asm__ volatile("movaps %0, %%xmm0" : : "m"(bytes[number + 1]) : "xmm0");
}

VISIBLE static void fpe_sse(int number)
{
    _mm_setcsr(_mm_getcsr() & ~(unsigned)_MM_MASK_DIV_ZERO);
    __asm__ volatile("divsd %1, %0" : : "x"(1.0), "x"((double)number));
}

VISIBLE static void call_abort(int number)
{
    (void)number;
    abort();
}

VISIBLE static void call_raise(int number)
{
    raise(number);
    keep_frame();
}

VISIBLE static void call_exit(int number)
{
    exit(number);
}

const struct fault faults[] = {
    {"null-read", 139, "reads address 0", null_read},
    {"null-write", 139, "writes to address 0", null_write},
    {"wild-read", 139, "reads an address where nothing is mapped", wild_read},
    {"wild-write", 139, "writes to an address where nothing is mapped", wild_write},
    {"write-text", 139, "writes to its own code", write_text},
    {"write-rodata", 139, "writes to its own constants", write_rodata},
    {"exec-data", 139, "jumps into its own data", exec_data},
    {"exec-null", 139, "jumps to address 0", exec_null},
    {"stack-overflow", 139, "calls itself without end", stack_overflow},
    {"div-zero", 136, "divides an integer by zero", div_zero},
    {"illegal", 132, "executes an undefined instruction (ud2)", illegal},
    {"privileged", 139, "executes a privileged instruction (hlt)", privileged},
    {"breakpoint", 133, "executes a breakpoint (int3)", breakpoint},
    {"non-canonical", 139, "reads an address that is not canonical", non_canonical},
    {"port", 139, "writes to an I/O port", port},
    {"misaligned-sse", 139, "loads 16 aligned bytes from an odd address (movaps)", misaligned_sse},
    {"fpe-sse", 136, "divides by zero with that SIMD exception unmasked", fpe_sse},
    {"abort", 134, "calls abort", call_abort},
    {NULL, 0, NULL, NULL},
};

const struct numbered_fault numbered_faults[] = {
    {{"raise", 128, "sends itself the signal with that number (1 to 64)", call_raise}, 1, 64},
    {{"exit", 0, "exits with that status (0 to 255)", call_exit}, 0, 255},
    {{NULL, 0, NULL, NULL}, 0, 0},
};
