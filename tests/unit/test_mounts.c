/* SPDX-License-Identifier: ISC
 *
 * The name space: what may be mounted where, what covers what, and the rights of mounts.
 */
#include "mounts_fixture.h"

#include <dirent.h>

struct dirent_record {
    uint64_t inode;
    int64_t next;
    uint16_t size;
    unsigned char type;
    char name[];
};

/* The names in a made-up directory, each with a space behind it, read SIZE bytes at a time. */
static const char *list(const char *path, size_t size)
{
    static char names[1000];
    _Alignas(8) char buffer[1000];
    struct guest_dir dir = open_dir(NULL, path, path);
    uint64_t position = 0;
    int bytes;

    assert_int_equal(dir.fd, -1);
    *names = '\0';
    while ((bytes = mounts_getdents_virtual(mounts, &dir, &position, buffer, size)) > 0) {
        assert_true((size_t)bytes <= size);
        for (int at = 0; at < bytes;) {
            struct dirent_record *record = (struct dirent_record *)(buffer + at);

            assert_true(record->inode != 0);
            assert_true(record->type == DT_DIR || record->type == DT_REG);
            assert_int_equal(record->size % 8, 0);
            strcat(strcat(names, record->name), record->type == DT_DIR ? "/ " : " ");
            at += record->size;
        }
    }
    assert_int_equal(bytes, 0);
    close_dir(&dir);
    return names;
}

static void assert_refused(const char *host, const char *guest, const char *message)
{
    assert_int_equal(mounts_add(mounts, host, guest, MOUNT_READ_ONLY, &error), -1);
    assert_int_equal(error.status, STATUS_HUSK);
    if (strstr(error.text, message) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.text, message);
}

static void test_an_empty_name_space_is_an_empty_directory(void **state)
{
    struct statx stx;

    (void)state;
    assert_string_equal(list("/", 1000), "./ ../ ");
    assert_int_equal(try_stat("/", 0, &stx), 0);
    assert_int_equal(stx.stx_mode, S_IFDIR | 0755);
    assert_int_equal(stx.stx_uid, geteuid());
    assert_int_equal(stx.stx_nlink, 2);
    assert_int_equal(try_open("/etc/passwd", O_RDONLY), -ENOENT);
}

static void test_a_mount_is_refused_with_a_reason(void **state)
{
    char too_long[PATH_MAX + 1] = "/";

    (void)state;
    make_dir("dir");
    make_file("file", "");
    assert_return_code(mkfifo(on_host("fifo"), 0644), errno);
    assert_refused("./dta", "/data", "-v ./dta:/data: no such directory or file ./dta on the host");
    assert_refused("", "/data", "no such directory");
    assert_refused(on_host("file/x"), "/data", "no such directory");
    assert_refused(on_host("dir"), "data", "must be absolute: /data");
    assert_refused(on_host("dir"), "", "must be absolute");
    assert_refused(on_host("dir"), "/a/../b", "\"..\"");
    assert_refused(on_host("fifo"), "/fifo", "neither a directory nor a regular file");
    assert_refused("/dev/null", "/null", "neither a directory nor a regular file");
    memset(too_long + 1, 'x', 256);
    assert_refused(on_host("dir"), too_long, "too long");
    for (int i = 1; i < PATH_MAX; i += 2)
        memcpy(too_long + i, "x/", 2);
    assert_refused(on_host("dir"), too_long, "too long");
    mount_ro("dir", "/a");
    assert_refused(on_host("dir"), "//a/./", "/a is mounted already");
    mount_ro("file", "/f");
    assert_refused(on_host("dir"), "/f/x", "/f is a mounted file");
}

static void test_a_host_directory_without_permission_is_refused(void **state)
{
    (void)state;
    drop_root();
    make_dir("closed");
    make_file("closed/file", "");
    make_file("unreadable", "");
    assert_return_code(chmod(on_host("unreadable"), 0), errno);
    assert_return_code(chmod(on_host("closed"), 0), errno);
    assert_refused(on_host("closed"), "/data", "no permission to read");
    assert_refused(on_host("closed/file"), "/data", "no permission to read");
    assert_refused(on_host("unreadable"), "/data", "no permission to read");
    assert_return_code(chmod(on_host("closed"), 0755), errno);
}

static void test_directories_above_mounts_are_made_up(void **state)
{
    struct statx stx, again;

    (void)state;
    make_dir("dir");
    make_file("dir/file", "file");
    make_file("single", "single");
    mount_rw("dir", "/a/b/dir");
    mount_ro("single", "/a/single");
    mount_ro("dir", "/c");
    assert_string_equal(list("/", 1000), "./ ../ a/ c/ ");
    assert_string_equal(list("/a", 1000), "./ ../ b/ single ");
    assert_string_equal(list("/a/b", 1000), "./ ../ dir/ ");
    assert_reads("/a/b/dir/file", "file");
    assert_reads("/a/b/../../c/../a/single", "single");
    assert_int_equal(try_stat("/a", 0, &stx), 0);
    assert_int_equal(stx.stx_nlink, 3);
    assert_int_equal(try_stat("/a/b/..", AT_SYMLINK_NOFOLLOW, &again), 0);
    assert_true(stx.stx_ino == again.stx_ino && stx.stx_ino != 0);
    assert_int_equal(try_stat("/a/none", 0, &stx), -ENOENT);
    assert_int_equal(try_stat("/a/none/x", 0, &stx), -ENOENT);
}

static void test_made_up_directories_cannot_be_changed(void **state)
{
    (void)state;
    make_dir("dir");
    mount_rw("dir", "/a/dir");
    assert_int_equal(try_open("/a/new", O_CREAT | O_WRONLY), -EROFS);
    assert_int_equal(try_open("/a", O_WRONLY), -EISDIR);
    assert_int_equal(try_open("/a", O_RDONLY | O_TRUNC), -EISDIR);
    assert_int_equal(try_open("/a", O_TMPFILE | O_RDWR), -EROFS);
    assert_int_equal(try_open("/a", O_CREAT | O_EXCL), -EEXIST);
    assert_int_equal(mounts_access(mounts, NULL, "/a", R_OK | X_OK, 0), 0);
    assert_int_equal(mounts_access(mounts, NULL, "/a", W_OK, 0), -EROFS);
}

static void test_getdents_fills_small_buffers_an_entry_at_a_time(void **state)
{
    struct guest_dir root = {.fd = -1, .path = (char[]){"/"}};
    uint64_t position = 0;
    char buffer[40];

    (void)state;
    make_dir("dir");
    mount_ro("dir", "/a-name-of-26-characters/x");
    mount_ro("dir", "/a-name-of-26-characters/y");
    mount_ro("dir", "/b");
    assert_string_equal(list("/", 48), "./ ../ a-name-of-26-characters/ b/ ");
    assert_int_equal(mounts_getdents_virtual(mounts, &root, &position, buffer, 23), -EINVAL);
    assert_int_equal(position, 0);
    assert_int_equal(mounts_getdents_virtual(mounts, &root, &position, buffer, 40), 24);
    assert_int_equal(mounts_getdents_virtual(mounts, &root, &position, buffer, 24), 24);
    assert_int_equal(mounts_getdents_virtual(mounts, &root, &position, buffer, 40), -EINVAL);
    assert_int_equal(position, 2);
    position = UINT64_MAX;
    assert_int_equal(mounts_getdents_virtual(mounts, &root, &position, buffer, 40), 0);
}

static void test_a_nested_mount_covers_what_is_there(void **state)
{
    (void)state;
    make_dir("outer");
    make_dir("outer/sub");
    make_file("outer/sub/covered", "covered");
    make_file("outer/file", "outer");
    make_link("outer/link", "sub/file");
    make_dir("inner");
    make_file("inner/file", "inner");
    make_link("inner/up", "../file");
    make_dir("inner/dir");
    make_file("single", "single");
    mount_ro("outer", "/data");
    mount_ro("inner", "/data/sub");
    mount_ro("single", "/data/file");
    assert_reads("/data/sub/file", "inner");
    assert_reads("/data/link", "inner");
    assert_reads("/data/sub/../file", "single");
    assert_reads("/data/sub/dir/../file", "inner");
    assert_reads("/data/sub/up", "single");
    assert_int_equal(try_open("/data/sub/covered", O_RDONLY), -ENOENT);
    assert_int_equal(try_open("/data/./sub/../sub//covered", O_RDONLY), -ENOENT);
}

static void test_covered_files_cannot_be_reached_from_an_open_directory(void **state)
{
    struct guest_dir outer, sub;

    (void)state;
    make_dir("outer");
    make_dir("outer/sub");
    make_dir("outer/sub/deep");
    make_file("outer/sub/deep/covered", "covered");
    make_dir("inner");
    mount_ro("outer", "/data");
    mount_ro("inner", "/data/sub/deep");
    outer = open_dir(NULL, "/data", "/data");
    sub = open_dir(&outer, "sub", "/data/sub");
    assert_int_equal(mounts_access(mounts, &outer, "sub/deep/covered", F_OK, 0), -ENOENT);
    assert_int_equal(mounts_access(mounts, &sub, "deep/covered", F_OK, 0), -ENOENT);
    assert_int_equal(mounts_access(mounts, &sub, "../sub/deep/covered", F_OK, 0), -ENOENT);
    close_dir(&sub);
    close_dir(&outer);
}

static void test_a_nested_mount_point_that_the_host_lacks_can_be_reached(void **state)
{
    struct statx stx;

    (void)state;
    make_dir("outer");
    make_link("outer/link", "/elsewhere");
    make_file("outer/file", "");
    make_dir("inner");
    make_file("inner/file", "inner");
    mount_rw("outer", "/data");
    mount_ro("inner", "/data/none/x/y");
    mount_ro("inner", "/data/link/y");
    mount_ro("inner", "/data/file/y");
    assert_reads("/data/none/x/y/file", "inner");
    assert_reads("/data/none/x/y/../../../link/y/file", "inner");
    assert_reads("/data/link/y/../../file/y/file", "inner");
    assert_string_equal(list("/data/none", 1000), "./ ../ x/ ");
    assert_string_equal(list("/data/link", 1000), "./ ../ y/ ");
    assert_dir("/data/none/..", "/data");
    assert_int_equal(try_stat("/data/file", 0, &stx), 0);
    assert_true(S_ISDIR(stx.stx_mode));
    assert_int_equal(try_open("/data/none/new", O_CREAT | O_WRONLY), -EROFS);
}

static void test_a_later_mount_covers_those_below(void **state)
{
    (void)state;
    make_dir("first");
    make_file("first/file", "first");
    make_dir("second");
    make_dir("second/sub");
    make_file("second/sub/file", "second");
    mount_ro("first", "/data/sub");
    mount_ro("first", "/data/sub2");
    mount_ro("first", "/data3");
    mount_ro("second", "/data");
    assert_reads("/data/sub/file", "second");
    assert_int_equal(try_open("/data/sub2", O_RDONLY), -ENOENT);
    assert_reads("/data3/file", "first");
    mount_ro("first", "/data/sub");
    assert_reads("/data/sub/file", "first");
}

static void test_the_whole_root_may_be_mounted(void **state)
{
    struct guest_dir root;

    (void)state;
    make_dir("tree");
    make_dir("tree/etc");
    make_file("tree/etc/passwd", "theirs");
    make_link("tree/link", "/etc/passwd");
    make_link("tree/etc/up", "../../../../etc/passwd");
    make_dir("data");
    make_file("data/file", "data");
    mount_ro("tree", "/");
    mount_ro("data", "/mnt/data");
    assert_reads("/etc/passwd", "theirs");
    assert_reads("/../../etc/passwd", "theirs");
    assert_reads("/link", "theirs");
    assert_reads("/etc/up", "theirs");
    assert_reads("/mnt/data/file", "data");
    assert_reads("/mnt/data/../../etc/passwd", "theirs");
    root = open_dir(NULL, "/etc/../..", "/");
    assert_true(root.fd >= 0);
    assert_reads_from(&root, "etc/passwd", "theirs");
    assert_reads_from(&root, "../etc/passwd", "theirs");
    close_dir(&root);
}

static void test_a_mounted_file_is_a_file_and_nothing_else(void **state)
{
    struct opened opened;
    char buffer[10];

    (void)state;
    make_file("file", "text");
    mount_ro("file", "/a/file");
    assert_reads("/a/file", "text");
    assert_int_equal(try_open("/a/file/", O_RDONLY), -ENOTDIR);
    assert_int_equal(try_open("/a/file/x", O_RDONLY), -ENOTDIR);
    assert_int_equal(try_open("/a/file/..", O_RDONLY), -ENOTDIR);
    assert_int_equal(try_open("/a/file", O_RDONLY | O_DIRECTORY), -ENOTDIR);
    assert_int_equal(try_open("/a/file", O_RDWR), -EROFS);
    assert_int_equal(mounts_open(mounts, NULL, "/a/file", O_PATH, 0, &opened), 0);
    assert_int_equal(read(opened.fd, buffer, sizeof(buffer)), -1);
    opened_close(&opened);
    assert_return_code(unlink(on_host("file")), errno); /* as a bind mount, it outlives its name */
    assert_reads("/a/file", "text");
}

static void test_a_read_only_mount_refuses_each_way_of_writing(void **state)
{
    (void)state;
    make_dir("dir");
    make_file("dir/file", "file");
    mount_ro("dir", "/data");
    assert_int_equal(try_open("/data/file", O_WRONLY), -EROFS);
    assert_int_equal(try_open("/data/file", O_RDWR | O_APPEND), -EROFS);
    assert_int_equal(try_open("/data/file", O_RDONLY | O_TRUNC), -EROFS);
    assert_int_equal(try_open("/data/file", O_CREAT | O_TRUNC), -EROFS);
    assert_int_equal(try_open("/data/new", O_CREAT | O_RDONLY), -EROFS);
    assert_int_equal(try_open("/data/new", O_CREAT | O_EXCL | O_RDWR), -EROFS);
    assert_int_equal(try_open("/data", O_TMPFILE | O_RDWR), -EROFS);
    assert_int_equal(try_open("/data/file", O_CREAT | O_EXCL), -EEXIST);
    assert_int_equal(try_open("/data/file", O_CREAT | O_RDONLY), 0);
    assert_int_equal(try_open("/data", O_CREAT | O_RDONLY), -EISDIR);
    assert_int_equal(mounts_access(mounts, NULL, "/data/file", W_OK, 0), -EROFS);
    assert_int_equal(mounts_access(mounts, NULL, "/data", R_OK | W_OK, 0), -EROFS);
    assert_int_equal(mounts_access(mounts, NULL, "/data/file", R_OK, AT_EACCESS), 0);
    assert_int_equal(mounts_access(mounts, NULL, "/data/file", 8, 0), -EINVAL);
    assert_int_equal(faccessat(AT_FDCWD, on_host("dir/new"), F_OK, 0), -1);
    assert_reads("/data/file", "file");
}

static void test_a_writable_mount_lets_files_be_made(void **state)
{
    struct opened opened;

    (void)state;
    make_dir("dir");
    make_dir("dir/sub");
    make_file("dir/file", "file");
    make_link("dir/link", "sub/new");
    make_link("dir/out", "/new");
    mount_rw("dir", "/data");
    assert_int_equal(mounts_open(mounts, NULL, "/data/link", O_CREAT | O_RDWR, 0600, &opened), 0);
    assert_true(opened.writable);
    assert_int_equal(write(opened.fd, "new", 3), 3);
    opened_close(&opened);
    assert_reads("/data/sub/new", "new");
    assert_int_equal(try_open("/data/link", O_CREAT | O_EXCL | O_RDWR), -EEXIST);
    assert_int_equal(try_open("/data/out", O_CREAT | O_RDWR), -EROFS);
    assert_int_equal(try_open("/data/file", O_TRUNC | O_WRONLY), 0);
    assert_reads("/data/file", "");
    assert_int_equal(mounts_access(mounts, NULL, "/data/file", R_OK | W_OK, 0), 0);
    assert_int_equal(mounts_open(mounts, NULL, "/data", O_TMPFILE | O_RDWR, 0600, &opened), 0);
    assert_int_equal(opened.kind, HUSK_KIND_FILE);
    opened_close(&opened);
}

static void test_a_writable_file_can_be_written_and_truncated(void **state)
{
    struct opened opened;

    (void)state;
    make_file("file", "old text");
    mount_rw("file", "/file");
    assert_int_equal(mounts_open(mounts, NULL, "/file", O_WRONLY | O_TRUNC, 0, &opened), 0);
    assert_int_equal(pwrite(opened.fd, "new", 3, 0), 3);
    opened_close(&opened);
    assert_reads("/file", "new");
}

static void test_permissions_of_the_host_count(void **state)
{
    struct statx stx;

    (void)state;
    drop_root();
    make_dir("dir");
    make_dir("dir/closed");
    make_file("dir/secret", "");
    assert_return_code(chmod(on_host("dir/secret"), 0), errno);
    assert_return_code(chmod(on_host("dir/closed"), 0), errno);
    mount_ro("dir", "/data");
    assert_int_equal(try_open("/data/secret", O_RDONLY), -EACCES);
    assert_int_equal(try_open("/data/secret", O_RDWR), -EACCES); /* before EROFS, as on Linux */
    assert_int_equal(try_open("/data/secret", O_RDONLY | O_TRUNC), -EROFS); /* but not here */
    assert_int_equal(mounts_access(mounts, NULL, "/data/secret", R_OK, 0), -EACCES);
    assert_int_equal(try_stat("/data/closed/x", 0, &stx), -EACCES);
    assert_int_equal(try_stat("/data/closed/..", 0, &stx), -EACCES);
    assert_int_equal(try_stat("/data/closed/.", 0, &stx), -EACCES);
}

/* Guest paths that lead to local mounts, where they enter, and what is left of them. */
static void assert_resolves(const char *path, enum husk_end end, const char *expected)
{
    char buffer[HUSK_PATH_MAX] = "";
    int length = mounts_resolve(mounts, NULL, path, end, buffer);

    assert_int_equal(length, strlen(expected));
    assert_string_equal(buffer, expected);
}

static void add_local(const char *guest)
{
    if (mounts_add_local(mounts, guest, &error))
        fail_msg("%s", error.text);
}

static void test_walks_end_at_local_mounts(void **state)
{
    struct statx stx;

    (void)state;
    make_link("data/to-tmp", "/tmp");
    make_link("data/up", "../tmp/./x");
    add_local("/tmp");
    assert_int_equal(try_open("/tmp", O_RDONLY), -EREMOTE);
    assert_int_equal(try_open("/data/to-tmp/file", O_RDONLY), -EREMOTE);
    assert_int_equal(try_stat("/data/../tmp", 0, &stx), -EREMOTE);
    assert_int_equal(mounts_unlink(mounts, NULL, "/tmp", AT_REMOVEDIR), -EREMOTE);
    assert_resolves("/tmp", HUSK_END_FOLLOW, "/tmp");
    assert_resolves("/data/to-tmp/a/../b/", HUSK_END_FOLLOW, "/tmp/a/../b/");
    assert_resolves("/data/up//y", HUSK_END_PARENT, "/tmp/./x//y");
    assert_resolves("/data/to-tmp", HUSK_END_STAY, "");
    assert_resolves("/data/to-tmp", HUSK_END_PARENT, "");
    assert_resolves("/data/file", HUSK_END_FOLLOW, "");
}

static void test_local_mounts_are_listed_in_made_up_directories(void **state)
{
    struct guest_dir root;
    char entries[1024];
    uint64_t position = 0;
    int length;

    (void)state;
    add_local("/run/tmp");
    assert_dir("/run", "/run");
    root = open_dir(NULL, "/run", "/run");
    length = mounts_getdents_virtual(mounts, &root, &position, entries, sizeof(entries));
    assert_int_equal(length, 72); /* ".", ".." and "tmp" */
    assert_string_equal(entries + 48 + 19, "tmp");
    close_dir(&root);
}

static void test_local_mounts_are_refused_over_others(void **state)
{
    (void)state;
    add_local("/tmp");
    assert_int_equal(mounts_add_local(mounts, "/", &error), -1);
    assert_int_equal(mounts_add_local(mounts, "/tmp", &error), -1);
    assert_int_equal(mounts_add_local(mounts, "/data", &error), -1);
    assert_string_equal(error.text, "--tmpfs /data: something is mounted there already; "
                                    "choose another directory");
    add_local("/tmp/below");
    add_local("/data/below");
    assert_int_equal(try_open("/data/below", O_RDONLY), -EREMOTE);
    assert_int_equal(mounts_rename(mounts, NULL, "/data/below", NULL, "/data/x", 0, NULL),
                     -EREMOTE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_empty_name_space_is_an_empty_directory),
        TEST_DATA(test_walks_end_at_local_mounts),
        TEST_DATA(test_local_mounts_are_listed_in_made_up_directories),
        TEST_DATA(test_local_mounts_are_refused_over_others),
        TEST(test_a_mount_is_refused_with_a_reason),
        TEST(test_a_host_directory_without_permission_is_refused),
        TEST(test_directories_above_mounts_are_made_up),
        TEST(test_made_up_directories_cannot_be_changed),
        TEST(test_getdents_fills_small_buffers_an_entry_at_a_time),
        TEST(test_a_nested_mount_covers_what_is_there),
        TEST(test_covered_files_cannot_be_reached_from_an_open_directory),
        TEST(test_a_nested_mount_point_that_the_host_lacks_can_be_reached),
        TEST(test_a_later_mount_covers_those_below),
        TEST(test_the_whole_root_may_be_mounted),
        TEST(test_a_mounted_file_is_a_file_and_nothing_else),
        TEST(test_a_read_only_mount_refuses_each_way_of_writing),
        TEST(test_a_writable_mount_lets_files_be_made),
        TEST(test_a_writable_file_can_be_written_and_truncated),
        TEST(test_permissions_of_the_host_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
