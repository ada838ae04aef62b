/* SPDX-License-Identifier: ISC
 *
 * --isolate: what a monitor that a guest has taken over (tests/takeover) still finds of the host,
 * as root and as nobody. tests/unit/test_isolate.c shows the same without a VM, test_jail.c what
 * there is to be found without --isolate.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attack.h"

static const struct attack attacks[] = {
    {"nothing", NULL, 0},
    {"openat", NULL, KILLED},
    {"look-outside", NULL, KILLED},

    {"open-in-mount", "ro", 0},
    {"write-in-mount", "ro", -EACCES},
    {"change-times-above", "ro", KILLED},

    {"open-in-mount", "rw", 0},
    {"open-passwd", "rw", -ENOENT},
    {"open-root", "rw", -EACCES},
    {"open-kvm", "rw", -ENOENT},
    {"open-memory", "rw", -ENOENT},
    {"open-above-mount", "rw", -ENOENT},
    {"truncate-above-mount", "rw", -ENOENT},
    {"unlink-above-mount", "rw", -ENOENT},
    {"rename-from-above", "rw", -ENOENT},
    {"link-from-above", "rw", -ENOENT},
    {"make-in-root", "rw", -EROFS},

    {"look-outside", "rw", -ENOENT},
    {"look-at-proc", "rw", -ENOENT},
    {"look-at-workdir", "rw", -ENOENT},
    {"look-above-mount", "rw", -ENOENT},
    {"look-above-descriptors", "rw", -ENOENT},
    {"find-above-mount", "rw", -ENOENT},
    {"find-through-descriptor", "rw", -ENOENT},
    {"read-link-above", "rw", -ENOENT},
    {"access-above", "rw", -ENOENT},
    {"change-mode-above", "rw", -ENOENT},
    {"change-group-above", "rw", -ENOENT},
    {"change-times-above", "rw", -ENOENT},
    {"change-times-outside", "rw", -ENOENT},
};

/* What doctor says of LAYER: "ok" or nothing. */
static bool host_has(const char *line, bool (*enter)(void))
{
    return strstr(run(&(struct command){.argv = LIST(husk(), "doctor"), .enter = enter})->out.data,
                  line) != NULL;
}

static bool can_isolate(bool (*enter)(void))
{
    return host_has("ok      isolate", enter);
}

static const struct result *take_over(const struct attack *attack, bool (*enter)(void))
{
    const char *guest = built("hostile/takeover"), *volume;

    if (!attack->mode)
        return run(&(struct command){
            .argv = LIST(built("husk-test"), "run", "--isolate", guest, attack->name),
            .enter = enter});
    volume = text("%s/mount:/mnt:%s", directory, attack->mode);
    return run(&(struct command){
        .argv = LIST(built("husk-test"), "run", "--isolate", "-v", volume, guest, attack->name),
        .directory = directory,
        .enter = enter});
}

static void test_taken_over_monitor_finds_nothing(void **state)
{
    const struct attack *attack = *state;

    need_kvm();
    if (!can_isolate(NULL) ||
        (attack->wanted == -EACCES && !host_has("Landlock confines files", NULL)))
        skip();
    assert_ends_as_wanted(take_over(attack, NULL), attack);
    if (geteuid() == 0 && can_isolate(enter_as_nobody))
        assert_ends_as_wanted(take_over(attack, enter_as_nobody), attack);
}

static void test_run_in_isolation_is_as_any_other(void **state)
{
    const struct result *result;

    (void)state;
    need_kvm();
    if (!can_isolate(NULL))
        skip();
    result = HUSK("run", "--isolate", "--trace", "-v", text("%s/mount:/mnt", directory), "-v",
                  text("%s/secret:/etc/secret", directory), "-w", "/mnt", built("apps/cat"), "file",
                  "/etc/secret");
    assert_status(result, 0);
    assert_prints(result, "file\nSECRET\n");
    assert_complains(result, "exit_group(0)");
    result = HUSK("run", "--isolate", built("apps/crash"), "null-read");
    assert_status(result, 128 + SIGSEGV);
    assert_complains(result, "main+0x");
}

static bool write_string(const char *path, const char *string)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd >= 0 && write(fd, string, strlen(string)) > 0 && close(fd) == 0;
}

/* As nobody, in a user namespace whose limit is not the host's. */
static bool enter_without_user_namespaces(void)
{
    return enter_as_nobody() && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0 &&
           unshare(CLONE_NEWUSER) == 0 && write_string("/proc/self/uid_map", "65534 65534 1") &&
           write_string("/proc/sys/user/max_user_namespaces", "0");
}

static void test_run_without_user_namespaces_says_what_to_do(void **state)
{
    const struct result *result;

    (void)state;
    need_kvm();
    result = run(&(struct command){.argv = LIST(husk(), "run", "--isolate", built("apps/hello")),
                                   .enter = enter_without_user_namespaces});
    assert_status(result, FAILED);
    assert_complains(result, "--isolate: no more user namespaces");
    assert_complains(result, "sysctl user.max_user_namespaces");
    assert_prints(result, "");
    result = run(
        &(struct command){.argv = LIST(husk(), "doctor"), .enter = enter_without_user_namespaces});
    assert_status(result, 0);
    assert_shows(result, "missing isolate    --isolate: no more user namespaces");
}

static void test_directory_as_input_is_refused(void **state)
{
    int fd = open("/", O_RDONLY | O_DIRECTORY);
    const struct result *result;

    (void)state;
    need_kvm();
    result = run(&(struct command){.argv = LIST(husk(), "run", "--isolate", built("apps/hello")),
                                   .fd = {fd}});
    close(fd);
    assert_status(result, FAILED);
    assert_complains(result, "descriptor 0 is a directory");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_in_isolation_is_as_any_other),
        cmocka_unit_test(test_run_without_user_namespaces_says_what_to_do),
        cmocka_unit_test(test_directory_as_input_is_refused),
    };
    struct test_list list = {0};

    add_attacks(&list, attacks, COUNT(attacks), test_taken_over_monitor_finds_nothing);
    for (size_t i = 0; i < COUNT(tests); i++)
        test_list_add(&list, tests[i].name, tests[i].test_func, NULL);
    return test_list_run(&list, "isolate", make_attacked_directory, remove_directory);
}
