/* SPDX-License-Identifier: ISC */
/* RLIMIT_FSIZE and SIGXFSZ; limits that are set are told again. Argument: an empty directory. */
#include "check.h"
#include "scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { LIMIT = 10000 };

static volatile int signals;

static void count(int signal)
{
    signals += signal == SIGXFSZ;
}

static void check_refused(long result, const char *what)
{
    check_error(result, EFBIG, "%s", what);
    check(signals == 1, "and one SIGXFSZ");
    signals = 0;
}

static void check_writes(void)
{
    static char data[8000];
    struct iovec pieces[2] = {{data, 100}, {data, 100}};
    int file = open("limited", O_RDWR | O_CREAT | O_TRUNC, 0644);
    struct stat status;

    memset(data, 'x', sizeof data);
    check(write(file, data, sizeof data) == 8000, "8,000 bytes fit");
    check(write(file, data, sizeof data) == 2000, "of 8,000 more, 2,000 do");
    check(signals == 0, "without a signal");
    check_refused(write(file, data, 1), "one byte more");
    check(write(file, data, 0) == 0, "nothing more");
    check(pwrite(file, data, 100, LIMIT - 10) == 10, "pwrite across the limit");
    check_refused(pwrite(file, data, 1, LIMIT), "pwrite at the limit");
    check_refused(pwrite(file, data, 1, 1 << 20), "pwrite beyond it");
    lseek(file, LIMIT - 200, SEEK_SET);
    check(writev(file, pieces, 2) == 200, "writev up to the limit");
    check_refused(writev(file, pieces, 2), "writev at the limit");
    check_refused(ftruncate(file, LIMIT + 1), "ftruncate beyond it");
    check_refused(truncate("limited", LIMIT + 1), "truncate beyond it");
    check(ftruncate(file, LIMIT) == 0, "ftruncate to the limit");
    check(fstat(file, &status) == 0 && status.st_size == LIMIT, "the file has that size");
    check(lseek(file, 1 << 20, SEEK_SET) == 1 << 20, "lseek goes beyond it");
    close(file);

    file = open("limited", O_WRONLY | O_APPEND);
    check_refused(write(file, data, 1), "appending");
    close(file);
}

static void check_told_again(void)
{
    struct rlimit limit;
    bool good = true;

    for (int resource = 0; resource < 16; resource++)
        good &= getrlimit(resource, &limit) == 0 && limit.rlim_cur <= limit.rlim_max;
    check(good, "every limit can be asked for");
    check(getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur == LIMIT, "ours is told again");
    limit.rlim_cur = limit.rlim_max;
    check(limit.rlim_max == RLIM_INFINITY, "the hard limit is another");
    check(setrlimit(RLIMIT_FSIZE, &limit) == 0, "up to which it can be raised");
    limit.rlim_cur = 2;
    limit.rlim_max = 1;
    check_error(setrlimit(RLIMIT_FSIZE, &limit), EINVAL, "a soft limit above the hard one");
    check_error(getrlimit(16, &limit), EINVAL, "a limit that is none");
    limit.rlim_cur = 50;
    limit.rlim_max = 60;
    check(setrlimit(RLIMIT_NOFILE, &limit) == 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
              limit.rlim_cur == 50 && limit.rlim_max == 60,
          "another one is set and told again");
}

int main(int argc, char **argv)
{
    struct rlimit limit = {LIMIT, RLIM_INFINITY};

    enter_scratch(argc, argv);
    signal(SIGXFSZ, count);
    check(setrlimit(RLIMIT_FSIZE, &limit) == 0, "files of 10,000 bytes");
    check_writes();
    check_told_again();
    return exit_status();
}
