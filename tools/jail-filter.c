/* SPDX-License-Identifier: ISC
 *
 * Writes the jail's seccomp filters to standard output, as monitor/jail.h describes: which system
 * calls the monitor may make once the guest runs, and with which arguments. Anything else ends the
 * process with SIGSYS. Part of the build: libseccomp makes search trees of the table, which the
 * kernel takes in a tenth of the time that a list takes.
 *
 * To let the monitor make another call, add a line to the table: what it is needed for, the call,
 * and conditions on its arguments, where others would give something away: a start pays for each
 * instruction (the kernel compiles the filter, and runs it for each call number).
 */
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "jail.h"

#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452 /* Linux 6.6, newer than Debian 12's headers */
#endif

/* Conditions, on 32 bits of argument N. */
#define IS(n, value)        SCMP_CMP(n, SCMP_CMP_MASKED_EQ, 0xffffffff, (uint32_t)(value))
#define LACKS(n, bits)      SCMP_CMP(n, SCMP_CMP_MASKED_EQ, bits, 0)
#define HAS(n, mask, value) SCMP_CMP(n, SCMP_CMP_MASKED_EQ, mask, value)

/* A negative clock is the CPU time of another process, whosever it is. */
#define OWN_CLOCK(n) LACKS(n, 0x80000000)

/* SOCK_NONBLOCK and SOCK_CLOEXEC aside. */
#define SOCKET_TYPE(n, type) HAS(n, 0xffffffff & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), type)

/* clang-format off */
#define ALLOW(grants, call, ...) {grants, SCMP_SYS(call), {__VA_ARGS__}}
/* clang-format on */
#define ALWAYS 0U

#define THREAD                                                                                     \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |            \
     CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_DETACHED)

static const struct rule {
    unsigned grants; /* any of these (enum jail_grant), or ALWAYS */
    int call;
    struct scmp_arg_cmp conditions[3];
} rules[] = {
    /* The vCPU: run it, give it memory, registers for reports and interruptions, FS.base, clock. */
    ALLOW(ALWAYS, ioctl, IS(1, KVM_RUN)),
    ALLOW(ALWAYS, ioctl, IS(1, KVM_SET_USER_MEMORY_REGION)),
    ALLOW(ALWAYS, ioctl, IS(1, KVM_GET_REGS)),
    ALLOW(ALWAYS, ioctl, IS(1, KVM_SET_REGS)),
    ALLOW(ALWAYS, ioctl, IS(1, KVM_GET_VCPU_EVENTS)),
    ALLOW(ALWAYS, ioctl, IS(1, KVM_GET_SREGS)),
    ALLOW(ALWAYS, ioctl, IS(1, KVM_SET_SREGS)),
    ALLOW(ALWAYS, ioctl, IS(1, KVM_SET_MSRS)),

    /* Memory, the guest's and malloc's: nothing ever becomes executable. */
    ALLOW(ALWAYS, mmap, LACKS(2, PROT_EXEC)),
    ALLOW(ALWAYS, mprotect, LACKS(2, PROT_EXEC)),
    ALLOW(ALWAYS, munmap),
    ALLOW(ALWAYS, mremap),
    ALLOW(ALWAYS, madvise),
    ALLOW(ALWAYS, msync),
    ALLOW(ALWAYS, brk),
    ALLOW(ALWAYS, prctl, IS(0, PR_SET_THP_DISABLE)),
    ALLOW(ALWAYS, memfd_create), /* of any kind: it is memory */

    /* Descriptors that are there: standard input, output and error, the image, --trace, --stats. */
    ALLOW(ALWAYS, read),
    ALLOW(ALWAYS, write),
    ALLOW(ALWAYS, readv),
    ALLOW(ALWAYS, writev),
    ALLOW(ALWAYS, pread64),
    ALLOW(ALWAYS, preadv),
    ALLOW(ALWAYS, pwritev),
    ALLOW(ALWAYS, pwritev2),
    ALLOW(ALWAYS, lseek),
    ALLOW(ALWAYS, close),
    ALLOW(ALWAYS, fstat),
    ALLOW(ALWAYS, fstatfs),
    ALLOW(ALWAYS, ftruncate),
    ALLOW(ALWAYS, fallocate),
    ALLOW(ALWAYS, fsync),
    ALLOW(ALWAYS, fdatasync),
    ALLOW(ALWAYS, flock),
    ALLOW(ALWAYS, fcntl, IS(1, F_DUPFD_CLOEXEC)),
    ALLOW(ALWAYS, fcntl, IS(1, F_GETFD)),
    ALLOW(ALWAYS, fcntl, IS(1, F_GETFL)),
    ALLOW(ALWAYS, fcntl, IS(1, F_GETLK)),
    ALLOW(ALWAYS, fcntl, IS(1, F_SETLK)),
    ALLOW(ALWAYS, fcntl, IS(1, F_SETLKW)),
    ALLOW(ALWAYS, fcntl, IS(1, F_OFD_GETLK)),
    ALLOW(ALWAYS, fcntl, IS(1, F_OFD_SETLK)),
    ALLOW(ALWAYS, fcntl, IS(1, F_OFD_SETLKW)),
    ALLOW(ALWAYS, ioctl, IS(1, TCGETS)),
    ALLOW(ALWAYS, ioctl, IS(1, TCSETS)),
    ALLOW(ALWAYS, ioctl, IS(1, TCSETSW)),
    ALLOW(ALWAYS, ioctl, IS(1, TCSETSF)),
    ALLOW(ALWAYS, ioctl, IS(1, TIOCGWINSZ)),
    ALLOW(ALWAYS, ioctl, IS(1, FIONREAD)),
    ALLOW(ALWAYS, poll),
    ALLOW(ALWAYS, ppoll),
    ALLOW(ALWAYS, epoll_create1),
    ALLOW(ALWAYS, epoll_ctl),
    ALLOW(ALWAYS, epoll_pwait),
    ALLOW(ALWAYS, epoll_pwait2),

    /* Time, signals to husk, the end. */
    ALLOW(ALWAYS, clock_gettime, OWN_CLOCK(0)),
    ALLOW(ALWAYS, nanosleep),
    ALLOW(ALWAYS, setitimer),
    ALLOW(ALWAYS, timer_create, OWN_CLOCK(0)),
    ALLOW(ALWAYS, timer_settime),
    ALLOW(ALWAYS, rt_sigaction),
    ALLOW(ALWAYS, restart_syscall), /* a sleep that SIGSTOP and SIGCONT interrupted */
    ALLOW(ALWAYS, rt_sigreturn),
    ALLOW(ALWAYS, rt_sigprocmask),
    ALLOW(ALWAYS, getrandom),
    ALLOW(ALWAYS, getrusage),
    ALLOW(ALWAYS, getpid),
    ALLOW(ALWAYS, exit),
    ALLOW(ALWAYS, exit_group),

    /* Files of mounts. Landlock sees to which files are opened. */
    ALLOW(JAIL_FILES, openat2),
    ALLOW(JAIL_FILES, statx),
    ALLOW(JAIL_FILES, faccessat2),
    ALLOW(JAIL_FILES, readlinkat),
    ALLOW(JAIL_FILES, getdents64),

    ALLOW(JAIL_WRITE, mkdirat),
    ALLOW(JAIL_WRITE, symlinkat),
    ALLOW(JAIL_WRITE, unlinkat),
    ALLOW(JAIL_WRITE, renameat2),
    ALLOW(JAIL_WRITE, linkat),
    ALLOW(JAIL_WRITE, fchmod),
    ALLOW(JAIL_WRITE, fchmodat2),
    ALLOW(JAIL_WRITE, fchmodat), /* before Linux 6.6 */
    ALLOW(JAIL_WRITE, fchownat),
    ALLOW(JAIL_WRITE, utimensat),

    /* The server: one thread, and no process. */
    ALLOW(JAIL_FILES | JAIL_NETWORK, clone, IS(0, THREAD)),
    ALLOW(JAIL_FILES | JAIL_NETWORK, futex, HAS(1, ~(uint32_t)FUTEX_PRIVATE_FLAG, FUTEX_WAIT)),
    ALLOW(JAIL_FILES | JAIL_NETWORK, futex, HAS(1, ~(uint32_t)FUTEX_PRIVATE_FLAG, FUTEX_WAKE)),
    ALLOW(JAIL_FILES | JAIL_NETWORK, sched_getaffinity, IS(0, 0)),
    ALLOW(JAIL_FILES | JAIL_NETWORK, sched_setaffinity, IS(0, 0)),
    ALLOW(JAIL_FILES | JAIL_NETWORK, getcpu),

    /* Sockets. Those of -p are bound already; TCP is connected only where Landlock lets it. */
    ALLOW(JAIL_NETWORK, socket, IS(0, AF_INET), SOCKET_TYPE(1, SOCK_STREAM), IS(2, 0)),
    ALLOW(JAIL_NETWORK, socket, IS(0, AF_INET), SOCKET_TYPE(1, SOCK_DGRAM), IS(2, 0)),
    ALLOW(JAIL_NETWORK, socket, IS(0, AF_INET6), SOCKET_TYPE(1, SOCK_STREAM), IS(2, 0)),
    ALLOW(JAIL_NETWORK, socket, IS(0, AF_INET6), SOCKET_TYPE(1, SOCK_DGRAM), IS(2, 0)),
    ALLOW(JAIL_NETWORK, dup3),
    ALLOW(JAIL_NETWORK, listen),
    ALLOW(JAIL_NETWORK, accept4),
    ALLOW(JAIL_NETWORK, connect),
    ALLOW(JAIL_NETWORK, shutdown),
    ALLOW(JAIL_NETWORK, sendmsg),
    ALLOW(JAIL_NETWORK, sendfile),
    ALLOW(JAIL_NETWORK, recvmsg),
    ALLOW(JAIL_NETWORK, recvfrom),
    ALLOW(JAIL_NETWORK, getsockname),
    ALLOW(JAIL_NETWORK, getpeername),
    ALLOW(JAIL_NETWORK, getsockopt),
    ALLOW(JAIL_NETWORK, setsockopt, IS(1, SOL_SOCKET), IS(2, SO_REUSEADDR)),
    ALLOW(JAIL_NETWORK, setsockopt, IS(1, SOL_SOCKET), IS(2, SO_KEEPALIVE)),
    ALLOW(JAIL_NETWORK, setsockopt, IS(1, SOL_SOCKET), IS(2, SO_LINGER)),
    ALLOW(JAIL_NETWORK, setsockopt, IS(1, SOL_SOCKET), IS(2, SO_RCVBUF)),
    ALLOW(JAIL_NETWORK, setsockopt, IS(1, SOL_SOCKET), IS(2, SO_SNDBUF)),
    ALLOW(JAIL_NETWORK, setsockopt, IS(1, IPPROTO_IP), IS(2, IP_TOS)),
    ALLOW(JAIL_NETWORK, setsockopt, IS(1, IPPROTO_TCP), IS(2, TCP_NODELAY)),
    ALLOW(JAIL_NETWORK, setsockopt, IS(1, IPPROTO_TCP), IS(2, TCP_CORK)),
    ALLOW(JAIL_NETWORK, setsockopt, IS(1, IPPROTO_TCP), IS(2, TCP_KEEPIDLE)),
    ALLOW(JAIL_NETWORK, setsockopt, IS(1, IPPROTO_TCP), IS(2, TCP_KEEPINTVL)),
    ALLOW(JAIL_NETWORK, setsockopt, IS(1, IPPROTO_TCP), IS(2, TCP_KEEPCNT)),
    ALLOW(JAIL_NETWORK, setsockopt, IS(1, IPPROTO_TCP), IS(2, TCP_DEFER_ACCEPT)),
    ALLOW(JAIL_NETWORK, setsockopt, IS(1, IPPROTO_TCP), IS(2, TCP_QUICKACK)),
    ALLOW(JAIL_NETWORK, setsockopt, IS(1, IPPROTO_TCP), IS(2, TCP_USER_TIMEOUT)),
    ALLOW(JAIL_NETWORK, setsockopt, IS(1, IPPROTO_IPV6), IS(2, IPV6_TCLASS)),
    ALLOW(JAIL_NETWORK, setsockopt, IS(1, IPPROTO_IPV6), IS(2, IPV6_V6ONLY)),
};

static _Noreturn void fail(const char *what, int error)
{
    fprintf(stderr, "jail-filter: %s: %s\n", what, strerror(error));
    exit(1);
}

/* libseccomp wants no call twice, once with conditions and once without. */
static bool is_allowed_without_conditions(int call, unsigned grants)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (rules[i].call == call && !rules[i].conditions[0].op &&
            (rules[i].grants == ALWAYS || rules[i].grants & grants))
            return true;
    return false;
}

static void add_rule(scmp_filter_ctx filter, const struct rule *rule)
{
    unsigned count = 0;
    int ret;

    while (count < 3 && rule->conditions[count].op)
        count++;
    ret = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, rule->call, count, rule->conditions);
    if (ret < 0) {
        fprintf(stderr, "jail-filter: rule %td, call %d\n", rule - rules, rule->call);
        fail("seccomp_rule_add_array", -ret);
    }
}

/* The filter for a combination of grants, appended to OUT. */
static struct jail_filter export_filter(unsigned grants, FILE *out)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    long from = ftell(out);
    int ret;

    if (!filter)
        fail("seccomp_init", ENOMEM);
    if ((ret = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2)) < 0 ||
        (ret = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS)) < 0)
        fail("seccomp_attr_set", -ret);
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if ((rules[i].grants == ALWAYS || rules[i].grants & grants) &&
            (!rules[i].conditions[0].op || !is_allowed_without_conditions(rules[i].call, grants)))
            add_rule(filter, &rules[i]);
    if ((ret = seccomp_export_bpf(filter, fileno(out))) < 0)
        fail("seccomp_export_bpf", -ret);
    seccomp_release(filter);
    fseek(out, 0, SEEK_END);
    return (struct jail_filter){(unsigned)from / sizeof(struct sock_filter),
                                (unsigned)(ftell(out) - from) / sizeof(struct sock_filter)};
}

int main(void)
{
    struct jail_filter filters[JAIL_COMBINATIONS];
    FILE *code = tmpfile();
    char buffer[4096];
    size_t got;

    if (!code)
        fail("tmpfile", errno);
    for (unsigned grants = 0; grants < JAIL_COMBINATIONS; grants++)
        filters[grants] = export_filter(grants, code);
    fwrite(filters, sizeof(filters), 1, stdout);
    rewind(code);
    while ((got = fread(buffer, 1, sizeof(buffer), code)) > 0)
        fwrite(buffer, 1, got, stdout);
    if (ferror(code) || fflush(stdout) == EOF)
        fail("standard output", errno);
    return 0;
}
