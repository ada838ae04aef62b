/* SPDX-License-Identifier: ISC
 *
 * guest-rt's tmpfs: renaming, and reading directories that change meanwhile.
 */
#include <linux/fs.h>

#include "tmpfs_names.h"

/* Every kind of source and target, for plain, NOREPLACE and EXCHANGE: 0 or the errno. */
static void test_rename_matrix(void **state)
{
    enum { NONE, FILE_, DIR_, FULL, KINDS };
    static const int expected[3][KINDS][KINDS] = {
        /* target:  none file dir full */
        {{-ENOENT, -ENOENT, -ENOENT, -ENOENT},
         {0, 0, -EISDIR, -EISDIR},
         {0, -ENOTDIR, 0, -ENOTEMPTY},
         {0, -ENOTDIR, 0, -ENOTEMPTY}},
        {{-ENOENT, -ENOENT, -ENOENT, -ENOENT},
         {0, -EEXIST, -EEXIST, -EEXIST},
         {0, -EEXIST, -EEXIST, -EEXIST},
         {0, -EEXIST, -EEXIST, -EEXIST}},
        {{-ENOENT, -ENOENT, -ENOENT, -ENOENT},
         {-ENOENT, 0, 0, 0},
         {-ENOENT, 0, 0, 0},
         {-ENOENT, 0, 0, 0}},
    };
    static const uint32_t types[KINDS] = {0, S_IFREG, S_IFDIR, S_IFDIR};

    (void)state;
    for (uint32_t flags = 0; flags < 3; flags++)
        for (int from = NONE; from < KINDS; from++)
            for (int to = NONE; to < KINDS; to++) {
                struct tmpfs_node *dir;
                int status;

                tmpfs_destroy(fs);
                mount_limited(0, 0);
                dir = make(at("dir"), S_IFDIR | 0700);
                if (from)
                    make(at("from"), types[from] | 0700);
                if (from == FULL)
                    make(in(find_node(at("from")), "x"), S_IFREG | 0600);
                if (to)
                    make(in(dir, "to"), types[to] | 0700);
                if (to == FULL)
                    make(in(find_node(in(dir, "to")), "x"), S_IFREG | 0600);
                status = rename_at(at("from"), in(dir, "to"), flags);
                assert_int_equal(status, expected[flags][from][to]);
                if (status < 0)
                    continue;
                assert_int_equal(tmpfs_mode(find_node(in(dir, "to"))) & S_IFMT, types[from]);
                assert_true(!!find_node(at("from")) == (flags == RENAME_EXCHANGE));
                if (from >= DIR_)
                    assert_ptr_equal(tmpfs_parent(find_node(in(dir, "to"))), dir);
            }
}

static void test_directory_does_not_move_below_itself(void **state)
{
    struct tmpfs_node *a = make(at("a"), S_IFDIR | 0700), *b = make(in(a, "b"), S_IFDIR | 0700);

    (void)state;
    make(in(b, "c"), S_IFDIR | 0700);
    assert_int_equal(rename_at(at("a"), in(a, "x"), 0), -EINVAL);
    assert_int_equal(rename_at(at("a"), in(b, "x"), 0), -EINVAL);
    assert_int_equal(rename_at(at("a"), in(b, "c"), RENAME_EXCHANGE), -EINVAL);
    assert_int_equal(rename_at(in(b, "c"), at("a"), RENAME_EXCHANGE), -EINVAL);
    assert_int_equal(rename_at(in(b, "c"), at("a"), 0), -ENOTEMPTY);
    assert_int_equal(rename_at(in(b, "c"), in(b, "."), 0), -EBUSY);
    assert_int_equal(rename_at(in(b, "c"), in(b, "."), RENAME_NOREPLACE), -EEXIST);
    assert_int_equal(rename_at(in(b, ".."), at("x"), 0), -EBUSY);
    assert_int_equal(rename_at(at("a"), at("b"), 4), -EINVAL);
    assert_int_equal(rename_at(in(a, "b"), at("b"), 0), 0);
    assert_int_equal(stat_of(a).stx_nlink, 2);
    assert_int_equal(stat_of(tmpfs_root(fs)).stx_nlink, 4);
}

/* Read all of a directory in small pieces, and count the names that end with a number. */
static size_t read_names(struct tmpfs_node *dir, uint64_t *position, uint64_t bytes, uint8_t *seen)
{
    int64_t len = tmpfs_getdents(dir, position, addr(buffer), bytes);
    size_t names = 0;

    assert_true(len >= 0);
    for (int64_t i = 0; i < len; names++) {
        const struct dirent_record *record = (const struct dirent_record *)(buffer + i);

        if (record->name[0] != '.')
            seen[atoi(record->name)]++;
        i += record->size;
    }
    return names;
}

static void test_entries_that_stay_are_listed_once_while_others_come_and_go(void **state)
{
    enum { NAMES = 10000 };
    struct tmpfs_node *dir = make(at("dir"), S_IFDIR | 0700);
    static uint8_t seen[4 * NAMES];
    uint64_t position = 0;
    char name[16], to[16];
    int change = 0;

    (void)state;
    for (int i = 0; i < NAMES; i++) {
        sprintf(name, "%d", i);
        make(in(dir, name), S_IFREG | 0600);
    }
    srandom(1);
    /* Odd names stay. Of the even, some go, some are renamed; new ones come all the time. */
    while (read_names(dir, &position, 200, seen) > 0) {
        struct tmpfs_name place;

        sprintf(name, "%d", (int)(random() % (NAMES / 2)) * 2);
        sprintf(to, "%d", 2 * NAMES + change++);
        place = in(dir, name);
        if (random() % 2)
            tmpfs_unlink(&place);
        else
            rename_at(place, in(dir, to), 0);
        sprintf(to, "%d", 3 * NAMES + change);
        make(in(dir, to), S_IFREG | 0600);
        assert_true(change < NAMES);
    }
    for (int i = 1; i < NAMES; i += 2)
        assert_int_equal(seen[i], 1);
    for (int i = 0; i < 4 * NAMES; i++)
        assert_true(seen[i] <= 1);
}

static void test_reading_ends_though_each_entry_read_is_renamed(void **state)
{
    struct tmpfs_node *dir = make(at("dir"), S_IFDIR | 0700);
    uint64_t position = 0;
    size_t names = 0;
    int64_t len;
    char name[16];

    (void)state;
    for (int i = 0; i < 100; i++) {
        sprintf(name, "%d", i);
        make(in(dir, name), S_IFREG | 0600);
    }
    while ((len = tmpfs_getdents(dir, &position, addr(buffer), 32)) > 0) {
        const struct dirent_record *record = (const struct dirent_record *)buffer;

        assert_int_equal(len, record->size);
        if (record->name[0] == '.')
            continue;
        names++;
        sprintf(name, "x%zu", names);
        assert_int_equal(rename_at(in(dir, record->name), in(dir, name), 0), 0);
    }
    assert_int_equal(names, 100);
}

static void test_listing_goes_on_from_any_position(void **state)
{
    uint64_t position = 0, again;
    const struct dirent_record *record = (const struct dirent_record *)buffer;

    (void)state;
    make(at("one"), S_IFREG | 0600);
    make(at("two"), S_IFREG | 0600);
    assert_int_equal(tmpfs_getdents(tmpfs_root(fs), &position, addr(buffer), 23), -EINVAL);
    assert_int_equal(tmpfs_getdents(tmpfs_root(fs), &position, addr(buffer + BIG), 99), -EFAULT);
    for (int i = 0; i < 3; i++)
        assert_int_equal(tmpfs_getdents(tmpfs_root(fs), &position, addr(buffer), 24), 24);
    assert_string_equal(record->name, "two");
    assert_int_equal(record->next, position);
    unlink_at("two");
    again = position;
    assert_int_equal(tmpfs_getdents(tmpfs_root(fs), &again, addr(buffer), BIG), 24);
    assert_string_equal(record->name, "one");
    again = UINT64_MAX;
    assert_int_equal(tmpfs_getdents(tmpfs_root(fs), &again, addr(buffer), BIG), 24);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_rename_matrix),
        TEST(test_directory_does_not_move_below_itself),
        TEST(test_entries_that_stay_are_listed_once_while_others_come_and_go),
        TEST(test_reading_ends_though_each_entry_read_is_renamed),
        TEST(test_listing_goes_on_from_any_position),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
