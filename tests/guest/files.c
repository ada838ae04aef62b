/* SPDX-License-Identifier: ISC */
/* Argument: the tree. Opening, reading and seeking regular files, and the errors of each. */
#include "check.h"
#include "tree.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

static uint32_t hash_bytes(uint32_t hash, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

static uint32_t hash_file(const char *path, size_t piece, size_t *size)
{
    static unsigned char buffer[1 << 20];
    uint32_t hash = 2166136261u;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    *size = 0;
    while ((got = read(fd, buffer, piece)) > 0) {
        hash = hash_bytes(hash, buffer, (size_t)got);
        *size += (size_t)got;
    }
    close(fd);
    return hash;
}

static void check_contents(void)
{
    static const char *const names[] = {
        "empty", "one-byte",           "page-minus-one", "page",       "page-plus-one", "text",
        "large", "two-pages-and-more", "binary",         "unfinished", "readonly",      "private"};
    static const size_t pieces[] = {7, 512, 4096, 5000, 1 << 20};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[64];
        size_t size, other_size;
        snprintf(path, sizeof path, "files/%s", names[i]);
        uint32_t hash = hash_file(in_tree(path), 65536, &size);
        bool same = true;
        for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++)
            same &= hash_file(in_tree(path), pieces[p], &other_size) == hash && other_size == size;
        printf("%s: %zu bytes, hash %08x\n", names[i], size, hash);
        check(same, "the same in any pieces");
    }
}

static void check_seeking(void)
{
    char bytes[8] = "";
    int fd = open(in_tree("files/text"), O_RDONLY);

    printf("end at %ld\n", (long)lseek(fd, 0, SEEK_END));
    check(read(fd, bytes, 4) == 0, "read at the end gives nothing");
    check(lseek(fd, -4, SEEK_END) == 9996 && read(fd, bytes, 8) == 4, "read of the last four");
    print_quoted(bytes);
    printf("\nset %ld", (long)lseek(fd, 5, SEEK_SET));
    printf(", current %ld", (long)lseek(fd, 2, SEEK_CUR));
    printf(", back %ld\n", (long)lseek(fd, -3, SEEK_CUR));
    check(read(fd, bytes, 1) == 1 && lseek(fd, 0, SEEK_CUR) == 5, "read moves the offset");
    check_error(lseek(fd, -1, SEEK_SET), EINVAL, "before the start");
    check_error(lseek(fd, -20000, SEEK_CUR), EINVAL, "back before the start");
    check_error(lseek(fd, 0, 99), EINVAL, "from nowhere");
    check(lseek(fd, 0, SEEK_CUR) == 5, "errors leave the offset");
    check(lseek(fd, 1L << 40, SEEK_SET) == 1L << 40, "far beyond the end");
    check(read(fd, bytes, 4) == 0, "where read gives nothing");
    check_error(lseek(-1, 0, SEEK_SET), EBADF, "of no file");
    close(fd);
}

static void check_positions(void)
{
    char a[11] = "", b[11] = "";
    int fd = open(in_tree("files/text"), O_RDONLY);
    struct iovec parts[] = {{a, 5}, {NULL, 0}, {b, 10}};

    check(pread(fd, a, 10, 100) == 10 && lseek(fd, 0, SEEK_CUR) == 0, "pread keeps the offset");
    lseek(fd, 100, SEEK_SET);
    check(read(fd, b, 10) == 10 && memcmp(a, b, 10) == 0, "and reads the same as read there");
    check(pread(fd, a, 10, 10000) == 0, "pread at the end");
    check(pread(fd, a, 10, 9995) == 5, "pread near the end");
    check_error(pread(fd, a, 10, -1), EINVAL, "pread before the start");
    memset(a, 0, sizeof a);
    memset(b, 0, sizeof b);
    lseek(fd, 0, SEEK_SET);
    printf("readv %zd ", readv(fd, parts, 3));
    print_quoted(a);
    print_quoted(b);
    printf(", preadv %zd ", preadv(fd, parts, 3, 9990));
    print_quoted(a);
    print_quoted(b);
    check(lseek(fd, 0, SEEK_CUR) == 15, "\nreadv moves the offset, preadv does not");
    check_error(preadv(fd, parts, 3, -1), EINVAL, "preadv before the start");
    check_error(readv(-1, parts, 3), EBADF, "readv of no file");
    check_error(write(fd, a, 1), EBADF, "write to a file open for reading");
    check(!isatty(fd) && errno == ENOTTY, "a file is no terminal");
    close(fd);
}

static void check_open_errors(void)
{
    int directory = open(in_tree("files"), O_RDONLY | O_DIRECTORY);
    char byte;

    check(directory >= 0, "a directory opens");
    check_error(read(directory, &byte, 1), EISDIR, "read of a directory");
    check_error(pread(directory, &byte, 1, 0), EISDIR, "pread of a directory");
    check_error(open(in_tree("files/missing"), O_RDONLY), ENOENT, "missing file");
    check_error(open(in_tree("missing/file"), O_RDONLY), ENOENT, "missing directory");
    check_error(open(in_tree("files/text/file"), O_RDONLY), ENOTDIR, "file as a directory");
    check_error(open(in_tree("files/text"), O_RDONLY | O_DIRECTORY), ENOTDIR, "O_DIRECTORY");
    check_error(open(in_tree("links/relative"), O_RDONLY | O_NOFOLLOW), ELOOP, "O_NOFOLLOW");
    int fd = openat(directory, "text", O_RDONLY);
    check(fd >= 0 && read(fd, &byte, 1) == 1 && byte == 'l', "openat below a directory");
    check_error(openat(fd, "text", O_RDONLY), ENOTDIR, "openat below a file");
    check_error(openat(-1, "text", O_RDONLY), EBADF, "openat below nothing");
    close(fd);
    fd = openat(-1, in_tree("files/text"), O_RDONLY);
    check(fd >= 0, "openat of an absolute path needs no directory");
    close(fd);
    check_error(read(fd, &byte, 1), EBADF, "read of a closed file");
    check_error(close(fd), EBADF, "close of a closed file");
    close(directory);
}

static void check_access(void)
{
    check(access(in_tree("files/text"), F_OK) == 0, "access finds a file");
    check(access(in_tree("files/text"), R_OK) == 0, "which can be read");
    check_error(access(in_tree("files/text"), X_OK), EACCES, "but not executed");
    check(access(in_tree("files/executable"), R_OK | X_OK) == 0, "another can");
    check(access(in_tree("files"), R_OK | X_OK) == 0, "a directory can be searched");
    check_error(access(in_tree("files/missing"), F_OK), ENOENT, "access to a missing file");
    check_error(access(in_tree("files/text"), 64), EINVAL, "access of an unknown kind");
    check_error(access(in_tree("links/dangling"), F_OK), ENOENT, "access to a dangling link");
    check(faccessat(AT_FDCWD, in_tree("files/text"), R_OK, 0) == 0, "faccessat agrees");
}

static void check_what_waits(void)
{
    int fd = open(in_tree("files/text"), O_RDONLY), waits = 0;
    off_t size = lseek(fd, 0, SEEK_END);

    check(lseek(fd, 100, SEEK_SET) == 100 && ioctl(fd, FIONREAD, &waits) == 0 &&
              waits == size - 100,
          "FIONREAD says how much can be read");
    check(lseek(fd, 0, SEEK_CUR) == 100, "and moves nothing");
    close(fd);
}

static void check_streams(void)
{
    char line[100];
    FILE *file = fopen(in_tree("files/text"), "r");

    check(file != NULL, "fopen");
    fseek(file, 4000, SEEK_SET);
    check(fgets(line, sizeof line, file) != NULL && fgets(line, sizeof line, file) != NULL,
          "two lines after byte 4000");
    printf("at %ld: %s", ftell(file), line);
    rewind(file);
    check(fgets(line, sizeof line, file) != NULL, "rewind");
    printf("at %ld: %s", ftell(file), line);
    fseek(file, -10, SEEK_END);
    size_t got = fread(line, 1, sizeof line, file);
    check(got == 10 && feof(file) && !ferror(file), "the last ten bytes");
    fclose(file);
    check(fopen(in_tree("files/missing"), "r") == NULL && errno == ENOENT, "fopen of nothing");
}

int main(int argc, char **argv)
{
    find_tree(argc, argv);
    check_contents();
    check_seeking();
    check_positions();
    check_open_errors();
    check_access();
    check_what_waits();
    check_streams();
    return exit_status();
}
