/* SPDX-License-Identifier: ISC
 *
 * Processes, sockets, KVM, memory, and the rest of the kernel.
 */
#include "attack.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

static long lock_with_priority(void)
{
    uint32_t word = 0;

    return CALL(SYS_futex, &word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
}

static long move_init(void)
{
    return CALL(SYS_sched_setaffinity, 1, 0, NULL);
}

static long inet_socket(void)
{
    return CALL(SYS_socket, AF_INET, SOCK_STREAM, 0);
}

/* TCP to a port of this machine at which nobody listens. */
static long connect_to(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    long fd = inet_socket();

    return fd < 0 ? fd : CALL(SYS_connect, fd, &address, sizeof(address));
}

static long connect_to_1(void)
{
    return connect_to(1);
}

static long connect_to_2(void)
{
    return connect_to(2);
}

static long bind_port(void)
{
    const struct sockaddr_in address = {.sin_family = AF_INET};
    long fd = inet_socket();

    return fd < 0 ? fd : CALL(SYS_bind, fd, &address, sizeof(address));
}

static long unix_socket(void)
{
    return CALL(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
}

static long raw_socket(void)
{
    return CALL(SYS_socket, AF_PACKET, SOCK_RAW, 0);
}

static long netlink_socket(void)
{
    return CALL(SYS_socket, AF_NETLINK, SOCK_RAW, 0);
}

static long shell(void)
{
    char *const argv[] = {"/bin/sh", NULL};

    return CALL(SYS_execve, argv[0], argv, argv + 1);
}

static long fork_call(void)
{
    return CALL(SYS_fork);
}

static long thread(void)
{
    return CALL(SYS_clone, CLONE_VM | CLONE_THREAD | CLONE_SIGHAND, 0, 0, 0, 0);
}

static long clone3_call(void)
{
    return CALL(SYS_clone3, NULL, 0);
}

static long trace_parent(void)
{
    return CALL(SYS_ptrace, PTRACE_ATTACH, getppid(), 0, 0);
}

static long trace_init(void)
{
    return CALL(SYS_ptrace, PTRACE_ATTACH, 1, 0, 0);
}

static long read_init(void)
{
    return CALL(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0);
}

static long kill_init(void)
{
    return CALL(SYS_kill, 1, 0);
}

static long new_vm(void)
{
    return result(ioctl(taken->vm.kvm, KVM_CREATE_VM, 0));
}

static long new_vcpu(void)
{
    return result(ioctl(taken->vm.vm, KVM_CREATE_VCPU, 1));
}

static long push_input(void)
{
    return result(ioctl(0, TIOCSTI, "x"));
}

static long execute_memory(void)
{
    return CALL(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long execute_own_data(void)
{
    return CALL(SYS_mprotect, (uintptr_t)&mount_fd & ~4095UL, 4096,
                PROT_READ | PROT_WRITE | PROT_EXEC);
}

static long execute_by_key(void)
{
    return CALL(SYS_pkey_mprotect, (uintptr_t)&mount_fd & ~4095UL, 4096, PROT_EXEC, -1);
}

static long unfilter(void)
{
    return CALL(SYS_prctl, PR_SET_SECCOMP, 0, 0, 0, 0);
}

static long dump_core(void)
{
    return CALL(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static long raise_limit(void)
{
    return CALL(SYS_prlimit64, 0, RLIMIT_CORE, NULL, NULL);
}

static long unshare_call(void)
{
    return CALL(SYS_unshare, CLONE_NEWUSER);
}

static long mount_call(void)
{
    return CALL(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL);
}

static long chroot_call(void)
{
    return CALL(SYS_chroot, "/");
}

static long set_user(void)
{
    return CALL(SYS_setuid, 0);
}

static long io_uring(void)
{
    return CALL(SYS_io_uring_setup, 1, NULL);
}

static long bpf_call(void)
{
    return CALL(SYS_bpf, 0, NULL, 0);
}

static long perf_events(void)
{
    return CALL(SYS_perf_event_open, NULL, 0, -1, -1, 0);
}

static long user_faults(void)
{
    return CALL(SYS_userfaultfd, 0);
}

/* Files of memory are there, but nothing in one is executed. */
static long memory_file(void)
{
    long fd = CALL(SYS_memfd_create, "x", 0);

    return fd < 0 ? fd : CALL(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
}

static long load_module(void)
{
    return CALL(SYS_finit_module, 0, "", 0);
}

static long handle_open(void)
{
    return CALL(SYS_open_by_handle_at, AT_FDCWD, NULL, 0);
}

static long x32_call(void)
{
    return CALL(0x40000000L | SYS_getpid);
}

static long call_of_32_bits(void)
{
    long ret;

    __asm__ volatile("int $0x80" : "=a"(ret) : "a"(20L) : "memory"); /* getpid */
    return ret;
}

/* The CPU time of process 1: clock_getcpuclockid(3). */
#define CLOCK_OF_INIT (~1 * 8 + 2)

static long time_of_init(void)
{
    struct timespec time;

    return CALL(SYS_clock_gettime, CLOCK_OF_INIT, &time);
}

static long wait_for_init(void)
{
    const struct timespec time = {.tv_nsec = 1};

    return CALL(SYS_clock_nanosleep, CLOCK_OF_INIT, 0, &time, NULL);
}

static long timer_on_init(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    int timer;

    return CALL(SYS_timer_create, CLOCK_OF_INIT, &event, &timer);
}

static long nothing(void)
{
    return CALL(SYS_getpid) > 0 ? 0 : -1;
}

const struct attack attacks_on_system[] = {
    {"nothing", nothing},
    {"lock-with-priority", lock_with_priority},
    {"move-init", move_init},
    {"time-of-init", time_of_init},
    {"wait-for-init", wait_for_init},
    {"timer-on-init", timer_on_init},
    {"inet-socket", inet_socket},
    {"connect-to-1", connect_to_1},
    {"connect-to-2", connect_to_2},
    {"bind-port", bind_port},
    {"unix-socket", unix_socket},
    {"raw-socket", raw_socket},
    {"netlink-socket", netlink_socket},
    {"shell", shell},
    {"fork", fork_call},
    {"thread", thread},
    {"clone3", clone3_call},
    {"trace-parent", trace_parent},
    {"trace-init", trace_init},
    {"read-init", read_init},
    {"kill", kill_init},
    {"new-vm", new_vm},
    {"new-vcpu", new_vcpu},
    {"push-input", push_input},
    {"execute-memory", execute_memory},
    {"execute-own-data", execute_own_data},
    {"execute-by-key", execute_by_key},
    {"unfilter", unfilter},
    {"dump-core", dump_core},
    {"raise-limit", raise_limit},
    {"unshare", unshare_call},
    {"mount", mount_call},
    {"chroot", chroot_call},
    {"set-user", set_user},
    {"io-uring", io_uring},
    {"bpf", bpf_call},
    {"perf-events", perf_events},
    {"user-faults", user_faults},
    {"memory-file", memory_file},
    {"load-module", load_module},
    {"handle-open", handle_open},
    {"x32", x32_call},
    {"32-bits", call_of_32_bits},
    {NULL, NULL},
};
