/* SPDX-License-Identifier: ISC
 *
 * The guests of tests/hostile attack the monitor. Each says what it tries; here is how the run has
 * to end, and that the monitor itself survives it (harness.h) and tells nothing that it should not.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory.h"
#include "harness.h"
#include "husk/abi.h"
#include "json.h"

#define SECRET "SECRET-OF-THE-HOST"

enum { ILLEGAL = 132, TRAP = 133, FAULT = 139, NO_EFFECT = 1 };

static const char *mount(void)
{
    return text("%s/mount:/mnt", directory);
}

static const char *guest(const char *name)
{
    return built("hostile/%s", name);
}

static void test_attack_is_refused(void **state)
{
    const struct result *result = HUSK_RUN("-v", mount(), guest(*state), "/mnt");

    assert_prints(result, "held\n");
    assert_is_quiet(result);
    assert_status(result, 0);
}

/* It connects to itself. */
static void test_forged_room_for_data_ahead_is_refused(void **state)
{
    const struct result *result =
        HUSK_RUN("-p", "0:0", "-v", mount(), guest("forged-ahead"), "/mnt");

    (void)state;
    assert_prints(result, "held\n");
    assert_status(result, 0);
}

/* These fill the directory and empty it again. */
static void test_attack_with_a_writable_mount_is_refused(void **state)
{
    const struct result *result = HUSK_RUN("-v", text("%s:rw", mount()), guest(*state), "/mnt");

    assert_prints(result, "held\n");
    assert_is_quiet(result);
    assert_status(result, 0);
}

/* An attack that has to end the run. */
static const struct ending {
    const char *arguments[4]; /* guest and its arguments */
    int statuses[3];          /* one of them */
    const char *complaint;
} endings[] = {
    {{"unknown-operations", "ring", "63"}, {FAULT}, "I/O port 0x48"},
    {{"unknown-operations", "ring", "64"}, {FAULT}, "I/O port 0x48"},
    {{"unknown-operations", "ring", "65"}, {FAULT}, "I/O port 0x48"},
    {{"unknown-operations", "ring", "0x80000007"}, {FAULT}, "I/O port 0x48"},
    {{"unknown-operations", "ring", "0xffffffff"}, {FAULT}, "I/O port 0x48"},

    {{"ports", "outb", "0x48"}, {FAULT}, "I/O port"},
    {{"ports", "outw", "0x48"}, {FAULT}, "I/O port"},
    {{"ports", "inb", "0x48"}, {FAULT}, "I/O port"},
    {{"ports", "inl", "0x48"}, {FAULT}, "I/O port"},
    {{"ports", "outsb", "0x48"}, {FAULT}, "I/O port"},
    {{"ports", "insl", "0x48"}, {FAULT}, "I/O port"},
    {{"ports", "outl", "0x49"}, {FAULT}, "I/O port"},
    {{"ports", "outb", "0x4b"}, {FAULT}, "I/O port"},
    {{"ports", "outl", "0x45"}, {FAULT}, "I/O port"},
    {{"ports", "outl", "0x47"}, {FAULT}, "I/O port"},
    {{"ports", "outb", "0x4c"}, {FAULT}, "I/O port"},
    {{"ports", "outb", "0"}, {FAULT}, "I/O port"},
    {{"ports", "inb", "0x20"}, {FAULT}, "I/O port"},
    {{"ports", "outb", "0x40"}, {FAULT}, "I/O port"},
    {{"ports", "inb", "0x60"}, {FAULT}, "I/O port"},
    {{"ports", "outb", "0x64"}, {FAULT}, "I/O port"},
    {{"ports", "inb", "0x71"}, {FAULT}, "I/O port"},
    {{"ports", "outb", "0x80"}, {FAULT}, "I/O port"},
    {{"ports", "outb", "0x92"}, {FAULT}, "I/O port"},
    {{"ports", "outl", "0xcf8"}, {FAULT}, "I/O port"},
    {{"ports", "inl", "0xcfc"}, {FAULT}, "I/O port"},
    {{"ports", "outsb", "0x3f8"}, {FAULT}, "I/O port"},
    {{"ports", "insl", "0x1f0"}, {FAULT}, "I/O port"},
    {{"ports", "inw", "0x5658"}, {FAULT}, "I/O port"},
    {{"ports", "outl", "0xffff"}, {FAULT}, "I/O port"},
    {{"ports", "inb", "0xffff"}, {FAULT}, "I/O port"},

    {{"privileged", "hlt"}, {FAULT}, "privileged instruction hlt"},
    {{"privileged", "cli"}, {FAULT}, "privileged instruction"},
    {{"privileged", "sti"}, {FAULT}, "privileged instruction"},
    {{"privileged", "lgdt"}, {FAULT}, "privileged instruction"},
    {{"privileged", "lidt"}, {FAULT}, "privileged instruction"},
    {{"privileged", "lldt"}, {FAULT}, "privileged instruction"},
    {{"privileged", "ltr"}, {FAULT}, "privileged instruction"},
    {{"privileged", "lmsw"}, {FAULT}, "privileged instruction"},
    {{"privileged", "clts"}, {FAULT}, "privileged instruction"},
    {{"privileged", "read_cr0"}, {FAULT}, "privileged instruction"},
    {{"privileged", "write_cr0"}, {FAULT}, "privileged instruction"},
    {{"privileged", "read_cr3"}, {FAULT}, "privileged instruction"},
    {{"privileged", "write_cr3"}, {FAULT}, "privileged instruction"},
    {{"privileged", "write_cr4"}, {FAULT}, "privileged instruction"},
    {{"privileged", "write_cr8"}, {FAULT}, "privileged instruction"},
    {{"privileged", "read_dr7"}, {FAULT}, "privileged instruction"},
    {{"privileged", "write_dr7"}, {FAULT}, "privileged instruction"},
    {{"privileged", "rdmsr"}, {FAULT}, "privileged instruction"},
    {{"privileged", "wrmsr"}, {FAULT}, "privileged instruction"},
    {{"privileged", "wrmsr_efer"}, {FAULT}, "privileged instruction"},
    {{"privileged", "wrmsr_clock"}, {FAULT}, "privileged instruction"},
    {{"privileged", "invlpg"}, {FAULT}, "privileged instruction"},
    {{"privileged", "invd"}, {FAULT}, "privileged instruction"},
    {{"privileged", "wbinvd"}, {FAULT}, "privileged instruction"},
    {{"privileged", "swapgs"}, {FAULT}, "privileged instruction"},
    {{"privileged", "rdpmc"}, {FAULT}, ""},
    {{"privileged", "sysret"}, {FAULT}, ""},
    {{"privileged", "sysexit"}, {FAULT}, ""},
    {{"privileged", "far_jump"}, {FAULT}, ""},
    {{"privileged", "far_call"}, {FAULT}, ""},
    {{"privileged", "far_return"}, {FAULT}, ""},
    {{"privileged", "iret_to_ring0"}, {FAULT}, ""},
    {{"privileged", "load_kernel_segment"}, {FAULT}, ""},
    {{"privileged", "load_kernel_stack"}, {FAULT}, ""},
    {{"privileged", "load_tss_segment"}, {FAULT}, ""},
    {{"privileged", "io_privilege"}, {FAULT}, "privileged instruction"},
    {{"privileged", "non_canonical_jump"}, {FAULT}, ""},
    {{"privileged", "non_canonical_return"}, {FAULT}, ""},
    /* By the processor, and by what KVM lets it do. */
    {{"privileged", "xsetbv"}, {FAULT, ILLEGAL}, ""},
    {{"privileged", "sysenter"}, {FAULT, ILLEGAL}, ""},
    {{"privileged", "monitor"}, {FAULT, ILLEGAL}, ""},
    {{"privileged", "mwait"}, {FAULT, ILLEGAL}, ""},
    {{"privileged", "vmcall"}, {FAULT, ILLEGAL, NO_EFFECT}, ""},
    {{"privileged", "vmmcall"}, {FAULT, ILLEGAL, NO_EFFECT}, ""},
    {{"privileged", "vmxon"}, {FAULT, ILLEGAL}, ""},
    {{"privileged", "vmlaunch"}, {FAULT, ILLEGAL}, ""},
    {{"privileged", "vmrun"}, {FAULT, ILLEGAL}, ""},
    {{"privileged", "vmload"}, {FAULT, ILLEGAL}, ""},
    {{"privileged", "stgi"}, {FAULT, ILLEGAL}, ""},
    {{"privileged", "skinit"}, {FAULT, ILLEGAL}, ""},
    {{"privileged", "long_instruction"}, {FAULT, ILLEGAL}, ""},
    {{"privileged", "int_0"}, {FAULT, ILLEGAL}, ""},
    {{"privileged", "int_2"}, {FAULT, ILLEGAL}, ""},
    {{"privileged", "int_8"}, {FAULT, ILLEGAL}, ""},
    {{"privileged", "int_13"}, {FAULT, ILLEGAL}, ""},
    {{"privileged", "int_14"}, {FAULT, ILLEGAL}, ""},
    {{"privileged", "int_32"}, {FAULT, ILLEGAL}, ""},
    {{"privileged", "int_128"}, {FAULT, ILLEGAL}, ""},
    {{"privileged", "int_255"}, {FAULT, ILLEGAL}, ""},
    {{"privileged", "rsm"}, {ILLEGAL}, "illegal instruction"},
    {{"privileged", "into"}, {ILLEGAL}, "illegal instruction"},
    {{"privileged", "ud1"}, {ILLEGAL}, "illegal instruction"},
    {{"privileged", "ud2"}, {ILLEGAL}, "illegal instruction"},
    {{"privileged", "int3"}, {TRAP}, "breakpoint"},
    {{"privileged", "int_3"}, {TRAP}, "breakpoint"},
    {{"privileged", "icebp"}, {TRAP, ILLEGAL}, ""},
    {{"privileged", "trap_flag"}, {TRAP}, "single step"},

    {{"own-rights", "write-code"}, {FAULT}, "write to read-only memory"},
    {{"own-rights", "write-constant"}, {FAULT}, "write to read-only memory"},
    {{"own-rights", "write-runtime-code"}, {FAULT}, "write to read-only memory"},
    {{"own-rights", "execute-stack"}, {FAULT}, "not executable"},
    {{"own-rights", "execute-heap"}, {FAULT}, "not executable"},
    {{"own-rights", "execute-data"}, {FAULT}, "not executable"},
    {{"own-rights", "execute-constant"}, {FAULT}, "not executable"},

    {{"broken-runtime", "stack-null"}, {ILLEGAL}, "illegal instruction"},
    {{"broken-runtime", "stack-ring0"}, {ILLEGAL}, "illegal instruction"},
    {{"broken-runtime", "stack-tables"}, {ILLEGAL}, "illegal instruction"},
    {{"broken-runtime", "stack-kernel"}, {ILLEGAL}, "illegal instruction"},
    {{"broken-runtime", "stack-wild"}, {ILLEGAL}, "illegal instruction"},
    {{"broken-runtime", "stack-of-runtime"}, {ILLEGAL}, "illegal instruction"},
    /* Without guest-rt, exceptions lead nowhere again and again. */
    {{"broken-runtime", "unmap"}, {FAULT, 124}, ""},
    {{"broken-runtime", "protect"}, {FAULT, 124}, ""},
    {{"broken-runtime", "discard"}, {FAULT, 124}, ""},
    {{"broken-runtime", "zeroes"}, {FAULT, 124}, ""},

    {{"endless-recursion"}, {FAULT}, "stack overflow"},
    {{"masked-spin"}, {124}, "time limit"},
    {{"interrupted", "pending"}, {124}, "time limit"},
    {{"interrupted", "faults"}, {124}, "time limit"},
    {{"interrupted", "timers"}, {124}, "time limit"},
    {{"endless-sleep", "0x7fffffffffffffff"}, {124}, "time limit"},
    {{"endless-sleep", "0xffffffffffffffff"}, {124}, "time limit"},
};

static bool is_one_of(int status, const int statuses[3])
{
    return status == statuses[0] || (statuses[1] && status == statuses[1]) ||
           (statuses[2] && status == statuses[2]);
}

static void test_attack_ends_the_run(void **state)
{
    const struct ending *ending = *state;
    const char *limit = !is_one_of(124, ending->statuses) ? "5m"
                        : is_slow_machine()               ? "5s"
                                                          : "500ms";
    const struct result *result;

    result = HUSK_RUN("--timeout", limit, guest(ending->arguments[0]), ending->arguments[1],
                      ending->arguments[2]);
    if (!is_one_of(result->status, ending->statuses))
        FAIL(result, "status %d was wanted", ending->statuses[0]);
    assert_complains(result, result->status == NO_EFFECT ? "" : ending->complaint);
    if (result->status != NO_EFFECT)
        assert_complains(result, "husk: ");
}

/* Pages of the window, and whether ring 3 may read them. */
static const struct page {
    const char *name;
    uint64_t address;
    bool readable;
} pages[] = {
    {"ring 0's code", HUSK_RING0_TEXT, false},
    {"ring 0's system call stub", HUSK_RING0_TEXT + HUSK_RING0_SYSCALL, false},
    {"ring 0's tables", HUSK_RING0_TABLES, false},
    {"the IDT", HUSK_RING0_TABLES + HUSK_IDT_OFFSET, false},
    {"the TSS", HUSK_RING0_TABLES + HUSK_TSS_OFFSET, false},
    {"ring 0's stack", HUSK_RING0_STACK, false},
    {"the view of ring 0's stack", HUSK_RING0_VIEW, true},
    {"the clock page", HUSK_CLOCK_PAGE, true},
    {"the boot page", HUSK_BOOT_PAGE, true},
    {"the descriptors' page", HUSK_DESC_PAGE, true},
    {"a page that is not there", HUSK_DESC_PAGE + 0x1000, false},
    {"the end of the window", HUSK_WINDOW + HUSK_WINDOW_SIZE, false},
    {"the page tables' physical address", (256 << 20) + HUSK_WINDOW_SIZE, false},
    {"the window's physical address", 256 << 20, false},
    {"an address above all memory", 1ULL << 46, false},
    {"a kernel's address", 0xffffffff81000000, false},
};

static const struct result *touch(const char *how, const struct page *page)
{
    return HUSK_RUN(guest("window-pages"), how, text("0x%lx", (unsigned long)page->address));
}

static void test_page_is_out_of_reach(void **state)
{
    const struct page *page = *state;
    const struct result *result = touch("execute", page);

    assert_status(result, FAULT);
    assert_prints(result, "");
    result = touch("read", page);
    assert_status(result, page->readable ? NO_EFFECT : FAULT);
    result = touch("write", page);
    assert_status(result, page->address == HUSK_DESC_PAGE ? NO_EFFECT : FAULT);
}

static void assert_printable(const struct result *result)
{
    for (size_t i = 0; i < result->err.size; i++) {
        unsigned char byte = (unsigned char)result->err.data[i];

        if (byte != '\n' && (byte < ' ' || byte > '~'))
            FAIL(result, "byte 0x%02x at %zu could do anything to a terminal", byte, i);
    }
}

static void test_report_of_a_forged_fault_is_harmless(void **state)
{
    (void)state;
    for (int i = 0; i < (is_slow_machine() ? 8 : 64); i++) {
        const struct result *result = HUSK_RUN(guest("forged-fault"), text("%d", i));

        assert_status(result, FAULT);
        assert_prints(result, "");
        assert_complains(result, "(SIGSEGV)");
        assert_printable(result);
        if (result->err.size > 16384)
            FAIL(result, "report %d is long", i);
    }
}

static void test_forged_trace_is_harmless(void **state)
{
    const struct result *result = HUSK_RUN("--trace", guest("forged-trace"));

    (void)state;
    assert_status(result, 0);
    assert_prints(result, "held\n");
    assert_printable(result);
}

static void test_repeated_marks_do_not_fill_the_stats(void **state)
{
    const struct result *result =
        HUSK_RUN(text("--stats=%s", in_directory("stats")), guest("repeated-marks"));
    struct bytes stats;

    (void)state;
    assert_status(result, 0);
    assert_prints(result, "held\n");
    stats = file_read(in_directory("stats"));
    assert_true(json_is_valid(stats.data));
    assert_true(stats.size < 8192);
    free(stats.data);
}

static void test_mapping_that_fails_leaves_no_hole(void **state)
{
    const struct result *result;
    int unmappable;

    (void)state;
    need_kvm();
    unmappable = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
    result = run(
        &(struct command){.argv = LIST(husk(), "run", guest("failing-map")), .fd = {unmappable}});
    close(unmappable);
    assert_status(result, 0);
    assert_prints(result, "held\n");
}

static void test_random_operations_are_harmless(void **state)
{
    (void)state;
    for (int seed = 1; seed <= (is_slow_machine() ? 2 : 20); seed++) {
        const struct result *result =
            HUSK_RUN("-v", mount(), guest("random-operations"), text("%d", seed),
                     is_slow_machine() ? "1000" : "20000", "/mnt");

        assert_prints(result, "");
        assert_is_quiet(result);
        assert_status(result, 42);
    }
}

static void test_no_port_but_the_doorbell_can_be_reached(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 0x10000; first += is_slow_machine() ? 0xf000 : 0x1000) {
        const struct result *result =
            HUSK_RUN(guest("all-ports"), text("%u", first), text("%u", first + 0xfff));

        assert_prints(result, "held\n");
        assert_is_quiet(result);
        assert_status(result, 0);
    }
}

/* Whatever a guest says of its end, husk ends with a status. */
static void test_any_exit_values_are_a_status(void **state)
{
    static const struct {
        const char *status, *signal;
        int wanted;
    } cases[] = {
        {"256", "0", 0},
        {"300", "0", 44},
        {"0xffffffffffffffff", "0", 255},
        {"0", "0xffffffffffffff80", 0},
        {"1", "9", 128 + SIGKILL},
        {"5", "127", 255},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct result *result =
            HUSK_RUN(guest("exit-values"), cases[i].status, cases[i].signal);

        assert_status(result, cases[i].wanted);
        assert_prints(result, "");
    }
}

/* kvm-pvm cannot hide what the processor shows at ring 3. */
static bool cpuid_can_be_hidden(void)
{
    return strstr(HUSK("doctor")->out.data, "hardware virtualization");
}

static void assert_nothing_escaped(const struct result *result)
{
    struct bytes secret = file_read(in_directory("secret"));
    struct stat status;

    if (memmem(result->out.data, result->out.size, SECRET, strlen(SECRET)) ||
        memmem(result->out.data, result->out.size, "root:", 5))
        FAIL(result, "what lies outside of the mount was read");
    assert_string_equal(secret.data, SECRET "\n");
    free(secret.data);
    assert_int_equal(stat(in_directory("secret"), &status), 0);
    assert_int_equal(status.st_mode, S_IFREG | 0600);
    assert_int_equal(status.st_nlink, 1);
    assert_true(status.st_mtim.tv_sec > 1000);
    assert_status(RUN("/bin/busybox", "rm", "-f", in_directory("stats")), 0);
    assert_prints(RUN("/bin/busybox", "ls", "-A", directory), "mount\nsecret\n");
}

static void fill_mount(void)
{
    static const char *const links[][2] = {
        {"..", "up"},
        {"../..", "sub/up-up"},
        {"..", "link-up"},
        {"../secret", "link-secret"},
        {"/etc/passwd", "link-etc"},
        {"/", "link-root"},
        {"/proc/self", "link-proc"},
        {"link-chain-2", "link-chain"},
        {"sub/../link-secret", "link-chain-2"},
        {"link-loop", "link-loop"},
        {"nowhere", "link-dangling"},
        {"target", "link"},
    };

    mkdir(in_directory("mount"), 0755);
    mkdir(in_directory("mount/sub"), 0755);
    file_write(in_directory("mount/file"), "0123456789", 10);
    for (size_t i = 0; i < COUNT(links); i++)
        assert_int_equal(symlink(links[i][0], text("%s/mount/%s", directory, links[i][1])), 0);
}

static void test_paths_do_not_lead_out_of_a_mount(void **state)
{
    const struct result *result = HUSK_RUN("-v", mount(), guest("path-escape"), "/mnt");

    (void)state;
    assert_shows(result, "held\n");
    assert_is_quiet(result);
    assert_status(result, 0);
    assert_nothing_escaped(result);
    assert_shows(result, "0123456789"); /* the file that it may read */
}

static void test_paths_do_not_lead_out_of_a_writable_mount(void **state)
{
    const struct result *result =
        HUSK_RUN("-v", text("%s:rw", mount()), guest("path-escape"), "/mnt");

    (void)state;
    assert_shows(result, "held\n");
    assert_is_quiet(result);
    assert_nothing_escaped(result);
    directory_empty(in_directory("mount"));
    fill_mount();
}

static void test_paths_do_not_lead_from_a_mounted_file_to_its_neighbours(void **state)
{
    const struct result *result =
        HUSK_RUN("-v", text("%s/mount/file:/mnt/file", directory), guest("path-escape"), "/mnt");

    (void)state;
    assert_is_quiet(result);
    assert_nothing_escaped(result);
    assert_shows(result, "0123456789");
    assert_null(memmem(result->out.data, result->out.size, "link-etc", 8));
}

static int fill_directory(void **state)
{
    make_directory(state);
    file_write(in_directory("secret"), SECRET "\n", strlen(SECRET) + 1);
    chmod(in_directory("secret"), 0600);
    fill_mount();
    return 0;
}

/* The guest confuses itself, in whichever way; the monitor has not failed, and the run ends. */
static void test_jumps_into_guest_rt_harm_the_guest_alone(void **state)
{
    (void)state;
    for (unsigned offset = 0x4321; offset < 0x18000; offset += 0x1357) {
        const struct result *result = HUSK_RUN("--timeout", is_slow_machine() ? "5s" : "500ms",
                                               guest("interrupted"), "jump", text("0x%x", offset));

        if (result->status == 125)
            FAIL(result, "offset 0x%x", offset);
    }
}

int main(void)
{
    /* These check by themselves what they are told. */
    static const char *const refused[] = {
        "wild-pointers",    "wild-lengths",      "unknown-operations", "forged-handles",
        "served",           "wild-fs-base",      "forged-mappings",    "repeated-marks",
        "forged-trace",     "wild-sockets",      "forged-waits",       "forged-alarms",
        "wild-paths",       "vectors",           "mapped-files",       "forged-locks",
        "standard-streams", "read-only-mount",   "descriptor-page",    "flood",
        "above-memory",     "address-games",     "wild-flags",         "forged-epoll",
        "thread-bomb",      "virtual-positions", "forged-deferred",    "memory-files",
    };
    static const char *const refused_writable[] = {"directory-reads", "deep-renames"};
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_of_a_forged_fault_is_harmless),
        cmocka_unit_test(test_forged_trace_is_harmless),
        cmocka_unit_test(test_jumps_into_guest_rt_harm_the_guest_alone),
        cmocka_unit_test(test_no_port_but_the_doorbell_can_be_reached),
        cmocka_unit_test(test_any_exit_values_are_a_status),
        cmocka_unit_test(test_repeated_marks_do_not_fill_the_stats),
        cmocka_unit_test(test_mapping_that_fails_leaves_no_hole),
        cmocka_unit_test(test_forged_room_for_data_ahead_is_refused),
        cmocka_unit_test(test_random_operations_are_harmless),
        cmocka_unit_test(test_paths_do_not_lead_out_of_a_mount),
        cmocka_unit_test(test_paths_do_not_lead_out_of_a_writable_mount),
        cmocka_unit_test(test_paths_do_not_lead_from_a_mounted_file_to_its_neighbours),
    };
    struct test_list list = {0};

    for (size_t i = 0; i < COUNT(refused); i++)
        test_list_add(&list, text("%s are refused", refused[i]), test_attack_is_refused,
                      refused[i]);
    for (size_t i = 0; i < COUNT(refused_writable); i++)
        test_list_add(&list, text("%s in a writable mount are refused", refused_writable[i]),
                      test_attack_with_a_writable_mount_is_refused, refused_writable[i]);
    if (cpuid_can_be_hidden())
        test_list_add(&list, "features of the host are hidden", test_attack_is_refused, "features");
    for (size_t i = 0; i < COUNT(endings); i++)
        test_list_add(&list,
                      text("attack ends the run: %s %s %s", endings[i].arguments[0],
                           endings[i].arguments[1],
                           endings[i].arguments[2] ? endings[i].arguments[2] : ""),
                      test_attack_ends_the_run, &endings[i]);
    for (size_t i = 0; i < COUNT(pages); i++)
        test_list_add(&list, text("%s is out of reach", pages[i].name), test_page_is_out_of_reach,
                      &pages[i]);
    for (size_t i = 0; i < COUNT(tests); i++)
        test_list_add(&list, tests[i].name, tests[i].test_func, NULL);
    return test_list_run(&list, "hostile", fill_directory, remove_directory);
}
