/* SPDX-License-Identifier: ISC
 *
 * --isolate without a VM: what a process still sees that went there, and that its volumes are what
 * they were. Each test does so in a child, most as root and as a user; a host that lets users have
 * no namespaces skips them.
 */
#include "mounts_fixture.h"

#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "isolate.h"
#include "resolve.h"

enum { PASSED = 0, FAILED = 1, IMPOSSIBLE = 77, USER = 12345, OTHER = 54321 };

/* In the child, where cmocka's own would continue with the parent's tests. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s: %s\n", __LINE__, #condition, strerror(errno));           \
            _exit(FAILED);                                                                         \
        }                                                                                          \
    } while (0)

#define MUST_FAIL(call, error_number) MUST((call) < 0 && errno == (error_number))

/* The change takes away what execve(2) gives to every process: /proc/self is its own. */
static void become_user(void)
{
    if (geteuid() == 0)
        MUST(setgroups(0, NULL) == 0 && setgid(USER) == 0 && setuid(USER) == 0 &&
             prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
}

static void run_child(void (*check)(void), bool as_user)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        if (as_user)
            become_user();
        check();
        _exit(PASSED);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == IMPOSSIBLE)
        skip();
    assert_int_equal(status, PASSED);
}

static int give(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return lchown(path, USER, USER);
}

static void in_child(void (*check)(void))
{
    if (geteuid() == 0) {
        run_child(check, false);
        assert_int_equal(nftw(scratch, give, 32, FTW_PHYS), 0);
    }
    run_child(check, true);
}

/* Into isolation with the scratch directory's HOST at /data. */
static void isolate(const char *host)
{
    if (isolate_begin(false, &error) < 0) {
        fprintf(stderr, "# skipped: %s\n", error.text);
        _exit(IMPOSSIBLE);
    }
    MUST(add(host, "/data", MOUNT_WRITABLE) == 0 && isolate_mounts(mounts, &error) == 0);
    MUST(isolate_end(&error) == 0);
}

static int volume(void)
{
    return mounts->table[0].fd;
}

static void see_nothing_outside(void)
{
    struct stat root, status;
    char target[16];

    isolate("data");
    MUST_FAIL(stat("/etc", &status), ENOENT);
    MUST_FAIL(stat("/../etc", &status), ENOENT);
    MUST_FAIL(stat("../../etc", &status), ENOENT);
    MUST_FAIL(stat("/proc/self", &status), ENOENT);
    MUST_FAIL(stat(on_host("data/file"), &status), ENOENT);
    MUST_FAIL(open("/dev/null", O_PATH), ENOENT);
    MUST_FAIL(mkdir("/x", 0700), EROFS);
    MUST(fstatat(AT_FDCWD, ".", &root, 0) == 0 && stat("/", &status) == 0);
    MUST(root.st_ino == status.st_ino && root.st_dev == status.st_dev);

    MUST(fstat(volume(), &root) == 0 && fstatat(volume(), "..", &status, 0) == 0);
    MUST(root.st_ino == status.st_ino && root.st_dev == status.st_dev);
    MUST_FAIL(fstatat(volume(), "../outside", &status, 0), ENOENT);
    MUST_FAIL(openat(volume(), "../outside/secret", O_PATH), ENOENT);
    MUST_FAIL(fchmodat(volume(), "../outside/secret", 0600, 0), ENOENT);
    MUST_FAIL(utimensat(volume(), "sub/../../outside", NULL, 0), ENOENT);
    MUST_FAIL(readlinkat(volume(), "../link", target, sizeof(target)), ENOENT);
}

static void test_nothing_of_the_host_but_volumes_is_there(void **state)
{
    (void)state;
    make_link("link", "data");
    in_child(see_nothing_outside);
}

static void see_the_same_volume(void)
{
    struct stat before, file;
    struct statx after;

    MUST(stat(on_host("data"), &before) == 0 && stat(on_host("data/sub/file"), &file) == 0);
    isolate("data");
    MUST(try_stat("/data", 0, &after) == 0);
    MUST(after.stx_ino == before.st_ino && after.stx_dev_minor == minor(before.st_dev));
    MUST(try_stat("/data/sub/../sub/file", 0, &after) == 0);
    MUST(after.stx_ino == file.st_ino && after.stx_uid == file.st_uid);
    MUST(after.stx_gid == file.st_gid && after.stx_mode == file.st_mode);
    MUST(try_open("/data/file", O_RDWR) == 0 && try_open("/data/new", O_WRONLY | O_CREAT) == 0);
    MUST(mounts_unlink(mounts, NULL, "/data/new", 0) == 0);
    MUST(mounts_chmod(mounts, NULL, "/data/file", 0640, 0) == 0);
    MUST(mounts_utimes(mounts, NULL, "/data/file", NULL, 0) == 0);
    MUST(try_open("/data/../etc/passwd", O_RDONLY) == -ENOENT);
}

static void test_volumes_are_as_they_were(void **state)
{
    (void)state;
    in_child(see_the_same_volume);
}

/* Before Linux 6.6 through procfs, of which there are the descriptors alone. */
static void change_any_mode(void)
{
    struct statx stx;

    isolate("data");
    MUST(mounts_chmod(mounts, NULL, "/data/file", 0, 0) == 0);
    MUST(mounts_chmod(mounts, NULL, "/data/file", 0640, 0) == 0);
    MUST(mounts_chmod(mounts, NULL, "/data/sub", 01750, 0) == 0);
    MUST(try_stat("/data/file", 0, &stx) == 0 && stx.stx_mode == (S_IFREG | 0640));
}

static void test_modes_can_be_changed(void **state)
{
    (void)state;
    in_child(change_any_mode);
}

static void link_what_is_open(void)
{
    struct opened opened;

    isolate("data");
    MUST(mounts_open(mounts, NULL, "/data", O_RDWR | O_TMPFILE, 0600, &opened) == 0);
    MUST(mounts_link_opened(mounts, opened.mount, opened.fd, NULL, "/data/linked") == 0);
    MUST(mounts_unlink(mounts, NULL, "/data/linked", 0) == 0);
    opened_close(&opened);
}

static void test_a_file_without_a_name_can_be_given_one(void **state)
{
    (void)state;
    in_child(link_what_is_open);
}

/* One that the child alone has. */
static void see_what_is_mounted_below(void)
{
    struct statx below;

    if (unshare(CLONE_NEWNS) < 0)
        _exit(IMPOSSIBLE);
    MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    MUST(mount("none", on_host("data/sub"), "tmpfs", 0, NULL) == 0);
    make_file("data/sub/mounted", "mounted");
    isolate("data");
    assert_reads("/data/sub/mounted", "mounted");
    MUST(try_stat("/data/sub/mounted", 0, &below) == 0);
    MUST(mounts_rename(mounts, NULL, "/data/sub/mounted", NULL, "/data/mounted", 0,
                       &(struct renamed){0}) == -EXDEV);
}

static void test_what_is_mounted_below_a_volume_comes_along(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    run_child(see_what_is_mounted_below, false);
}

/* user_namespaces(7): only a user's own are known. */
static void see_others_as_nobodys(void)
{
    struct statx stx;

    isolate("data");
    MUST(try_stat("/data/file", 0, &stx) == 0);
    MUST(stx.stx_uid == 65534 && stx.stx_gid == 65534);
    MUST(try_stat("/data", 0, &stx) == 0 && stx.stx_uid == USER);
}

static void see_others_as_they_are(void)
{
    struct statx stx;

    isolate("data");
    MUST(try_stat("/data/file", 0, &stx) == 0 && stx.stx_uid == OTHER && stx.stx_gid == OTHER);
    MUST(mounts_chown(mounts, NULL, "/data/file", USER, USER, 0) == 0);
}

static void test_owners_of_others_files_are_known_to_root_alone(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(nftw(scratch, give, 32, FTW_PHYS), 0);
    assert_int_equal(lchown(on_host("data/file"), OTHER, OTHER), 0);
    run_child(see_others_as_nobodys, true);
    run_child(see_others_as_they_are, false);
}

/* A user namespace grants CAP_DAC_OVERRIDE over one's own files. */
static void get_no_rights_over_own_files(void)
{
    MUST(chmod(on_host("data"), 0) == 0);
    if (isolate_begin(false, &error) < 0)
        _exit(IMPOSSIBLE);
    MUST(add("data", "/data", MOUNT_READ_ONLY) < 0 && strstr(error.text, "no permission"));
    MUST_FAIL(open(on_host("data/file"), O_RDONLY), EACCES);
}

static void test_modes_of_own_files_still_count(void **state)
{
    (void)state;
    if (geteuid() == 0)
        assert_int_equal(nftw(scratch, give, 32, FTW_PHYS), 0);
    run_child(get_no_rights_over_own_files, true);
    assert_int_equal(chmod(on_host("data"), 0755), 0);
}

static void offer_a_directory(void)
{
    close(STDIN_FILENO);
    MUST(open("/", O_RDONLY | O_DIRECTORY) == STDIN_FILENO);
    MUST(isolate_begin(false, &error) < 0 && error.status == STATUS_HUSK);
    MUST(strstr(error.text, "descriptor 0 is a directory"));
}

static void test_a_standard_stream_that_is_a_directory_is_refused(void **state)
{
    (void)state;
    in_child(offer_a_directory);
}

static void offer_a_foreign_directory(void)
{
    char path[40];
    int fd = open(on_host("data"), O_PATH);

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (isolate_begin(false, &error) < 0)
        _exit(IMPOSSIBLE);
    MUST(mounts_add(mounts, path, "/data", MOUNT_READ_ONLY, &error) == 0);
    MUST(isolate_mounts(mounts, &error) < 0 && strstr(error.text, "another mount namespace"));
}

static void test_a_volume_of_another_mount_namespace_is_refused(void **state)
{
    (void)state;
    in_child(offer_a_foreign_directory);
}

static void write_to(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);

    MUST(fd >= 0 && write(fd, text, strlen(text)) > 0 && close(fd) == 0);
}

/* In a user namespace of its own, whose limit is not the host's. */
static void be_without_user_namespaces(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

    if (unshare(CLONE_NEWUSER) < 0)
        _exit(IMPOSSIBLE);
    write_to("/proc/self/uid_map", "0 12345 1");
    write_to("/proc/sys/user/max_user_namespaces", "0");
    MUST(unshare(CLONE_NEWUSER) < 0);
    MUST(syscall(SYS_capset, &header, none) == 0);
    MUST(isolate_begin(false, &error) < 0 && error.status == STATUS_HUSK);
    MUST(strstr(error.text, "--isolate: no more user namespaces: No space left on device"));
    MUST(strstr(error.text, "sysctl user.max_user_namespaces"));
}

static void test_a_host_without_user_namespaces_is_told_what_to_do(void **state)
{
    (void)state;
    run_child(be_without_user_namespaces, true);
}

static int setup_volume(void **state)
{
    int ret = setup(state);

    if (ret)
        return ret;
    make_dir("data");
    make_dir("data/sub");
    make_file("data/file", "file");
    make_file("data/sub/file", "sub");
    make_dir("outside");
    make_file("outside/secret", "secret");
    return chmod(scratch, 0755);
}

#define TEST_VOLUME(name) cmocka_unit_test_setup_teardown(name, setup_volume, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_VOLUME(test_nothing_of_the_host_but_volumes_is_there),
        TEST_VOLUME(test_volumes_are_as_they_were),
        TEST_VOLUME(test_modes_can_be_changed),
        TEST_VOLUME(test_a_file_without_a_name_can_be_given_one),
        TEST_VOLUME(test_what_is_mounted_below_a_volume_comes_along),
        TEST_VOLUME(test_owners_of_others_files_are_known_to_root_alone),
        TEST_VOLUME(test_modes_of_own_files_still_count),
        TEST_VOLUME(test_a_standard_stream_that_is_a_directory_is_refused),
        TEST_VOLUME(test_a_volume_of_another_mount_namespace_is_refused),
        TEST_VOLUME(test_a_host_without_user_namespaces_is_told_what_to_do),
    };

    return cmocka_run_group_tests_name("isolate", tests, NULL, NULL);
}
