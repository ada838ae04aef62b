/* SPDX-License-Identifier: ISC */
/* Argument: a scratch directory. truncate and ftruncate; also of what is mapped. */
#include "scratch.h"

#include <sys/mman.h>

enum { PAGE = 4096 };

static void change_sizes(void)
{
    int fd = must_open("file", O_RDWR | O_CREAT);

    check(write(fd, "0123456789", 10) == 10, "ten bytes");
    check(ftruncate(fd, 4) == 0, "ftruncate to four");
    show_open("file", fd);
    check(lseek(fd, 0, SEEK_CUR) == 10, "the offset stays");
    check(write(fd, "x", 1) == 1, "a write there leaves a hole");
    show_open("file", fd);
    check(ftruncate(fd, 15) == 0, "ftruncate to more");
    show_open("file", fd);
    check(truncate("file", 2) == 0, "truncate by name");
    show_open("file", fd);
    check(truncate("file", 5000) == 0 && size_of(fd) == 5000, "to more");
    check(ftruncate(fd, 0) == 0 && size_of(fd) == 0, "to nothing");
    check(pwrite(fd, "end", 3, 10) == 3, "and written again");
    show_open("file", fd);
    close(fd);
}

static void refuse(void)
{
    int fd = must_open("file", O_RDONLY), pipes[2];

    check_error(ftruncate(fd, 0), EINVAL, "ftruncate of what is open for reading");
    close(fd);
    fd = must_open("file", O_WRONLY);
    check_error(ftruncate(fd, -1), EINVAL, "to -1");
    check(ftruncate(fd, 12) == 0, "of what is open for writing alone");
    close(fd);
    fd = must_open("file", O_PATH);
    check_error(ftruncate(fd, 0), EBADF, "of O_PATH");
    close(fd);
    check_error(ftruncate(fd, 0), EBADF, "of what is closed");
    check_error(truncate("file", -1), EINVAL, "truncate to -1");
    check_error(truncate("none", 0), ENOENT, "of nothing");
    check_error(truncate("file/", 0), ENOTDIR, "of a file with a slash");
    check_error(truncate(".", 0), EISDIR, "of a directory");
    if (pipe(pipes) == 0)
        check_error(ftruncate(pipes[1], 0), EINVAL, "of a pipe");
    else
        puts("of a pipe: EINVAL");
    show_file("file");
}

static void shrink_open_elsewhere(void)
{
    char bytes[10];
    int one = must_open("file", O_RDWR), two = must_open("file", O_RDWR);

    check(lseek(one, 8, SEEK_SET) == 8 && ftruncate(two, 5) == 0, "shrunk through another");
    check(read(one, bytes, 10) == 0, "read behind the end is empty");
    check(write(one, "!", 1) == 1 && size_of(two) == 9, "write there grows it");
    show_open("file", two);
    close(one);
    close(two);
}

static void shrink_mapped(void)
{
    int fd = must_open("mapped", O_RDWR | O_CREAT);
    char *map;

    check(ftruncate(fd, 3 * PAGE) == 0, "three pages");
    map = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    check(map != MAP_FAILED, "mapped");
    memset(map, 'm', 3 * PAGE);
    check(ftruncate(fd, PAGE + 10) == 0, "shrunk to a page and ten bytes");
    check(map[0] == 'm' && map[PAGE + 9] == 'm', "what is left is there");
    check(map[PAGE + 10] == 0 && map[2 * PAGE - 1] == 0, "the page's rest is zeros");
    check(ftruncate(fd, 3 * PAGE) == 0 && map[2 * PAGE] == 0, "grown again, zeros");
    map[2 * PAGE] = 'n';
    check(msync(map, 3 * PAGE, MS_SYNC) == 0 && munmap(map, 3 * PAGE) == 0, "msync, munmap");
    check(pread(fd, &(char){0}, 1, 2 * PAGE) == 1 && size_of(fd) == 3 * PAGE, "its size");
    close(fd);
}

int main(int argc, char **argv)
{
    enter_scratch(argc, argv);
    change_sizes();
    refuse();
    shrink_open_elsewhere();
    shrink_mapped();
    return exit_status();
}
