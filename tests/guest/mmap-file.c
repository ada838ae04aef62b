/* SPDX-License-Identifier: ISC */
/* Argument: a file of more than two pages and not a whole number of pages, mapped privately. */
#include "check.h"
#include "memory.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

static char *contents;
static size_t size;

static int open_file(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY);

    if (fd < 0 || fstat(fd, &status) < 0) {
        perror(path);
        exit(2);
    }
    size = (size_t)status.st_size;
    contents = malloc(size);
    if (size % PAGE == 0 || size < 2 * PAGE || read(fd, contents, size) != (ssize_t)size) {
        fprintf(stderr, "%s: must have more than two pages, the last one in part\n", path);
        exit(2);
    }
    return fd;
}

static bool file_is_unchanged(int fd)
{
    char *again = malloc(size);
    bool same = pread(fd, again, size, 0) == (ssize_t)size && memcmp(again, contents, size) == 0;

    free(again);
    return same;
}

static void check_reading(int fd)
{
    char *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    size_t tail = PAGE - size % PAGE;

    check(map != MAP_FAILED && memcmp(map, contents, size) == 0, "the mapping holds the file");
    check(holds_only(map + size, 0, tail), "the rest of the last page is zero");
    check(!is_writable(map), "PROT_READ is not writable");
    check(munmap(map, size) == 0 && !is_readable(map), "munmap removes it");
}

static void check_private_writing(int fd)
{
    char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

    memset(map, '#', size);
    map[size] = '!';
    check(map[0] == '#' && map[size - 1] == '#' && map[size] == '!', "the mapping can be written");
    check(file_is_unchanged(fd), "which does not change the file");
    char *other = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    check(memcmp(other, contents, size) == 0, "nor another mapping of it");
    munmap(map, size);
    munmap(other, size);
}

static void check_offset(int fd)
{
    char *map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, PAGE);

    check(map != MAP_FAILED && memcmp(map, contents + PAGE, PAGE) == 0, "an offset of one page");
    munmap(map, PAGE);
    char *area = map_pages(4, PROT_READ | PROT_WRITE);
    memset(area, 1, 4 * PAGE);
    check(mmap(area + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, PAGE) == area + PAGE &&
              memcmp(area + PAGE, contents + PAGE, PAGE) == 0,
          "MAP_FIXED into other memory");
    check(holds_only(area, 1, PAGE) && holds_only(area + 2 * PAGE, 1, 2 * PAGE),
          "which keeps its neighbours");
    munmap(area, 4 * PAGE);
    check(lseek(fd, 0, SEEK_CUR) == (off_t)size, "mapping does not move the file offset");
}

static void check_errors(int fd)
{
    check_error((long)mmap(NULL, 0, PROT_READ, MAP_PRIVATE, fd, 0), EINVAL, "length 0");
    check_error(syscall(SYS_mmap, NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 100), EINVAL,
                "odd offset");
    check_error((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 9999, 0), EBADF, "bad descriptor");
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: mmap-file FILE\n", stderr);
        return 2;
    }
    int fd = open_file(argv[1]);

    check_reading(fd);
    check_private_writing(fd);
    check_offset(fd);
    check_errors(fd);

    char *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    check(memcmp(map, contents, size) == 0, "the mapping outlives its descriptor");
    return exit_status();
}
