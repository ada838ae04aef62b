/* SPDX-License-Identifier: ISC */
/* Hardware faults as signals: si_code and si_addr, and ways out of the handler. */
#include "check.h"

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096 };

static sigjmp_buf escape;
static siginfo_t seen;
static volatile int caught;
static volatile uint64_t fault_rip;

static void leave(int signal, siginfo_t *info, void *context)
{
    caught = signal;
    seen = *info;
    fault_rip = (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    siglongjmp(escape, 1);
}

static void handle(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};

    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, NULL);
}

/* Does RUN raise SIGNAL with CODE? ADDRESS: what si_addr has to be, if not NULL. */
static void check_fault(void (*run)(void), int signal, int code, const void *address,
                        const char *what)
{
    sigset_t blocked;

    caught = 0;
    if (sigsetjmp(escape, 1) == 0) {
        run();
        check(false, "%s raises a signal", what);
        return;
    }
    check(caught == signal && seen.si_signo == signal, "%s raises signal %d", what, signal);
    printf("its si_code is %d%s\n", seen.si_code, seen.si_code == code ? "" : " (WRONG)");
    failed_checks += seen.si_code != code;
    if (address)
        check(seen.si_addr == address, "si_addr tells where");
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    check(!sigismember(&blocked, signal), "the signal is not blocked after siglongjmp");
}

static char *read_only, *unmapped, *noncode;

static char *volatile near_null = (char *)8;

static void read_null(void)
{
    (void)*(volatile char *)near_null;
}

static void write_read_only(void)
{
    *(volatile char *)(read_only + 10) = 1;
}

static void read_unmapped(void)
{
    (void)*(volatile char *)(unmapped + 10);
}

static void run_data(void)
{
    ((void (*)(void))(uintptr_t)noncode)();
}

static void read_non_canonical(void)
{
    (void)*(volatile char *)0x8000000000000000;
}

static void read_kernel(void)
{
    (void)*(volatile char *)0xffffffff81000000;
}

static void divide_by_zero(void)
{
    int result = 1;

    __asm__ volatile("cltd; idivl %1" : "+a"(result) : "r"(0) : "edx");
}

static void overflow_division(void)
{
    __asm__ volatile("cltd; idivl %1" : : "a"(INT32_MIN), "r"(-1) : "edx");
}

static void illegal(void)
{
    __asm__ volatile("ud2");
}

static void breakpoint(void)
{
    __asm__ volatile("int3");
}

static void single_step(void)
{
    __asm__ volatile("lea -128(%%rsp), %%rsp; pushf; orl $0x100, (%%rsp); popf; nop\n"
                     "lea 128(%%rsp), %%rsp" ::
                         : "memory");
}

static void privileged(void)
{
    __asm__ volatile("hlt");
}

/* MXCSR with one exception unmasked, then an operation that raises it. */
static void sse_with(uint32_t unmasked, double a, double b)
{
    uint32_t mxcsr = 0x1f80 & ~unmasked;

    __asm__ volatile("ldmxcsr %0; divsd %2, %1" : : "m"(mxcsr), "x"(a), "x"(b));
}

static void sse_divide(void)
{
    sse_with(0x200, 1, 0);
}

static void sse_invalid(void)
{
    sse_with(0x080, 0, 0);
}

static void sse_overflow(void)
{
    sse_with(0x400, 1e300, 1e-300);
}

static void sse_underflow(void)
{
    sse_with(0x800, 1e-300, 1e300);
}

static void sse_inexact(void)
{
    sse_with(0x1000, 1, 3);
}

static void x87_divide(void)
{
    uint16_t control = 0x37b; /* zero divide unmasked */

    __asm__ volatile("fldcw %0; fld1; fldz; fdivrp; fwait" : : "m"(control));
}

static void clear_float(void)
{
    uint32_t mxcsr = 0x1f80;

    __asm__ volatile("fninit; ldmxcsr %0" : : "m"(mxcsr));
}

static void (*volatile far_away)(void) = (void (*)(void))0xfffffffe00000000;

static void run_kernel(void)
{
    far_away();
}

static void check_memory(void)
{
    read_only = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    noncode = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    noncode[0] = (char)0xc3;
    unmapped = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check_fault(read_null, SIGSEGV, SEGV_MAPERR, (void *)8, "a read near NULL");
    check_fault(write_read_only, SIGSEGV, SEGV_ACCERR, read_only + 10, "a write to constants");
    munmap(unmapped, PAGE);
    check_fault(read_unmapped, SIGSEGV, SEGV_MAPERR, unmapped + 10, "a read of nothing");
    check_fault(run_data, SIGSEGV, SEGV_ACCERR, noncode, "running data");
    check(fault_rip == (uint64_t)(uintptr_t)noncode, "RIP is there too");
    check_fault(read_non_canonical, SIGSEGV, SI_KERNEL, NULL, "a non-canonical address");
    check(seen.si_addr == NULL, "without an address");
    check_fault(read_kernel, SIGSEGV, SEGV_MAPERR, NULL, "an address of the kernel");
    check_fault(run_kernel, SIGSEGV, SEGV_MAPERR, NULL, "a jump into the kernel");
    check(fault_rip == 0xfffffffe00000000, "RIP is there too");
    check_fault(privileged, SIGSEGV, SI_KERNEL, NULL, "hlt");
}

static void check_arithmetic(void)
{
    check_fault(divide_by_zero, SIGFPE, FPE_INTDIV, NULL, "1 / 0");
    check(seen.si_addr == (void *)(uintptr_t)fault_rip, "si_addr is the instruction");
    check_fault(overflow_division, SIGFPE, FPE_INTDIV, NULL, "INT_MIN / -1");
    check_fault(sse_divide, SIGFPE, FPE_FLTDIV, NULL, "1.0 / 0.0");
    clear_float();
    check_fault(sse_invalid, SIGFPE, FPE_FLTINV, NULL, "0.0 / 0.0");
    clear_float();
    check_fault(sse_overflow, SIGFPE, FPE_FLTOVF, NULL, "1e300 / 1e-300");
    clear_float();
    check_fault(sse_underflow, SIGFPE, FPE_FLTUND, NULL, "1e-300 / 1e300");
    clear_float();
    check_fault(sse_inexact, SIGFPE, FPE_FLTRES, NULL, "1.0 / 3.0");
    clear_float();
    check_fault(x87_divide, SIGFPE, FPE_FLTDIV, NULL, "1.0 / 0.0 of the x87");
    clear_float();
}

static void check_traps(void)
{
    check_fault(illegal, SIGILL, ILL_ILLOPN, NULL, "ud2");
    check(seen.si_addr == (void *)(uintptr_t)fault_rip, "si_addr is the instruction");
    check_fault(breakpoint, SIGTRAP, SI_KERNEL, NULL, "int3");
    check_fault(single_step, SIGTRAP, TRAP_TRACE, NULL, "the trap flag");
}

static char *area;
static volatile int faults;

/* Makes the page accessible: the instruction is tried again. */
static void give_page(int signal, siginfo_t *info, void *context)
{
    (void)context;
    faults++;
    if (signal != SIGSEGV || faults > 100)
        _exit(3);
    mprotect((void *)((uintptr_t)info->si_addr & -(uintptr_t)PAGE), PAGE, PROT_READ | PROT_WRITE);
}

static void check_retry(void)
{
    bool good = true;

    area = mmap(NULL, 50 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    handle(SIGSEGV, give_page, 0);
    for (int i = 0; i < 50; i++)
        area[i * PAGE + i] = (char)i;
    for (int i = 0; i < 50; i++)
        good &= area[i * PAGE + i] == i;
    check(good && faults == 50, "a handler that gives pages when they are touched");
}

static char alternate[64 << 10];
static char *stack_low, *stack_mapped, *stack_high;

/* Two more pages of a stack that is too small. */
static void grow_stack(int signal, siginfo_t *info, void *context)
{
    char *at = info->si_addr;

    (void)signal;
    (void)context;
    faults++;
    if (at < stack_low || at >= stack_mapped)
        _exit(4);
    while (stack_mapped > at)
        stack_mapped -= 2 * PAGE;
    mprotect(stack_mapped, 2 * PAGE, PROT_READ | PROT_WRITE);
}

__attribute__((noinline)) static int recurse(int depth)
{
    volatile char frame[500];

    memset((char *)frame, depth, sizeof frame);
    int below = depth == 0 ? 0 : 1 + recurse(depth - 1);
    __asm__ volatile("" : : "r"(frame) : "memory"); /* all of it is needed */
    return below + (frame[7] != (char)depth);
}

static int reached;

/* The stack that grows: entered by changing the stack pointer. */
static void on_small_stack(void (*function)(void))
{
    __asm__ volatile("mov %%rsp, %%rbx; mov %0, %%rsp; call *%1; mov %%rbx, %%rsp"
                     :
                     : "r"(stack_high), "r"(function)
                     : "rbx", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory",
                       "cc");
}

static void go_deep(void)
{
    reached = recurse(1000);
}

static void check_growing_stack(void)
{
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};

    stack_low = mmap(NULL, 200 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack_high = stack_low + 200 * PAGE;
    stack_mapped = stack_high - 2 * PAGE;
    mprotect(stack_mapped, 2 * PAGE, PROT_READ | PROT_WRITE);
    sigaltstack(&stack, NULL);
    handle(SIGSEGV, grow_stack, SA_ONSTACK);
    faults = 0;
    on_small_stack(go_deep);
    check(reached == 1000 && faults > 20, "a program that grows its stack in the handler");
}

static void leave_overflow(int signal, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    caught = signal;
    siglongjmp(escape, 1);
}

static void check_overflow(void)
{
    handle(SIGSEGV, leave_overflow, SA_ONSTACK);
    caught = 0;
    if (sigsetjmp(escape, 1) == 0)
        reached = recurse(100000000);
    check(caught == SIGSEGV, "overflow of the main stack is caught on the alternate one");
}

int main(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        handle(signals[i], leave, 0);
    check_memory();
    check_arithmetic();
    check_traps();
    check_retry();
    check_growing_stack();
    check_overflow();
    return exit_status();
}
