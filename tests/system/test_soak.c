/* SPDX-License-Identifier: ISC
 *
 * Start and end, again and again, by themselves and by SIGKILL: nothing stays behind, neither for
 * this process nor in the kernel. HUSK_SOAK says how often (default 300).
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "directory.h"
#include "harness.h"

static long rounds(void)
{
    const char *wanted = getenv("HUSK_SOAK");

    return wanted ? atol(wanted) : is_slow_machine() ? 20 : 300;
}

/* The first number in a file of the kernel's, or -1: there is no such file here. */
static long number_in(const char *path)
{
    FILE *file = fopen(path, "r");
    long number = -1;

    if (!file)
        return -1;
    if (fscanf(file, "%ld", &number) != 1)
        number = -1;
    fclose(file);
    return number;
}

/* KiB. */
static long memory_in(const char *name)
{
    FILE *file = fopen("/proc/meminfo", "r");
    char line[128];
    long number = -1;

    assert_non_null(file);
    while (number < 0 && fgets(line, sizeof(line), file))
        if (strncmp(line, name, strlen(name)) == 0)
            number = atol(line + strlen(name));
    fclose(file);
    return number;
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

static long open_files(void)
{
    return number_in("/proc/sys/fs/file-nr"); /* of all processes: proc(5) */
}

static long processes(void)
{
    struct dirent *entry;
    DIR *dir = opendir("/proc");
    long count = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)))
        count += isdigit((unsigned char)entry->d_name[0]) != 0;
    closedir(dir);
    return count;
}

/* Each VM uses the module of its kind of KVM. */
static long kvm_users(void)
{
    static const char *const modules[] = {"kvm_amd", "kvm_intel", "kvm_pvm"};
    long users = -1;

    for (size_t i = 0; i < COUNT(modules) && users < 0; i++)
        users = number_in(text("/sys/module/%s/refcnt", modules[i]));
    return users;
}

/* Each VM has a directory there, where debugfs is mounted and may be read. */
static long virtual_machines(void)
{
    static const char path[] = "/sys/kernel/debug/kvm";

    return access(path, R_OK) == 0 ? (long)entries(path) : -1;
}

static long kernel_memory(void)
{
    return memory_in("SUnreclaim:");
}

static long used_memory(void)
{
    return memory_in("MemTotal:") - memory_in("MemAvailable:");
}

/*
 * What a start that is not undone would make more. Others use the machine, too: a leak would be one
 * at least in each round, or some of its bytes. Memory of the whole machine says nothing unless the
 * rounds are many.
 */
static const struct gauge {
    const char *what;
    long (*read)(void); /* -1: cannot be told here */
    long slack;         /* more than that by others */
    unsigned rounds;    /* so many for one more */
    bool only_soak;
} gauges[] = {
    {"open files", open_files, 0, 2, false},
    {"processes", processes, 0, 2, false},
    {"users of KVM's module", kvm_users, 0, 2, false},
    {"virtual machines", virtual_machines, 0, 2, false},
    {"KiB of kernel memory", kernel_memory, 8 << 10, 8, true},
    {"KiB of memory", used_memory, 32 << 10, 8, true},
};
static long before[COUNT(gauges)];

static void read_gauges(void)
{
    for (size_t i = 0; i < COUNT(gauges); i++)
        before[i] = gauges[i].read();
}

/* The kernel frees some things a little later. */
static void assert_settles(const struct gauge *gauge, long start)
{
    long most = start + gauge->slack + rounds() / (long)gauge->rounds, now = 0;

    if (start < 0 || (gauge->only_soak && !getenv("HUSK_SOAK")))
        return;
    for (int i = 0; i < 100; i++) {
        now = gauge->read();
        if (now <= most)
            break;
        usleep(50000);
    }
    print_message("# %s: %ld before, %ld after %ld rounds\n", gauge->what, start, now, rounds());
    if (now > most)
        fail_msg("%ld %s are left, there were %ld", now, gauge->what, start);
}

/* A run takes up to 3 ms, on a machine that emulates another some 60. */
static long most_us(void)
{
    return is_slow_machine() ? 60000 : 3000;
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

static void assert_nothing_is_left(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    assert_int_equal(entries(directory), 2);
    for (size_t i = 0; i < COUNT(gauges); i++)
        assert_settles(&gauges[i], before[i]);
}

static void test_starting_and_ending_leaves_nothing(void **state)
{
    (void)state;
    need_kvm();
    for (int i = 0; i < 10; i++)
        run_once(0); /* what the kernel makes once and keeps */
    read_gauges();
    for (long i = 0; i < rounds(); i++)
        assert_int_equal(run_once(0), 0);
    assert_nothing_is_left();
}

static void test_sigkill_at_any_instant_leaves_nothing(void **state)
{
    (void)state;
    need_kvm();
    read_gauges();
    for (long i = 0; i < rounds(); i++)
        run_once(1 + i * 37 % most_us());
    assert_nothing_is_left();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starting_and_ending_leaves_nothing),
        cmocka_unit_test(test_sigkill_at_any_instant_leaves_nothing),
    };

    return cmocka_run_group_tests_name("soak", tests, make_directory, remove_directory);
}
