/* SPDX-License-Identifier: ISC */
/*
 * husk-cc turns system calls into jumps, with the instructions before them moved elsewhere. Faults
 * of those, signals at any of them, calls that are made again, jumps out of handlers and
 * cancellation are as without.
 */
#include "check.h"
#include "inline-call.h"
#include "threads.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

/* Each makes getpid(2). The first moves one instruction, which reads *word; the second two, of
 * which the latter reads. */
long load_and_call(const long *word);
long load_later_and_call(const long *word);
extern const char first_load[];

__asm__(".text\n"
        ".type load_and_call, @function\n"
        "load_and_call:\n"
        "mov $39, %eax\n"
        "sub $256, %rdi\n"
        "first_load: mov 256(%rdi), %rdx\n"
        "syscall\n"
        "ret\n"
        ".size load_and_call, . - load_and_call\n"
        ".type load_later_and_call, @function\n"
        "load_later_and_call:\n"
        "mov $39, %eax\n"
        "mov %rdi, %rsi\n"
        "mov (%rsi), %rdx\n"
        "syscall\n"
        "ret\n"
        ".size load_later_and_call, . - load_later_and_call\n");

static long *page;
static uint64_t fault_at;
static volatile int faults;

static void allow_page(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    faults += info->si_addr == page;
    fault_at = (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    mprotect(page, 4096, PROT_READ);
}

static void check_faults(void)
{
    struct sigaction action = {.sa_sigaction = allow_page, .sa_flags = SA_SIGINFO};

    page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigaction(SIGSEGV, &action, NULL);
    check(load_and_call(page) == getpid(), "a call whose argument faults is made afterwards");
    check(faults == 1 && fault_at == (uint64_t)first_load, "the fault was where it is written");
    mprotect(page, 4096, PROT_NONE);
    check(load_later_and_call(page) == getpid(), "likewise with another instruction before it");
    check(faults == 2, "that one was seen as well");
    signal(SIGSEGV, SIG_DFL);
}

static volatile int ticks;

static void count_tick(int signal)
{
    (void)signal;
    ticks += inline_call(SYS_getpid, 0, 0, 0) == getpid();
}

static void set_handler(void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    sigaction(SIGALRM, &action, NULL);
}

static void set_ticking(long microseconds)
{
    const struct itimerval span = {{0, microseconds}, {0, microseconds}};

    setitimer(ITIMER_REAL, &span, NULL);
}

static bool make_calls(void)
{
    struct timespec now;
    volatile long words[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    bool good = inline_call(SYS_getpid, 0, 0, 0) == getpid() && syscall(SYS_getpid) == getpid() &&
                inline_call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0) == 0 &&
                inline_call(SYS_close, -1, 0, 0) == -EBADF && lseek(-1, 0, SEEK_SET) == -1;
    long sum = 0;

    for (int i = 0; i < 8; i++)
        sum += words[i];
    return good && sum == 36;
}

static void check_ticks(void)
{
    bool good = true;

    set_handler(count_tick, SA_RESTART);
    set_ticking(300);
    while (ticks < 300)
        good &= make_calls();
    set_ticking(0);
    check(good, "calls return what they should while 300 signals come");
}

static int ends[2];

static void write_at_third(int signal)
{
    count_tick(signal);
    if (ticks == 3 && write(ends[1], "x", 1) != 1)
        ticks = 1000;
}

static void check_interrupted_calls(void)
{
    char byte = 0;

    check(pipe(ends) == 0, "a pipe");
    set_handler(count_tick, 0);
    ticks = 0;
    set_ticking(1000);
    check(inline_call(SYS_read, ends[0], (long)&byte, 1) == -EINTR, "a read ends at a signal");
    check_error(read(ends[0], &byte, 1), EINTR, "likewise by way of libc");
    ticks = 0; /* first: the handler writes at the third */
    set_handler(write_at_third, SA_RESTART);
    check(inline_call(SYS_read, ends[0], (long)&byte, 1) == 1 && byte == 'x' && ticks >= 3,
          "with SA_RESTART it is made again until there is something");
    ticks = 0;
    check(read(ends[0], &byte, 1) == 1 && ticks >= 3, "likewise by way of libc");
    set_ticking(0);
}

static sigjmp_buf back;

static void jump_back(int signal)
{
    siglongjmp(back, signal);
}

static void check_jumps(void)
{
    volatile int jumps = 0;
    volatile bool good = true;

    set_handler(jump_back, 0);
    if (sigsetjmp(back, 1) != 0)
        jumps = jumps + 1;
    if (jumps < 100) {
        const struct itimerval once = {.it_value = {0, 200}};

        setitimer(ITIMER_REAL, &once, NULL);
        for (;;)
            good &= inline_call(SYS_getpid, 0, 0, 0) == getpid();
    }
    check(good, "100 jumps out of handlers do no harm to calls");
}

static volatile int started, cleaned;

static void clean(void *argument)
{
    (void)argument;
    cleaned = 1;
}

static void *write_for_ever(void *argument)
{
    pthread_cleanup_push(clean, NULL);
    started = 1;
    while (write(*(int *)argument, "x", 1) == 1) {
    }
    pthread_cleanup_pop(0);
    return NULL;
}

static void *read_nothing(void *argument)
{
    char byte;

    pthread_cleanup_push(clean, NULL);
    started = 1;
    while (read(*(int *)argument, &byte, 1) != 0) {
    }
    pthread_cleanup_pop(0);
    return NULL;
}

static bool is_cancelled(void *(*function)(void *), int file, int milliseconds)
{
    pthread_t thread;

    started = cleaned = 0;
    thread = spawn(function, &file);
    await(&started);
    sleep_ms(milliseconds);
    return pthread_cancel(thread) == 0 && join(thread) == PTHREAD_CANCELED && cleaned;
}

static void check_cancellation(void)
{
    int null = open("/dev/null", O_WRONLY);
    bool good = true;

    for (int i = 0; i < 60; i++)
        good &= is_cancelled(write_for_ever, null, i % 7);
    check(good, "threads that write all the time are cancelled");
    for (int i = 0; i < 20; i++)
        good &= is_cancelled(read_nothing, ends[0], i % 3);
    check(good, "threads that wait in a read are cancelled");
}

int main(void)
{
    check_faults();
    check_ticks();
    check_interrupted_calls();
    check_jumps();
    check_cancellation();
    return exit_status();
}
