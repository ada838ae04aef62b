/* SPDX-License-Identifier: ISC
 *
 * How a run ends: exit statuses, faults and signals as Linux gives them, reports, time limits, and
 * signals sent to husk.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

/* A husk image cannot run natively: the same program and libc without guest-rt can. */
static const struct toolchain {
    const char *name, *native;
} toolchains[] = {
    {"husk", "musl"}, {"musl", "musl"}, {"glibc", "glibc"}, {"pie", "pie"}, {"lld", "lld"},
};

static const struct fault {
    const char *kind;
    const char *cause;  /* in words */
    const char *signal; /* its name */
    const char
        *functions[3]; /* in the backtrace, innermost first; crash_in_depth and main follow */
} faults[] = {
    {"null-read", "null pointer: read of address 0x0", "SIGSEGV", {"read_at", "null_read"}},
    {"null-write", "null pointer: write to address 0x0", "SIGSEGV", {"write_at", "null_write"}},
    {"wild-read", "read of unmapped memory at 0x123456789000", "SIGSEGV", {"read_at", "wild_read"}},
    {"wild-write",
     "write to unmapped memory at 0x123456789000",
     "SIGSEGV",
     {"write_at", "wild_write"}},
    {"write-text", "write to read-only memory at 0x", "SIGSEGV", {"write_at", "write_text"}},
    {"write-rodata", "write to read-only memory at 0x", "SIGSEGV", {"write_at", "write_rodata"}},
    {"exec-data", "which is not executable", "SIGSEGV", {"jump_to", "exec_data"}},
    {"exec-null", "jump to null address 0x0", "SIGSEGV", {"#0  0x0\n", "jump_to", "exec_null"}},
    {"div-zero", "division by zero", "SIGFPE", {"divide", "div_zero"}},
    {"illegal", "illegal instruction", "SIGILL", {"illegal"}},
    {"privileged", "privileged instruction hlt", "SIGSEGV", {"privileged"}},
    {"breakpoint", "breakpoint", "SIGTRAP", {"breakpoint"}},
    {"non-canonical", "non-canonical address", "SIGSEGV", {"read_at", "non_canonical"}},
    {"port", "I/O port", "SIGSEGV", {"port"}},
    {"misaligned-sse", "misaligned", "SIGSEGV", {"misaligned_sse"}},
    {"fpe-sse", "floating point exception", "SIGFPE", {"fpe_sse"}},
};

struct test {
    const struct toolchain *toolchain;
    const struct fault *fault;
};

static const struct result *crash_natively(const struct toolchain *toolchain, const char *kind)
{
    return RUN(built("guest/%s/crash", toolchain->native), kind);
}

static const struct result *crash_in_vm(const struct toolchain *toolchain, const char *kind)
{
    return HUSK_RUN(built("guest/%s/crash", toolchain->name), kind);
}

/* NAME in the report after AT, as a whole word. Returns what follows it. */
static const char *find_in_order(const struct result *result, const char *at, const char *name)
{
    const char *wanted = strchr(name, '#') ? name : text(" %s+", name);
    const char *found = strstr(at, wanted);

    if (!found)
        FAIL(result, "the backtrace lacks %s, or has it too late", name);
    return found;
}

static void test_fault_ends_as_natively_and_is_explained(void **state)
{
    const struct test *test = *state;
    const struct result *native = crash_natively(test->toolchain, test->fault->kind);
    const struct result *result = crash_in_vm(test->toolchain, test->fault->kind);
    const char *at = result->err.data;

    assert_status(result, native->status);
    if (native->status <= 128)
        return; /* an emulated processor may not know this fault */
    assert_prints(result, "");
    assert_complains(result, test->fault->cause);
    assert_complains(result, text("(%s)", test->fault->signal));
    assert_complains(result, "rip ");
    assert_complains(result, "rsp ");
    for (size_t i = 0; i < COUNT(test->fault->functions) && test->fault->functions[i]; i++)
        at = find_in_order(result, at, test->fault->functions[i]);
    at = find_in_order(result, at, "crash_in_depth");
    find_in_order(result, at, "main");
}

static void test_stack_overflow_is_named_as_such(void **state)
{
    const struct test *test = *state;
    const struct result *native = crash_natively(test->toolchain, "stack-overflow");
    const struct result *result = crash_in_vm(test->toolchain, "stack-overflow");

    assert_status(result, native->status);
    assert_status(result, 139);
    assert_complains(result, "stack overflow");
    assert_complains(result, "(SIGSEGV)");
    assert_complains(result, " recurse+");
    if (result->err.size > 8192)
        FAIL(result, "the report is long");
}

static void test_abort_ends_the_run_with_134(void **state)
{
    const struct test *test = *state;
    const struct result *result = crash_in_vm(test->toolchain, "abort");

    assert_int_equal(crash_natively(test->toolchain, "abort")->status, 134);
    assert_status(result, 134);
    assert_complains(result, "(SIGABRT)");
}

/* But for those that stop a process: nobody could let it continue. */
static void test_signal_raised_by_the_program_does_as_natively(void **state)
{
    const struct test *test = *state;

    for (int number = 1; number <= 64; number++) {
        const char *kind = text("raise:%d", number);
        const struct result *native, *guest;

        if (number >= SIGSTOP && number <= SIGTTOU)
            continue;
        native = crash_natively(test->toolchain, kind);
        guest = crash_in_vm(test->toolchain, kind);
        if (native->status != guest->status)
            FAIL(guest, "signal %d: natively %d", number, native->status);
        if (number == SIGPIPE)
            assert_is_quiet(guest);
    }
}

static void test_every_exit_status_is_passed_on(void **state)
{
    const struct test *test = *state;

    for (int status = 0; status < 256; status += is_slow_machine() ? 15 : 1) {
        const struct result *result = crash_in_vm(test->toolchain, text("exit:%d", status));

        assert_status(result, status);
        assert_is_quiet(result);
    }
}

static void test_stripped_program_is_reported_by_addresses(void **state)
{
    const struct result *result = HUSK_RUN(built("guest/stripped"), "null-read");

    (void)state;
    assert_status(result, 139);
    assert_complains(result, "null pointer: read of address 0x0");
    assert_complains(result, "#0  0x");
    assert_null(strstr(result->err.data, "main+"));
}

/* How the guest of the tests below spends its time. */
static const char *const waits[] = {"spin", "call", "sleep", "read"};

static struct process *start_waiting(const char *wait, const char *option, const char *value)
{
    struct process *process;

    need_kvm();
    process = process_start(&(struct command){
        .argv = option ? LIST(husk(), "run", option, value, built("guest/husk/wait"), wait)
                       : LIST(husk(), "run", built("guest/husk/wait"), wait),
        .silent = true,
    });
    process_await(process, "ready\n");
    return process;
}

static void assert_no_child_is_left(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void test_time_limit_ends_the_guest_with_124(void **state)
{
    const char *const *wait = *state;
    const struct result *result = process_end(start_waiting(*wait, "--timeout", "500ms"));

    assert_status(result, 124);
    assert_complains(result, "time limit");
    assert_complains(result, "--timeout");
    assert_no_child_is_left();
}

static void test_time_limit_that_is_not_reached_changes_nothing(void **state)
{
    const struct result *result =
        HUSK_RUN("--timeout", "10m", built("guest/husk/exit-status"), "7");

    (void)state;
    assert_status(result, 7);
    assert_is_quiet(result);
}

static void test_signal_to_husk_ends_the_guest(void **state)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    const char *const *wait = *state;

    for (size_t i = 0; i < COUNT(signals); i++) {
        struct process *process = start_waiting(*wait, NULL, NULL);
        const struct result *result;

        process_signal(process, signals[i]);
        result = process_end(process);
        assert_status(result, 128 + signals[i]);
        assert_prints(result, "ready\n");
        assert_no_child_is_left();
    }
}

/* As nohup(1) starts it. */
static void test_signal_that_was_ignored_when_husk_started_stays_ignored(void **state)
{
    struct process *process;

    (void)state;
    signal(SIGHUP, SIG_IGN);
    process = start_waiting("spin", NULL, NULL);
    signal(SIGHUP, SIG_DFL);
    process_signal(process, SIGHUP);
    process_signal(process, SIGHUP);
    process_signal(process, SIGTERM);
    assert_status(process_end(process), 128 + SIGTERM);
}

static void test_end_of_input_ends_a_reading_guest(void **state)
{
    const struct result *result = HUSK_RUN(built("guest/husk/wait"), "read");

    (void)state;
    assert_status(result, 2);
    assert_prints(result, "ready\n");
}

static void add_for_each_toolchain(struct test_list *list, const char *claim,
                                   CMUnitTestFunction function, const struct fault *fault)
{
    static struct test tests[COUNT(toolchains) * (COUNT(faults) + 8)];
    static size_t used;

    for (size_t i = 0; i < COUNT(toolchains); i++) {
        tests[used] = (struct test){&toolchains[i], fault};
        test_list_add(list, text("%s, built as %s", claim, toolchains[i].name), function,
                      &tests[used++]);
    }
}

static void add_for_each_wait(struct test_list *list, const char *claim,
                              CMUnitTestFunction function)
{
    for (size_t i = 0; i < COUNT(waits); i++)
        test_list_add(list, text("%s: %s", claim, waits[i]), function, &waits[i]);
}

/*
 * What started the tests may ignore or block signals, which programs inherit, and husk does not
 * pass on to the guest. glibc keeps 32 and 33 to itself: hence no sigaction(3).
 */
static void reset_signals(void)
{
    const struct {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)(void);
        unsigned long mask;
    } action = {0};
    const unsigned long none = 0;

    for (long number = 1; number <= 64; number++)
        syscall(SYS_rt_sigaction, number, &action, NULL, sizeof(none));
    syscall(SYS_rt_sigprocmask, (long)SIG_SETMASK, &none, NULL, sizeof(none));
}

int main(void)
{
    struct test_list list = {0};

    reset_signals();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (size_t i = 0; i < COUNT(faults); i++)
        add_for_each_toolchain(&list,
                               text("fault %s ends as natively and is explained", faults[i].kind),
                               test_fault_ends_as_natively_and_is_explained, &faults[i]);
    add_for_each_toolchain(&list, "stack overflow is named as such",
                           test_stack_overflow_is_named_as_such, NULL);
    add_for_each_toolchain(&list, "abort ends the run with 134", test_abort_ends_the_run_with_134,
                           NULL);
    add_for_each_toolchain(&list, "signal raised by the program does as natively",
                           test_signal_raised_by_the_program_does_as_natively, NULL);
    add_for_each_toolchain(&list, "every exit status is passed on",
                           test_every_exit_status_is_passed_on, NULL);
    test_list_add(&list, "stripped program is reported by addresses",
                  test_stripped_program_is_reported_by_addresses, NULL);
    add_for_each_wait(&list, "time limit ends the guest with 124",
                      test_time_limit_ends_the_guest_with_124);
    test_list_add(&list, "time limit that is not reached changes nothing",
                  test_time_limit_that_is_not_reached_changes_nothing, NULL);
    add_for_each_wait(&list, "signal to husk ends the guest", test_signal_to_husk_ends_the_guest);
    test_list_add(&list, "signal that was ignored when husk started stays ignored",
                  test_signal_that_was_ignored_when_husk_started_stays_ignored, NULL);
    test_list_add(&list, "end of input ends a reading guest",
                  test_end_of_input_ends_a_reading_guest, NULL);
    return test_list_run(&list, "status", NULL, NULL);
}
