/* SPDX-License-Identifier: ISC
 *
 * Paths while another host process exchanges what they lead to: nothing outside a mount is read, no
 * FIFO opened.
 */
#include "mounts_fixture.h"

#include <linux/fs.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define OPENS 25000 /* in each test: 100,000 in all */

/* Exchange data/swap and OTHER without end. */
static pid_t start_swapping(const char *other)
{
    pid_t child = fork();

    assert_return_code(child, errno);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            syscall(SYS_renameat2, AT_FDCWD, on_host("data/swap"), AT_FDCWD, on_host(other),
                    RENAME_EXCHANGE);
    }
    return child;
}

static void assert_is_inside(struct opened *opened)
{
    char text[10] = "";

    assert_int_equal(pread(opened->fd, text, sizeof(text) - 1, 0), 6);
    assert_string_equal(text, "inside");
    opened_close(opened);
}

/* Open PATHS in turn meanwhile. An open may find what is inside, or fail with one of two errors. */
static void race(const char *other, const char *const *paths, size_t count, int error_a,
                 int error_b)
{
    pid_t child = start_swapping(other);
    int found = 0;

    alarm(300);
    for (int i = 0; i < OPENS; i++) {
        struct opened opened;
        int result = mounts_open(mounts, NULL, paths[i % count], O_RDONLY, 0, &opened);

        if (result == 0) {
            assert_is_inside(&opened);
            found++;
        } else if (result != error_a && result != error_b) {
            kill(child, SIGKILL);
            fail_msg("%s: %s", paths[i % count], strerror(-result));
        }
    }
    alarm(0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_true(found > OPENS / 100);
}

static void test_a_directory_exchanged_for_a_link_never_leads_outside(void **state)
{
    static const char *const paths[] = {"/data/swap/secret", "/data/swap/deep/../secret",
                                        "/data/other/secret", "/data/sub/../swap/./secret"};

    (void)state;
    make_dir("data/swap");
    make_dir("data/swap/deep");
    make_dir("outside/deep");
    make_file("data/swap/secret", "inside");
    make_link("data/other", "../outside");
    race("data/other", paths, 4, -ENOENT, -ELOOP);
}

static void test_a_file_exchanged_for_a_link_never_leads_outside(void **state)
{
    static const char *const paths[] = {"/data/swap", "/data/other"};

    (void)state;
    make_file("data/swap", "inside");
    make_link("data/other", "../outside/secret");
    race("data/other", paths, 2, -ENOENT, -ENOENT);
}

static void test_a_file_exchanged_for_a_fifo_neither_blocks_nor_opens_it(void **state)
{
    static const char *const paths[] = {"/data/swap", "/data/other"};

    (void)state;
    make_file("data/swap", "inside");
    assert_return_code(mkfifo(on_host("data/other"), 0644), errno);
    race("data/other", paths, 2, -EACCES, -EACCES);
}

static void test_dotdot_of_a_directory_that_moves_out_never_leads_outside(void **state)
{
    static const char *const paths[] = {"/data/swap/deep/../../secret", "/data/swap/../secret",
                                        "/data/sub/../swap/deep/../../../data/secret"};

    (void)state;
    make_file("data/secret", "inside");
    make_dir("data/swap");
    make_dir("data/swap/deep");
    make_dir("outside/swap");
    make_dir("outside/swap/deep");
    race("outside/swap", paths, 3, -ENOENT, -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_DATA(test_a_directory_exchanged_for_a_link_never_leads_outside),
        TEST_DATA(test_a_file_exchanged_for_a_link_never_leads_outside),
        TEST_DATA(test_a_file_exchanged_for_a_fifo_neither_blocks_nor_opens_it),
        TEST_DATA(test_dotdot_of_a_directory_that_moves_out_never_leads_outside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
