/* SPDX-License-Identifier: ISC */
/*
 * Threads that never give way are interrupted anywhere, and must not notice: every register, the
 * flags, the red zone, SSE, AVX and x87 state stay as they are while others use their own.
 */
#include "check.h"
#include "threads.h"

#include <cpuid.h>
#include <string.h>

enum { SPINNERS = 4 };
static const int64_t DURATION = 60 * 1000000;

static volatile int stop;

/*
 * Loops with values made from the seed in all registers, until *stop; returns whether all of them
 * were the same at the end of every round. Between rounds nothing is loaded again. The red zone
 * holds seeds as well, and the carry, sign and direction flags are set.
 */
long spin_general(uint64_t seed, const volatile int *stop);
__asm__(".text\n"
        ".type spin_general, @function\n"
        "spin_general:\n"
        "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "mov %rdi, %rbx; mov %rsi, %r15\n"
        ".irp r, rax, rcx, rdx, rbp, rdi, r8, r9, r10, r11, r12, r13, r14\n"
        "mov %rbx, %\\r\n"
        ".endr\n"
        ".irp i, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16\n"
        "mov %rbx, -8 * \\i(%rsp)\n"
        ".endr\n"
        "1: movl (%r15), %esi\n"
        "test %esi, %esi\n"
        "jnz 3f\n"
        ".irp r, rax, rcx, rdx, rbp, rdi, r8, r9, r10, r11, r12, r13, r14\n"
        "cmp %rbx, %\\r\n"
        "jne 2f\n"
        ".endr\n"
        ".irp i, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16\n"
        "cmp %rbx, -8 * \\i(%rsp)\n"
        "jne 2f\n"
        ".endr\n"
        "std\n"
        "cmp $1, %esi\n" /* carry and sign, as esi is 0 */
        ".rept 200\n"
        "jnc 2f\n"
        "jns 2f\n"
        ".endr\n"
        "pushf\n" /* over the red zone's top: written again */
        "testl $0x400, (%rsp)\n"
        "lea 8(%rsp), %rsp\n"
        "mov %rbx, -8(%rsp)\n"
        "jz 2f\n"
        "cld\n"
        "jmp 1b\n"
        "2: cld\n"
        "xor %eax, %eax\n"
        "jmp 4f\n"
        "3: mov $1, %eax\n"
        "4: pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "ret\n");

static void *hold_general(void *seed)
{
    return (void *)spin_general((uint64_t)(uintptr_t)seed * 0x0101010101010101, &stop);
}

/* The same for SSE registers: all lanes hold the seed. */
long spin_sse(uint64_t seed, const volatile int *stop);
__asm__(".text\n"
        ".type spin_sse, @function\n"
        "spin_sse:\n"
        "movq %rdi, %xmm0\n"
        "punpcklqdq %xmm0, %xmm0\n"
        ".irp i, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
        "movdqa %xmm0, %xmm\\i\n"
        ".endr\n"
        "1: cmpl $0, (%rsi)\n"
        "jne 3f\n"
        ".irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
        "movq %xmm\\i, %rax\n"
        "cmp %rdi, %rax\n"
        "jne 2f\n"
        ".endr\n"
        "jmp 1b\n"
        "2: xor %eax, %eax\n"
        "ret\n"
        "3: mov $1, %eax\n"
        "ret\n");

static void *hold_sse(void *seed)
{
    return (void *)spin_sse((uint64_t)(uintptr_t)seed * 0x1111111111111111, &stop);
}

/* And for the upper halves of AVX registers. */
long spin_avx(uint64_t seed, const volatile int *stop);
__asm__(".text\n"
        ".type spin_avx, @function\n"
        "spin_avx:\n"
        "vmovq %rdi, %xmm0\n"
        "vpunpcklqdq %xmm0, %xmm0, %xmm0\n"
        "vinsertf128 $1, %xmm0, %ymm0, %ymm0\n"
        ".irp i, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14\n"
        "vmovaps %ymm0, %ymm\\i\n"
        ".endr\n"
        "1: cmpl $0, (%rsi)\n"
        "jne 3f\n"
        ".irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14\n"
        "vextractf128 $1, %ymm\\i, %xmm15\n"
        "vmovq %xmm15, %rax\n"
        "cmp %rdi, %rax\n"
        "jne 2f\n"
        ".endr\n"
        "jmp 1b\n"
        "2: xor %eax, %eax\n"
        "vzeroupper\n"
        "ret\n"
        "3: mov $1, %eax\n"
        "vzeroupper\n"
        "ret\n");

static void *hold_avx(void *seed)
{
    return (void *)spin_avx((uint64_t)(uintptr_t)seed * 0x0123456789abcdef, &stop);
}

/* AVX's state enabled by the system, and AVX there. SDM 1 14.3. */
static bool has_avx(void)
{
    unsigned a, b, c, d, low, high;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_AVX))
        return false;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & 6) == 6;
}

/* Rounding modes of both units, and values on the x87 stack. */
static void *hold_float(void *seed)
{
    uintptr_t mode = (uintptr_t)seed & 3;
    uint32_t mxcsr = 0x1f80 | (uint32_t)(mode << 13), now_mxcsr;
    uint16_t control = 0x37f | (uint16_t)(mode << 10), now_control;
    uint64_t loaded = (uintptr_t)seed * 1234567, back;
    bool good = true;

    __asm__ volatile("ldmxcsr %0; fldcw %1" : : "m"(mxcsr), "m"(control));
    while (!stop && good) {
        __asm__ volatile("fildll %0; fildll %0; fildll %0" : : "m"(loaded));
        for (int i = 0; i < 1000; i++)
            __asm__ volatile("fadd %st(1), %st; fsub %st(1), %st");
        __asm__ volatile("fistpll %0" : "=m"(back));
        good &= back == loaded;
        __asm__ volatile("fistpll %0" : "=m"(back));
        good &= back == loaded;
        __asm__ volatile("fistpll %0" : "=m"(back));
        good &= back == loaded;
        __asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(now_mxcsr), "=m"(now_control));
        good &= (now_mxcsr & ~0x3fU) == mxcsr && now_control == control;
    }
    mxcsr = 0x1f80;
    control = 0x37f;
    __asm__ volatile("ldmxcsr %0; fldcw %1" : : "m"(mxcsr), "m"(control));
    return (void *)(uintptr_t)good;
}

static void check_spinners(void *(*function)(void *), const char *what)
{
    pthread_t threads[SPINNERS];
    bool good = true;

    stop = 0;
    for (uintptr_t i = 0; i < SPINNERS; i++)
        threads[i] = spawn(function, (void *)(i + 1));
    sleep_ms(DURATION / MILLISECOND);
    stop = 1;
    for (int i = 0; i < SPINNERS; i++)
        good &= join(threads[i]) == (void *)1;
    check(good, "%s", what);
}

/* A new thread starts with its creator's rounding mode. */
static void *rounding_mode(void *argument)
{
    uint32_t mxcsr;

    (void)argument;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    return (void *)(uintptr_t)(mxcsr >> 13 & 3);
}

/* Two spin, and a third still gets its share. */
static void *count_turns(void *argument)
{
    volatile long *turns = argument;

    while (!stop)
        (*turns)++;
    return NULL;
}

static void check_fairness(void)
{
    static volatile long turns[3];
    pthread_t threads[3];
    bool fair = true;
    int64_t end;

    stop = 0;
    for (int i = 0; i < 3; i++)
        threads[i] = spawn(count_turns, (void *)&turns[i]);
    end = now(CLOCK_MONOTONIC) + 10 * SECOND;
    while ((turns[0] < 10000000 || turns[1] < 10000000 || turns[2] < 10000000) &&
           now(CLOCK_MONOTONIC) < end)
        sleep_ms(5);
    stop = 1;
    for (int i = 0; i < 3; i++)
        join(threads[i]);
    for (int i = 0; i < 3; i++)
        fair &= turns[i] >= 10000000;
    check(fair, "each of three spinning threads counts to 10,000,000, and we see it");
}

int main(void)
{
    uint32_t mxcsr = 0x1f80 | 2 << 13;

    check_spinners(hold_general, "general registers, flags and red zone");
    check_spinners(hold_sse, "SSE registers");
    if (has_avx())
        check_spinners(hold_avx, "AVX registers");
    check_spinners(hold_float, "x87 stack and both units' rounding modes");
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    check(join(spawn(rounding_mode, NULL)) == (void *)2, "a new thread rounds as its creator");
    mxcsr = 0x1f80;
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    check_fairness();
    return exit_status();
}
