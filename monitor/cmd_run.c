/* SPDX-License-Identifier: ISC
 *
 * husk run: set up one VM, run the program in it, exit with its status.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "commands.h"
#include "help.h"
#include "hypercall.h"
#include "interrupt.h"
#include "isolate.h"
#include "jail.h"
#include "locals.h"
#include "report.h"
#include "run_limits.h"

void run_end(struct run *run, int status)
{
    if (run->ended)
        return;
    run->ended = true;
    run->status = status;
    stats_step(&run->stats, "exit");
}

static void on_kvm_step(void *context, const char *name)
{
    struct run *run = context;

    stats_step(&run->stats, name);
}

/*
 * Kind and access mode of descriptor FD, as the guest will see it. A closed one stays closed for
 * the guest, but nothing that husk opens may take its place: messages would go there.
 */
static void look_at_stdio(int fd, struct boot_request *request)
{
    struct stat status;
    int flags = fcntl(fd, F_GETFL);
    char termios[64];

    request->stdio_kind[fd] = HUSK_KIND_NONE;
    if (flags < 0)
        open("/dev/null", O_RDWR); /* the lowest free descriptor: FD */
    if (flags < 0 || fstat(fd, &status) < 0)
        return;
    request->stdio_flags[fd] = flags & O_ACCMODE;
    if (S_ISREG(status.st_mode))
        request->stdio_kind[fd] = HUSK_KIND_SHARED;
    else if (S_ISCHR(status.st_mode) && ioctl(fd, TCGETS, termios) == 0)
        request->stdio_kind[fd] = HUSK_KIND_TTY;
    else
        request->stdio_kind[fd] = HUSK_KIND_STREAM;
}

static int open_mounts(struct run *run, struct boot_request *request, struct husk_error *err)
{
    const struct run_options *options = run->options;

    run->mounts = mounts_new();
    if (!run->mounts)
        return error_set(err, STATUS_HUSK, "out of memory");
    for (size_t i = 0; i < options->volume_count; i++) {
        const struct volume_option *volume = &options->volumes[i];

        if (mounts_add(run->mounts, volume->host, volume->guest,
                       (volume->writable ? MOUNT_WRITABLE : 0) |
                           (volume->devices ? MOUNT_DEVICES : 0),
                       err) < 0)
            return -1;
    }
    if (options->isolate && isolate_mounts(run->mounts, err) < 0)
        return -1;
    return locals_add(options, run->mounts, request, err);
}

/* A working directory that the guest serves: it has no other directory before the program starts.
 */
static int enter_local(const struct run *run, struct boot_request *request)
{
    char path[HUSK_PATH_MAX];
    int len = mounts_resolve(run->mounts, NULL, run->options->workdir, HUSK_END_FOLLOW, path);

    while (len > 0 && path[len - 1] == '/')
        path[--len] = '\0';
    for (unsigned i = 0; i < request->local_count; i++) {
        const struct husk_local *local = &request->locals[i];

        if (len > 0 && strcmp(local->path, path) == 0) {
            request->cwd = local->path;
            return 0;
        }
    }
    return len < 0 ? len : -ENOENT;
}

/* Open the working directory: its path without links goes to REQUEST. */
static int enter_workdir(struct run *run, struct boot_request *request, struct husk_error *err)
{
    struct opened opened;
    int64_t handle;
    int ret;

    request->cwd = "/";
    request->cwd_handle = HUSK_DIR_ROOT;
    if (strcmp(run->options->workdir, "/") == 0)
        return 0;
    ret = mounts_open(run->mounts, NULL, run->options->workdir, O_PATH | O_DIRECTORY, 0, &opened);
    if (ret == -EREMOTE && (ret = enter_local(run, request)) == 0)
        return 0;
    if (ret < 0)
        return error_set(err, STATUS_HUSK, "--workdir %s: %s in the guest; make it visible with -v",
                         run->options->workdir, strerror(-ret));
    handle = handles_insert(&run->handles, &opened);
    request->cwd = handles_get(&run->handles, (uint64_t)handle)->dir.path;
    request->cwd_handle = (uint64_t)handle;
    return 0;
}

/* Where --trace or --stats (NAME) write, opened before the guest runs: -1 if FILE is NULL. */
static int open_output(const char *name, const char *file, int *fd, struct husk_error *err)
{
    *fd = -1;
    if (!file)
        return 0;
    *fd = *file ? open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)
                : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    if (*fd < 0)
        return error_set(err, STATUS_HUSK, "%s=%s: %s", name, file, strerror(errno));
    return 0;
}

static int start_limits(const struct run *run, uint64_t *ignored, struct husk_error *err)
{
    int ret =
        interrupt_init(run->vm.run, run->options->timeout_ns, run->options->cpu_time_ns, ignored);

    return ret < 0 ? error_set(err, STATUS_HUSK, "--cpu-time: the host gives no timer: %s",
                               strerror(-ret))
                   : 0;
}

static int prepare(struct run *run, struct husk_error *err)
{
    const struct run_options *options = run->options;
    struct boot_request request = {0};

    for (int fd = 0; fd < 3; fd++)
        look_at_stdio(fd, &request);
    handles_init(&run->handles, request.stdio_kind);
    run->handles.max_files = options->max_files;
    run->handles.max_sockets = options->max_sockets;
    run->output_left = options->max_output;
    if (limits_start(options, err) < 0 ||
        (options->isolate &&
         isolate_begin(options->publish_count + options->connect_count > 0, err) < 0))
        return -1;
    if (program_open(&run->program, options->image, err) < 0 ||
        open_mounts(run, &request, err) < 0 || enter_workdir(run, &request, err) < 0 ||
        open_output("--trace", options->trace, &run->trace_fd, err) < 0 ||
        open_output("--stats", options->stats, &run->stats.fd, err) < 0 ||
        net_start(&run->network, options, run->trace_fd, err) < 0)
        return -1;
    request.umask = umask(0); /* guest-rt applies it, and the guest can change it */
    stats_step(&run->stats, "parse");
    if (vm_create(&run->vm, options->memory, options->stats ? on_kvm_step : NULL, run, err) < 0 ||
        memory_create(&run->memory, options->memory, vm_register_pages, &run->vm, err) < 0 ||
        program_load(&run->program, &run->memory, err) < 0)
        return -1;
    stats_step(&run->stats, "load");
    if (vm_create_vcpu(&run->vm, &run->memory, &run->program.rt, err) < 0)
        return -1;
    if (start_limits(run, &request.ignored, err) < 0)
        return -1;
    request.flags = (options->trace ? HUSK_BOOT_TRACE : 0) |
                    (options->stats ? HUSK_BOOT_STATS : 0) |
                    (run->vm.fsgsbase ? HUSK_BOOT_FSGSBASE : 0);
    if (options->stats)
        request.main_break = program_find_main(&run->program);
    if (program_start(&run->program, &run->memory, options->arguments, options->environment,
                      options->environment_count, &request, err) < 0)
        return -1;
    stats_step(&run->stats, "ready");
    return 0;
}

static int confine(struct run *run, struct husk_error *err)
{
    struct jail_report report;

    if (run->options->isolate && isolate_end(err) < 0)
        return -1;
    jail_enter(run, &report);
    stats_step(&run->stats, "jail");
    for (enum jail_layer layer = 0; layer < JAIL_LAYERS; layer++)
        if (report.error[layer] && run->options->require_jail)
            return error_set(err, STATUS_HUSK, "--require-jail: no %s on this host: %s; %s",
                             jail_layer_name(layer), strerror(report.error[layer]),
                             jail_layer_advice(layer));
    return 0;
}

/* A port access that is no doorbell ends the run. */
static void on_io(struct run *run)
{
    const struct kvm_run *exit = run->vm.run;
    const uint32_t *data = (const uint32_t *)((const char *)exit + exit->io.data_offset);

    if (exit->io.port != HUSK_PORT || exit->io.direction != KVM_EXIT_IO_OUT || exit->io.size != 4 ||
        exit->io.count != 1 || hypercall_serve(run, *data) < 0) {
        report_exit(run, "access to I/O port 0x%x (SIGSEGV)", exit->io.port);
        run_end(run, 128 + SIGSEGV);
    }
}

static void on_mmio(struct run *run)
{
    const struct kvm_run *exit = run->vm.run;

    report_exit(run, "%s guest-physical address 0x%llx, where there is no memory (SIGSEGV)",
                exit->mmio.is_write ? "write to" : "read of",
                (unsigned long long)exit->mmio.phys_addr);
    run_end(run, 128 + SIGSEGV);
}

/* KVM found no host page behind guest memory: a mapped file is shorter than its mapping. */
static void on_lost_page(struct run *run)
{
    report_exit(run, "access to a mapped file beyond its end (SIGBUS)");
    run_end(run, 128 + SIGBUS);
}

static void on_hlt(struct run *run)
{
    report_exit(run, "the vCPU halted (SIGSEGV)");
    run_end(run, 128 + SIGSEGV);
}

static void on_shutdown(struct run *run)
{
    report_exit(run, "triple fault (SIGSEGV)");
    run_end(run, 128 + SIGSEGV);
}

static void on_internal_error(struct run *run)
{
    const struct kvm_run *exit = run->vm.run;

    report_exit(run, "KVM internal error %u%s", exit->internal.suberror,
                exit->internal.suberror == KVM_INTERNAL_ERROR_EMULATION
                    ? ": it cannot emulate this instruction"
                    : "");
    run_end(run, STATUS_HUSK);
}

static void on_fail_entry(struct run *run)
{
    report_exit(run, "KVM could not enter the guest: hardware reason 0x%llx",
                (unsigned long long)run->vm.run->fail_entry.hardware_entry_failure_reason);
    run_end(run, STATUS_HUSK);
}

static void on_interrupt(struct run *run)
{
    (void)run; /* run_until_ended looks for what came after every exit */
}

static void on_unknown(struct run *run)
{
    report_exit(run, "KVM exit %u, which husk does not know", run->vm.run->exit_reason);
    run_end(run, STATUS_HUSK);
}

static void (*const exits[])(struct run *run) = {
    [KVM_EXIT_UNKNOWN] = on_unknown,   [KVM_EXIT_IO] = on_io,
    [KVM_EXIT_HLT] = on_hlt,           [KVM_EXIT_MMIO] = on_mmio,
    [KVM_EXIT_SHUTDOWN] = on_shutdown, [KVM_EXIT_FAIL_ENTRY] = on_fail_entry,
    [KVM_EXIT_INTR] = on_interrupt,    [KVM_EXIT_INTERNAL_ERROR] = on_internal_error,
};

static void on_exit_reason(struct run *run)
{
    uint32_t reason = run->vm.run->exit_reason;

    stats_exit(&run->stats, reason);
    if (reason < sizeof(exits) / sizeof(exits[0]) && exits[reason])
        exits[reason](run);
    else
        on_unknown(run);
}

static void check_interrupt(struct run *run)
{
    int interrupt = interrupt_pending();

    if (interrupt == INTERRUPT_NONE || run->ended)
        return;
    if (interrupt == INTERRUPT_TIME_LIMIT || interrupt == INTERRUPT_CPU_LIMIT) {
        fprintf(stderr, "husk: %s: %s\n", run->options->image,
                interrupt == INTERRUPT_TIME_LIMIT ? "time limit reached (--timeout)"
                                                  : "CPU time limit reached (--cpu-time)");
        run_end(run, STATUS_TIME_LIMIT);
    } else {
        run_end(run, 128 + interrupt);
    }
}

/*
 * Interrupt the guest if something came for it. After a hypercall it is enough to say so: guest-rt
 * looks before it goes back to the application. Elsewhere it may have looked already.
 */
static void pass_interruption(struct run *run, bool after_hypercall)
{
    struct husk_doorbell *doorbell = memory_host(&run->memory, HUSK_DESC_PAGE);
    struct husk_interrupted *where =
        (void *)((char *)memory_host(&run->memory, HUSK_RING0_STACK) + HUSK_INTERRUPTED_OFFSET);
    uint64_t signals;

    if (!interrupt_take(&signals))
        return;
    __atomic_fetch_or(&doorbell->pending.signals, signals, __ATOMIC_SEQ_CST);
    if (!after_hypercall && vm_interrupt(&run->vm, run->program.rt.interrupt, where))
        return;
    __atomic_store_n(&doorbell->pending.due, 1, __ATOMIC_SEQ_CST);
    if (!after_hypercall)
        interrupt_again();
}

static int run_until_ended(struct run *run, struct husk_error *err)
{
    while (!run->ended) {
        int ret = vm_run(&run->vm);

        if (ret == 0)
            on_exit_reason(run);
        else if (ret == -EINTR)
            run->stats.interrupted++;
        else if (ret == -EFAULT)
            on_lost_page(run);
        else if (ret != -EAGAIN)
            return error_set(err, STATUS_HUSK, "KVM_RUN: %s", strerror(-ret));
        check_interrupt(run);
        pass_interruption(run, ret == 0 && run->vm.run->exit_reason == KVM_EXIT_IO);
        if (run->memory.broken)
            return error_set(err, STATUS_HUSK,
                             "%s: the host refused a change of the guest's memory; are there too "
                             "many mappings (vm.max_map_count)?",
                             run->options->image);
    }
    hypercall_finish(run);
    return 0;
}

int cmd_run(char **argv)
{
    static struct run_options options;
    static struct run run;
    struct husk_error err = {0};

    if (options_parse_run(argv, &options, &err) < 0)
        return error_print(&err);
    if (options.help)
        return help_print("run");
    run.options = &options;
    stats_start(&run.stats, options.stats);
    if (prepare(&run, &err) < 0)
        return error_print(&err);
    if (confine(&run, &err) < 0 || run_until_ended(&run, &err) < 0)
        return error_print(&err);
    if (options.stats)
        stats_write(&run);
    /* The kernel takes everything back faster than we would. */
    return run.status;
}
