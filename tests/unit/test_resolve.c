/* SPDX-License-Identifier: ISC
 *
 * Paths: what leads where, and that nothing leads out.
 */
#include "mounts_fixture.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "resolve.h"

static void test_plain_paths_lead_to_their_files(void **state)
{
    (void)state;
    assert_reads("/data/file", "file");
    assert_reads("/data/sub/deep/file", "deep");
    assert_dir("/data/sub/deep", "/data/sub/deep");
    assert_int_equal(try_open("/data/none", O_RDONLY), -ENOENT);
    assert_int_equal(try_open("/data/none/file", O_RDONLY), -ENOENT);
    assert_int_equal(try_open("/data/file/file", O_RDONLY), -ENOTDIR);
    assert_int_equal(try_open("/outside/secret", O_RDONLY), -ENOENT);
    assert_int_equal(try_open("", O_RDONLY), -ENOENT);
}

static void test_dots_and_double_slashes_change_nothing(void **state)
{
    (void)state;
    assert_reads("//data///sub/./deep/.//file", "deep");
    assert_reads("./data/./file", "file");
    assert_dir("/data/sub/.", "/data/sub");
    assert_dir("/data//sub//", "/data/sub");
    assert_dir(".", "/");
    assert_int_equal(try_open("/data/file/.", O_RDONLY), -ENOTDIR);
    assert_int_equal(try_open("/data/none/.", O_RDONLY), -ENOENT);
}

static void test_dotdot_stops_at_the_guests_root(void **state)
{
    (void)state;
    assert_reads("/../../data/file", "file");
    assert_reads("/data/../../../data/file", "file");
    assert_dir("/..", "/");
    assert_dir("/data/../..", "/");
    assert_int_equal(try_open("/data/../outside/secret", O_RDONLY), -ENOENT);
    assert_int_equal(try_open("/data/sub/../../outside/secret", O_RDONLY), -ENOENT);
}

static void test_dotdot_inside_a_mount_is_the_parent(void **state)
{
    (void)state;
    assert_reads("/data/sub/deep/../file", "sub");
    assert_reads("/data/sub/deep/../../sub/deep/file", "deep");
    assert_dir("/data/sub/..", "/data");
    assert_int_equal(try_open("/data/file/..", O_RDONLY), -ENOTDIR);
    assert_int_equal(try_open("/data/none/../file", O_RDONLY), -ENOENT);
}

static void test_dotdot_after_a_link_is_the_parent_of_its_target(void **state)
{
    (void)state;
    make_link("data/link", "sub/deep");
    assert_reads("/data/link/../file", "sub");
    assert_dir("/data/link/..", "/data/sub");
}

static void test_absolute_link_starts_at_the_guests_root(void **state)
{
    (void)state;
    make_link("data/link", "/data/sub/file");
    make_link("data/sub/root", "/");
    assert_reads("/data/link", "sub");
    assert_reads("/data/sub/root/data/file", "file");
    assert_dir("/data/sub/root", "/");
}

static void test_absolute_link_to_a_host_path_is_not_found(void **state)
{
    (void)state;
    make_link("data/passwd", "/etc/passwd");
    make_link("data/etc", "/etc");
    make_link("data/secret", on_host("outside/secret"));
    assert_int_equal(try_open("/data/passwd", O_RDONLY), -ENOENT);
    assert_int_equal(try_open("/data/etc/passwd", O_RDONLY), -ENOENT);
    assert_int_equal(try_open("/data/secret", O_RDONLY), -ENOENT);
}

static void test_relative_link_cannot_leave_the_mount(void **state)
{
    (void)state;
    make_link("data/out", "../outside");
    make_link("data/sub/secret", "../../outside/secret");
    make_link("data/up", "../../../../../../../../../../etc/passwd");
    make_link("data/back", "../data/file");
    assert_int_equal(try_open("/data/out/secret", O_RDONLY), -ENOENT);
    assert_int_equal(try_open("/data/sub/secret", O_RDONLY), -ENOENT);
    assert_int_equal(try_open("/data/up", O_RDONLY), -ENOENT);
    assert_reads("/data/back", "file");
}

static void test_40_links_are_followed_and_41_are_not(void **state)
{
    char path[20], target[20];

    (void)state;
    for (int i = 1; i <= 41; i++) {
        snprintf(path, sizeof(path), "data/%d", i);
        snprintf(target, sizeof(target), i == 1 ? "file" : "%d", i - 1);
        make_link(path, target);
    }
    assert_reads("/data/40", "file");
    assert_int_equal(try_open("/data/41", O_RDONLY), -ELOOP);
    assert_int_equal(try_open("/data/41", O_RDONLY | O_NOFOLLOW | O_PATH), 0);
}

static void test_looping_links_end_in_eloop(void **state)
{
    struct statx stx;

    (void)state;
    make_link("data/self", "self");
    make_link("data/a", "b/x");
    make_link("data/b", "/data/a");
    make_link("data/grow", "grow/grow/grow/grow");
    assert_int_equal(try_open("/data/self", O_RDONLY), -ELOOP);
    assert_int_equal(try_open("/data/a", O_RDONLY), -ELOOP);
    assert_int_equal(try_open("/data/grow/x", O_RDONLY), -ELOOP);
    assert_int_equal(try_stat("/data/self", 0, &stx), -ELOOP);
    assert_int_equal(try_stat("/data/self", AT_SYMLINK_NOFOLLOW, &stx), 0);
}

static void test_links_that_unfold_without_end_are_too_long(void **state)
{
    char target[PATH_MAX] = "x";

    (void)state;
    for (int i = 0; i < 2000; i++)
        strcat(target, "/x");
    make_link("data/x", target);
    assert_int_equal(try_open("/data/x", O_RDONLY), -ENAMETOOLONG);
}

static void test_dangling_link_is_not_found_but_there(void **state)
{
    struct statx stx;
    char target[10];

    (void)state;
    make_link("data/link", "nowhere");
    assert_int_equal(try_open("/data/link", O_RDONLY), -ENOENT);
    assert_int_equal(try_stat("/data/link", 0, &stx), -ENOENT);
    assert_int_equal(try_stat("/data/link", AT_SYMLINK_NOFOLLOW, &stx), 0);
    assert_true(S_ISLNK(stx.stx_mode));
    assert_int_equal(mounts_readlink(mounts, NULL, "/data/link", target, sizeof(target)), 7);
    assert_memory_equal(target, "nowhere", 7);
    assert_int_equal(mounts_readlink(mounts, NULL, "/data/link", target, 3), 3);
}

static void test_readlink_of_what_is_no_link_is_invalid(void **state)
{
    char target[10];

    (void)state;
    make_link("data/link", "sub");
    assert_int_equal(mounts_readlink(mounts, NULL, "/data/file", target, 10), -EINVAL);
    assert_int_equal(mounts_readlink(mounts, NULL, "/data", target, 10), -EINVAL);
    assert_int_equal(mounts_readlink(mounts, NULL, "/", target, 10), -EINVAL);
    assert_int_equal(mounts_readlink(mounts, NULL, "/data/link/", target, 10), -EINVAL);
    assert_int_equal(mounts_readlink(mounts, NULL, "/data/link", target, 0), -EINVAL);
}

static void test_names_have_255_bytes_at_most(void **state)
{
    char path[300] = "data/";

    (void)state;
    memset(path + 5, 'n', 255);
    make_file(path, "long");
    memmove(path + 1, path, 260);
    path[0] = '/';
    assert_reads(path, "long");
    strcat(path, "n");
    assert_int_equal(try_open(path, O_RDONLY), -ENAMETOOLONG);
    strcat(path, "/x");
    assert_int_equal(try_open(path, O_RDONLY), -ENAMETOOLONG);
    memmove(path, path + 5, strlen(path + 5) + 1); /* and in a directory of the name space */
    assert_int_equal(try_open(path, O_RDONLY), -ENAMETOOLONG);
}

static void test_paths_are_shorter_than_path_max(void **state)
{
    char path[PATH_MAX + 1];

    (void)state;
    memset(path, '/', sizeof(path));
    strcpy(path + PATH_MAX - 1 - strlen("data/file"), "data/file");
    assert_int_equal(strlen(path), PATH_MAX - 1);
    assert_reads(path, "file");
    memset(path, '/', sizeof(path));
    strcpy(path + PATH_MAX - strlen("data/file"), "data/file");
    assert_int_equal(try_open(path, O_RDONLY), -ENAMETOOLONG);
}

static void test_trailing_slash_wants_a_directory(void **state)
{
    struct statx stx;

    (void)state;
    make_link("data/link", "sub");
    make_link("data/tofile", "file");
    assert_int_equal(try_open("/data/file/", O_RDONLY), -ENOTDIR);
    assert_int_equal(try_open("/data/tofile/", O_RDONLY), -ENOTDIR);
    assert_int_equal(try_open("/data/none/", O_RDONLY), -ENOENT);
    assert_int_equal(try_open("/data/none/", O_CREAT | O_WRONLY), -EISDIR);
    assert_dir("/data/link/", "/data/sub");
    assert_int_equal(try_stat("/data/link/", AT_SYMLINK_NOFOLLOW, &stx), 0);
    assert_true(S_ISDIR(stx.stx_mode));
    assert_int_equal(mounts_access(mounts, NULL, "/data/file/", F_OK, 0), -ENOTDIR);
}

static void test_nofollow_and_directory_flags_are_minded(void **state)
{
    (void)state;
    make_link("data/link", "sub");
    assert_int_equal(try_open("/data/link", O_RDONLY | O_NOFOLLOW), -ELOOP);
    assert_int_equal(try_open("/data/link", O_PATH | O_NOFOLLOW), 0);
    assert_int_equal(try_open("/data/link", O_RDONLY | O_NOFOLLOW | O_DIRECTORY), -ENOTDIR);
    assert_int_equal(try_open("/data/link/file", O_RDONLY | O_NOFOLLOW), 0);
    assert_int_equal(try_open("/data/file", O_RDONLY | O_DIRECTORY), -ENOTDIR);
    assert_int_equal(try_open("/data/sub", O_RDWR), -EISDIR);
    assert_int_equal(try_open("/data/sub", O_RDONLY | O_CREAT | O_DIRECTORY), -EINVAL);
}

static void test_relative_paths_start_at_their_directory(void **state)
{
    struct guest_dir sub, top;

    (void)state;
    make_link("data/sub/link", "deep");
    make_link("data/sub/abs", "/data/sub");
    sub = open_dir(NULL, "/data/sub", "/data/sub");
    assert_reads_from(&sub, "file", "sub");
    assert_reads_from(&sub, "deep/file", "deep");
    assert_reads_from(&sub, "link/file", "deep");
    assert_reads_from(&sub, "abs/file", "sub");
    assert_reads_from(&sub, "../file", "file");
    assert_reads_from(&sub, "../../../../data/file", "file");
    assert_reads_from(&sub, "/data/file", "file");
    top = open_dir(&sub, "../..", "/");
    assert_int_equal(top.fd, -1);
    assert_reads_from(&top, "data/file", "file");
    close_dir(&top);
    close_dir(&sub);
}

static void test_relative_paths_follow_a_directory_that_was_renamed(void **state)
{
    struct guest_dir sub = open_dir(NULL, "/data/sub", "/data/sub");

    (void)state;
    assert_return_code(rename(on_host("data/sub"), on_host("data/moved")), errno);
    assert_reads_from(&sub, "file", "sub");
    assert_reads_from(&sub, "../file", "file");
    close_dir(&sub);
}

static void test_dotdot_from_a_directory_moved_out_of_its_mount_stays_inside(void **state)
{
    struct guest_dir sub = open_dir(NULL, "/data/sub", "/data/sub");

    (void)state;
    assert_return_code(rename(on_host("data/sub"), on_host("outside/sub")), errno);
    assert_int_equal(mounts_access(mounts, &sub, "../secret", F_OK, 0), -ENOENT);
    assert_int_equal(mounts_access(mounts, &sub, "deep/../../secret", F_OK, 0), -ENOENT);
    assert_reads_from(&sub, "../file", "file");
    close_dir(&sub);
}

static void test_devices_fifos_and_sockets_are_refused_without_blocking(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    cleanup_fd int sock = socket(AF_UNIX, SOCK_STREAM, 0);
    struct statx stx;

    (void)state;
    assert_return_code(mkfifo(on_host("data/fifo"), 0644), errno);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", on_host("data/socket"));
    assert_return_code(bind(sock, (struct sockaddr *)&address, sizeof(address)), errno);
    assert_int_equal(mounts_add(mounts, "/dev", "/dev", MOUNT_WRITABLE, &error), 0);
    alarm(10);
    assert_int_equal(try_open("/data/fifo", O_RDONLY), -EACCES);
    assert_int_equal(try_open("/data/fifo", O_WRONLY), -EACCES);
    assert_int_equal(try_open("/data/socket", O_RDWR), -EACCES);
    assert_int_equal(try_open("/dev/null", O_RDONLY), -EACCES);
    assert_int_equal(try_open("/dev/tty", O_RDWR), -EACCES);
    alarm(0);
    assert_int_equal(try_open("/data/fifo", O_PATH), 0);
    assert_int_equal(try_stat("/data/fifo", 0, &stx), 0);
    assert_true(S_ISFIFO(stx.stx_mode));
}

static void on_alarm(int signal)
{
    (void)signal;
}

static enum husk_kind kind_of(const char *path, int flags)
{
    struct opened opened;
    int result = mounts_open(mounts, NULL, path, flags, 0, &opened);

    if (result < 0)
        return (enum husk_kind)result;
    opened_close(&opened);
    return opened.kind;
}

static void test_devices_and_fifos_open_where_the_mount_says_dev(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    cleanup_fd int sock = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    assert_return_code(mkfifo(on_host("data/fifo"), 0644), errno);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", on_host("data/socket"));
    assert_return_code(bind(sock, (struct sockaddr *)&address, sizeof(address)), errno);
    assert_int_equal(add("data", "/plain", MOUNT_WRITABLE), 0);
    assert_int_equal(add("data", "/special", MOUNT_DEVICES), 0);
    assert_int_equal(mounts_add(mounts, "/dev", "/dev", MOUNT_DEVICES, &error), 0);
    alarm(10);
    assert_int_equal(kind_of("/special/fifo", O_RDONLY | O_NONBLOCK), HUSK_KIND_STREAM);
    assert_int_equal(kind_of("/special/fifo", O_RDWR | O_TRUNC), HUSK_KIND_STREAM);
    assert_int_equal((int)kind_of("/special/fifo", O_WRONLY | O_NONBLOCK), -ENXIO);
    assert_int_equal((int)kind_of("/special/socket", O_RDWR), -ENXIO);
    assert_int_equal(kind_of("/dev/null", O_RDWR | O_CREAT | O_TRUNC), HUSK_KIND_STREAM);
    assert_int_equal(kind_of("/dev/null", O_PATH), HUSK_KIND_FILE);
    assert_int_equal(kind_of("/dev/ptmx", O_RDWR), HUSK_KIND_TTY);
    assert_int_equal((int)kind_of("/plain/fifo", O_RDONLY | O_NONBLOCK), -EACCES);
    alarm(0);
    assert_int_equal(kind_of("/special/file", O_RDONLY), HUSK_KIND_FILE);
    assert_int_equal((int)kind_of("/special/file", O_WRONLY), -EROFS);
}

/* An open that waits for the other end ends with the signal that ends the run. */
static void test_open_of_a_fifo_waits_and_can_be_interrupted(void **state)
{
    const struct sigaction action = {.sa_handler = on_alarm};
    const struct itimerval soon = {{0, 10000}, {0, 10000}}, never = {0};

    (void)state;
    assert_return_code(mkfifo(on_host("data/fifo"), 0644), errno);
    assert_int_equal(add("data", "/special", MOUNT_DEVICES), 0);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    assert_int_equal((int)kind_of("/special/fifo", O_RDONLY), -EINTR);
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_DFL);
}

static void test_a_refused_fifo_does_not_wake_its_writer(void **state)
{
    pid_t writer;

    (void)state;
    assert_return_code(mkfifo(on_host("data/fifo"), 0644), errno);
    writer = fork();
    if (writer == 0)
        _exit(open(on_host("data/fifo"), O_WRONLY) < 0);
    poll(NULL, 0, 50);
    assert_int_equal(try_open("/data/fifo", O_RDONLY), -EACCES);
    poll(NULL, 0, 50);
    assert_int_equal(waitpid(writer, NULL, WNOHANG), 0);
    kill(writer, SIGKILL);
    waitpid(writer, NULL, 0);
}

static void test_magic_links_of_proc_lead_nowhere(void **state)
{
    static const char *const links[] = {"root/etc/passwd", "root",  "exe", "cwd", "fd/0",
                                        "task/../fd/0",    "ns/mnt"};
    char path[100], target[100];

    (void)state;
    assert_int_equal(mounts_add(mounts, "/proc", "/proc", MOUNT_READ_ONLY, &error), 0);
    for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
        snprintf(path, sizeof(path), "/proc/self/%s", links[i]);
        assert_int_equal(try_open(path, O_RDONLY), -ELOOP);
        assert_int_equal(try_open(path, O_PATH), -ELOOP);
        snprintf(path, sizeof(path), "/proc/%d/%s", getpid(), links[i]);
        assert_int_equal(try_open(path, O_RDONLY), -ELOOP);
    }
    assert_int_equal(try_open("/proc/self/exe", O_PATH | O_NOFOLLOW), 0);
    assert_true(mounts_readlink(mounts, NULL, "/proc/self/exe", target, sizeof(target)) > 0);
    assert_int_equal(try_open("/proc/self/status", O_RDONLY), 0);
    assert_int_equal(try_open("/proc/mounts", O_RDONLY), 0);
}

static void test_the_monitors_memory_cannot_be_opened_in_proc(void **state)
{
    (void)state;
    make_file("data/mem", "mine");
    assert_int_equal(mounts_add(mounts, "/proc", "/proc", MOUNT_WRITABLE, &error), 0);
    assert_int_equal(try_open("/proc/self/mem", O_RDONLY), -EACCES);
    assert_int_equal(try_open("/proc/self/mem", O_RDWR), -EACCES);
    assert_int_equal(try_open("/proc/thread-self/mem", O_RDWR), -EACCES);
    assert_reads("/data/mem", "mine");
}

/* As handles_rename leaves it when there is no memory. */
static void test_a_directory_that_lost_its_name_leads_nowhere(void **state)
{
    struct guest_dir sub = open_dir(NULL, "/data/sub", "/data/sub");
    struct guest_dir lost = {sub.fd, ""};
    struct opened opened;

    (void)state;
    assert_return_code(mkfifo(on_host("data/sub/fifo"), 0644), errno);
    assert_int_equal(mounts_open(mounts, &lost, "fifo", O_RDONLY, 0, &opened), -ENOENT);
    assert_int_equal(mounts_open(mounts, &lost, "file", O_RDWR, 0, &opened), -ENOENT);
    assert_int_equal(mounts_open(mounts, &lost, "..", O_PATH, 0, &opened), -ENOENT);
    close_dir(&sub);
}

static void test_walk_to_parent_leaves_the_last_name_alone(void **state)
{
    WALK(link);
    WALK(none);
    WALK(root);
    WALK(slash);

    (void)state;
    make_link("data/sub/link", "/data");
    assert_int_equal(walk_path(&link, mounts, NULL, "/data/sub/deep/../link", WALK_PARENT, 0), 0);
    assert_string_equal(link.name, "link");
    assert_string_equal(link.path, "/data/sub/link");
    assert_int_equal(faccessat(link.dir, "deep", F_OK, 0), 0);
    assert_false(link.slash);
    assert_int_equal(walk_path(&none, mounts, NULL, "/data/none", WALK_PARENT, 0), 0);
    assert_string_equal(none.name, "none");
    assert_int_equal(walk_path(&slash, mounts, NULL, "/data/sub/link//", WALK_PARENT, 0), 0);
    assert_string_equal(slash.name, "link");
    assert_true(slash.slash);
    assert_int_equal(walk_path(&root, mounts, NULL, "/data", WALK_PARENT, 0), 0);
    assert_string_equal(root.name, "");
}

static void test_a_directory_that_holds_a_mount_point_cannot_be_renamed(void **state)
{
    WALK(sub);
    WALK(deep);
    WALK(none);

    (void)state;
    mount_ro("outside", "/data/sub/deep/x");
    mount_ro("outside", "/data/none/x");
    assert_int_equal(walk_path(&sub, mounts, NULL, "/data/sub", WALK_PARENT, 0), 0);
    assert_string_equal(sub.name, "");
    assert_string_equal(sub.path, "/data/sub");
    assert_int_equal(walk_path(&deep, mounts, NULL, "/data/sub/deep/", WALK_PARENT, 0), 0);
    assert_string_equal(deep.name, "");
    assert_int_equal(walk_path(&none, mounts, NULL, "/data/none", WALK_PARENT, 0), 0);
    assert_string_equal(none.name, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_DATA(test_plain_paths_lead_to_their_files),
        TEST_DATA(test_dots_and_double_slashes_change_nothing),
        TEST_DATA(test_dotdot_stops_at_the_guests_root),
        TEST_DATA(test_dotdot_inside_a_mount_is_the_parent),
        TEST_DATA(test_dotdot_after_a_link_is_the_parent_of_its_target),
        TEST_DATA(test_absolute_link_starts_at_the_guests_root),
        TEST_DATA(test_absolute_link_to_a_host_path_is_not_found),
        TEST_DATA(test_relative_link_cannot_leave_the_mount),
        TEST_DATA(test_40_links_are_followed_and_41_are_not),
        TEST_DATA(test_looping_links_end_in_eloop),
        TEST_DATA(test_links_that_unfold_without_end_are_too_long),
        TEST_DATA(test_dangling_link_is_not_found_but_there),
        TEST_DATA(test_readlink_of_what_is_no_link_is_invalid),
        TEST_DATA(test_names_have_255_bytes_at_most),
        TEST_DATA(test_paths_are_shorter_than_path_max),
        TEST_DATA(test_trailing_slash_wants_a_directory),
        TEST_DATA(test_nofollow_and_directory_flags_are_minded),
        TEST_DATA(test_relative_paths_start_at_their_directory),
        TEST_DATA(test_relative_paths_follow_a_directory_that_was_renamed),
        TEST_DATA(test_dotdot_from_a_directory_moved_out_of_its_mount_stays_inside),
        TEST_DATA(test_devices_fifos_and_sockets_are_refused_without_blocking),
        TEST_DATA(test_devices_and_fifos_open_where_the_mount_says_dev),
        TEST_DATA(test_open_of_a_fifo_waits_and_can_be_interrupted),
        TEST_DATA(test_a_refused_fifo_does_not_wake_its_writer),
        TEST_DATA(test_magic_links_of_proc_lead_nowhere),
        TEST_DATA(test_the_monitors_memory_cannot_be_opened_in_proc),
        TEST_DATA(test_a_directory_that_lost_its_name_leads_nowhere),
        TEST_DATA(test_walk_to_parent_leaves_the_last_name_alone),
        TEST_DATA(test_a_directory_that_holds_a_mount_point_cannot_be_renamed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
