/* SPDX-License-Identifier: ISC */
/* Uses up what is limited: spin | sleep | print BYTES | write FILE BYTES | allocate FILE BYTES |
 * open FILE NUMBER | memory MIB | grow MIB | stack MIB | shared MIB. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

/* Allocate and fill blocks until there is no more, twice: that is nearly MIB, and an error. */
static int fill_memory(size_t mib)
{
    static char *blocks[4096];
    const size_t size = 100000;

    for (int round = 0; round < 2; round++) {
        size_t count = 0;

        while (count < 4096 && (blocks[count] = malloc(size))) {
            memset(blocks[count], round + 1, size);
            blocks[count][0] = (char)count;
            count++;
        }
        if (errno != ENOMEM || count * size > mib << 20 || count * size < mib << 19)
            return 5;
        for (size_t i = 0; i < count; i++) {
            if (blocks[i][0] != (char)i || blocks[i][size - 1] != round + 1)
                return 6;
            free(blocks[i]);
        }
    }
    puts("refused, given back and given again");
    return 0;
}

/* Contents of a vector that grows to MIB, with no room for it twice. */
static int grow(size_t mib)
{
    unsigned char *vector = NULL;

    for (size_t had = 0, size = 1; size <= mib; had = size, size += size / 4 + 1) {
        vector = realloc(vector, size << 20);
        if (!vector)
            return 7;
        for (size_t i = 0; i < had; i++)
            if (vector[i << 20] != (unsigned char)(i + 1) || vector[(i << 20) + 70000] != 9)
                return 8;
        for (size_t i = had; i < size; i++) {
            memset(vector + (i << 20), 9, 1 << 20);
            vector[i << 20] = (unsigned char)(i + 1);
        }
    }
    puts("grown");
    return 0;
}

/* Touch a stack of MIB from its end on. */
static int go_down(size_t mib)
{
    char *stack = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

    if (stack == MAP_FAILED)
        return 9;
    for (size_t at = mib << 20; at > 0; at -= 4096)
        *(volatile char *)(stack + at - 1) = 1;
    puts("at the end");
    return 0;
}

/* Shared memory of MIB, twice mapped and written to, again and again. */
static int share(size_t mib)
{
    for (int round = 0; round < 20; round++) {
        int fd = memfd_create("much", 0);
        char *one, *two;

        if (fd < 0 || ftruncate(fd, (off_t)(mib << 20)) < 0)
            return 10;
        one = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        two = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
        if (one == MAP_FAILED || two == MAP_FAILED) {
            puts(errno == ENOMEM ? "ENOMEM" : strerror(errno));
            return 11;
        }
        for (size_t at = 0; at < mib << 20; at += 4096)
            *(volatile char *)(one + at) = (char)round;
        for (size_t at = 0; at < mib << 20; at += 4096)
            if (*(volatile char *)(two + at) != (char)round)
                return 12;
        munmap(one, mib << 20);
        munmap(two, mib << 20);
    }
    puts("shared, and given back");
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
    if (strcmp(what, "memory") == 0 && argc == 3)
        return fill_memory((size_t)atol(argv[2]));
    if (strcmp(what, "grow") == 0 && argc == 3)
        return grow((size_t)atol(argv[2]));
    if (strcmp(what, "stack") == 0 && argc == 3)
        return go_down((size_t)atol(argv[2]));
    if (strcmp(what, "shared") == 0 && argc == 3)
        return share((size_t)atol(argv[2]));
    return 2;
}
