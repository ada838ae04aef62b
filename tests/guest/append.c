/* SPDX-License-Identifier: ISC */
/* Argument: a scratch directory. O_APPEND: two descriptors, dup, switching it on and off. */
#include "scratch.h"

#include <sys/uio.h>

static off_t offset(int fd)
{
    return lseek(fd, 0, SEEK_CUR);
}

static void append_by_two(void)
{
    int one = must_open("log", O_WRONLY | O_CREAT | O_APPEND);
    int two = must_open("log", O_RDWR | O_APPEND);

    check(write(one, "a1 ", 3) == 3 && write(two, "b1 ", 3) == 3 && write(one, "a2 ", 3) == 3,
          "two descriptors append in turn");
    show_open("log", two);
    check(offset(one) == 9 && offset(two) == 6, "each offset is behind its own last write");
    check(lseek(two, 0, SEEK_SET) == 0 && write(two, "b2 ", 3) == 3, "lseek, then write");
    check(offset(two) == 12, "goes to the end all the same");
    show_open("log", two);
    close(one);
    close(two);
}

static void append_and_read(void)
{
    char text[8] = "";
    int fd = must_open("log", O_RDWR | O_APPEND);

    check(offset(fd) == 0, "the offset starts at 0");
    check(read(fd, text, 3) == 3 && strcmp(text, "a1 ") == 0, "read reads there");
    check(write(fd, "c1 ", 3) == 3 && offset(fd) == 15, "write goes to the end");
    check(read(fd, text, 3) == 0, "where nothing is left to read");
    check(lseek(fd, -3, SEEK_CUR) == 12 && read(fd, text, 3) == 3 && strcmp(text, "c1 ") == 0,
          "lseek back from there");
    close(fd);
}

static void append_by_pwrite(void)
{
    struct iovec piece = {"v", 1};
    int fd = must_open("pwrite", O_RDWR | O_CREAT | O_APPEND);

    check(write(fd, "base", 4) == 4, "four bytes");
    check(pwrite(fd, "X", 1, 0) == 1, "pwrite at 0");
    show_open("Linux appends it", fd);
    check(offset(fd) == 4, "the offset stays");
    check(pwritev(fd, &piece, 1, 1) == 1, "pwritev at 1");
    show_open("Linux appends it", fd);
    check(ftruncate(fd, 2) == 0 && write(fd, "end", 3) == 3, "after ftruncate");
    show_open("pwrite", fd);
    close(fd);
}

static void append_by_dup(void)
{
    int fd = must_open("dup", O_RDWR | O_CREAT | O_APPEND);
    int copy = dup(fd), plain = must_open("dup", O_RDWR);

    check(write(fd, "1", 1) == 1 && write(copy, "2", 1) == 1, "through a copy");
    check(offset(fd) == 2 && offset(copy) == 2, "they share the offset");
    check(write(plain, "A", 1) == 1, "without O_APPEND, at the start");
    show_open("dup", fd);
    check(fcntl(copy, F_SETFL, 0) == 0, "O_APPEND off, by the copy");
    check((fcntl(fd, F_GETFL) & O_APPEND) == 0, "is off for both");
    check(lseek(fd, 0, SEEK_SET) == 0 && write(fd, "B", 1) == 1, "write at the start");
    show_open("dup", fd);
    check(fcntl(fd, F_SETFL, O_APPEND) == 0 && (fcntl(copy, F_GETFL) & O_APPEND) != 0, "on again");
    check(write(copy, "end", 3) == 3, "write by the copy");
    show_open("dup", fd);
    close(fd);
    close(copy);
    close(plain);
}

static void append_by_stdio(void)
{
    FILE *file = fopen("stdio", "a+");
    char line[20] = "";

    check(file && fputs("first\n", file) >= 0 && fflush(file) == 0, "fopen with a+");
    rewind(file);
    check(fgets(line, sizeof line, file) && strcmp(line, "first\n") == 0, "reads from the start");
    rewind(file);
    check(fputs("second\n", file) >= 0 && fclose(file) == 0, "and writes to the end");
    show_file("stdio");
}

int main(int argc, char **argv)
{
    enter_scratch(argc, argv);
    append_by_two();
    append_and_read();
    append_by_pwrite();
    append_by_dup();
    append_by_stdio();
    return exit_status();
}
