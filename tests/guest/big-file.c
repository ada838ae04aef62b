/* SPDX-License-Identifier: ISC */
/* Argument: a scratch directory. A file of over 4 GiB, nearly all of it a hole. */
#include "scratch.h"

#include <stdint.h>
#include <sys/mman.h>

static const off_t far = 5LL << 30;

static void write_far(void)
{
    char text[20] = "";
    int fd = must_open("big", O_RDWR | O_CREAT);
    struct stat status;

    check(pwrite(fd, "at 5 GiB", 8, far) == 8, "pwrite at 5 GiB");
    check(size_of(fd) == far + 8, "the size");
    check(pread(fd, text, 8, far) == 8 && strcmp(text, "at 5 GiB") == 0, "pread");
    check(pread(fd, text, 8, far - (4LL << 30)) == 8 && text[0] == 0, "4 GiB before is a hole");
    check(lseek(fd, 0, SEEK_END) == far + 8, "lseek to the end");
    check(lseek(fd, far + 3, SEEK_SET) == far + 3, "lseek");
    check(read(fd, text, 5) == 5 && memcmp(text, "5 GiB", 5) == 0, "read");
    check(write(fd, " and on", 7) == 7 && size_of(fd) == far + 15, "write");
    check(fstat(fd, &status) == 0 && status.st_blocks * 512LL < far, "it is sparse");
    check(stat("big", &status) == 0 && status.st_size == far + 15, "stat");
    close(fd);
}

static void append_far(void)
{
    int fd = must_open("big", O_WRONLY | O_APPEND);

    check(write(fd, "!", 1) == 1 && lseek(fd, 0, SEEK_CUR) == far + 16, "append");
    close(fd);
}

static void map_far(void)
{
    int fd = must_open("big", O_RDWR);
    char *view = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, far);

    check(view != MAP_FAILED && memcmp(view, "at 5 GiB and on!", 16) == 0, "mapped at 5 GiB");
    view[0] = 'A';
    check(munmap(view, 4096) == 0 && pread(fd, &(char){0}, 1, far) == 1, "and written");
    close(fd);
}

static void truncate_far(void)
{
    int fd = must_open("big", O_RDWR);

    check(ftruncate(fd, far + 4) == 0 && size_of(fd) == far + 4, "ftruncate");
    check(truncate("big", far + 4096) == 0 && size_of(fd) == far + 4096, "truncate");
    check(ftruncate(fd, (4LL << 30) + 1) == 0 && size_of(fd) == (4LL << 30) + 1, "to 4 GiB and 1");
    check_error(pwrite(fd, "x", 1, INT64_MAX), EINVAL, "pwrite at the end of all offsets");
    check(ftruncate(fd, far) == 0 && pwrite(fd, "last", 4, far) == 4, "and written again");
    close(fd);
}

int main(int argc, char **argv)
{
    enter_scratch(argc, argv);
    write_far();
    append_far();
    map_far();
    truncate_far();
    return exit_status();
}
