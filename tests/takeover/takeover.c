/* SPDX-License-Identifier: ISC
 *
 * A monitor that a guest has taken over, for tests of the jail: build/husk-test is husk with this
 * linked in, in front of HUSK_OP_MARK (ld's --wrap). The operation (TAKEOVER_MARK, &name, length)
 * then makes the system call that the name stands for, with the monitor's rights, and returns its
 * result. Never a part of husk.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "hypercall.h"
#include "resolve.h"
#include "takeover.h"

hypercall_fn __real_serve_mark, __wrap_serve_mark;

static int mount_fd = -1;
static struct run *taken;

static long result(long returned)
{
    return returned < 0 ? -errno : returned;
}
#define CALL(...) result(syscall(__VA_ARGS__))

static long open_at(int dir, const char *path, uint64_t flags)
{
    struct open_how how = {.flags = flags, .mode = flags & O_CREAT ? 0600 : 0};

    return CALL(SYS_openat2, dir, path, &how, sizeof(how));
}

static long open_call(void)
{
    return CALL(SYS_open, "/etc/passwd", O_RDONLY);
}

static long openat_call(void)
{
    return CALL(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static long open_passwd(void)
{
    return open_at(AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static long open_above_mount(void)
{
    return open_at(mount_fd, "../secret", O_RDONLY);
}

static long open_root(void)
{
    return open_at(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY);
}

static long open_kvm(void)
{
    return open_at(AT_FDCWD, "/dev/kvm", O_RDWR);
}

static long open_memory(void)
{
    return open_at(AT_FDCWD, "/proc/self/mem", O_RDWR);
}

static long open_in_mount(void)
{
    return open_at(mount_fd, "file", O_RDONLY) >= 0 ? 0 : -1;
}

static long write_in_mount(void)
{
    return open_at(mount_fd, "file", O_RDWR);
}

static long create_in_mount(void)
{
    return open_at(mount_fd, "new", O_RDWR | O_CREAT);
}

static long write_above_mount(void)
{
    return open_at(mount_fd, "../secret", O_WRONLY);
}

static long create_above_mount(void)
{
    return open_at(mount_fd, "../new", O_WRONLY | O_CREAT);
}

static long truncate_above_mount(void)
{
    return open_at(mount_fd, "../secret", O_RDONLY | O_TRUNC);
}

/* A path alone is found, but leads to nothing. */
static long read_through_path(void)
{
    long fd = open_at(mount_fd, "../secret", O_PATH);
    char path[40], byte;

    if (fd < 0 || CALL(SYS_read, fd, &byte, 1) != -EBADF)
        return 0;
    snprintf(path, sizeof(path), "/proc/self/fd/%ld", fd);
    return open_at(AT_FDCWD, path, O_RDONLY);
}

static long unlink_above_mount(void)
{
    return CALL(SYS_unlinkat, mount_fd, "../secret", 0);
}

static long rename_from_above(void)
{
    return CALL(SYS_renameat2, mount_fd, "../secret", mount_fd, "stolen", 0);
}

static long rename_to_above(void)
{
    return CALL(SYS_renameat2, mount_fd, "file", mount_fd, "../secret", 0);
}

static long link_from_above(void)
{
    return CALL(SYS_linkat, mount_fd, "../secret", mount_fd, "stolen", 0);
}

static long mkdir_above(void)
{
    return CALL(SYS_mkdirat, mount_fd, "../new", 0700);
}

static long symlink_above(void)
{
    return CALL(SYS_symlinkat, "/etc/passwd", mount_fd, "../new");
}

static long make_directory(void)
{
    return CALL(SYS_mkdirat, mount_fd, "directory", 0700);
}

static long make_fifo(void)
{
    return CALL(SYS_mknodat, mount_fd, "fifo", 010600, 0);
}

static long change_mode(void)
{
    return CALL(452 /* fchmodat2 */, mount_fd, "file", 0777, 0);
}

static long look_outside(void)
{
    char buffer[256];

    return CALL(SYS_statx, AT_FDCWD, "/etc/passwd", 0, 0, buffer);
}

/* The kernel heeds the flag only where there is no path. */
static long look_with_empty_path(void)
{
    char buffer[256];

    return CALL(SYS_statx, AT_FDCWD, "/etc/passwd", AT_EMPTY_PATH, 0, buffer);
}

static long look_at(int dir, const char *path)
{
    char buffer[256];

    return CALL(SYS_statx, dir, path, 0, 0, buffer);
}

static long look_at_proc(void)
{
    return look_at(AT_FDCWD, "/proc/self/status");
}

static long look_above_mount(void)
{
    return look_at(mount_fd, "../secret");
}

static long look_at_workdir(void)
{
    return look_at(AT_FDCWD, "secret");
}

/* Of --isolate: the monitor's own descriptors, and nothing else of /proc. */
static long look_above_descriptors(void)
{
    return look_at(taken->mounts->descriptors, "../status");
}

static long find_above_mount(void)
{
    return open_at(mount_fd, "../secret", O_PATH) >= 0 ? 0 : -errno;
}

static long find_through_descriptor(void)
{
    char path[40];

    snprintf(path, sizeof(path), "%d/../secret", mount_fd);
    return open_at(taken->mounts->descriptors, path, O_PATH) >= 0 ? 0 : -errno;
}

static long read_link_above(void)
{
    char target[16];

    return CALL(SYS_readlinkat, mount_fd, "../link", target, sizeof(target));
}

static long access_above(void)
{
    return CALL(439 /* faccessat2 */, mount_fd, "../secret", R_OK, 0);
}

static long change_mode_above(void)
{
    return CALL(SYS_fchmodat, mount_fd, "../secret", 0644);
}

static long change_group_above(void)
{
    return CALL(SYS_fchownat, mount_fd, "../secret", -1, -1, 0);
}

static long change_times_above(void)
{
    return CALL(SYS_utimensat, mount_fd, "../secret", NULL, 0);
}

static long change_times_outside(void)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/../secret", taken->options->volumes[0].host);
    return CALL(SYS_utimensat, AT_FDCWD, path, NULL, 0);
}

static long make_in_root(void)
{
    return CALL(SYS_mkdirat, AT_FDCWD, "/new", 0700);
}

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

static long memory_file(void)
{
    return CALL(SYS_memfd_create, "x", 0);
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

static const struct {
    const char *name;
    long (*attack)(void);
} attacks[] = {
    {"nothing", nothing},
    {"open", open_call},
    {"openat", openat_call},
    {"open-passwd", open_passwd},
    {"open-root", open_root},
    {"open-kvm", open_kvm},
    {"open-memory", open_memory},
    {"open-above-mount", open_above_mount},
    {"open-in-mount", open_in_mount},
    {"write-in-mount", write_in_mount},
    {"create-in-mount", create_in_mount},
    {"write-above-mount", write_above_mount},
    {"create-above-mount", create_above_mount},
    {"truncate-above-mount", truncate_above_mount},
    {"read-through-path", read_through_path},
    {"unlink-above-mount", unlink_above_mount},
    {"rename-from-above", rename_from_above},
    {"rename-to-above", rename_to_above},
    {"link-from-above", link_from_above},
    {"mkdir-above", mkdir_above},
    {"symlink-above", symlink_above},
    {"make-directory", make_directory},
    {"make-fifo", make_fifo},
    {"change-mode", change_mode},
    {"look-outside", look_outside},
    {"look-with-empty-path", look_with_empty_path},
    {"look-at-proc", look_at_proc},
    {"look-above-mount", look_above_mount},
    {"look-at-workdir", look_at_workdir},
    {"look-above-descriptors", look_above_descriptors},
    {"find-above-mount", find_above_mount},
    {"find-through-descriptor", find_through_descriptor},
    {"read-link-above", read_link_above},
    {"access-above", access_above},
    {"change-mode-above", change_mode_above},
    {"change-group-above", change_group_above},
    {"change-times-above", change_times_above},
    {"change-times-outside", change_times_outside},
    {"make-in-root", make_in_root},
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
};

int64_t __wrap_serve_mark(struct run *run, const struct husk_desc *desc)
{
    char name[32] = {0};

    if (desc->arg[0] != TAKEOVER_MARK)
        return __real_serve_mark(run, desc);
    if (desc->arg[2] >= sizeof(name) ||
        memory_read(&run->memory, name, desc->arg[1], desc->arg[2]) < 0)
        return -EFAULT;
    taken = run;
    mount_fd = run->mounts->count ? run->mounts->table[0].fd : -1;
    for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++)
        if (strcmp(name, attacks[i].name) == 0)
            return attacks[i].attack();
    return -ENOEXEC;
}
