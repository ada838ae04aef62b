/* SPDX-License-Identifier: ISC */
/* Argument: the tree. Descriptor numbers, duplicates and their flags. */
#include "check.h"
#include "tree.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_text(int flags)
{
    return open(in_tree("files/text"), O_RDONLY | flags);
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static off_t offset(int fd)
{
    return lseek(fd, 0, SEEK_CUR);
}

static void check_numbers(void)
{
    int a = open_text(0), b = open_text(0), c = open_text(0);

    check(a > STDERR_FILENO && b > a && c > b, "numbers rise");
    close(b);
    check(open_text(0) == b, "the lowest free number is taken");
    close(a);
    close(b);
    check(dup(c) == a, "also by dup");
    check(open_text(0) == b, "then the next");
    close(STDIN_FILENO);
    check(open_text(0) == STDIN_FILENO, "also standard input's number");
    close(a);
    close(b);
    close(c);
    check(!is_open(a) && !is_open(b) && !is_open(c), "closed descriptors are closed");
}

static void check_sharing(void)
{
    char bytes[10];
    int fd = open_text(0), copy = dup(fd), other = open_text(0);

    check(read(fd, bytes, 10) == 10 && offset(copy) == 10, "a duplicate shares the offset");
    lseek(copy, 100, SEEK_SET);
    check(offset(fd) == 100, "in both directions");
    check(offset(other) == 0, "another open of the file does not");
    check(fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && (fcntl(copy, F_GETFL) & O_NONBLOCK) != 0,
          "a duplicate shares the status flags");
    check((fcntl(other, F_GETFL) & O_NONBLOCK) == 0, "another open does not");
    fcntl(copy, F_SETFL, 0);
    check((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0, "they can be cleared");
    check((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY, "the access mode stays");
    close(fd);
    check(read(copy, bytes, 10) == 10 && offset(copy) == 110, "a duplicate outlives the original");
    close(copy);
    close(other);
}

static void check_dup2(void)
{
    int fd = open_text(0), target = open_text(0);

    lseek(fd, 50, SEEK_SET);
    check(dup2(fd, target) == target && offset(target) == 50, "dup2 replaces an open file");
    check(dup2(fd, 150) == 150 && offset(150) == 50, "dup2 to a number further on");
    check(dup2(fd, fd) == fd && is_open(fd), "dup2 onto itself does nothing");
    check(dup3(fd, 151, O_CLOEXEC) == 151 && fcntl(151, F_GETFD) == FD_CLOEXEC, "dup3, O_CLOEXEC");
    check(dup3(fd, 151, 0) == 151 && fcntl(151, F_GETFD) == 0, "dup3 without");
    check_error(dup3(fd, fd, 0), EINVAL, "dup3 onto itself");
    check_error(syscall(SYS_dup3, fd, 152, O_NONBLOCK), EINVAL, "dup3, other flag");
    check_error(dup2(fd, -1), EBADF, "dup2 to a negative number");
    check_error(dup2(fd, INT_MAX), EBADF, "dup2 to a number too great");
    check_error(dup2(-1, 150), EBADF, "dup2 of nothing");
    check_error(dup2(200, 150), EBADF, "dup2 of a closed descriptor");
    check(is_open(150), "errors leave the target open");
    check_error(dup(-1), EBADF, "dup of nothing");
    close(fd);
    close(target);
    close(150);
    close(151);
}

static void check_fcntl(void)
{
    int fd = open_text(O_CLOEXEC);

    check(fcntl(fd, F_GETFD) == FD_CLOEXEC, "O_CLOEXEC is set");
    int copy = dup(fd);
    check(fcntl(copy, F_GETFD) == 0, "dup clears it");
    check(fcntl(copy, F_SETFD, FD_CLOEXEC) == 0 && fcntl(copy, F_GETFD) == FD_CLOEXEC, "F_SETFD");
    check(fcntl(copy, F_SETFD, 0) == 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC, "each has its own");
    check(fcntl(fd, F_DUPFD, 100) == 100, "F_DUPFD takes the number");
    check(fcntl(fd, F_DUPFD, 100) == 101, "or the next free one");
    check(fcntl(fd, F_DUPFD_CLOEXEC, 100) == 102 && fcntl(102, F_GETFD) == FD_CLOEXEC,
          "F_DUPFD_CLOEXEC");
    check(fcntl(101, F_GETFD) == 0, "F_DUPFD clears FD_CLOEXEC");
    check_error(fcntl(fd, F_DUPFD, -1), EINVAL, "F_DUPFD from a negative number");
    check_error(fcntl(fd, F_DUPFD, INT_MAX), EINVAL, "F_DUPFD from a number too great");
    check_error(fcntl(fd, 9999), EINVAL, "unknown command");
    check_error(fcntl(-1, F_GETFD), EBADF, "F_GETFD of nothing");
    check_error(fcntl(-1, F_GETFL), EBADF, "F_GETFL of nothing");
    for (int i = 100; i <= 102; i++)
        close(i);
    close(fd);
    close(copy);
}

static void check_many(void)
{
    enum { MANY = 200 };
    int fds[MANY];
    bool rising = true, right = true;

    for (int i = 0; i < MANY; i++) {
        fds[i] = open_text(0);
        rising &= fds[i] >= 0 && (i == 0 || fds[i] > fds[i - 1]);
        lseek(fds[i], i, SEEK_SET);
    }
    check(rising, "%d files open at once", MANY);
    for (int i = 0; i < MANY; i++)
        right &= offset(fds[i]) == i;
    check(right, "each has its offset");
    for (int i = 0; i < MANY; i += 2)
        close(fds[i]);
    for (int i = 0; i < MANY; i++)
        right &= is_open(fds[i]) == (i % 2 == 1);
    check(right, "closing half of them leaves the other half");
    for (int i = 1; i < MANY; i += 2)
        close(fds[i]);
    int directories[10];
    for (int i = 0; i < 10; i++)
        directories[i] = open(in_tree("files"), O_RDONLY | O_DIRECTORY);
    check(directories[0] == fds[0], "their numbers are free again");
    for (int i = 0; i < 10; i++)
        close(directories[i]);
}

static void check_standard_output(void)
{
    int copy = dup(STDOUT_FILENO);

    fflush(stdout);
    dprintf(copy, "written to a duplicate of standard output\n");
    close(STDOUT_FILENO);
    dup2(copy, STDOUT_FILENO);
    close(copy);
    puts("standard output is back");
}

int main(int argc, char **argv)
{
    find_tree(argc, argv);
    check_numbers();
    check_sharing();
    check_dup2();
    check_fcntl();
    check_many();
    check_standard_output();
    return exit_status();
}
