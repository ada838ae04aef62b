/* SPDX-License-Identifier: ISC */
/* Argument: a scratch directory. MAP_PRIVATE of files: what is stored stays in memory. */
#include "scratch.h"

#include <sys/mman.h>

enum { PAGE = 4096 };

static char byte_at(int fd, off_t offset)
{
    char byte = 0;

    return pread(fd, &byte, 1, offset) == 1 ? byte : '?';
}

static void copy_on_write(void)
{
    int fd = must_open("file", O_RDWR | O_CREAT);
    char page[PAGE], *one, *two, *shared;

    memset(page, 'f', PAGE);
    check(write(fd, page, PAGE) == PAGE && write(fd, page, PAGE) == PAGE, "two pages");
    one = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    two = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    check(one != MAP_FAILED && two != MAP_FAILED && shared != MAP_FAILED, "three mappings");
    one[0] = '1';
    check(one[0] == '1' && two[0] == 'f' && shared[0] == 'f', "a store is seen by nobody else");
    check(byte_at(fd, 0) == 'f', "nor in the file");
    shared[0] = 's';
    check(one[0] == '1', "what was stored stays");
    check(pread(fd, two, 1, 0) == 1 && two[0] == 's', "read into a private page");
    check(msync(one, 2 * PAGE, MS_SYNC) == 0 && byte_at(fd, 0) == 's', "msync writes nothing");
    check(pwrite(fd, one, 1, PAGE) == 1 && shared[PAGE] == '1', "write from a private page");
    check(madvise(one, 2 * PAGE, MADV_DONTNEED) == 0 && one[0] == 's', "dropped, the file is back");
    munmap(one, 2 * PAGE);
    munmap(two, 2 * PAGE);
    munmap(shared, 2 * PAGE);
    close(fd);
}

static void map_for_reading(void)
{
    int fd = must_open("file", O_RDONLY);
    char *view = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);

    check(view != MAP_FAILED && view[0] == 's', "of what is open for reading");
    check(mprotect(view, PAGE, PROT_READ | PROT_WRITE) == 0, "can be made writable");
    view[0] = 'w';
    check(byte_at(fd, 0) == 's', "and is not written back");
    close(fd);
    check(view[PAGE] == '1' && view[0] == 'w', "outlives its descriptor");
    munmap(view, 2 * PAGE);
}

static void use_file_as_memory(void)
{
    int fd = must_open("file", O_RDWR);
    char *area = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    memset(area, 'a', 4 * PAGE);
    check(mmap(area + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, PAGE) ==
              area + PAGE,
          "placed over memory");
    check(area[0] == 'a' && area[PAGE] == '1' && area[2 * PAGE] == 'a', "between what was there");
    area[PAGE + 1] = 'p';
    check(mmap(area + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
               -1, 0) == area + PAGE,
          "memory placed over it");
    check(area[PAGE] == 0 && area[PAGE + 1] == 0, "is zeros");
    check(byte_at(fd, PAGE + 1) == 'f', "the file is as it was");
    munmap(area, 4 * PAGE);
    close(fd);
}

static void map_short_file(void)
{
    int fd = must_open("short", O_RDWR | O_CREAT);
    char *view;

    check(write(fd, "short", 5) == 5, "five bytes");
    view = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    check(view != MAP_FAILED && strcmp(view, "short") == 0, "zeros follow");
    memset(view, 'x', PAGE);
    check(size_of(fd) == 5, "the file does not grow");
    munmap(view, PAGE);
    close(fd);
    show_file("short");
}

int main(int argc, char **argv)
{
    enter_scratch(argc, argv);
    copy_on_write();
    map_for_reading();
    use_file_as_memory();
    map_short_file();
    return exit_status();
}
