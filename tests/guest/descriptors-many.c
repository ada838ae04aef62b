/* SPDX-License-Identifier: ISC */
/* Argument: a scratch directory. 1,000 files open at once; the limit of 1,024. */
#include "scratch.h"

#include <sys/resource.h>

enum { MANY = 1000 };

static int fds[2000];

static void open_many(void)
{
    int opened = 0, kept = 0;
    char name[20];

    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "file-%d", i % 10);
        fds[i] = open(name, O_RDWR | O_CREAT, 0644);
        opened += fds[i] >= 0;
    }
    check(opened == MANY, "1,000 open files");
    for (int i = 0; i < MANY; i++)
        kept += pwrite(fds[i], &(char){(char)('a' + i % 10)}, 1, i) == 1;
    check(kept == MANY, "all can be written");
    for (int i = 0; i < MANY; i++)
        kept -= lseek(fds[i], i, SEEK_SET) == i && read(fds[i], name, 1) == 1 &&
                name[0] == 'a' + i % 10;
    check(kept == 0, "each is its own file");
}

static void open_too_many(void)
{
    int count = MANY;

    while (count < 2000 && (fds[count] = dup(fds[0])) >= 0)
        count++;
    check_error(fds[count], EMFILE, "dup at the limit");
    check(fds[count - 1] == 1023, "the last one was 1023");
    check_error(open("file-0", O_RDONLY), EMFILE, "open");
    check_error(open("new", O_WRONLY | O_CREAT, 0644), EMFILE, "open that would create");
    check(!is_there("new"), "creates nothing");
    check_error(fcntl(fds[0], F_DUPFD, 3), EMFILE, "F_DUPFD");
    check_error(fcntl(fds[0], F_DUPFD, 1024), EINVAL, "F_DUPFD from the limit");
    check_error(dup2(fds[0], 1024), EBADF, "dup2 to the limit");
    check(dup2(fds[1], fds[count - 1]) == 1023, "dup2 over the last");
    check(opendir(".") == NULL && errno == EMFILE, "opendir");
    check(is_there("file-9") && unlink("file-9") == 0, "what needs no descriptor works");
    close(fds[500]);
    check(open("file-0", O_RDONLY) == fds[500], "one closed, one can be opened");
    while (count-- > 0)
        close(fds[count]);
    check(open("file-0", O_RDONLY) == fds[0], "all closed, the lowest is free");
}

int main(int argc, char **argv)
{
    struct rlimit limit = {1024, 1024};

    enter_scratch(argc, argv);
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        give_up("getrlimit");
    limit.rlim_cur = 1024;
    check(setrlimit(RLIMIT_NOFILE, &limit) == 0, "a limit of 1,024 descriptors");
    open_many();
    open_too_many();
    return exit_status();
}
