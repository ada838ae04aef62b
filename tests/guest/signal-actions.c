/* SPDX-License-Identifier: ISC */
/* sigaction with each flag, masks, handlers within handlers, alternate stacks, errors. */
#include "check.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile int calls, depth, deepest, order;
static volatile siginfo_t seen;
static sigset_t during;

static void count(int signal)
{
    calls++;
    order = order * 100 + signal;
    pthread_sigmask(SIG_BLOCK, NULL, &during);
}

static void install(int signal, void (*handler)(int), int flags, int masked)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    sigemptyset(&action.sa_mask);
    if (masked)
        sigaddset(&action.sa_mask, masked);
    if (sigaction(signal, &action, NULL) != 0)
        puts("sigaction (WRONG)");
}

static bool is_blocked(int signal)
{
    sigset_t blocked;

    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    return sigismember(&blocked, signal);
}

static void check_handler(void)
{
    struct sigaction old;

    calls = 0;
    install(SIGUSR1, count, 0, SIGUSR2);
    check(raise(SIGUSR1) == 0 && calls == 1, "raise calls the handler before it returns");
    check(sigismember(&during, SIGUSR1) && sigismember(&during, SIGUSR2),
          "meanwhile the signal and those of its mask are blocked");
    check(!is_blocked(SIGUSR1) && !is_blocked(SIGUSR2), "afterwards they are not");
    check(kill(getpid(), SIGUSR1) == 0 && calls == 2, "so does kill");
    check(sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler == count, "the action can be read");
    check(sigismember(&old.sa_mask, SIGUSR2) && !sigismember(&old.sa_mask, SIGHUP),
          "with its mask");
    install(SIGUSR1, SIG_IGN, 0, 0);
    check(raise(SIGUSR1) == 0 && calls == 2, "SIG_IGN ignores it");
    install(SIGCHLD, SIG_DFL, 0, 0);
    check(raise(SIGCHLD) == 0 && raise(SIGWINCH) == 0 && raise(SIGURG) == 0,
          "SIGCHLD, SIGWINCH and SIGURG do nothing by default");
}

static void descend(int signal)
{
    depth++;
    calls++;
    if (depth > deepest)
        deepest = depth;
    if (calls < 3)
        raise(signal);
    depth--;
}

static void check_nesting(void)
{
    install(SIGUSR1, descend, SA_NODEFER, 0);
    deepest = calls = 0;
    raise(SIGUSR1);
    check(deepest == 3 && calls == 3, "with SA_NODEFER a handler interrupts itself");
    install(SIGUSR1, descend, 0, 0);
    deepest = calls = 0;
    raise(SIGUSR1);
    check(deepest == 1 && calls == 3, "without it the next one waits");

    install(SIGUSR1, count, SA_RESETHAND, 0);
    calls = 0;
    raise(SIGUSR1);
    struct sigaction old;
    sigaction(SIGUSR1, NULL, &old);
    check(calls == 1 && old.sa_handler == SIG_DFL, "SA_RESETHAND: once");
    check(old.sa_flags & SA_RESETHAND, "its flags stay");
}

static void raise_other(int signal)
{
    order = order * 100 + signal;
    raise(SIGUSR2);
    order = order * 100 + signal;
}

static void check_masks(void)
{
    sigset_t set, old;

    install(SIGUSR2, count, 0, 0);
    install(SIGUSR1, raise_other, 0, 0);
    order = 0;
    raise(SIGUSR1);
    check(order == SIGUSR1 * 10000 + SIGUSR2 * 100 + SIGUSR1, "a handler within a handler");
    install(SIGUSR1, raise_other, 0, SIGUSR2);
    order = 0;
    raise(SIGUSR1);
    check(order == SIGUSR1 * 10000 + SIGUSR1 * 100 + SIGUSR2, "masked, it comes afterwards");

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGKILL);
    sigaddset(&set, SIGSTOP);
    calls = 0;
    check(sigprocmask(SIG_BLOCK, &set, &old) == 0 && !sigismember(&old, SIGUSR2), "SIG_BLOCK");
    check(is_blocked(SIGUSR2) && !is_blocked(SIGKILL) && !is_blocked(SIGSTOP),
          "SIGKILL and SIGSTOP cannot be blocked");
    raise(SIGUSR2);
    raise(SIGUSR2);
    check(calls == 0, "a blocked signal waits");
    check(sigpending(&set) == 0 && sigismember(&set, SIGUSR2) && !sigismember(&set, SIGUSR1),
          "sigpending tells so");
    check(sigprocmask(SIG_SETMASK, &old, NULL) == 0 && calls == 1, "unblocked it comes, once");
    check(sigpending(&set) == 0 && !sigismember(&set, SIGUSR2), "and is no longer pending");

    sigfillset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    raise(SIGUSR2);
    install(SIGUSR2, SIG_IGN, 0, 0);
    install(SIGUSR2, count, 0, 0);
    calls = 0;
    sigprocmask(SIG_SETMASK, &old, NULL);
    check(calls == 0, "to ignore a signal drops it when it is pending");
    check_error(sigprocmask(77, &set, NULL), EINVAL, "sigprocmask of an unknown kind");
}

static void order_of_many(int signal)
{
    order = order * 100 + signal;
}

static void check_order(void)
{
    sigset_t all, old;

    install(SIGHUP, order_of_many, 0, 0);
    install(SIGUSR1, order_of_many, 0, 0);
    install(SIGTERM, order_of_many, 0, 0);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    raise(SIGTERM);
    raise(SIGHUP);
    raise(SIGUSR1);
    order = 0;
    sigprocmask(SIG_SETMASK, &old, NULL);
    /* Frames are pushed from the lowest number on, so the highest is on top. */
    check(order == SIGTERM * 10000 + SIGUSR1 * 100 + SIGHUP,
          "several at once run in Linux's order");
}

static char alternate[64 << 10];

static void note_stack(int signal)
{
    char here;
    stack_t stack;

    (void)signal;
    sigaltstack(NULL, &stack);
    calls = &here >= alternate && &here < alternate + sizeof alternate;
    depth = stack.ss_flags;
}

static void check_alternate_stack(void)
{
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate}, old;

    check(sigaltstack(&stack, &old) == 0 && old.ss_flags == SS_DISABLE, "sigaltstack");
    install(SIGUSR1, note_stack, 0, 0);
    raise(SIGUSR1);
    check(calls == 0 && depth == 0, "not used without SA_ONSTACK");
    install(SIGUSR1, note_stack, SA_ONSTACK, 0);
    raise(SIGUSR1);
    check(calls == 1 && depth == SS_ONSTACK, "used with it, and told so");
    check(sigaltstack(NULL, &old) == 0 && old.ss_sp == alternate && old.ss_flags == 0,
          "free again afterwards");
    stack.ss_size = 100;
    check_error(sigaltstack(&stack, NULL), ENOMEM, "a stack of 100 bytes");
    stack.ss_size = sizeof alternate;
    stack.ss_flags = 77;
    check_error(sigaltstack(&stack, NULL), EINVAL, "unknown flags");
    stack.ss_flags = SS_DISABLE;
    check(sigaltstack(&stack, NULL) == 0, "SS_DISABLE");
    raise(SIGUSR1);
    check(calls == 0, "and it is used no more");
}

static void note_info(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    memcpy((void *)&seen, info, sizeof seen);
}

static void check_info(void)
{
    struct sigaction action = {.sa_sigaction = note_info, .sa_flags = SA_SIGINFO};

    sigaction(SIGUSR1, &action, NULL);
    kill(getpid(), SIGUSR1);
    check(seen.si_signo == SIGUSR1 && seen.si_code == SI_USER, "kill: SI_USER");
    check(seen.si_pid == getpid() && seen.si_uid == getuid(), "from us");
    raise(SIGUSR1);
    check(seen.si_code == SI_TKILL && seen.si_pid == getpid(), "raise: SI_TKILL");
    sigqueue(getpid(), SIGUSR1, (union sigval){.sival_ptr = alternate});
    check(seen.si_code == SI_QUEUE && seen.si_value.sival_ptr == alternate,
          "sigqueue: SI_QUEUE and the value");
}

static void check_errors(void)
{
    struct sigaction action = {.sa_handler = count};

    check_error(sigaction(SIGKILL, &action, NULL), EINVAL, "a handler for SIGKILL");
    check_error(sigaction(SIGSTOP, &action, NULL), EINVAL, "for SIGSTOP");
    check_error(sigaction(0, &action, NULL), EINVAL, "for signal 0");
    check_error(sigaction(65, &action, NULL), EINVAL, "for signal 65");
    check_error(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4), EINVAL, "a mask of 4 bytes");
    check_error(syscall(SYS_rt_sigaction, SIGUSR1, 8, NULL, 8), EFAULT, "an action nowhere");
    check_error(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 8, NULL, 8), EFAULT, "a mask nowhere");
    check_error(syscall(SYS_rt_sigpending, 8, 8), EFAULT, "pending signals to nowhere");
    check_error(raise(65), EINVAL, "raise of signal 65");
}

int main(void)
{
    check_handler();
    check_nesting();
    check_masks();
    check_order();
    check_alternate_stack();
    check_info();
    check_errors();
    return exit_status();
}
