/* SPDX-License-Identifier: ISC
 *
 * What a guest may change: everything in a writable mount, nothing in a read-only one or outside.
 * The guest program is guests/change.c.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "harness.h"
#include "trees.h"

/* Directories of the host: "in" is mounted, "out" is not, "copy" is what "in" was. */
static const char *root;

static const char *at(const char *name)
{
    return text("%s/%s", root, name);
}

static void write_text(const char *name, const char *contents)
{
    file_write(at(name), contents, strlen(contents));
}

static void fill(const char *name)
{
    assert_int_equal(mkdir(at(name), 0755), 0);
    assert_int_equal(mkdir(at(text("%s/dir", name)), 0755), 0);
    assert_int_equal(mkdir(at(text("%s/empty", name)), 0755), 0);
    write_text(text("%s/file", name), "file\n");
    write_text(text("%s/other", name), "other\n");
    write_text(text("%s/dir/inner", name), "inner\n");
    assert_int_equal(symlink("file", at(text("%s/link", name))), 0);
}

static int make_root(void **state)
{
    (void)state;
    root = directory_make();
    fill("in");
    fill("copy");
    fill("out");
    fill("out-copy");
    return 0;
}

static int remove_root(void **state)
{
    (void)state;
    directory_remove(root);
    return 0;
}

/* `husk run -v HOST:GUEST... change ...`: the mounts are relative to the root. */
#define CHANGE(mounts, ...) change(mounts, LIST(__VA_ARGS__), NULL)

static const struct result *change(const char *const *mounts, const char *const *operations,
                                   bool (*enter)(void))
{
    const char *argv[120] = {husk(), "run"};
    size_t count = 2;

    need_kvm();
    for (; *mounts; mounts++) {
        argv[count++] = "-v";
        argv[count++] = at(*mounts);
    }
    argv[count++] = built("guest/husk/change");
    while (*operations)
        argv[count++] = *operations++;
    return run(&(struct command){.argv = argv, .enter = enter});
}

static void assert_changes(const struct result *result, const char *wanted)
{
    assert_prints(result, wanted);
    assert_status(result, 0);
    assert_is_quiet(result);
}

static void assert_untouched(void)
{
    assert_same_trees(at("copy"), at("in"));
    assert_same_trees(at("out-copy"), at("out"));
}

static void test_read_only_mount_refuses_every_change(void **state)
{
    (void)state;
    assert_changes(
        CHANGE(LIST("in:/d:ro"), "create", "/d/new", "open-create", "/d/new", "write", "/d/file",
               "empty", "/d/file", "unnamed", "/d", "map", "/d/file", "mkdir", "/d/new", "rmdir",
               "/d/empty", "rmdir", "/d/dir", "unlink", "/d/file", "rename", "/d/file", "/d/new",
               "rename", "/d/file", "/d/other", "exchange", "/d/file", "/d/other", "link",
               "/d/file", "/d/new", "symlink", "x", "/d/new", "truncate", "/d/file", "chmod",
               "/d/file", "fchmod", "/d/file", "chown", "/d/file", "touch", "/d/file", "access",
               "/d/file", "chmod", "/d", "touch", "/d/dir"),
        "create /d/new: EROFS\nopen-create /d/new: EROFS\nwrite /d/file: EROFS\n"
        "empty /d/file: EROFS\nunnamed /d: EROFS\nmap /d/file: EACCES\nmkdir /d/new: EROFS\n"
        "rmdir /d/empty: EROFS\nrmdir /d/dir: EROFS\nunlink /d/file: EROFS\n"
        "rename /d/file /d/new: EROFS\nrename /d/file /d/other: EROFS\n"
        "exchange /d/file /d/other: EROFS\nlink /d/file /d/new: EROFS\nsymlink x /d/new: EROFS\n"
        "truncate /d/file: EROFS\nchmod /d/file: EROFS\nfchmod /d/file: EROFS\n"
        "chown /d/file: EROFS\ntouch /d/file: EROFS\naccess /d/file: EROFS\nchmod /d: EROFS\n"
        "touch /d/dir: EROFS\n");
    assert_untouched();
}

/* As Linux does: what is there, or is not, is found first. */
static void test_read_only_mount_looks_before_it_refuses(void **state)
{
    (void)state;
    assert_changes(
        CHANGE(LIST("in:/d"), "mkdir", "/d/dir", "create", "/d/file", "symlink", "x", "/d/link",
               "link", "/d/file", "/d/other", "unlink", "/d/none/x", "chmod", "/d/none", "truncate",
               "/d/none", "mkdir", "/d/file/x", "open-create", "/d/dir"),
        "mkdir /d/dir: EEXIST\ncreate /d/file: EEXIST\nsymlink x /d/link: EEXIST\n"
        "link /d/file /d/other: EEXIST\nunlink /d/none/x: ENOENT\nchmod /d/none: ENOENT\n"
        "truncate /d/none: ENOENT\nmkdir /d/file/x: ENOTDIR\nopen-create /d/dir: EISDIR\n");
    assert_untouched();
}

static void test_directories_above_mounts_cannot_be_changed(void **state)
{
    (void)state;
    assert_changes(
        CHANGE(LIST("in:/a/b/d:rw"), "mkdir", "/new", "create", "/a/new", "rmdir", "/a/b", "rename",
               "/a", "/c", "symlink", "x", "/a/x", "chmod", "/a", "unlink", "/new", "access", "/a"),
        "mkdir /new: EROFS\ncreate /a/new: EROFS\nrmdir /a/b: EBUSY\nrename /a /c: EBUSY\n"
        "symlink x /a/x: EROFS\nchmod /a: EROFS\nunlink /new: EROFS\naccess /a: EROFS\n");
    assert_untouched();
}

static void test_writable_mount_in_a_read_only_one(void **state)
{
    (void)state;
    assert_changes(CHANGE(LIST("in:/d:ro", "out:/d/dir:rw"), "create", "/d/new", "create",
                          "/d/dir/new", "write", "/d/dir/new", "write", "/d/file", "read",
                          "/d/dir/inner", "rename", "/d/dir/new", "/d/new", "link", "/d/file",
                          "/d/dir/x", "unlink", "/d/dir/../dir/new", "rmdir", "/d/dir"),
                   "create /d/new: EROFS\ncreate /d/dir/new: done\nwrite /d/dir/new: done\n"
                   "write /d/file: EROFS\nread /d/dir/inner: ENOENT\n"
                   "rename /d/dir/new /d/new: EXDEV\nlink /d/file /d/dir/x: EXDEV\n"
                   "unlink /d/dir/../dir/new: done\nrmdir /d/dir: EBUSY\n");
    assert_untouched();
}

static void test_read_only_mount_in_a_writable_one(void **state)
{
    (void)state;
    assert_changes(
        CHANGE(LIST("in:/d:rw", "out:/d/dir:ro"), "create", "/d/new", "create", "/d/dir/new",
               "write", "/d/dir/file", "unlink", "/d/dir/file", "rename", "/d/dir/file", "/d/x",
               "unlink", "/d/new"),
        "create /d/new: done\ncreate /d/dir/new: EROFS\nwrite /d/dir/file: EROFS\n"
        "unlink /d/dir/file: EROFS\nrename /d/dir/file /d/x: EXDEV\nunlink /d/new: done\n");
    assert_untouched();
}

static void test_mount_points_stay(void **state)
{
    (void)state;
    assert_changes(CHANGE(LIST("in:/d:rw", "out:/d/dir/sub:rw"), "rmdir", "/d", "rmdir",
                          "/d/dir/sub", "rmdir", "/d/dir", "rename", "/d/dir", "/d/moved", "rename",
                          "/d/dir/sub", "/d/moved", "rename", "/d/empty", "/d/dir", "unlink",
                          "/d/dir/sub", "mkdir", "/d/dir/sub", "exchange", "/d/dir", "/d/empty"),
                   "rmdir /d: EBUSY\nrmdir /d/dir/sub: EBUSY\nrmdir /d/dir: EBUSY\n"
                   "rename /d/dir /d/moved: EBUSY\nrename /d/dir/sub /d/moved: EBUSY\n"
                   "rename /d/empty /d/dir: EBUSY\nunlink /d/dir/sub: EBUSY\n"
                   "mkdir /d/dir/sub: EEXIST\nexchange /d/dir /d/empty: EBUSY\n");
    assert_untouched();
}

static void test_names_do_not_cross_mounts(void **state)
{
    (void)state;
    assert_changes(CHANGE(LIST("in:/a:rw", "out:/b:rw"), "rename", "/a/file", "/b/new", "rename",
                          "/a/dir", "/b/new", "exchange", "/a/file", "/b/file", "link", "/a/file",
                          "/b/new", "link", "/a/../b/file", "/a/new", "symlink", "/b/file",
                          "/a/cross", "read", "/a/cross", "unlink", "/a/cross"),
                   "rename /a/file /b/new: EXDEV\nrename /a/dir /b/new: EXDEV\n"
                   "exchange /a/file /b/file: EXDEV\nlink /a/file /b/new: EXDEV\n"
                   "link /a/../b/file /a/new: EXDEV\nsymlink /b/file /a/cross: done\n"
                   "read /a/cross: done\nunlink /a/cross: done\n");
    assert_untouched();
}

/* Else a file that may only be read could be written through the other mount. */
static void test_open_files_are_not_linked_into_other_mounts(void **state)
{
    (void)state;
    assert_changes(CHANGE(LIST("in:/r", "in:/w:rw", "in/file:/f:ro"), "link-open", "/r/file",
                          "/w/new", "link-open", "/f", "/w/new", "link-open", "/w/file", "/r/new",
                          "link-open", "/w/dir", "/w/new", "link-open", "/w/file", "/w/new",
                          "unlink", "/w/new"),
                   "link-open /r/file /w/new: EXDEV\nlink-open /f /w/new: EXDEV\n"
                   "link-open /w/file /r/new: EROFS\nlink-open /w/dir /w/new: EPERM\n"
                   "link-open /w/file /w/new: done\nunlink /w/new: done\n");
    assert_untouched();
}

static void test_mounted_file_can_be_written_not_replaced(void **state)
{
    struct bytes after;

    (void)state;
    write_text("single", "a longer text\n");
    assert_changes(CHANGE(LIST("single:/f:rw"), "write", "/f", "truncate", "/f", "write", "/f",
                          "unlink", "/f", "rename", "/f", "/g", "mkdir", "/f", "link", "/f", "/g",
                          "touch", "/f", "chmod", "/f", "access", "/f", "read", "/f/x"),
                   "write /f: done\ntruncate /f: done\nwrite /f: done\nunlink /f: EBUSY\n"
                   "rename /f /g: EBUSY\nmkdir /f: EEXIST\nlink /f /g: EROFS\ntouch /f: done\n"
                   "chmod /f: done\naccess /f: done\nread /f/x: ENOTDIR\n");
    after = file_read(at("single"));
    assert_string_equal(after.data, "written\n");
    free(after.data);
    assert_changes(CHANGE(LIST("single:/f"), "write", "/f", "truncate", "/f", "chmod", "/f"),
                   "write /f: EROFS\ntruncate /f: EROFS\nchmod /f: EROFS\n");
}

/* Links that the host, or an earlier guest, left in the mount. */
static void test_links_lead_out_of_no_mount(void **state)
{
    (void)state;
    write_text("secret", "secret\n");
    assert_int_equal(symlink(at("out/file"), at("in/absolute")), 0);
    assert_int_equal(symlink("../out/file", at("in/relative")), 0);
    assert_int_equal(symlink("../out", at("in/away")), 0);
    assert_int_equal(symlink("../out/created", at("in/dangling")), 0);
    assert_changes(
        CHANGE(LIST("in:/d:rw"), "write", "/d/absolute", "write", "/d/relative", "empty",
               "/d/relative", "open-create", "/d/dangling", "create", "/d/away/new", "mkdir",
               "/d/away/new", "unlink", "/d/away/file", "rename", "/d/file", "/d/away/file",
               "rename", "/d/away/file", "/d/stolen", "link", "/d/away/file", "/d/stolen",
               "truncate", "/d/relative", "chmod", "/d/relative", "touch", "/d/away", "write",
               "/d/../../../secret", "create", "/d/../new"),
        "write /d/absolute: ENOENT\nwrite /d/relative: ENOENT\nempty /d/relative: ENOENT\n"
        "open-create /d/dangling: ENOENT\ncreate /d/away/new: ENOENT\nmkdir /d/away/new: ENOENT\n"
        "unlink /d/away/file: ENOENT\nrename /d/file /d/away/file: ENOENT\n"
        "rename /d/away/file /d/stolen: ENOENT\nlink /d/away/file /d/stolen: ENOENT\n"
        "truncate /d/relative: ENOENT\nchmod /d/relative: ENOENT\ntouch /d/away: ENOENT\n"
        "write /d/../../../secret: ENOENT\ncreate /d/../new: EROFS\n");
    remove(at("in/absolute")), remove(at("in/relative"));
    remove(at("in/away")), remove(at("in/dangling"));
    assert_untouched();
}

static void make_special_files(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_int_equal(mkdir(at("special"), 0755), 0);
    assert_int_equal(mkfifo(at("special/fifo"), 0666), 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/special/socket", root);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
}

static void test_special_files_cannot_be_opened(void **state)
{
    (void)state;
    make_special_files();
    assert_changes(CHANGE(LIST("special:/d:rw"), "read", "/d/fifo", "write", "/d/fifo", "empty",
                          "/d/fifo", "read", "/d/socket", "write", "/d/socket", "open-create",
                          "/d/fifo", "path", "/d/fifo", "stat", "/d/fifo", "touch", "/d/fifo",
                          "rename", "/d/fifo", "/d/pipe", "unlink", "/d/pipe"),
                   "read /d/fifo: EACCES\nwrite /d/fifo: EACCES\nempty /d/fifo: EACCES\n"
                   "read /d/socket: EACCES\nwrite /d/socket: EACCES\nopen-create /d/fifo: EACCES\n"
                   "path /d/fifo: done\nstat /d/fifo: done\ntouch /d/fifo: done\n"
                   "rename /d/fifo /d/pipe: done\nunlink /d/pipe: done\n");
}

static void test_devices_cannot_be_opened(void **state)
{
    (void)state;
    need_kvm();
    assert_changes(
        RUN(husk(), "run", "-v", "/dev:/host-dev", built("guest/husk/change"), "read",
            "/host-dev/zero", "write", "/host-dev/full", "read", "/host-dev/kvm"),
        "read /host-dev/zero: EACCES\nwrite /host-dev/full: EACCES\nread /host-dev/kvm: EACCES\n");
}

static void test_devices_can_be_opened_where_the_mount_says_dev(void **state)
{
    (void)state;
    need_kvm();
    assert_changes(RUN(husk(), "run", "-v", "/dev:/host-dev:dev", built("guest/husk/change"),
                       "read", "/host-dev/zero", "write", "/host-dev/null", "write",
                       "/host-dev/full", "empty", "/host-dev/null", "create",
                       "/host-dev/husk-test-new"),
                   "read /host-dev/zero: done\nwrite /host-dev/null: done\n"
                   "write /host-dev/full: ENOSPC\nempty /host-dev/null: done\n"
                   "create /host-dev/husk-test-new: EROFS\n");
}

/* What `echo hello >fifo` and `cat fifo` do, with one of them in a guest. */
static void test_fifo_joins_guest_and_host(void **state)
{
    const char *fifo, *volume = text("%s:/d:rw,dev", at("joined"));
    const struct result *result;
    struct process *other;

    (void)state;
    need_kvm();
    assert_int_equal(mkdir(at("joined"), 0755), 0);
    fifo = text("%s", at("joined/fifo"));
    assert_int_equal(mkfifo(fifo, 0600), 0);
    other = process_start(&(struct command){.argv = LIST("/bin/busybox", "cat", fifo)});
    result = RUN(husk(), "run", "-v", volume, built("guest/husk/change"), "write", "/d/fifo");
    assert_prints(result, "write /d/fifo: done\n");
    assert_prints(process_end(other), "written\n");

    other = process_start(&(struct command){
        .argv = LIST(husk(), "run", "-v", volume, "/bin/busybox", "cat", "/d/fifo")});
    assert_status(RUN("/bin/busybox", "dd", "if=/bin/busybox", text("of=%s", fifo), "bs=1000",
                      "count=100", "status=none"),
                  0);
    result = process_end(other);
    assert_status(result, 0);
    assert_int_equal(result->out.size, 100000);
}

/* A file system of 256 KiB over "full", which only this run sees. */
static bool enter_small_file_system(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", at("full"), "tmpfs", 0, "size=256k") == 0;
}

static void test_full_file_system(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("full"), 0755), 0);
    assert_changes(change(LIST("full:/d:rw"),
                          LIST("fill", "/d/large", "create", "/d/small", "write", "/d/small",
                               "unlink", "/d/large", "write", "/d/small"),
                          enter_small_file_system),
                   "fill /d/large: ENOSPC\ncreate /d/small: done\nwrite /d/small: ENOSPC\n"
                   "unlink /d/large: done\nwrite /d/small: done\n");
}

static bool enter_small_size_limit(void)
{
    return setrlimit(RLIMIT_FSIZE, &(struct rlimit){250000, 250000}) == 0;
}

static void test_size_limit_of_the_host(void **state)
{
    struct stat status;

    (void)state;
    assert_int_equal(mkdir(at("limited"), 0755), 0);
    assert_changes(change(LIST("limited:/d:rw"), LIST("fill", "/d/large", "write", "/d/large"),
                          enter_small_size_limit),
                   "fill /d/large: EFBIG\nwrite /d/large: done\n");
    assert_int_equal(stat(at("limited/large"), &status), 0);
    assert_int_equal(status.st_size, 250000);
}

static void test_whole_root_can_be_mounted(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("root"), 0755), 0);
    assert_changes(CHANGE(LIST("root:/:rw", "in:/mnt/d:ro"), "mkdir", "/etc", "create", "/etc/new",
                          "write", "/etc/new", "rename", "/etc", "/other", "rmdir", "/", "create",
                          "/../other/second", "create", "/mnt/d/x", "read", "/mnt/d/file"),
                   "mkdir /etc: done\ncreate /etc/new: done\nwrite /etc/new: done\n"
                   "rename /etc /other: done\nrmdir /: EBUSY\ncreate /../other/second: done\n"
                   "create /mnt/d/x: EROFS\nread /mnt/d/file: done\n");
    assert_int_equal(access(at("root/other/second"), F_OK), 0);
    assert_untouched();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_only_mount_refuses_every_change),
        cmocka_unit_test(test_read_only_mount_looks_before_it_refuses),
        cmocka_unit_test(test_directories_above_mounts_cannot_be_changed),
        cmocka_unit_test(test_writable_mount_in_a_read_only_one),
        cmocka_unit_test(test_read_only_mount_in_a_writable_one),
        cmocka_unit_test(test_mount_points_stay),
        cmocka_unit_test(test_names_do_not_cross_mounts),
        cmocka_unit_test(test_open_files_are_not_linked_into_other_mounts),
        cmocka_unit_test(test_mounted_file_can_be_written_not_replaced),
        cmocka_unit_test(test_links_lead_out_of_no_mount),
        cmocka_unit_test(test_special_files_cannot_be_opened),
        cmocka_unit_test(test_devices_cannot_be_opened),
        cmocka_unit_test(test_devices_can_be_opened_where_the_mount_says_dev),
        cmocka_unit_test(test_fifo_joins_guest_and_host),
        cmocka_unit_test(test_full_file_system),
        cmocka_unit_test(test_size_limit_of_the_host),
        cmocka_unit_test(test_whole_root_can_be_mounted),
    };

    return cmocka_run_group_tests_name("mount writes", tests, make_root, remove_root);
}
