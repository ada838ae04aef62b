/* SPDX-License-Identifier: ISC */
/* Resource limits and what the system says about itself; plausible, not equal everywhere. */
#include "check.h"

#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

static const rlim_t MIB = 1024 * 1024;

static void check_limits(void)
{
    static const struct {
        const char *name;
        int resource;
        rlim_t least;
    } limits[] = {
        {"RLIMIT_STACK", RLIMIT_STACK, MIB}, {"RLIMIT_NOFILE", RLIMIT_NOFILE, 256},
        {"RLIMIT_DATA", RLIMIT_DATA, MIB},   {"RLIMIT_AS", RLIMIT_AS, MIB},
        {"RLIMIT_CORE", RLIMIT_CORE, 0},     {"RLIMIT_CPU", RLIMIT_CPU, 1},
        {"RLIMIT_FSIZE", RLIMIT_FSIZE, 1},
    };

    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct rlimit limit = {1, 0};
        check(getrlimit(limits[i].resource, &limit) == 0 && limit.rlim_cur <= limit.rlim_max &&
                  limit.rlim_cur >= limits[i].least,
              "%s is plausible", limits[i].name);
    }
    check_error(getrlimit(999, &(struct rlimit){0}), EINVAL, "unknown limit");
}

static void check_sysinfo(void)
{
    struct sysinfo info = {0};

    check(sysinfo(&info) == 0, "sysinfo answers");
    check(info.mem_unit > 0, "it has a unit of memory");
    check(info.totalram * info.mem_unit >= 8 * MIB, "there are at least 8 MiB");
    check(info.freeram <= info.totalram, "no more is free than there is");
    check(info.procs > 0, "there is a process");
}

static void check_sysconf(void)
{
    printf("page size %ld\n", sysconf(_SC_PAGESIZE));
    printf("clock ticks %ld\n", sysconf(_SC_CLK_TCK));
    check(sysconf(_SC_OPEN_MAX) >= 256, "256 files can be open");
    check(sysconf(_SC_NPROCESSORS_ONLN) >= 1, "there is a processor");
    check(sysconf(_SC_PHYS_PAGES) > 0, "there are pages");
    check(sysconf(_SC_ARG_MAX) >= 4096, "arguments have room");
    check_error(sysconf(99999), EINVAL, "unknown name");
    check(getpagesize() == 4096, "getpagesize agrees");
}

int main(void)
{
    check_limits();
    check_sysinfo();
    check_sysconf();
    return exit_status();
}
