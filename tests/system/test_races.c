/* SPDX-License-Identifier: ISC
 *
 * A guest that uses paths in a loop, and a process of the host that exchanges directories for
 * symbolic links under it: nothing outside of the mount is ever read or changed. The attacking
 * guest is tests/hostile/swapped-paths.c; tests/unit/test_resolve_races.c races the resolver alone.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

#define RUNS   2 /* of each kind: more than 100,000 paths in all */
#define ROUNDS 25000

static const char *root;

static const char *at(const char *name)
{
    return text("%s/%s", root, name);
}

static void write_file(const char *name, const char *contents)
{
    file_write(at(name), contents, strlen(contents));
}

static int make_root(void **state)
{
    static const char *const directories[] = {"mount",     "mount/swap", "mount/swap/deep",
                                              "mount/sub", "outside",    "outside/deep"};

    (void)state;
    root = directory_make();
    for (size_t i = 0; i < COUNT(directories); i++)
        if (mkdir(at(directories[i]), 0755) < 0)
            return -1;
    write_file("mount/swap/secret", "inside");
    write_file("mount/swap/victim", "inside");
    write_file("outside/secret", "outside, and longer");
    write_file("outside/victim", "outside, and longer");
    chmod(at("outside/secret"), 0640);
    chmod(at("outside/victim"), 0640);
    return symlink("../outside", at("mount/other"));
}

static int remove_root(void **state)
{
    (void)state;
    directory_remove(root);
    return 0;
}

static pid_t start_swapping(void)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            syscall(SYS_renameat2, AT_FDCWD, at("mount/swap"), AT_FDCWD, at("mount/other"),
                    RENAME_EXCHANGE);
    }
    return child;
}

/* Names, modes, sizes, times and contents of everything outside. */
static const char *describe_outside(void)
{
    const struct result *result = run(&(struct command){
        .argv = LIST("/bin/busybox", "sh", "-c",
                     "ls -la --full-time outside outside/deep; cat outside/secret outside/victim"),
        .directory = root});

    assert_status(result, 0);
    return text("%s", result->out.data);
}

static void race(const char *rights, const char *what)
{
    int runs = is_slow_machine() ? 1 : RUNS;
    const char *rounds = is_slow_machine() ? "1000" : text("%d", ROUNDS);
    char *before = strdup(describe_outside());

    need_kvm();
    for (int i = 0; i < runs; i++) {
        pid_t child = start_swapping();
        const struct result *result =
            RUN(husk(), "run", "-v", text("%s/mount:/mnt:%s", root, rights),
                built("hostile/swapped-paths"), "/mnt", rounds, what);

        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        assert_prints(result, "held\n");
        assert_is_quiet(result);
        assert_string_equal(describe_outside(), before);
    }
    free(before);
}

static void test_nothing_outside_is_read_of_a_read_only_mount(void **state)
{
    (void)state;
    race("ro", "read");
}

static void test_nothing_outside_is_read_or_changed_of_a_writable_mount(void **state)
{
    (void)state;
    race("rw", "write");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_outside_is_read_of_a_read_only_mount),
        cmocka_unit_test(test_nothing_outside_is_read_or_changed_of_a_writable_mount),
    };

    return cmocka_run_group_tests_name("races", tests, make_root, remove_root);
}
