/* SPDX-License-Identifier: ISC */
/* setuid and its kin. Says the same for root and for others: what depends on it is a relation. */
#define _GNU_SOURCE
#include "check.h"

#include <errno.h>
#include <grp.h>
#include <sys/syscall.h>
#include <unistd.h>

static uid_t real, effective, saved;

static bool ids_are(uid_t r, uid_t e, uid_t s)
{
    getresuid(&real, &effective, &saved);
    return real == r && effective == e && saved == s;
}

int main(void)
{
    const bool privileged = geteuid() == 0;
    const uid_t me = getuid(), other = me + 4711;
    gid_t group;

    check(ids_are(me, me, me), "real, effective and saved user are the same");
    check(setresuid(-1, -1, -1) == 0 && ids_are(me, me, me), "setresuid of nothing");
    check(setuid(me) == 0 && ids_are(me, me, me), "setuid to oneself");
    check_error(syscall(SYS_setuid, -1), EINVAL, "setuid(-1)");
    check(setreuid(me, me) == 0 && seteuid(me) == 0, "setreuid and seteuid to oneself");

    group = getgid();
    check(setresgid(group, group, group) == 0 && getegid() == group, "setresgid to oneself");
    check((setgid(group + 1) == 0) == privileged, "setgid to another, for root only");
    check((setgroups(1, &group) == 0) == privileged, "setgroups, for root only");
    check(!privileged || (getgroups(0, NULL) == 1 && getgroups(1, &group) == 1),
          "getgroups tells what was set");
    check_error(syscall(SYS_getgroups, -1, &group), EINVAL, "getgroups of less than none");

    /* Down for a while, and up again by the saved one. */
    check((seteuid(other) == 0) == privileged, "seteuid to another, for root only");
    check(!privileged || (ids_are(0, other, 0) && setuid(other + 1) < 0 && errno == EPERM),
          "then a third is out of reach");
    check(!privileged || (seteuid(0) == 0 && ids_are(0, 0, 0)), "the saved one is not");

    /* Down for good. */
    check((setuid(other) == 0) == privileged, "setuid to another, for root only");
    check(!privileged || ids_are(other, other, other), "it changes all three");
    check(setuid(other + 1) < 0 && errno == EPERM, "there is no way back");
    check(setresuid(-1, other + 1, -1) < 0 && errno == EPERM, "nor for the effective one");
    return exit_status();
}
