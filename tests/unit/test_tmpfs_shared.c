/* SPDX-License-Identifier: ISC
 *
 * Files of guest-rt's tmpfs that were mapped with MAP_SHARED: whoever mapped them stores at
 * file->shared.base, as far as that goes.
 */
#include <linux/falloc.h>

#include "tmpfs_names.h"

static struct tmpfs_node *make_shared(const char *text)
{
    struct tmpfs_node *file = make(at("file"), S_IFREG | 0600);

    assert_int_equal(write_text(file, text, 0), strlen(text));
    assert_int_equal(tmpfs_share(file), HUSK_MEMORY_FILE);
    return file;
}

static bool is_zero(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i])
            return false;
    return true;
}

static char byte_at(struct tmpfs_node *file, uint64_t offset)
{
    char byte = '?';

    tmpfs_read(file, addr(&byte), 1, offset);
    return byte;
}

static void test_contents_and_holes_are_there_after_sharing(void **state)
{
    struct tmpfs_node *file = make(at("file"), S_IFREG | 0600);
    uint64_t blocks;

    (void)state;
    write_text(file, "start", 0);
    write_text(file, "end", 9 * PAGE);
    tmpfs_fallocate(file, FALLOC_FL_KEEP_SIZE, 4 * PAGE, 20 * PAGE);
    assert_int_equal(tmpfs_share(file), HUSK_MEMORY_FILE);
    assert_int_equal(tmpfs_share(file), HUSK_MEMORY_FILE);
    assert_memory_equal(file->shared.base, "start", 6);
    assert_memory_equal(file->shared.base + 9 * PAGE, "end", 4);
    assert_true(is_zero(file->shared.base + PAGE, 8 * PAGE));
    file->shared.base[5 * PAGE] = 'x';
    assert_int_equal(byte_at(file, 5 * PAGE), 'x');
    assert_int_equal(write_text(file, "y", 6 * PAGE), 1);
    assert_int_equal(file->shared.base[6 * PAGE], 'y');
    blocks = stat_of(file).stx_blocks;
    assert_int_equal(blocks, 10 * 8);
    assert_int_equal(fs->pages, 10);
    assert_int_equal(tmpfs_seek(file, PAGE, SEEK_DATA), PAGE);
    assert_int_equal(tmpfs_seek(file, PAGE, SEEK_HOLE), 9 * PAGE + 3);
    assert_int_equal(unlink_at("file"), 0);
    assert_int_equal(fs->pages, 0);
}

static void test_an_empty_file_is_shared_and_grows(void **state)
{
    struct tmpfs_node *file = make_shared("");

    (void)state;
    assert_int_equal(fs->pages, 0);
    assert_int_equal(byte_at(file, 0), '?');
    for (uint64_t page = 0; page < 300; page++) {
        assert_int_equal(write_text(file, "x", page * PAGE + 9), 1);
        file->shared.base[page * PAGE + 10] = 'y';
    }
    assert_int_equal(tmpfs_size(file), 299 * PAGE + 10);
    for (uint64_t page = 0; page < 299; page++) {
        assert_int_equal(byte_at(file, page * PAGE + 9), 'x');
        assert_int_equal(byte_at(file, page * PAGE + 10), 'y');
    }
    assert_int_equal(fs->pages, 300);
}

/* A mapping may be longer than the file: on Linux a store there is SIGBUS. */
static void test_what_was_stored_behind_the_last_page_does_not_come_back(void **state)
{
    struct tmpfs_node *file = make_shared("text");

    (void)state;
    assert_int_equal(tmpfs_truncate(file, 20 * PAGE), 0);
    assert_int_equal(tmpfs_truncate(file, 10 * PAGE + 3), 0);
    memset(file->shared.base, 's', file->shared.bytes);
    assert_int_equal(fs->pages, 11);
    assert_int_equal(tmpfs_truncate(file, 1), 0);
    assert_int_equal(tmpfs_truncate(file, 20 * PAGE), 0);
    assert_int_equal(byte_at(file, 0), 's');
    assert_true(is_zero(file->shared.base + 1, 20 * PAGE - 1));
    assert_int_equal(tmpfs_truncate(file, 2 * PAGE), 0);
    memset(file->shared.base, 's', file->shared.bytes);
    assert_int_equal(write_text(file, "x", 6 * PAGE), 1);
    assert_true(is_zero(file->shared.base + 2 * PAGE, 4 * PAGE));
    assert_int_equal(tmpfs_truncate(file, 0), 0);
    assert_int_equal(fs->pages, 0);
}

static void test_holes_of_shared_files_are_zeros(void **state)
{
    struct tmpfs_node *file = make_shared("");

    (void)state;
    assert_int_equal(tmpfs_fallocate(file, 0, 0, 8 * PAGE), 0);
    memset(file->shared.base, 'x', 8 * PAGE);
    assert_int_equal(
        tmpfs_fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE / 2, 4 * PAGE), 0);
    assert_true(is_zero(file->shared.base + PAGE / 2, 4 * PAGE));
    assert_int_equal(byte_at(file, PAGE / 2 - 1), 'x');
    assert_int_equal(byte_at(file, 4 * PAGE + PAGE / 2), 'x');
    assert_int_equal(fs->pages, 8);
    assert_int_equal(
        tmpfs_fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 7 * PAGE, 100 * PAGE), 0);
    assert_int_equal(fs->pages, 8);
    assert_int_equal(tmpfs_fallocate(file, FALLOC_FL_KEEP_SIZE, 0, 10 * PAGE), 0);
    assert_int_equal(tmpfs_size(file), 8 * PAGE);
    assert_int_equal(fs->pages, 10);
}

static void test_shared_files_are_limited_as_others(void **state)
{
    struct tmpfs_node *file;

    (void)state;
    tmpfs_destroy(fs);
    mount_limited(4 * PAGE, 0);
    file = make(at("file"), S_IFREG | 0600);
    write_text(file, "end", 4 * PAGE);
    assert_int_equal(tmpfs_share(file), -ENOMEM);
    assert_int_equal(fs->pages, 1);
    assert_int_equal(byte_at(file, 4 * PAGE), 'e');
    assert_int_equal(tmpfs_truncate(file, PAGE + 1), 0);
    assert_int_equal(tmpfs_share(file), HUSK_MEMORY_FILE);
    assert_int_equal(fs->pages, 2);
    assert_int_equal(tmpfs_write(file, addr(buffer), 4 * PAGE, 100), 4 * PAGE - 100);
    assert_int_equal(tmpfs_write(file, addr(buffer), 1, 4 * PAGE), -ENOSPC);
    assert_int_equal(tmpfs_truncate(file, 5 * PAGE), -ENOSPC);
    assert_int_equal(tmpfs_fallocate(file, 0, 4 * PAGE, 1), -ENOSPC);
    assert_int_equal(tmpfs_size(file), 4 * PAGE);
    assert_int_equal(fs->pages, 4);
}

static void test_a_file_that_was_full_is_shared(void **state)
{
    const uint64_t limit = 5000; /* several nodes of the tree of pages */
    struct tmpfs_node *file;
    uint64_t written = 0;
    int64_t done;

    (void)state;
    tmpfs_destroy(fs);
    mount_limited(limit * PAGE, 0);
    file = make(at("file"), S_IFREG | 0600);
    while ((done = tmpfs_write(file, addr(buffer), BIG, written)) > 0)
        written += (uint64_t)done;
    assert_int_equal(done, -ENOSPC);
    assert_int_equal(file->pages, limit);
    assert_int_equal(tmpfs_truncate(file, 0), 0);
    assert_int_equal(file->pages, 0);
    assert_int_equal(tmpfs_write(file, addr(buffer), PAGE, 0), PAGE);
    assert_int_equal(tmpfs_share(file), HUSK_MEMORY_FILE);
    assert_int_equal(fs->pages, 1);
}

static void test_without_memory_nothing_changes(void **state)
{
    struct tmpfs_node *file = make(at("file"), S_IFREG | 0600);

    (void)state;
    write_text(file, "text", 0);
    lent_limit = lent;
    assert_int_equal(tmpfs_share(file), -ENOMEM);
    assert_int_equal(byte_at(file, 1), 'e');
    assert_int_equal(fs->pages, 1);
    lent_limit = lent + 2 * PAGE;
    assert_int_equal(tmpfs_share(file), HUSK_MEMORY_FILE);
    lent_limit = lent + PAGE;
    assert_int_equal(write_text(file, "x", 5 * PAGE), -ENOSPC);
    assert_int_equal(tmpfs_size(file), 4);
    assert_int_equal(fs->pages, 1);
    assert_int_equal(write_text(file, "x", PAGE), 1); /* just enough for that */
    assert_int_equal(byte_at(file, 1), 'e');
    assert_int_equal(fs->pages, 2);
}

static void test_a_write_that_fails_leaves_no_pages(void **state)
{
    struct tmpfs_node *file = make_shared("text");
    guest_addr_t tail = addr(buffer + BIG - 10), bad = addr(buffer + BIG);

    (void)state;
    assert_int_equal(tmpfs_write(file, bad, 1, 7 * PAGE), -EFAULT);
    assert_int_equal(fs->pages, 1);
    assert_int_equal(tmpfs_size(file), 4);
    assert_int_equal(tmpfs_write(file, tail, 20, 2 * PAGE - 10), 10);
    assert_int_equal(tmpfs_size(file), 2 * PAGE);
    assert_int_equal(fs->pages, 2);
    assert_int_equal(tmpfs_read(file, tail, 20, 0), 10);
}

static void test_only_regular_files_are_shared(void **state)
{
    (void)state;
    assert_int_equal(tmpfs_share(make(at("dir"), S_IFDIR | 0700)), -ENODEV);
    assert_int_equal(tmpfs_share(make(at("link"), S_IFLNK | 0777)), -ENODEV);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_contents_and_holes_are_there_after_sharing),
        TEST(test_an_empty_file_is_shared_and_grows),
        TEST(test_what_was_stored_behind_the_last_page_does_not_come_back),
        TEST(test_holes_of_shared_files_are_zeros),
        TEST(test_shared_files_are_limited_as_others),
        TEST(test_a_file_that_was_full_is_shared),
        TEST(test_without_memory_nothing_changes),
        TEST(test_a_write_that_fails_leaves_no_pages),
        TEST(test_only_regular_files_are_shared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
