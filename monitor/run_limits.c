/* SPDX-License-Identifier: ISC */
#include "run_limits.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cleanup.h"

#define CGROUPS "/sys/fs/cgroup"

static int refuse_cgroup(const char *name, int error, struct husk_error *err)
{
    const char *cure = "";

    if (error == ENOENT)
        cure = "; make it with mkdir first";
    else if (error == EACCES || error == EPERM)
        cure =
            "; it must be delegated to you, e.g. by `systemd-run --user --scope -p Delegate=yes`";
    else if (error == EBUSY)
        cure = "; only a cgroup without cgroups below it takes processes";
    return error_set(err, STATUS_HUSK, "--cgroup %.200s: %s%s", name, strerror(error), cure);
}

static int refuse_other(const char *name, struct husk_error *err)
{
    return error_set(err, STATUS_HUSK,
                     "--cgroup %.200s: not a directory of a cgroup v2 file system", name);
}

static int enter_cgroup(const char *name, struct husk_error *err)
{
    char path[PATH_MAX];
    cleanup_fd int fd = -1;
    struct statfs fs;

    if (snprintf(path, sizeof(path), "%s%s/cgroup.procs", *name == '/' ? "" : CGROUPS "/", name) >=
        (int)sizeof(path))
        return refuse_cgroup(name, ENAMETOOLONG, err);
    fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        int error = errno;

        *strrchr(path, '/') = '\0';
        return error == ENOENT && access(path, F_OK) == 0 ? refuse_other(name, err)
                                                          : refuse_cgroup(name, error, err);
    }
    if (fstatfs(fd, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
        return refuse_other(name, err);
    /* cgroups(7): 0 is the writer itself. */
    return write(fd, "0", 1) < 0 ? refuse_cgroup(name, errno, err) : 0;
}

/* The guest's 1,024 descriptors are as many of husk's, poll(2) takes no more than the limit, and
 * many shells set it to 1,024. */
static void raise_descriptors(void)
{
    const rlim_t wanted = 2 * HANDLES_MAX;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int limits_start(const struct run_options *options, struct husk_error *err)
{
    if (options->cgroup && enter_cgroup(options->cgroup, err) < 0)
        return -1;
    raise_descriptors();
    if (options->nice)
        nice((int)options->nice);
    return 0;
}

static void end(struct run *run)
{
    if (run->ended)
        return;
    fprintf(stderr, "husk: %s: output limit reached (--max-output)\n", run->options->image);
    run_end(run, 128 + SIGXFSZ);
}

int limits_cut(struct run *run, struct iovec *iov, int count)
{
    uint64_t left = run->output_left;

    if (left == UINT64_MAX)
        return count;
    for (int i = 0; i < count; i++) {
        if (iov[i].iov_len > left) {
            iov[i].iov_len = left;
            run->output_cut = true;
            count = left ? i + 1 : i;
        }
        left -= iov[i].iov_len;
    }
    if (run->output_left > 0 || !run->output_cut)
        return count;
    end(run);
    return -EFBIG;
}

void limits_spend(struct run *run, uint64_t bytes)
{
    if (run->output_left == UINT64_MAX)
        return;
    run->output_left -= bytes < run->output_left ? bytes : run->output_left;
    if (run->output_left == 0 && run->output_cut)
        end(run);
}
