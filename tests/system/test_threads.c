/* SPDX-License-Identifier: ISC
 *
 * Threads, signals and time as they look from outside: signals that are sent to husk, a thread
 * whose stack overflows, clocks against the host's.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

enum { OVERFLOW = 139, TERMINATED = 128 + SIGTERM };

static const char *const toolchains[] = {"husk", "musl", "glibc", "pie", "lld"};
static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};

/* What a guest does with signals, and how it spends its time. */
static const struct way {
    const char *what, *how;
} ways[] = {
    {"handle", "sleep"}, {"handle", "spin"},  {"handle", "read"}, {"handle", "threads"},
    {"ignore", "sleep"}, {"ignore", "spin"},  {"ignore", "read"}, {"ignore", "threads"},
    {"wait", "sleep"},   {"wait", "threads"},
};

static struct process *start(const struct way *way)
{
    struct process *process;

    need_kvm();
    process = process_start(&(struct command){
        .argv = LIST(husk(), "run", built("guest/musl/forwarded"), way->what, way->how),
        .silent = true,
    });
    process_await(process, "ready\n");
    return process;
}

static void test_signals_to_husk_reach_the_guest(void **state)
{
    const struct way *way = *state;
    struct process *process = start(way);

    for (size_t i = 0; i < COUNT(signals); i++) {
        process_signal(process, signals[i]);
        process_await(process, text("got %02d\n", signals[i]));
    }
    process_signal(process, SIGTERM);
    assert_status(process_end(process), 3);
}

static void test_ignored_signals_do_nothing(void **state)
{
    const struct way *way = *state;
    struct process *process = start(way);
    const struct result *result;

    for (size_t i = 0; i < COUNT(signals); i++)
        process_signal(process, signals[i]);
    process_signal(process, SIGTERM);
    result = process_end(process);
    assert_status(result, TERMINATED);
    assert_prints(result, "ready\n");
}

/* A storm of them, which may be merged, but not lost for good. */
static void test_many_signals_are_survived(void **state)
{
    const struct way *way = *state;
    struct process *process = start(way);

    for (int i = 0; i < 500; i++)
        process_signal(process, i % 2 ? SIGUSR1 : SIGWINCH);
    process_signal(process, SIGUSR2);
    process_await(process, text("got %02d\n", SIGUSR2));
    process_signal(process, SIGTERM);
    assert_status(process_end(process), 3);
}

static void test_overflow_of_a_thread_is_reported(void **state)
{
    const struct result *result = HUSK_RUN(built("guest/%s/thread-overflow", (char *)*state));

    assert_status(result, OVERFLOW);
    assert_prints(result, "overflow\n");
    assert_complains(result, "(SIGSEGV)");
    assert_complains(result, " recurse+");
}

static void test_trace_tells_threads_and_signals_apart(void **state)
{
    const struct result *result = HUSK_RUN("--trace", built("guest/musl/thread-overflow"));

    (void)state;
    assert_status(result, OVERFLOW);
    assert_complains(result, "\nset_tid_address(");
    assert_complains(result,
                     "\n[pid 3] --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_ACCERR, si_addr=0x");
}

static int64_t nanoseconds(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Ask the guest for a clock, by its letter: how far its answer lies outside the time of asking. */
static int64_t difference(int to, int from, char letter, clockid_t clock)
{
    int64_t before = nanoseconds(clock), after, guest;
    char line[64] = "";
    size_t length = 0;

    if (write(to, &letter, 1) != 1)
        return INT64_MAX;
    while (!strchr(line, '\n') && length < sizeof(line) - 1) {
        ssize_t got = read(from, line + length, sizeof(line) - 1 - length);

        if (got <= 0)
            return INT64_MAX;
        length += (size_t)got;
    }
    after = nanoseconds(clock);
    guest = strtoll(line, NULL, 10);
    return guest < before ? before - guest : guest > after ? guest - after : 0;
}

/* Over two seconds, in which guest-rt asks for the host's clocks anew. A busy host may take a
 * question's time away: the best of some counts. */
static void test_clocks_agree_with_the_host_within_1_ms(void **state)
{
    static const struct {
        char letter;
        clockid_t clock;
    } clocks[] = {{'r', CLOCK_REALTIME}, {'m', CLOCK_MONOTONIC}, {'b', CLOCK_BOOTTIME}};
    int to[2], from[2];
    const int64_t allowed = is_slow_machine() ? 20000000 : 1000000;
    struct process *process;

    (void)state;
    need_kvm();
    assert_int_equal(pipe(to) | pipe(from), 0);
    process = process_start(&(struct command){
        .argv = LIST(husk(), "run", built("guest/musl/tell-time")), .fd = {to[0], from[1]}});
    close(to[0]);
    close(from[1]);
    for (int round = 0; round < 8; round++) {
        for (size_t i = 0; i < COUNT(clocks); i++) {
            int64_t off = INT64_MAX;

            for (int try = 0; try < 20 && off > allowed; try++)
                off = difference(to[1], from[0], clocks[i].letter, clocks[i].clock);
            if (off > allowed)
                fail_msg("clock %c is %lld ns off", clocks[i].letter, (long long)off);
        }
        usleep(250000);
    }
    close(to[1]);
    assert_status(process_end(process), 0);
    close(from[0]);
}

int main(void)
{
    struct test_list list = {0};

    for (size_t i = 0; i < COUNT(ways); i++) {
        bool ignores = strcmp(ways[i].what, "ignore") == 0;
        const char *name = text("%s, %s", ways[i].what, ways[i].how);

        if (ignores) {
            test_list_add(&list, text("ignored signals do nothing: %s", name),
                          test_ignored_signals_do_nothing, &ways[i]);
            continue;
        }
        test_list_add(&list, text("signals to husk reach the guest: %s", name),
                      test_signals_to_husk_reach_the_guest, &ways[i]);
        test_list_add(&list, text("many signals are survived: %s", name),
                      test_many_signals_are_survived, &ways[i]);
    }
    for (size_t i = 0; i < COUNT(toolchains); i++)
        test_list_add(&list, text("overflow of a thread's stack is reported: %s", toolchains[i]),
                      test_overflow_of_a_thread_is_reported, toolchains[i]);
    test_list_add(&list, "trace tells threads and signals apart",
                  test_trace_tells_threads_and_signals_apart, NULL);
    test_list_add(&list, "clocks agree with the host within 1 ms",
                  test_clocks_agree_with_the_host_within_1_ms, NULL);
    return test_list_run(&list, "threads", NULL, NULL);
}
