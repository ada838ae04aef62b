/* SPDX-License-Identifier: ISC */
/* Argument: a scratch directory. Record locks, locks of open descriptions, flock. */
#include "scratch.h"

#include <sys/file.h>

static long lock(int fd, int command, short type, off_t start, off_t length)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};

    return fcntl(fd, command, &lock);
}

/* What stands in the way of that lock. */
static void show_lock(const char *label, int fd, int command, short type, off_t start, off_t length)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};

    if (fcntl(fd, command, &lock) < 0) {
        printf("%s: %s\n", label, error_name(errno));
        return;
    }
    printf("%s: ", label);
    if (lock.l_type == F_UNLCK)
        puts("free");
    else
        printf("%s from %lld, %lld bytes, %s\n", lock.l_type == F_RDLCK ? "read" : "write",
               (long long)lock.l_start, (long long)lock.l_len,
               lock.l_pid == -1         ? "by a description"
               : lock.l_pid == getpid() ? "by this process"
                                        : "by another process");
}

static void lock_records(void)
{
    int fd = must_open("file", O_RDWR | O_CREAT), other = must_open("file", O_RDWR);
    struct flock relative = {.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = -5, .l_len = 10};

    check(lock(fd, F_SETLK, F_WRLCK, 0, 100) == 0, "a record lock");
    show_lock("for the same process", fd, F_GETLK, F_WRLCK, 0, 0);
    check(lock(other, F_SETLKW, F_WRLCK, 50, 100) == 0, "locks of one process never conflict");
    show_lock("for a description", fd, F_OFD_GETLK, F_RDLCK, 0, 0);
    check_error(lock(fd, F_OFD_SETLK, F_RDLCK, 0, 10), EAGAIN, "which cannot have it");
    check(lock(fd, F_SETLK, F_UNLCK, 0, 60) == 0, "a part given back");
    show_lock("the rest", fd, F_OFD_GETLK, F_RDLCK, 0, 0);
    check(lock(fd, F_SETLK, F_RDLCK, 60, 10) == 0, "a part made shared");
    show_lock("to read", fd, F_OFD_GETLK, F_RDLCK, 60, 10);
    show_lock("to write", fd, F_OFD_GETLK, F_WRLCK, 60, 10);
    check(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0, "all given back");
    show_lock("then", fd, F_OFD_GETLK, F_WRLCK, 0, 0);
    check(lseek(fd, 20, SEEK_SET) == 20 && fcntl(fd, F_SETLK, &relative) == 0,
          "relative to the offset");
    show_lock("which was 20", fd, F_OFD_GETLK, F_WRLCK, 0, 0);
    close(other);
    show_lock("after a close of the other", fd, F_OFD_GETLK, F_WRLCK, 0, 0);
    close(fd);
}

static void close_copies(void)
{
    int fd = must_open("file", O_RDWR), copy = dup(fd),
        watch = must_open("watch", O_RDWR | O_CREAT);

    check(lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0, "a record lock again");
    close(watch);
    show_lock("after a close of another file", fd, F_OFD_GETLK, F_WRLCK, 0, 0);
    close(copy);
    show_lock("after a close of a copy", fd, F_OFD_GETLK, F_WRLCK, 0, 0);
    close(fd);
}

/* Only a close of the file ends its locks: not what is done to it by its name. */
static void change_by_name(void)
{
    int fd = must_open("file", O_RDWR), reader = must_open("file2", O_RDONLY | O_CREAT);

    check(lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0 && lock(reader, F_SETLK, F_RDLCK, 5, 10) == 0,
          "locks of two files");
    for (int i = 0; i < 3; i++)
        check(truncate("file", 100 * i) == 0 && truncate("file2", 50 + i) == 0, "truncate %d", i);
    check(chmod("file", 0600) == 0 && chmod("file", 0644) == 0, "chmod");
    check(rename("file2", "file3") == 0 && rename("file3", "file2") == 0, "rename");
    check_error(truncate("dir", 0), ENOENT, "truncate of nothing");
    show_lock("the first lock", fd, F_OFD_GETLK, F_WRLCK, 0, 0);
    show_lock("the second", reader, F_OFD_GETLK, F_WRLCK, 0, 0);
    show_status("file");
    show_status("file2");
    close(fd);
    check(truncate("file", 0) == 0 && truncate("file2", 0) == 0, "truncate after a close");
    close(reader);
}

static void lock_descriptions(void)
{
    int one = must_open("file", O_RDWR), two = must_open("file", O_RDWR), copy = dup(one);

    check(lock(one, F_OFD_SETLK, F_WRLCK, 0, 10) == 0, "a description's lock");
    check_error(lock(two, F_OFD_SETLK, F_WRLCK, 5, 10), EAGAIN, "another cannot have it");
    check(lock(copy, F_OFD_SETLK, F_WRLCK, 5, 10) == 0, "a copy can");
    show_lock("what is seen", two, F_OFD_GETLK, F_WRLCK, 0, 0);
    show_lock("by a process", two, F_GETLK, F_WRLCK, 0, 0);
    check(lock(two, F_OFD_SETLK, F_WRLCK, 15, 5) == 0, "next to it");
    close(one);
    check_error(lock(two, F_OFD_SETLK, F_WRLCK, 0, 5), EAGAIN, "a close leaves it to the copy");
    close(copy);
    check(lock(two, F_OFD_SETLK, F_WRLCK, 0, 5) == 0, "the last close gives it back");
    close(two);
}

static void refuse(void)
{
    int reader = must_open("file", O_RDONLY), writer = must_open("file", O_WRONLY);

    check_error(lock(reader, F_SETLK, F_WRLCK, 0, 1), EBADF, "a write lock by a reader");
    check_error(lock(writer, F_SETLK, F_RDLCK, 0, 1), EBADF, "a read lock by a writer");
    check_error(lock(reader, F_SETLK, 77, 0, 1), EINVAL, "an unknown type");
    check_error(lock(reader, F_SETLK, F_RDLCK, -1, 1), EINVAL, "from -1");
    check_error(lock(99, F_SETLK, F_RDLCK, 0, 1), EBADF, "of no descriptor");
    check(lockf(writer, F_TLOCK, 10) == 0 && lockf(writer, F_ULOCK, 10) == 0, "lockf");
    close(reader);
    close(writer);
}

static void lock_files(void)
{
    int one = must_open("file", O_RDONLY), two = must_open("file", O_RDONLY), copy = dup(one);

    check(flock(one, LOCK_SH) == 0 && flock(two, LOCK_SH) == 0, "two share a flock");
    check_error(flock(one, LOCK_EX | LOCK_NB), EAGAIN, "none can have it alone");
    check(flock(two, LOCK_UN) == 0 && flock(one, LOCK_EX | LOCK_NB) == 0, "but when one goes");
    check_error(flock(two, LOCK_SH | LOCK_NB), EAGAIN, "then not even shared");
    check(flock(copy, LOCK_EX | LOCK_NB) == 0, "a copy has it too");
    close(one);
    check_error(flock(two, LOCK_SH | LOCK_NB), EAGAIN, "a close leaves it to the copy");
    check(flock(copy, LOCK_UN) == 0 && flock(two, LOCK_EX | LOCK_NB) == 0, "unlocked by the copy");
    check_error(flock(two, 77), EINVAL, "an unknown operation");
    close(copy);
    close(two);
    check_error(flock(two, LOCK_SH), EBADF, "of what is closed");
}

int main(int argc, char **argv)
{
    enter_scratch(argc, argv);
    lock_records();
    close_copies();
    change_by_name();
    lock_descriptions();
    refuse();
    lock_files();
    return exit_status();
}
