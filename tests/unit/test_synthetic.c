/* SPDX-License-Identifier: ISC
 *
 * guest-rt's synthetic files: what is found, devices, links, directories.
 */
#include "synthetic_fixture.h"

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
                        ". .. null zero full random urandom tty fd shm stdin stdout stderr ");
    assert_string_equal(names_of("/proc/sys", 512), ". .. kernel net vm ");
    assert_string_equal(names_of("/dev/fd", 24), ". .. 0 1 17 ");
    assert_string_equal(names_of("/proc/2/fd", 512), ". .. 0 1 17 ");
    assert_int_equal(synthetic_getdents(&file, &position, 0, 0), -ENOTDIR);
    assert_int_equal(synthetic_getdents(&etc, &position, 0, 10), -EINVAL);
    while ((entry = synthetic_next(&etc, &position))) {
        assert_int_equal(strncmp(entry->path, "/etc/", 5), 0);
        count++;
    }
    assert_int_equal(count, 9);
}

static bool names_image(const char *path)
{
    return synthetic_names_image(AT_FDCWD, (guest_addr_t)path);
}

static void test_image_has_the_names_it_was_started_by(void **state)
{
    (void)state;
    assert_true(names_image("/work/bin/program"));
    assert_true(names_image("bin/program"));
    assert_true(names_image("././bin/program"));
    assert_false(names_image("program"));
    assert_false(names_image("/work/bin/progra"));
    assert_false(names_image("/work/bin/programs"));
    assert_false(names_image("bin/program/"));
    assert_false(names_image(""));
    assert_false(synthetic_names_image(3, (guest_addr_t) "bin/program"));
    assert_true(synthetic_names_image(3, (guest_addr_t) "/work/bin/program"));
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
        TEST(test_directories_list_what_is_in_them),
        TEST(test_image_has_the_names_it_was_started_by),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
