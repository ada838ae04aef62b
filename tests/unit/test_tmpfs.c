/* SPDX-License-Identifier: ISC
 *
 * guest-rt's tmpfs, promise by promise. test_tmpfs_linux.c compares it with Linux's.
 */
#include <linux/falloc.h>

#include "tmpfs_names.h"

static void test_names_have_up_to_255_bytes_and_any_but_slash_and_zero(void **state)
{
    char name[257] = {0};

    (void)state;
    memset(name, 'x', 255);
    name[0] = '\n';
    name[1] = (char)0xff;
    make(at(name), S_IFREG | 0600);
    assert_non_null(find_node(at(name)));
    assert_int_equal(make_fails(at(name), S_IFREG | 0600), -EEXIST);
    memset(name, 'x', 256);
    assert_int_equal(make_fails(at(name), S_IFREG | 0600), -ENAMETOOLONG);
    assert_int_equal(unlink_at(name), -ENAMETOOLONG);
}

static void test_file_of_an_unlinked_name_lives_while_it_is_open(void **state)
{
    struct tmpfs_node *file = tmpfs_get(make(at("file"), S_IFREG | 0600));
    struct tmpfs_name again = at("again");
    char text[8] = {0};

    (void)state;
    assert_int_equal(write_text(file, "hello", 0), 5);
    assert_int_equal(unlink_at("file"), 0);
    assert_null(find_node(at("file")));
    assert_int_equal(tmpfs_read(file, addr(text), 8, 0), 5);
    assert_string_equal(text, "hello");
    assert_int_equal(stat_of(file).stx_nlink, 0);
    assert_int_equal(tmpfs_link(&again, file), -ENOENT);
    tmpfs_put(file);
    assert_int_equal(fs->pages, 0);
    assert_int_equal(fs->nodes, 1);
}

static void test_nameless_file_may_get_a_name_unless_exclusive(void **state)
{
    const struct tmpfs_new new = {.mode = S_IFREG | 0600};
    struct tmpfs_name name = at("name");
    struct tmpfs_node *file;

    (void)state;
    assert_int_equal(tmpfs_make_nameless(fs, &new, false, &file), 0);
    assert_int_equal(tmpfs_link(&name, file), 0);
    tmpfs_put(file);
    assert_ptr_equal(find_node(name), file);
    assert_int_equal(stat_of(file).stx_nlink, 1);
    assert_int_equal(tmpfs_make_nameless(fs, &new, true, &file), 0);
    name = at("other");
    assert_int_equal(tmpfs_link(&name, file), -ENOENT);
    tmpfs_put(file);
    assert_int_equal(fs->nodes, 2);
}

static void test_removed_directory_stays_usable_while_open(void **state)
{
    struct tmpfs_node *outer = make(at("outer"), S_IFDIR | 0700);
    struct tmpfs_node *inner = tmpfs_get(make(in(outer, "inner"), S_IFDIR | 0700));
    struct tmpfs_name name = in(outer, "inner");
    uint64_t position = 0;
    char path[64];

    (void)state;
    assert_int_equal(tmpfs_path(inner, path, sizeof(path)), 12);
    assert_memory_equal(path, "/outer/inner", 12);
    assert_int_equal(tmpfs_path(inner, path, 11), -ERANGE);
    assert_int_equal(tmpfs_rmdir(&name), 0);
    name = at("outer");
    assert_int_equal(tmpfs_rmdir(&name), 0);
    assert_int_equal(tmpfs_path(inner, path, sizeof(path)), -ENOENT);
    assert_ptr_equal(find_node(in(inner, "..")), outer);
    assert_int_equal(make_fails(in(inner, "x"), S_IFREG | 0600), -ENOENT);
    assert_int_equal(tmpfs_getdents(inner, &position, addr(buffer), BIG), -ENOENT);
    tmpfs_put(inner);
    assert_int_equal(fs->nodes, 1);
}

static void test_write_stops_at_the_size_limit(void **state)
{
    struct tmpfs_node *file;
    struct statfs status;

    (void)state;
    tmpfs_destroy(fs);
    mount_limited(3 * PAGE - 1, 0);
    file = make(at("file"), S_IFREG | 0600);
    assert_int_equal(tmpfs_write(file, addr(buffer), 4 * PAGE, 100), 3 * PAGE - 100);
    assert_int_equal(tmpfs_write(file, addr(buffer), 1, 3 * PAGE), -ENOSPC);
    assert_int_equal(tmpfs_write(file, addr(buffer), 1, 0), 1);
    assert_int_equal(tmpfs_fallocate(file, 0, 0, 4 * PAGE), -ENOSPC);
    assert_int_equal(tmpfs_size(file), 3 * PAGE);
    assert_int_equal(tmpfs_truncate(file, 1ULL << 40), 0);
    tmpfs_statfs(fs, &status);
    assert_int_equal(status.f_blocks, 3);
    assert_int_equal(status.f_bfree, 0);
    assert_int_equal(unlink_at("file"), 0);
    tmpfs_statfs(fs, &status);
    assert_int_equal(status.f_bfree, 3);
}

static void test_nodes_and_links_are_limited(void **state)
{
    struct tmpfs_node *file;
    struct tmpfs_name link;

    (void)state;
    tmpfs_destroy(fs);
    mount_limited(0, 4);
    file = make(at("one"), S_IFREG | 0600);
    make(at("two"), S_IFDIR | 0600);
    link = at("three");
    assert_int_equal(tmpfs_link(&link, file), 0);
    link = at("four");
    assert_int_equal(tmpfs_link(&link, file), -ENOSPC);
    assert_int_equal(make_fails(at("four"), S_IFLNK | 0777), -ENOSPC);
    assert_int_equal(unlink_at("one"), 0);
    make(at("four"), S_IFLNK | 0777);
}

static void test_running_out_of_memory_is_enospc_and_loses_nothing(void **state)
{
    struct tmpfs_node *file = make(at("file"), S_IFREG | 0600), *dir;
    uint64_t written = 0, made = 0;
    char name[48], byte = 0;
    int64_t done;

    (void)state;
    lent_limit = 1 << 20;
    memset(buffer, 7, BIG);
    while ((done = tmpfs_write(file, addr(buffer), BIG, written << 8)) > 0)
        written += (uint64_t)done;
    assert_int_equal(done, -ENOSPC);
    assert_int_equal(tmpfs_fallocate(file, 0, 1LL << 50, PAGE * 64), -ENOSPC);
    assert_true(written > (1 << 19));
    for (uint64_t i = 0; i + 1 < written / BIG; i++)
        assert_int_equal(tmpfs_read(file, addr(&byte), 1, i * BIG << 8), 1);
    assert_int_equal(byte, 7);
    tmpfs_truncate(file, 0);
    dir = make(at("dir"), S_IFDIR | 0700);
    do
        sprintf(name, "a rather long name %lu", (unsigned long)made++);
    while (make_fails(in(dir, name), made % 2 ? S_IFREG : S_IFDIR) == 0);
    assert_true(made > 1000);
    while (--made > 0) {
        struct tmpfs_name place;

        sprintf(name, "a rather long name %lu", (unsigned long)made - 1);
        place = in(dir, name);
        assert_int_equal(made % 2 ? tmpfs_unlink(&place) : tmpfs_rmdir(&place), 0);
    }
    assert_int_equal(fs->nodes, 3);
}

static void test_holes_read_as_zeros_and_cost_nothing(void **state)
{
    struct tmpfs_node *file = make(at("file"), S_IFREG | 0600);
    const uint64_t far = 5ULL << 40;
    char text[4] = "xxxx";

    (void)state;
    assert_int_equal(write_text(file, "end", far), 3);
    assert_int_equal(tmpfs_size(file), far + 3);
    assert_int_equal(stat_of(file).stx_blocks, 8);
    assert_int_equal(tmpfs_read(file, addr(text), 4, 1ULL << 33), 4);
    assert_memory_equal(text, "\0\0\0\0", 4);
    assert_int_equal(tmpfs_seek(file, 0, SEEK_DATA), far);
    assert_int_equal(tmpfs_seek(file, far, SEEK_HOLE), far + 3);
    assert_int_equal(tmpfs_seek(file, far + 3, SEEK_DATA), -ENXIO);
    assert_int_equal(write_text(file, "x", INT64_MAX - 1), 1);
    assert_int_equal(write_text(file, "xy", INT64_MAX), -EFBIG);
    assert_int_equal(tmpfs_read(file, addr(text), 4, INT64_MAX - 1), 1);
    assert_int_equal(tmpfs_truncate(file, (uint64_t)INT64_MAX + 1), -EFBIG);
}

static void test_bytes_behind_the_end_never_come_back(void **state)
{
    struct tmpfs_node *file = make(at("file"), S_IFREG | 0600);
    char text[8];

    (void)state;
    write_text(file, "secrets!", 0);
    assert_int_equal(tmpfs_truncate(file, 2), 0);
    assert_int_equal(tmpfs_truncate(file, 8), 0);
    assert_int_equal(tmpfs_read(file, addr(text), 8, 0), 8);
    assert_memory_equal(text, "se\0\0\0\0\0\0", 8);
}

static void test_transfers_end_where_the_buffer_does(void **state)
{
    struct tmpfs_node *file = make(at("file"), S_IFREG | 0600);
    guest_addr_t tail = addr(buffer + BIG - 10), bad = addr(buffer + BIG);

    (void)state;
    assert_int_equal(tmpfs_write(file, bad, 1, 0), -EFAULT);
    assert_int_equal(stat_of(file).stx_blocks, 0);
    assert_int_equal(tmpfs_write(file, tail, 20, 4090), 10);
    assert_int_equal(tmpfs_size(file), 4100);
    assert_int_equal(tmpfs_read(file, tail, 20, 0), 10);
    assert_int_equal(tmpfs_read(file, bad, 20, 0), -EFAULT);
    assert_int_equal(tmpfs_read(file, bad, 20, 4100), 0);
}

static void test_files_are_no_directories_and_directories_no_files(void **state)
{
    struct tmpfs_node *file = make(at("file"), S_IFREG | 0600);
    struct tmpfs_node *dir = make(at("dir"), S_IFDIR | 0700);
    struct tmpfs_node *link = make(at("link"), S_IFLNK | 0777), *node;
    struct tmpfs_name below = in(file, "x");
    uint64_t position = 0;
    char text[8];

    (void)state;
    assert_int_equal(tmpfs_lookup(&below, &node), -ENOTDIR);
    assert_int_equal(make_fails(below, S_IFREG), -ENOTDIR);
    assert_int_equal(tmpfs_getdents(file, &position, addr(buffer), BIG), -ENOTDIR);
    assert_int_equal(tmpfs_read(dir, addr(text), 1, 0), -EISDIR);
    assert_int_equal(tmpfs_write(dir, addr(text), 1, 0), -EISDIR);
    assert_int_equal(tmpfs_truncate(dir, 0), -EISDIR);
    assert_int_equal(tmpfs_readlink(file, addr(text), 8), -EINVAL);
    assert_int_equal(tmpfs_readlink(link, addr(text), 3), 3);
    assert_memory_equal(text, "tar", 3);
    assert_int_equal(tmpfs_readlink(link, addr(text), 8), 6);
    assert_int_equal(make_fails(at("fifo"), 0010600), -EPERM);
}

static void test_long_link_targets(void **state)
{
    static char target[4097];
    struct tmpfs_new new = {.mode = S_IFLNK | 0777, .target = target, .target_len = 4095};
    struct tmpfs_name name = at("link");
    struct tmpfs_node *link;

    (void)state;
    memset(target, 'x', sizeof(target));
    assert_int_equal(tmpfs_make(&name, &new, &link), 0);
    assert_int_equal(tmpfs_readlink(link, addr(buffer), BIG), 4095);
    assert_memory_equal(buffer, target, 4095);
    assert_int_equal(stat_of(link).stx_size, 4095);
    name = at("longer");
    new.target_len = 4096;
    assert_int_equal(tmpfs_make(&name, &new, &link), -ENAMETOOLONG);
    new.target_len = 0;
    assert_int_equal(tmpfs_make(&name, &new, &link), -ENOENT);
}

static int64_t ns(struct statx_timestamp time)
{
    return time.tv_sec * 1000000000 + time.tv_nsec;
}

static void test_times_follow_what_happens(void **state)
{
    struct tmpfs_node *dir = make(at("dir"), S_IFDIR | 0700);
    struct tmpfs_node *file = make(in(dir, "file"), S_IFREG | 0600);
    struct statx before = stat_of(file), after;
    const struct statx_timestamp early = {.tv_sec = -5, .tv_nsec = 7};
    char byte;

    (void)state;
    assert_int_equal(ns(stat_of(dir).stx_mtime) > ns(before.stx_btime), 1);
    write_text(file, "x", 0);
    after = stat_of(file);
    assert_true(ns(after.stx_mtime) > ns(before.stx_mtime));
    assert_int_equal(ns(after.stx_ctime), ns(after.stx_mtime));
    assert_int_equal(ns(after.stx_atime), ns(before.stx_atime));
    assert_int_equal(ns(after.stx_btime), ns(before.stx_btime));
    tmpfs_read(file, addr(&byte), 1, 0);
    before = stat_of(file);
    assert_true(ns(before.stx_atime) > ns(before.stx_mtime));
    tmpfs_read(file, addr(&byte), 1, 0);
    assert_int_equal(ns(stat_of(file).stx_atime), ns(before.stx_atime));
    tmpfs_set_times(file, NULL, &early);
    after = stat_of(file);
    assert_int_equal(after.stx_mtime.tv_sec, -5);
    assert_int_equal(after.stx_mtime.tv_nsec, 7);
    assert_int_equal(ns(after.stx_atime), ns(before.stx_atime));
    assert_true(ns(after.stx_ctime) > ns(before.stx_ctime));
}

static void test_owner_and_mode_are_what_was_asked_for(void **state)
{
    const struct tmpfs_new new = {.mode = S_IFREG | 04755, .uid = 10, .gid = 20};
    struct tmpfs_node *dir = make(at("dir"), S_IFDIR | 02770), *file;
    struct tmpfs_name name = at("file");

    (void)state;
    assert_int_equal(tmpfs_make(&name, &new, &file), 0);
    assert_int_equal(stat_of(file).stx_uid, 10);
    assert_int_equal(stat_of(file).stx_gid, 20);
    tmpfs_chown(file, (uint32_t)-1, 30);
    assert_int_equal(stat_of(file).stx_uid, 10);
    assert_int_equal(stat_of(file).stx_gid, 30);
    assert_int_equal(tmpfs_mode(file), S_IFREG | 0755);
    tmpfs_chown(dir, 1, 77);
    name = in(dir, "below");
    assert_int_equal(tmpfs_make(&name, &new, &file), 0);
    assert_int_equal(stat_of(file).stx_gid, 77);
    assert_int_equal(tmpfs_mode(make(in(dir, "sub"), S_IFDIR | 0700)), S_IFDIR | 02700);
}

static void test_file_systems_are_apart(void **state)
{
    struct tmpfs *first = fs, *second;
    struct tmpfs_node *file;

    (void)state;
    mount_limited(PAGE, 0);
    second = fs;
    file = make(at("file"), S_IFREG | 0600);
    assert_ptr_equal(tmpfs_of(file), second);
    assert_int_equal(tmpfs_write(file, addr(buffer), 2 * PAGE, 0), PAGE);
    fs = first;
    assert_null(find_node(at("file")));
    assert_int_equal(tmpfs_write(make(at("file"), S_IFREG), addr(buffer), BIG, 0), BIG);
    tmpfs_destroy(second);
}

static void test_memory_goes_back_when_everything_is_removed(void **state)
{
    struct tmpfs_node *file;
    char name[16];

    (void)state;
    for (int round = 0; round < 3; round++) {
        loans = 0;
        file = make(at("file"), S_IFREG | 0600);
        for (uint64_t i = 0; i < 64 << 20; i += BIG)
            assert_int_equal(tmpfs_write(file, addr(buffer), BIG, i), BIG);
        for (int i = 0; i < 5000; i++) {
            sprintf(name, "%d", i);
            make(at(name), S_IFREG | 0600);
        }
        assert_in_range(lent, 64 << 20, 68 << 20);
        assert_in_range(loans, 1, 80);
        assert_int_equal(unlink_at("file"), 0);
        for (int i = 0; i < 5000; i++) {
            sprintf(name, "%d", i);
            assert_int_equal(unlink_at(name), 0);
        }
        assert_in_range(lent, 1, 3 << 20);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_names_have_up_to_255_bytes_and_any_but_slash_and_zero),
        TEST(test_file_of_an_unlinked_name_lives_while_it_is_open),
        TEST(test_nameless_file_may_get_a_name_unless_exclusive),
        TEST(test_removed_directory_stays_usable_while_open),
        TEST(test_write_stops_at_the_size_limit),
        TEST(test_nodes_and_links_are_limited),
        TEST(test_running_out_of_memory_is_enospc_and_loses_nothing),
        TEST(test_holes_read_as_zeros_and_cost_nothing),
        TEST(test_bytes_behind_the_end_never_come_back),
        TEST(test_transfers_end_where_the_buffer_does),
        TEST(test_files_are_no_directories_and_directories_no_files),
        TEST(test_long_link_targets),
        TEST(test_times_follow_what_happens),
        TEST(test_owner_and_mode_are_what_was_asked_for),
        TEST(test_file_systems_are_apart),
        TEST(test_memory_goes_back_when_everything_is_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
