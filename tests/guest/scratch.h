/* SPDX-License-Identifier: ISC */
/*
 * What the tests that change files share: the scratch directory, their first argument, which they
 * enter, and in which they leave what is then compared.
 */
#ifndef GUEST_SCRATCH_H
#define GUEST_SCRATCH_H

#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

__attribute__((noreturn)) static inline void give_up(const char *what)
{
    perror(what);
    exit(2);
}

/* Only an empty directory is entered: started by mistake, these programs destroy nothing. */
static inline void enter_scratch(int argc, char **argv)
{
    DIR *dir = argc == 2 && argv[1][0] == '/' ? opendir(argv[1]) : NULL;
    int entries = 0;

    while (dir && readdir(dir))
        entries++;
    if (!dir || entries != 2) {
        fprintf(stderr, "usage: %s DIR    (an empty directory's absolute path)\n", argv[0]);
        exit(2);
    }
    closedir(dir);
    if (chdir(argv[1]) < 0)
        give_up(argv[1]);
    umask(022);
}

static inline int must_open(const char *name, int flags)
{
    int fd = open(name, flags, 0644);

    if (fd < 0)
        give_up(name);
    return fd;
}

/* A file with that text. */
static inline void put(const char *name, const char *text)
{
    int fd = must_open(name, O_WRONLY | O_CREAT | O_TRUNC);

    if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        give_up(name);
    close(fd);
}

/* The first bytes of an open file, wherever its offset is. */
static inline void show_open(const char *label, int fd)
{
    char text[200];
    ssize_t size = pread(fd, text, sizeof text - 1, 0);

    if (size < 0) {
        printf("%s: %s\n", label, error_name(errno));
        return;
    }
    printf("%s: %zd bytes: ", label, size);
    for (ssize_t i = 0; i < size; i++)
        if (text[i] == '\0')
            text[i] = '0';
    text[size] = '\0';
    print_quoted(text);
    putchar('\n');
}

static inline void show_file(const char *name)
{
    int fd = open(name, O_RDONLY);

    if (fd < 0) {
        printf("%s: %s\n", name, error_name(errno));
        return;
    }
    show_open(name, fd);
    close(fd);
}

static inline const char *type_name(mode_t mode)
{
    return S_ISREG(mode) ? "file" : S_ISDIR(mode) ? "directory" : S_ISLNK(mode) ? "link" : "other";
}

/* Type, mode, links and size, where they are the same on every file system. */
static inline void show_status(const char *name)
{
    struct stat status;

    print_quoted(name);
    if (lstat(name, &status) < 0) {
        printf(": %s\n", error_name(errno));
        return;
    }
    printf(": %s %04o", type_name(status.st_mode), status.st_mode & 07777U);
    if (!S_ISDIR(status.st_mode))
        printf(", %lu links, %lld bytes", (unsigned long)status.st_nlink,
               (long long)status.st_size);
    putchar('\n');
}

static inline bool is_there(const char *name)
{
    struct stat status;

    return lstat(name, &status) == 0;
}

static inline bool same_file(const char *one, const char *other)
{
    struct stat a, b;

    return lstat(one, &a) == 0 && lstat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

static inline off_t size_of(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 ? status.st_size : -1;
}

#endif
