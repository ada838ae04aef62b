/* SPDX-License-Identifier: ISC
 *
 * The command line of `husk run`: volumes, tmpfs and the guest's paths.
 */
#include "options_fixture.h"

#include "husk/abi.h"

static void assert_volume(const char *text, const char *host, const char *guest)
{
    assert_int_equal(parse("-v", (char *)text, "image"), 0);
    assert_int_equal(options.volume_count, 1);
    assert_string_equal(options.volumes[0].host, host);
    assert_string_equal(options.volumes[0].guest, guest);
    assert_false(options.volumes[0].writable);
    options_free(&options);
}

static void test_volumes_are_taken_apart(void **state)
{
    (void)state;
    assert_volume("/a:/b", "/a", "/b");
    assert_volume("/a:/b:ro", "/a", "/b");
    assert_volume("./data:/data", "./data", "/data");
    assert_volume("data:/data", "data", "/data");
    assert_volume("..:/up", "..", "/up");
    assert_volume("-x:/b", "-x", "/b");
}

static void test_tmpfs_takes_a_directory_and_a_size(void **state)
{
    (void)state;
    assert_int_equal(parse("--tmpfs", "/scratch", "--tmpfs=//a/./b/:64K", "image"), 0);
    assert_int_equal(options.tmpfs_count, 2);
    assert_string_equal(options.tmpfs[0].guest, "/scratch");
    assert_int_equal(options.tmpfs[0].size, 0);
    assert_string_equal(options.tmpfs[1].guest, "/a/b");
    assert_int_equal(options.tmpfs[1].size, 64 << 10);
}

static void test_malformed_tmpfs_is_refused(void **state)
{
    (void)state;
    assert_refused("--tmpfs scratch: give an absolute path and a size, e.g. /scratch:64M",
                   "--tmpfs", "scratch", "image");
    assert_refused("--tmpfs /scratch:5x: not a size; give digits and K, M or G, e.g. /scratch:64M",
                   "--tmpfs", "/scratch:5x", "image");
    assert_refused("--tmpfs /a/../b: GUEST must not contain '..'", "--tmpfs", "/a/../b", "image");
    assert_refused("--tmpfs /9: there are 8 already, and 8 are the most", "--tmpfs=/1",
                   "--tmpfs=/2", "--tmpfs=/3", "--tmpfs=/4", "--tmpfs=/5", "--tmpfs=/6",
                   "--tmpfs=/7", "--tmpfs=/8", "--tmpfs=/9", "image");
}

static void test_guest_paths_are_normalised_and_host_paths_are_not(void **state)
{
    (void)state;
    assert_volume("a//b/:/data/", "a//b/", "/data");
    assert_volume("a://x///y//", "a", "/x/y");
    assert_volume("a:/./x/./y/.", "a", "/x/y");
    assert_volume("a:/", "a", "/");
    assert_volume("a:///", "a", "/");
    assert_volume("a:/.", "a", "/");
    assert_volume("a:/..x/y../...", "a", "/..x/y../...");
}

static void test_many_volumes_keep_their_order(void **state)
{
    (void)state;
    assert_int_equal(parse("-va:/1", "-vb:/2", "-v", "c:/3", "image"), 0);
    assert_int_equal(options.volume_count, 3);
    assert_string_equal(options.volumes[0].host, "a");
    assert_string_equal(options.volumes[2].guest, "/3");
}

static void test_malformed_volumes_are_refused(void **state)
{
    (void)state;
    assert_refused("--volume /data: give HOST:GUEST, e.g. ./data:/data", "-v", "/data", "i");
    assert_refused("--volume : give HOST:GUEST, e.g. ./data:/data", "-v", "", "i");
    assert_refused("--volume :/b: give HOST:GUEST, e.g. ./data:/data", "-v", ":/b", "i");
    assert_refused("--volume a:: give HOST:GUEST, e.g. ./data:/data", "-v", "a:", "i");
    assert_refused("--volume a::ro: give HOST:GUEST, e.g. ./data:/data", "-v", "a::ro", "i");
    assert_refused("--volume a:b: GUEST must be an absolute path, e.g. /data", "-v", "a:b", "i");
    assert_refused("--volume a:b:ro: GUEST must be an absolute path, e.g. /data", "-va:b:ro", "i");
}

static void test_dot_dot_in_a_guest_path_is_refused(void **state)
{
    (void)state;
    assert_refused("--volume a:/..: GUEST must not contain '..'", "-v", "a:/..", "i");
    assert_refused("--volume a:/x/../y: GUEST must not contain '..'", "-v", "a:/x/../y", "i");
    assert_refused("--volume a:/x/..: GUEST must not contain '..'", "-v", "a:/x/..", "i");
}

static void test_volumes_are_read_only_unless_rw_is_said(void **state)
{
    (void)state;
    assert_int_equal(parse("-v", "a:/a", "-v", "b:/b:ro", "-v", "c:/c:rw", "image"), 0);
    assert_false(options.volumes[0].writable);
    assert_false(options.volumes[1].writable);
    assert_true(options.volumes[2].writable);
    assert_string_equal(options.volumes[2].guest, "/c");
    options_free(&options);
}

static void test_devices_need_dev(void **state)
{
    (void)state;
    assert_int_equal(
        parse("-v", "a:/a:rw", "-v", "b:/b:dev", "-v", "c:/c:rw,dev", "-v", "d:/d:dev,ro", "image"),
        0);
    assert_false(options.volumes[0].devices);
    assert_true(options.volumes[1].devices && !options.volumes[1].writable);
    assert_true(options.volumes[2].devices && options.volumes[2].writable);
    assert_true(options.volumes[3].devices && !options.volumes[3].writable);
    options_free(&options);
}

static void test_other_words_after_guest_are_refused(void **state)
{
    const char *modes[] = {"",      "z",     "RO",   "ro,z", "ro:ro",
                           "/data", "ro,rw", "dev,", ",rw",  "rw dev"};

    (void)state;
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        char volume[32] = "a:/b:";
        strcat(volume, modes[i]);
        assert_int_equal(parse("-v", volume, "i"), -1);
        assert_non_null(strstr(error.text, "only ro or rw, and dev,"));
    }
}

static void test_guest_paths_end_below_the_limit_of_paths(void **state)
{
    char volume[HUSK_PATH_MAX + 3] = "a:/";

    (void)state;
    memset(volume + 3, 'x', HUSK_PATH_MAX - 1);
    assert_int_equal(parse("-v", volume, "i"), -1);
    assert_non_null(strstr(error.text, "GUEST is longer than a path can be"));
    volume[HUSK_PATH_MAX + 1] = '\0';
    assert_int_equal(parse("-v", volume, "i"), 0);
    assert_int_equal(strlen(options.volumes[0].guest), HUSK_PATH_MAX - 1);
}

static void test_a_long_value_does_not_hide_the_reason(void **state)
{
    char value[4000];

    (void)state;
    memset(value, '9', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    assert_int_equal(parse("-m", value, "i"), -1);
    assert_non_null(strstr(error.text, "9...: not a size; give digits and K, M or G, e.g. 256M"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_volumes_are_taken_apart),
        test(test_tmpfs_takes_a_directory_and_a_size),
        test(test_malformed_tmpfs_is_refused),
        test(test_guest_paths_are_normalised_and_host_paths_are_not),
        test(test_many_volumes_keep_their_order),
        test(test_malformed_volumes_are_refused),
        test(test_dot_dot_in_a_guest_path_is_refused),
        test(test_volumes_are_read_only_unless_rw_is_said),
        test(test_devices_need_dev),
        test(test_other_words_after_guest_are_refused),
        test(test_guest_paths_end_below_the_limit_of_paths),
        test(test_a_long_value_does_not_hide_the_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
