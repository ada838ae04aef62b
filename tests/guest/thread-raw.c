/* SPDX-License-Identifier: ISC */
/* Threads without libc: clone(2) with a stack of our own, set_tid_address, tkill and tgkill. */
#include "check.h"
#include "futex.h"
#include "threads.h"

#include <limits.h>

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

enum {
    STACK = 64 << 10,
    FLAGS = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM
};

static struct {
    uint32_t parent_tid, child_tid;
    int64_t seen_tid;
    uint64_t tls_value;
} shared;

/* What the new thread finds at its thread pointer. */
static struct {
    void *self;
    uint64_t value;
} tls = {&tls, 0x1234567890abcdef};

/*
 * The child has neither libc's thread pointer nor a return address: it stores gettid() and what
 * lies at fs:8, then exits. rdi flags, rsi stack, rdx parent_tid, rcx child_tid, r8 tls, r9
 * &shared.
 */
long raw_clone(unsigned long flags, void *stack, void *parent_tid, void *child_tid, void *new_tls,
               void *results);
__asm__(".text\n"
        ".type raw_clone, @function\n"
        "raw_clone:\n"
        "mov %rcx, %r10\n"
        "mov $56, %eax\n"
        "syscall\n"
        "test %rax, %rax\n"
        "jz 1f\n"
        "ret\n"
        "1: mov $186, %eax\n"
        "syscall\n"
        "mov %rax, 8(%r9)\n"
        "test %r8, %r8\n"
        "jz 2f\n"
        "mov %fs:8, %rax\n"
        "mov %rax, 16(%r9)\n"
        "2: mov $60, %eax\n"
        "xor %edi, %edi\n"
        "syscall\n");

/* CLONE_CHILD_CLEARTID: the kernel writes 0 there and wakes one when the thread has ended. */
static void await_end(void)
{
    uint32_t tid;

    while ((tid = __atomic_load_n(&shared.child_tid, __ATOMIC_SEQ_CST)) != 0)
        syscall(SYS_futex, &shared.child_tid, FUTEX_WAIT, tid, NULL, NULL, 0);
}

static void check_clone(char *stack)
{
    long tid;

    shared.child_tid = 1;
    tid = raw_clone(FLAGS | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID |
                        CLONE_CHILD_SETTID,
                    stack + STACK, &shared.parent_tid, &shared.child_tid, &tls, &shared);
    check(tid > 0, "clone gives a number");
    check(shared.parent_tid == (uint32_t)tid, "CLONE_PARENT_SETTID writes it");
    await_end();
    check(shared.seen_tid == tid, "the thread has that number");
    check(shared.tls_value == tls.value, "and its own thread pointer");
    /* Linux clears the word a little earlier. */
    for (int i = 0; i < 1000 && syscall(SYS_tgkill, getpid(), tid, 0) == 0; i++)
        sleep_ms(1);
    check_error(syscall(SYS_tgkill, getpid(), tid, 0), ESRCH, "afterwards it is gone");
}

static void check_clone_errors(char *stack)
{
    check_error(syscall(SYS_clone, CLONE_THREAD, stack + STACK, NULL, NULL, NULL), EINVAL,
                "CLONE_THREAD without CLONE_SIGHAND");
    check_error(syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND, stack + STACK, NULL, NULL, NULL),
                EINVAL, "CLONE_SIGHAND without CLONE_VM");
    check_error(syscall(SYS_clone, FLAGS | CLONE_SETTLS, stack + STACK, NULL, NULL, 1UL << 63),
                EPERM, "a thread pointer in the kernel's half");
}

static void check_signals_to_threads(void)
{
    int tid = thread_number(), pid = getpid();

    check(syscall(SYS_tgkill, pid, tid, 0) == 0, "tgkill of ourselves with no signal");
    check(syscall(SYS_tkill, tid, 0) == 0, "tkill likewise");
    check_error(syscall(SYS_tgkill, pid, tid, 65), EINVAL, "signal 65");
    check_error(syscall(SYS_tgkill, pid, tid, -1), EINVAL, "signal -1");
    check_error(syscall(SYS_tgkill, pid, 0, 0), EINVAL, "thread 0");
    check_error(syscall(SYS_tgkill, 0, tid, 0), EINVAL, "process 0");
    check_error(syscall(SYS_tgkill, pid, INT_MAX, 0), ESRCH, "no such thread");
    check_error(syscall(SYS_tgkill, INT_MAX, tid, 0), ESRCH, "no such process");
    check_error(syscall(SYS_tkill, -1, 0), EINVAL, "tkill of thread -1");
    check_error(syscall(SYS_tkill, INT_MAX, 0), ESRCH, "tkill of no thread");
    check_error(kill(INT_MAX, 0), ESRCH, "kill of no process");
    check_error(kill(pid, 65), EINVAL, "kill with signal 65");
    check(kill(pid, 0) == 0, "kill of ourselves with no signal");
}

int main(void)
{
    char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (int i = 0; i < 3; i++)
        check_clone(stack);
    check_clone_errors(stack);
    check_signals_to_threads();
    check(syscall(SYS_set_tid_address, &shared.child_tid) == thread_number(),
          "set_tid_address gives our number");
    return exit_status();
}
