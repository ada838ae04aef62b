/* SPDX-License-Identifier: ISC */
/* Who the process is and where it runs; relations, not the numbers. */
#include "check.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

static void check_process(void)
{
    check(getpid() > 0, "getpid is positive");
    check(getpid() == getpid(), "getpid stays the same");
    check(syscall(SYS_gettid) == getpid(), "gettid is getpid");
    check(getppid() >= 0 && getppid() != getpid(), "getppid is another process");
    check(getpgrp() >= 0, "getpgrp answers");
    check(getpgid(0) == getpgrp() && getpgid(getpid()) == getpgrp(), "getpgid agrees");
    check(getsid(0) >= 0 && getsid(getpid()) == getsid(0), "getsid answers");
}

static void check_user(void)
{
    uid_t real = 1, effective = 2, saved = 3;
    gid_t real_group = 1, effective_group = 2, saved_group = 3;

    check(getuid() == geteuid(), "getuid is geteuid");
    check(getgid() == getegid(), "getgid is getegid");
    check(getresuid(&real, &effective, &saved) == 0 && real == getuid() && effective == geteuid() &&
              saved == geteuid(),
          "getresuid agrees");
    check(getresgid(&real_group, &effective_group, &saved_group) == 0 && real_group == getgid() &&
              effective_group == getegid() && saved_group == getegid(),
          "getresgid agrees");
    check(getgroups(0, NULL) >= 0, "getgroups answers");
    check_error(syscall(SYS_getgroups, -1, NULL), EINVAL, "getgroups of a negative size");
}

static void check_system(void)
{
    struct utsname system = {0};

    check(uname(&system) == 0, "uname answers");
    printf("%s on %s\n", system.sysname, system.machine);
    check(system.release[0] >= '2' && system.release[0] <= '9', "its release is a number");
    check(strchr(system.release, '.') != NULL, "with a dot");
    check(system.version[0] != '\0', "it has a version");
    check(system.nodename[0] != '\0', "it has a name");
}

/* What is set and told again, and nothing comes of it here. */
static void check_settings(void)
{
    int signal = -1, subreaper = -1;

    check(prctl(PR_SET_PDEATHSIG, SIGUSR1) == 0 && prctl(PR_GET_PDEATHSIG, &signal) == 0 &&
              signal == SIGUSR1,
          "the signal of a parent's death");
    check_error(prctl(PR_SET_PDEATHSIG, 65), EINVAL, "one that there is not");
    check(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && prctl(PR_GET_CHILD_SUBREAPER, &subreaper) == 0 &&
              subreaper == 1,
          "a subreaper");
    check(prctl(PR_SET_KEEPCAPS, 1) == 0 && prctl(PR_GET_KEEPCAPS) == 1, "kept capabilities");
    check(prctl(PR_SET_TIMERSLACK, 50000) == 0 && prctl(PR_GET_TIMERSLACK) == 50000,
          "slack of timers");
    check(prctl(PR_CAPBSET_READ, 0) >= 0, "a capability that may be had");
    check_error(prctl(PR_CAPBSET_READ, 1000), EINVAL, "one that there is not");
}

int main(void)
{
    check_process();
    check_user();
    check_system();
    check_settings();

    umask(027);
    printf("umask was %03o", umask(0177));
    printf(", then %03o\n", umask(07777));
    printf("only its permission bits count: %03o\n", umask(022));
    return exit_status();
}
