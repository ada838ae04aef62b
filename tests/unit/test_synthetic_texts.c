/* SPDX-License-Identifier: ISC
 *
 * guest-rt's synthetic files: what the texts say, and how reads of parts of them fit.
 */
#include "synthetic_fixture.h"

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

static void test_mounts_are_volumes_and_local_directories(void **state)
{
    const struct husk_local locals[] = {{.kind = HUSK_LOCAL_SYNTHETIC, .path = "/proc"},
                                        {.kind = HUSK_LOCAL_TMPFS, .path = "/tmp"}};

    (void)state;
    memcpy(boot.locals, locals, sizeof(locals));
    boot.local_count = 2;
    assert_string_equal(content("/proc/self/mounts"), "husk / husk ro 0 0\n"
                                                      "husk /data husk ro 0 0\n"
                                                      "husk /a\\040b\\134c husk rw 0 0\n"
                                                      "proc /proc proc ro 0 0\n"
                                                      "tmpfs /tmp tmpfs rw 0 0\n");
    assert_string_equal(target("/etc/mtab"), "/proc/self/mounts");
    assert_string_equal(target("/proc/mounts"), "/proc/self/mounts");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        TEST(test_maps_look_like_linux),
        TEST(test_process_texts),
        TEST(test_system_texts),
        TEST(test_cpuinfo_tells_of_this_processor),
        TEST(test_sizes_are_those_of_linux),
        TEST(test_any_part_of_a_text_may_be_read),
        TEST(test_mounts_are_volumes_and_local_directories),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
