/* SPDX-License-Identifier: ISC */
/* Uses up what is limited: spin | sleep | print BYTES | write FILE BYTES | allocate FILE BYTES |
 * open FILE NUMBER | recurse. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int print(int fd, long bytes)
{
    char block[1000];

    memset(block, 'x', sizeof(block));
    while (bytes > 0) {
        long part = bytes < (long)sizeof(block) ? bytes : (long)sizeof(block);
        ssize_t wrote = write(fd, block, (size_t)part);

        if (wrote <= 0)
            return 3;
        bytes -= wrote;
    }
    return 0;
}

static int open_many(const char *path, long count)
{
    for (long i = 0; i < count; i++)
        if (open(path, O_RDONLY) < 0) {
            printf("%ld: %s\n", i, strerror(errno));
            return 4;
        }
    printf("%ld opened\n", count);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "spin") == 0)
        for (;;)
            __asm__ volatile("");
    if (strcmp(what, "sleep") == 0)
        return (int)sleep(1);
    if (strcmp(what, "print") == 0 && argc == 3)
        return print(1, atol(argv[2]));
    if (strcmp(what, "write") == 0 && argc == 4)
        return print(open(argv[2], O_WRONLY | O_CREAT, 0600), atol(argv[3]));
    if (strcmp(what, "allocate") == 0 && argc == 4)
        return posix_fallocate(open(argv[2], O_RDWR | O_CREAT, 0600), 0, atol(argv[3]));
    if (strcmp(what, "open") == 0 && argc == 4)
        return open_many(argv[2], atol(argv[3]));
    return 2;
}
