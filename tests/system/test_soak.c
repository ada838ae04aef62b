/* SPDX-License-Identifier: ISC
 *
 * Start and end, again and again, by themselves and by SIGKILL: nothing stays behind. HUSK_SOAK
 * says how often (default 300).
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

static const char *directory;

static long rounds(void)
{
    const char *wanted = getenv("HUSK_SOAK");

    return wanted ? atol(wanted) : is_slow_machine() ? 20 : 300;
}

/* Of all processes: proc(5). */
static long open_files(void)
{
    FILE *file = fopen("/proc/sys/fs/file-nr", "r");
    long used = -1;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld", &used), 1);
    fclose(file);
    return used;
}

static size_t entries(const char *path)
{
    DIR *dir = opendir(path);
    size_t count = 0;

    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* One start without the harness's pipes; a child is killed after KILL_AFTER_US, unless that is 0.
 */
static int run_once(long kill_after_us)
{
    const char *volume = text("%s:/d:rw", directory), *image = built("apps/hello");
    const char *program = husk();
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stdout))
            _exit(1);
        execl(program, program, "run", "-v", volume, image, (char *)NULL);
        _exit(1);
    }
    if (kill_after_us) {
        usleep((useconds_t)kill_after_us);
        kill(pid, SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* The kernel frees some things a little later, and other processes open files as well: a leak would
 * be one at least in each round. */
static void assert_files_settle(long before)
{
    long now = 0;

    for (int i = 0; i < 100; i++) {
        now = open_files();
        if (now <= before + rounds() / 2)
            return;
        usleep(50000);
    }
    fail_msg("%ld files are open, there were %ld", now, before);
}

static void assert_nothing_is_left(long files)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    assert_int_equal(entries(directory), 2);
    assert_files_settle(files);
}

static void test_starting_and_ending_leaves_nothing(void **state)
{
    long files;

    (void)state;
    need_kvm();
    run_once(0);
    files = open_files();
    for (long i = 0; i < rounds(); i++)
        assert_int_equal(run_once(0), 0);
    assert_nothing_is_left(files);
}

static void test_sigkill_at_any_instant_leaves_nothing(void **state)
{
    long files;

    (void)state;
    need_kvm();
    files = open_files();
    for (long i = 0; i < rounds(); i++)
        run_once(1 + i * 37 % 3000);
    assert_nothing_is_left(files);
}

static int make_directory(void **state)
{
    (void)state;
    directory = directory_make();
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    directory_remove(directory);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starting_and_ending_leaves_nothing),
        cmocka_unit_test(test_sigkill_at_any_instant_leaves_nothing),
    };

    return cmocka_run_group_tests_name("soak", tests, make_directory, remove_directory);
}
