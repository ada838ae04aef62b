/* SPDX-License-Identifier: ISC
 *
 * The jail around the monitor: what a running one shows of itself in /proc, and what it can do when
 * a guest has taken it over (tests/takeover).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attack.h"

static const char *mount(const char *mode)
{
    return text("%s/mount:/mnt:%s", directory, mode);
}

/* How a taken-over monitor ends or what its call returns. */
static const struct attack attacks[] = {
    {"nothing", NULL, 0},

    /* Without a mount no path can be looked up. */
    {"open", NULL, KILLED},
    {"openat", NULL, KILLED},
    {"open-passwd", NULL, KILLED},
    {"open-kvm", NULL, KILLED},
    {"look-outside", NULL, KILLED},
    {"look-with-empty-path", NULL, KILLED},

    /* With one there is no way out of it, and nothing changes in it if it is read-only. */
    {"open", "ro", KILLED},
    {"openat", "ro", KILLED},
    {"open-in-mount", "ro", 0},
    {"open-passwd", "ro", -EACCES},
    {"open-root", "ro", -EACCES},
    {"open-kvm", "ro", -EACCES},
    {"open-memory", "ro", -EACCES},
    {"open-above-mount", "ro", -EACCES},
    {"read-through-path", "ro", -EACCES},
    {"write-in-mount", "ro", -EACCES},
    {"create-in-mount", "ro", -EACCES},
    {"make-directory", "ro", KILLED},
    {"change-mode", "ro", KILLED},
    {"unlink-above-mount", "ro", KILLED},

    {"make-directory", "rw", 0},
    {"open-passwd", "rw", -EACCES},
    {"open-kvm", "rw", -EACCES},
    {"open-above-mount", "rw", -EACCES},
    {"write-above-mount", "rw", -EACCES},
    {"create-above-mount", "rw", -EACCES},
    {"truncate-above-mount", "rw", -EACCES},
    {"read-through-path", "rw", -EACCES},
    {"unlink-above-mount", "rw", -EACCES},
    {"rename-from-above", "rw", -EACCES},
    {"rename-to-above", "rw", -EACCES},
    {"link-from-above", "rw", -EXDEV},
    {"mkdir-above", "rw", -EACCES},
    {"symlink-above", "rw", -EACCES},
    {"make-fifo", "rw", KILLED},

    /* What it can learn and do all the same: test_isolate.c takes that away. */
    {"look-outside", "ro", 0},
    {"look-at-proc", "ro", 0},
    {"look-above-mount", "ro", 0},
    {"find-above-mount", "ro", 0},
    {"read-link-above", "ro", 4},
    {"access-above", "ro", 0},
    {"change-times-above", "ro", KILLED},
    {"change-mode-above", "rw", 0},
    {"change-group-above", "rw", 0},
    {"change-times-above", "rw", 0},
    {"change-times-outside", "rw", 0},
    {"make-in-root", "rw", -EACCES},

    {"inet-socket", "rw", KILLED},
    {"unix-socket", "rw", KILLED},
    {"raw-socket", "rw", KILLED},
    {"netlink-socket", "rw", KILLED},
    {"shell", "rw", KILLED},
    {"fork", "rw", KILLED},
    {"thread", "rw", KILLED},
    {"clone3", "rw", KILLED},
    {"trace-parent", "rw", KILLED},
    {"trace-init", "rw", KILLED},
    {"read-init", "rw", KILLED},
    {"kill", "rw", KILLED},
    {"new-vm", "rw", KILLED},
    {"new-vcpu", "rw", KILLED},
    {"push-input", "rw", KILLED},
    {"execute-memory", "rw", KILLED},
    {"execute-own-data", "rw", KILLED},
    {"execute-by-key", "rw", KILLED},
    {"unfilter", "rw", KILLED},
    {"dump-core", "rw", KILLED},
    {"raise-limit", "rw", KILLED},
    {"unshare", "rw", KILLED},
    {"mount", "rw", KILLED},
    {"chroot", "rw", KILLED},
    {"set-user", "rw", KILLED},
    {"lock-with-priority", "rw", KILLED},
    {"move-init", "rw", KILLED},
    {"time-of-init", "rw", KILLED},
    {"wait-for-init", "rw", KILLED},
    {"timer-on-init", "rw", KILLED},
    {"io-uring", "rw", KILLED},
    {"bpf", "rw", KILLED},
    {"perf-events", "rw", KILLED},
    {"user-faults", "rw", KILLED},
    {"memory-file", "rw", KILLED},
    {"load-module", "rw", KILLED},
    {"handle-open", "rw", KILLED},
    {"x32", "rw", KILLED},
    {"32-bits", "rw", KILLED},
};

static bool has_landlock(void)
{
    return strstr(HUSK("doctor")->out.data, "Landlock confines files") != NULL;
}

static void assert_secret_is_untouched(void)
{
    struct bytes secret = file_read(in_directory("secret"));

    assert_string_equal(secret.data, "SECRET\n");
    free(secret.data);
    assert_int_not_equal(access(in_directory("new"), F_OK), 0);
}

static void test_taken_over_monitor_cannot(void **state)
{
    const struct attack *attack = *state;
    const char *guest = built("hostile/takeover");
    const struct result *result;

    need_kvm();
    if (attack->wanted == -EACCES && !has_landlock())
        skip();
    result = attack->mode
                 ? RUN(built("husk-test"), "run", "-v", mount(attack->mode), guest, attack->name)
                 : RUN(built("husk-test"), "run", guest, attack->name);
    assert_ends_as_wanted(result, attack);
    assert_secret_is_untouched();
    rmdir(in_directory("mount/directory"));
}

static const struct result *run_with_network(const char *attack)
{
    need_kvm();
    return RUN(built("husk-test"), "run", "--connect", "127.0.0.1:1", built("hostile/takeover"),
               attack);
}

static void test_taken_over_monitor_connects_only_to_granted_ports(void **state)
{
    (void)state;
    if (!strstr(HUSK("doctor")->out.data, "Landlock for TCP holds"))
        skip();
    assert_prints(run_with_network("connect-to-1"), text("%d\n", -ECONNREFUSED));
    assert_prints(run_with_network("connect-to-2"), text("%d\n", -EACCES));
}

static void test_taken_over_monitor_has_only_internet_sockets(void **state)
{
    static const char *const attacks_on_it[] = {"unix-socket", "raw-socket", "netlink-socket",
                                                "bind-port",   "openat",     "open-passwd"};

    (void)state;
    for (size_t i = 0; i < COUNT(attacks_on_it); i++)
        assert_status(run_with_network(attacks_on_it[i]), KILLED);
}

static void test_husk_itself_cannot_be_asked_to(void **state)
{
    const struct result *result = HUSK_RUN(built("hostile/takeover"), "open-passwd");

    (void)state;
    assert_prints(result, text("%d\n", -EINVAL));
}

/* The start of the file /proc/PID/NAME. */
static const char *proc_read(int pid, const char *name)
{
    static char content[8192];
    int fd = open(text("/proc/%d/%s", pid, name), O_RDONLY | O_CLOEXEC);
    ssize_t got = read(fd, content, sizeof(content) - 1);

    close(fd);
    assert_true(got > 0);
    content[got] = '\0';
    return content;
}

/* The value of a line "NAME:\tVALUE" in /proc/PID/status. */
static const char *status_of(int pid, const char *name)
{
    const char *line = strstr(proc_read(pid, "status"), text("\n%s:\t", name));

    if (!line)
        return "no such line";
    line += strlen(name) + 3;
    return text("%.*s", (int)strcspn(line, "\n"), line);
}

static struct process *start_waiting(const char *const *options)
{
    const char *argv[16] = {husk(), "run"};
    struct process *process;
    size_t count = 2;

    need_kvm();
    while (*options)
        argv[count++] = *options++;
    argv[count++] = built("guest/musl/wait");
    argv[count] = "read";
    process = process_start(&(struct command){.argv = argv, .silent = true});
    process_await(process, "ready");
    return process;
}

static void end_waiting(struct process *process)
{
    process_signal(process, SIGTERM);
    assert_status(process_end(process), 128 + SIGTERM);
}

static void test_running_monitor_has_no_privileges(void **state)
{
    struct process *process = start_waiting(LIST("-v", mount("rw")));
    int pid = process_id(process);
    const char *no_capabilities = "0000000000000000";

    (void)state;
    assert_string_equal(status_of(pid, "Seccomp"), "2");
    assert_string_equal(status_of(pid, "NoNewPrivs"), "1");
    assert_string_equal(status_of(pid, "CapEff"), no_capabilities);
    assert_string_equal(status_of(pid, "CapPrm"), no_capabilities);
    assert_string_equal(status_of(pid, "CapInh"), no_capabilities);
    assert_string_equal(status_of(pid, "CapAmb"), no_capabilities);
    if (geteuid() == 0)
        assert_string_equal(status_of(pid, "CapBnd"), no_capabilities);
    end_waiting(process);
}

static void test_running_monitor_leaves_no_core(void **state)
{
    struct process *process = start_waiting(LIST(NULL));
    const char *limits = proc_read(process_id(process), "limits");
    struct stat status;

    (void)state;
    assert_non_null(strstr(limits, "Max core file size        0                    0 "));
    /* Of a process that cannot be dumped, root owns /proc/PID: proc(5). */
    assert_int_equal(stat(text("/proc/%d/fd", process_id(process)), &status), 0);
    assert_int_equal(status.st_uid, 0);
    end_waiting(process);
}

/* What the descriptors above 2 lead to, sorted by number, a line each. */
static void list_descriptors(int pid, char *list, size_t size)
{
    *list = '\0';
    for (int fd = 3; fd < 128; fd++) {
        char link[40], target[PATH_MAX] = "";

        snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, fd);
        if (readlink(link, target, sizeof(target) - 1) > 0)
            snprintf(list + strlen(list), size - strlen(list), "%s\n", target);
    }
}

static void assert_descriptors(struct process *process, const char *wanted)
{
    char list[8192];

    list_descriptors(process_id(process), list, sizeof(list));
    assert_string_equal(list, wanted);
    end_waiting(process);
}

static void test_running_monitor_has_only_its_descriptors(void **state)
{
    int inherited = open(in_directory("secret"), O_RDWR), high = fcntl(inherited, F_DUPFD, 100);
    char image[PATH_MAX];

    (void)state;
    if (geteuid() != 0)
        skip(); /* others may not look */
    assert_true(inherited > 2 && high >= 100);
    assert_non_null(realpath(built("guest/musl/wait"), image));
    assert_descriptors(start_waiting(LIST(NULL)),
                       text("%s\nanon_inode:kvm-vm\nanon_inode:kvm-vcpu:0\n", image));
    assert_descriptors(
        start_waiting(LIST("-v", mount("ro"), text("--trace=/dev/fd/%d", inherited))),
        text("%s\n%s/mount\n%s/secret\nanon_inode:kvm-vm\nanon_inode:kvm-vcpu:0\n", image,
             directory, directory));
    close(inherited);
    close(high);
    file_write(in_directory("secret"), "SECRET\n", 7);
}

static void test_required_jail_is_there(void **state)
{
    const struct result *result;

    (void)state;
    if (strstr(HUSK("doctor")->out.data, "missing jail"))
        skip();
    result = HUSK_RUN("--require-jail", built("apps/hello"));
    assert_status(result, 0);
    assert_prints(result, "Hello from husk\n");
}

/* As an old kernel does, or a container that allows only the calls that it knows. */
static bool enter_without_landlock(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {COUNT(code), code};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

static void test_required_jail_that_lacks_a_layer_ends_the_run(void **state)
{
    const struct result *result;
    const char *hello = built("apps/hello");

    (void)state;
    need_kvm();
    result = run(&(struct command){.argv = LIST(husk(), "run", "--require-jail", hello),
                                   .enter = enter_without_landlock});
    assert_status(result, FAILED);
    assert_complains(result, "--require-jail: no Landlock on this host");
    assert_prints(result, "");
    result =
        run(&(struct command){.argv = LIST(husk(), "run", hello), .enter = enter_without_landlock});
    assert_status(result, 0);
    assert_prints(result, "Hello from husk\n");
    result =
        run(&(struct command){.argv = LIST(husk(), "doctor"), .enter = enter_without_landlock});
    assert_status(result, 0);
    assert_shows(result, "missing jail       Landlock: ");
}

static void test_husk_that_is_setuid_does_nothing(void **state)
{
    const struct result *result;
    const char *copy = in_directory("husk-setuid");

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_status(RUN("/bin/busybox", "cp", husk(), copy), 0);
    assert_int_equal(chmod(directory, 0755) | chmod(copy, 04755), 0);
    result = run(&(struct command){.argv = LIST(copy, "doctor"), .enter = enter_as_nobody});
    unlink(copy);
    assert_status(result, FAILED);
    assert_complains(result, "set-user-ID");
    assert_prints(result, "");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken_over_monitor_connects_only_to_granted_ports),
        cmocka_unit_test(test_taken_over_monitor_has_only_internet_sockets),
        cmocka_unit_test(test_husk_itself_cannot_be_asked_to),
        cmocka_unit_test(test_running_monitor_has_no_privileges),
        cmocka_unit_test(test_running_monitor_leaves_no_core),
        cmocka_unit_test(test_running_monitor_has_only_its_descriptors),
        cmocka_unit_test(test_required_jail_is_there),
        cmocka_unit_test(test_required_jail_that_lacks_a_layer_ends_the_run),
        cmocka_unit_test(test_husk_that_is_setuid_does_nothing),
    };
    struct test_list list = {0};

    add_attacks(&list, attacks, COUNT(attacks), test_taken_over_monitor_cannot);
    for (size_t i = 0; i < COUNT(tests); i++)
        test_list_add(&list, tests[i].name, tests[i].test_func, NULL);
    return test_list_run(&list, "jail", make_attacked_directory, remove_directory);
}
