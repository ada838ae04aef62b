/* SPDX-License-Identifier: ISC
 *
 * guest-rt's synthetic files: what is found, what it says, and how reads of parts of it fit.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../../guest-rt/rt.h"

/* The boot page lies where AddressSanitizer keeps its shadow. */
static struct husk_boot boot;
#undef BOOT
#define BOOT (&boot)

/* The units under test. */
#include "../../guest-rt/synthetic.c"
#include "../../guest-rt/synthetic_process.c"
#include "../../guest-rt/synthetic_system.c"
#include "../../guest-rt/synthetic_text.c"
#include "../../guest-rt/usermem.c"

/* What they need of the rest of guest-rt. */

static const char *bad; /* the address that faults */

int user_copy(void *dst, const void *src, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bad && ((char *)dst + i == bad || (const char *)src + i == bad))
            return -EFAULT;
        ((char *)dst)[i] = ((const char *)src)[i];
    }
    return 0;
}

static const char named[] = "192.0.2.1\tdb.example\n"; /* by --connect */

int64_t hypercall(enum husk_op op, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                  uint64_t a5)
{
    (void)a2, (void)a3, (void)a4, (void)a5;
    assert_int_equal(op, HUSK_OP_HOSTS);
    assert_true(a1 >= sizeof(named) - 1);
    memcpy((void *)a0, named, sizeof(named) - 1);
    return sizeof(named) - 1;
}

long user_scan(const char *string, size_t max)
{
    return (long)strnlen(string, max);
}

uint64_t clock_monotonic(void)
{
    return 12345678900000;
}

int64_t sys_times(const struct call *call)
{
    ((struct tms *)call->arg[0])->tms_utime = 250;
    return 0;
}

int64_t sys_time(const struct call *call)
{
    (void)call;
    return 1700000000;
}

int64_t sys_uname(const struct call *call)
{
    *(struct new_utsname *)call->arg[0] = (struct new_utsname){
        .sysname = "Linux", .nodename = "here", .release = "6.1.0-test", .version = "#1"};
    return 0;
}

int64_t sys_getcwd(const struct call *call)
{
    strcpy((char *)call->arg[0], "/work");
    return 6;
}

int64_t sys_prctl(const struct call *call)
{
    static char name[64] = "?";

    if (call->arg[0] == PR_SET_NAME)
        snprintf(name, sizeof(name), "%.15s", (const char *)call->arg[1]);
    else
        strcpy((char *)call->arg[1], name);
    return 0;
}

int64_t sys_getrandom(const struct call *call)
{
    memset((void *)call->arg[0], 0x42, call->arg[1]);
    return (int64_t)call->arg[1];
}

uint32_t file_mode(uint32_t mode)
{
    return mode & ~027U;
}

static bool fd_is_open[FILES_MAX];

struct file *file_get(uint64_t fd)
{
    static struct file file;

    return fd < FILES_MAX && fd_is_open[fd] ? &file : NULL;
}

static struct file mapped_file;
static struct vma vmas[] = {
    {.start = 0x400000, .end = 0x409000, .prot = PROT_READ | PROT_WRITE},
    {.start = 0x20000000,
     .end = 0x20002000,
     .prot = PROT_READ,
     .shared = true,
     .file = &mapped_file,
     .offset = 0x3000},
    {.start = 0x7f000000, .end = 0x7f001000, .prot = PROT_NONE},
    {.start = 0x7fff0000, .end = 0x80000000, .prot = PROT_READ | PROT_WRITE},
};

struct vma *vma_after(uint64_t addr)
{
    for (size_t i = 0; i < ARRAY_SIZE(vmas); i++)
        if (vmas[i].end > addr)
            return &vmas[i];
    return NULL;
}

uint64_t vma_total(void)
{
    return 0x1c000;
}

uint64_t vma_held(void)
{
    return 0x1c000;
}

/* An image of code, constants and data at 0x400000..0x405000, and the stack that it starts with. */
static int setup(void **state)
{
    static const struct elf64_phdr headers[] = {
        {.p_type = PT_NOTE, .p_vaddr = 0x999999},
        {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x10, .p_memsz = 0x1f00},
        {.p_type = PT_LOAD,
         .p_flags = PF_R,
         .p_vaddr = 0x2000,
         .p_memsz = 0x800,
         .p_offset = 0x2000},
        {.p_type = PT_LOAD,
         .p_flags = PF_R | PF_W,
         .p_vaddr = 0x3010,
         .p_memsz = 0x1900,
         .p_offset = 0x2810},
    };
    static uint64_t stack[] = {
        2,
        (uint64_t) "bin/program",
        (uint64_t) "an argument",
        0,
        (uint64_t) "HOME=/",
        (uint64_t) "A=b",
        0,
        AT_PHDR,
        (uint64_t)headers,
        AT_PHNUM,
        4,
        AT_EXECFN,
        (uint64_t) "bin/program",
        AT_NULL,
        0,
    };

    (void)state;
    boot = (struct husk_boot){.ram_size = 256 << 20,
                              .image_start = 0x400000,
                              .image_end = 0x405000,
                              .stack_low = 0x7fff0000,
                              .stack_top = 0x80000000,
                              .stack_pointer = (uint64_t)stack,
                              .uid = 1000,
                              .euid = 1000,
                              .gid = 100,
                              .egid = 100,
                              .cwd_length = 5,
                              .cwd = "/work"};
    memset(fd_is_open, 0, sizeof(fd_is_open));
    fd_is_open[0] = fd_is_open[1] = fd_is_open[17] = true;
    bad = NULL;
    synthetic_init();
    return 0;
}

static bool find(const char *path, struct synthetic_file *file)
{
    return synthetic_find(path, strlen(path), file);
}

static struct synthetic_file found(const char *path)
{
    struct synthetic_file file;

    if (!find(path, &file))
        fail_msg("%s is not found", path);
    return file;
}

static const char *content(const char *path)
{
    static char text[1 << 16];
    struct synthetic_file file = found(path);
    int64_t len = synthetic_read(&file, (guest_addr_t)text, sizeof(text) - 1, 0);

    assert_in_range(len, 0, sizeof(text) - 1);
    text[len] = 0;
    return text;
}

static const char *target(const char *path)
{
    static char text[256];
    struct synthetic_file file = found(path);
    int64_t len = synthetic_target(&file, text, sizeof(text) - 1);

    assert_in_range(len, 0, sizeof(text) - 1);
    text[len] = 0;
    return text;
}

static void contains(const char *path, const char *part)
{
    if (!strstr(content(path), part))
        fail_msg("%s lacks `%s`:\n%s", path, part, content(path));
}

static struct statx stat_of(const char *path)
{
    struct synthetic_file file = found(path);
    struct statx result;

    synthetic_stat(&file, 1700000000123456789, &result);
    return result;
}

static void test_devices_have_linux_numbers(void **state)
{
    static const struct {
        const char *path;
        unsigned major, minor;
    } devices[] = {{"/dev/null", 1, 3},    {"/dev/zero", 1, 5},   {"/dev/full", 1, 7},
                   {"/dev/urandom", 1, 9}, {"/dev/random", 1, 8}, {"/dev/tty", 5, 0}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        struct statx status = stat_of(devices[i].path);

        assert_int_equal(status.stx_mode, S_IFCHR | 0666);
        assert_int_equal(status.stx_rdev_major, devices[i].major);
        assert_int_equal(status.stx_rdev_minor, devices[i].minor);
        assert_int_equal(status.stx_mtime.tv_nsec, 123456789);
    }
}

static void test_devices_read_and_write_as_on_linux(void **state)
{
    struct synthetic_file null = found("/dev/null"), zero = found("/dev/zero");
    struct synthetic_file full = found("/dev/full"), random = found("/dev/urandom");
    static char buffer[3 * HUSK_PAGE_SIZE];
    guest_addr_t to = (guest_addr_t)buffer;

    (void)state;
    assert_int_equal(synthetic_read(&null, to, 100, 0), 0);
    assert_int_equal(synthetic_write(&null, to, 100), 100);
    memset(buffer, 1, sizeof(buffer));
    assert_int_equal(synthetic_read(&zero, to, sizeof(buffer) - 1, 5), sizeof(buffer) - 1);
    assert_int_equal(buffer[0] | buffer[sizeof(buffer) - 2], 0);
    assert_int_equal(buffer[sizeof(buffer) - 1], 1);
    assert_int_equal(synthetic_write(&zero, to, 7), 7);
    assert_int_equal(synthetic_read(&full, to, 10, 0), 10);
    assert_int_equal(synthetic_write(&full, to, 10), -ENOSPC);
    assert_int_equal(synthetic_read(&random, to, 10, 0), 10);
    assert_int_equal(buffer[9], 0x42);
    assert_int_equal(synthetic_write(&random, to, 10), 10);
    bad = buffer;
    assert_int_equal(synthetic_read(&zero, to, 10, 0), -EFAULT);
}

static void test_only_what_is_there_is_found(void **state)
{
    static const char *const absent[] = {
        "",
        "/dev/nul",
        "/dev/nulll",
        "/dev/null/",
        "/dev/fd/5",
        "/dev/fd/017",
        "/dev/fd/x",
        "/dev/fd/17x",
        "/dev/fd/",
        "/dev/fd/4294967313",
        "/proc/1",
        "/proc/22/maps",
        "/proc/2x",
        "/proc/self/nope",
        "/etc/localtime",
        "/d",
        "/dev/0123456789012345678901234567890123456789012345678901234567890123456789"};
    struct synthetic_file file;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
        if (find(absent[i], &file))
            fail_msg("%s is found", absent[i]);
    assert_ptr_equal(found("/proc/2/maps").entry, found("/proc/self/maps").entry);
    assert_ptr_equal(found("/proc/2").entry, found("/proc/self").entry);
}

static void test_descriptors_are_named(void **state)
{
    (void)state;
    assert_int_equal(found("/dev/fd/17").descriptor, 17);
    assert_int_equal(found("/proc/self/fd/0").descriptor, 0);
    assert_int_equal(found("/proc/2/fd/1").descriptor, 1);
    assert_int_equal(found("/dev/stderr").descriptor, 2);
    assert_int_equal(found("/dev/fd/17").entry->kind, SYNTHETIC_DESCRIPTOR);
    assert_int_equal(stat_of("/dev/fd/17").stx_mode & S_IFMT, S_IFLNK);
    assert_int_equal(found("/dev/null").descriptor, -1);
}

static void test_open_flags_are_checked(void **state)
{
    static const struct {
        const char *path;
        uint32_t flags;
        int result;
    } cases[] = {
        {"/dev/null", O_RDWR | O_CREAT | O_TRUNC, 0},
        {"/dev/null", O_RDWR | O_CREAT | O_EXCL, -EEXIST},
        {"/dev/null", O_DIRECTORY, -ENOTDIR},
        {"/proc/self/maps", O_RDONLY, 0},
        {"/proc/self/maps", O_RDWR, -EACCES},
        {"/etc/hosts", O_WRONLY | O_CREAT | O_TRUNC, -EACCES},
        {"/dev", O_DIRECTORY, 0},
        {"/dev", O_WRONLY, -EISDIR},
        {"/proc/self/exe", O_NOFOLLOW, -ELOOP},
        {"/proc/self/exe", O_NOFOLLOW | O_PATH, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct synthetic_file file = found(cases[i].path);

        assert_int_equal(synthetic_may_open(&file, cases[i].flags), cases[i].result);
    }
}

static void test_links_lead_to_the_process(void **state)
{
    struct synthetic_file maps = found("/proc/self/maps");
    char buffer[4];

    (void)state;
    assert_string_equal(target("/proc/self/exe"), "/work/bin/program");
    assert_string_equal(target("/proc/self/cwd"), "/work");
    assert_string_equal(target("/proc/self/root"), "/");
    assert_int_equal(synthetic_target(&maps, buffer, 4), -EINVAL);
    maps = found("/proc/self/cwd");
    assert_int_equal(synthetic_target(&maps, buffer, 4), 4);
}

static void test_maps_look_like_linux(void **state)
{
    static const char expected[] =
        "00400000-00402000 r-xp 00000000 00:00 0                                  "
        "/work/bin/program\n"
        "00402000-00403000 r--p 00002000 00:00 0                                  "
        "/work/bin/program\n"
        "00403000-00405000 rw-p 00002000 00:00 0                                  "
        "/work/bin/program\n"
        "00405000-00409000 rw-p 00000000 00:00 0                                  [heap]\n"
        "20000000-20002000 r--s 00003000 00:00 0 \n"
        "7f000000-7f001000 ---p 00000000 00:00 0 \n"
        "7fff0000-80000000 rw-p 00000000 00:00 0                                  [stack]\n";
    char line[256];
    FILE *host = fopen("/proc/self/maps", "r");

    (void)state;
    assert_string_equal(content("/proc/self/maps"), expected);
    assert_non_null(host);
    while (fgets(line, sizeof(line), host)) /* the host's own stack: the same column */
        if (strstr(line, "[stack]"))
            assert_int_equal(strstr(line, "[stack]") - line, 73);
    fclose(host);
}

static void test_process_texts(void **state)
{
    static const char cmdline[] = "bin/program\0an argument";
    int fields = 1;

    (void)state;
    assert_memory_equal(content("/proc/self/cmdline"), cmdline, sizeof(cmdline));
    assert_memory_equal(content("/proc/self/environ"), "HOME=/\0A=b", 11);
    assert_string_equal(content("/proc/self/comm"), "program\n");
    assert_string_equal(content("/proc/self/statm"), "28 28 0 5 0 28 0\n");
    contains("/proc/self/status", "Name:\tprogram\nUmask:\t0027\nState:\tR (running)\nTgid:\t2\n");
    contains("/proc/self/status", "\nUid:\t1000\t1000\t1000\t1000\nGid:\t100\t100\t100\t100\n");
    contains("/proc/self/status", "\nVmSize:\t     112 kB\n");
    contains("/proc/self/status", "\nThreads:\t1\n");
    contains("/proc/self/stat",
             "2 (program) R 1 2 2 0 0 0 0 0 0 0 250 0 0 0 20 0 1 0 0 114688 28 ");
    for (const char *at = content("/proc/self/stat"); *at; at++)
        fields += *at == ' ';
    assert_int_equal(fields, 52);
}

static void test_system_texts(void **state)
{
    char line[64];

    (void)state;
    sprintf(line, "%-16s%8d kB\n", "MemTotal:", 256 << 10);
    assert_memory_equal(content("/proc/meminfo"), line, strlen(line));
    sprintf(line, "\n%-16s%8d kB\n", "MemFree:", (256 << 10) - 112);
    contains("/proc/meminfo", line);
    assert_string_equal(content("/proc/uptime"), "12345.67 12343.17\n");
    assert_string_equal(content("/proc/loadavg"), "0.00 0.00 0.00 1/1 2\n");
    contains("/proc/stat", "cpu  250 0 0 1234317 0 0 0 0 0 0\ncpu0 250 ");
    contains("/proc/stat", "\nbtime 1699987655\n");
    assert_string_equal(content("/proc/version"), "Linux version 6.1.0-test (husk@husk) #1\n");
    assert_string_equal(content("/proc/sys/kernel/osrelease"), "6.1.0-test\n");
    assert_string_equal(content("/proc/sys/kernel/hostname"), "here\n");
    assert_string_equal(content("/etc/hostname"), "here\n");
    assert_string_equal(content("/etc/passwd"), "husk:x:1000:100:husk:/:/bin/sh\n");
    assert_string_equal(content("/etc/group"), "husk:x:100:\n");
    contains("/etc/hosts", "127.0.0.1\tlocalhost\n");
    contains("/etc/hosts", named);
    contains("/etc/nsswitch.conf", "hosts: files dns\n");
    boot.uid = boot.gid = 0;
    assert_string_equal(content("/etc/passwd"), "root:x:0:0:root:/:/bin/sh\n");
}

/* Against the host's own, from the same instruction. */
static void test_cpuinfo_tells_of_this_processor(void **state)
{
    static const char *const same[] = {"vendor_id", "cpu family", "model\t", "stepping"};
    FILE *host = fopen("/proc/cpuinfo", "r");
    char line[4096];

    (void)state;
    assert_non_null(host);
    while (fgets(line, sizeof(line), host) && *line != '\n')
        for (size_t i = 0; i < ARRAY_SIZE(same); i++)
            if (strncmp(line, same[i], strlen(same[i])) == 0)
                contains("/proc/cpuinfo", line);
    fclose(host);
    assert_int_equal(strncmp(content("/proc/cpuinfo"), "processor\t: 0\n", 14), 0);
    contains("/proc/cpuinfo", " sse2 ");
}

static void test_sizes_are_those_of_linux(void **state)
{
    (void)state;
    assert_int_equal(stat_of("/etc/passwd").stx_size, strlen(content("/etc/passwd")));
    assert_int_equal(stat_of("/proc/self/maps").stx_size, 0);
    assert_int_equal(stat_of("/proc/self/maps").stx_mode, S_IFREG | 0444);
    assert_int_equal(stat_of("/dev").stx_mode, S_IFDIR | 0555);
    assert_int_not_equal(stat_of("/dev/fd/0").stx_ino, stat_of("/dev/fd/1").stx_ino);
}

static void test_any_part_of_a_text_may_be_read(void **state)
{
    struct synthetic_file file = found("/proc/self/status");
    char *whole = strdup(content("/proc/self/status")), part[1024];
    int64_t len = (int64_t)strlen(whole);

    (void)state;
    for (int64_t offset = 0; offset < len + 5; offset += 7)
        for (int64_t size = 0; size < 900; size += 59) {
            int64_t left = offset < len ? len - offset : 0, want = size < left ? size : left;

            assert_int_equal(synthetic_read(&file, (guest_addr_t)part, size, offset), want);
            assert_memory_equal(part, whole + (offset < len ? offset : 0), want);
        }
    assert_int_equal(synthetic_read(&file, (guest_addr_t)part, 10, UINT64_MAX), 0);
    bad = part;
    assert_int_equal(synthetic_read(&file, (guest_addr_t)part, 10, 0), -EFAULT);
    assert_int_equal(synthetic_read(&file, (guest_addr_t)part, 10, len), 0);
    free(whole);
}

/* All names of a directory, read in pieces of SIZE. */
static const char *names_of(const char *path, uint64_t size)
{
    static char names[4096];
    char buffer[512];
    struct synthetic_file dir = found(path);
    uint64_t position = 0;
    int64_t len;

    names[0] = 0;
    while ((len = synthetic_getdents(&dir, &position, (guest_addr_t)buffer, size)) > 0)
        for (int64_t at = 0; at < len; at += *(uint16_t *)(buffer + at + 16)) {
            strcat(names, buffer + at + 19);
            strcat(names, " ");
        }
    assert_int_equal(len, 0);
    return names;
}

static void test_directories_list_what_is_in_them(void **state)
{
    struct synthetic_file file = found("/dev/null"), etc = found("/etc");
    const struct synthetic *entry;
    uint64_t position = 0;
    size_t count = 0;

    (void)state;
    assert_string_equal(names_of("/", 512), ". .. dev proc etc ");
    assert_string_equal(names_of("/dev", 32),
                        ". .. null zero full random urandom tty fd stdin stdout stderr ");
    assert_string_equal(names_of("/proc/sys", 512), ". .. kernel vm ");
    assert_string_equal(names_of("/dev/fd", 24), ". .. 0 1 17 ");
    assert_string_equal(names_of("/proc/2/fd", 512), ". .. 0 1 17 ");
    assert_int_equal(synthetic_getdents(&file, &position, 0, 0), -ENOTDIR);
    assert_int_equal(synthetic_getdents(&etc, &position, 0, 10), -EINVAL);
    while ((entry = synthetic_next(&etc, &position))) {
        assert_int_equal(strncmp(entry->path, "/etc/", 5), 0);
        count++;
    }
    assert_int_equal(count, 6);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        TEST(test_devices_have_linux_numbers),
        TEST(test_devices_read_and_write_as_on_linux),
        TEST(test_only_what_is_there_is_found),
        TEST(test_descriptors_are_named),
        TEST(test_open_flags_are_checked),
        TEST(test_links_lead_to_the_process),
        TEST(test_maps_look_like_linux),
        TEST(test_process_texts),
        TEST(test_system_texts),
        TEST(test_cpuinfo_tells_of_this_processor),
        TEST(test_sizes_are_those_of_linux),
        TEST(test_any_part_of_a_text_may_be_read),
        TEST(test_directories_list_what_is_in_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
