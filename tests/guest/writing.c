/* SPDX-License-Identifier: ISC */
/* Argument: a scratch directory. Every way to write; holes. */
#include "scratch.h"

#include <sys/syscall.h>
#include <sys/uio.h>

static void write_in_order(void)
{
    struct iovec pieces[3] = {{"one ", 4}, {"", 0}, {"two ", 4}};
    int fd = must_open("order", O_RDWR | O_CREAT);

    check(write(fd, "start ", 6) == 6, "write");
    check(lseek(fd, 0, SEEK_CUR) == 6, "it moves the offset");
    check(writev(fd, pieces, 3) == 8, "writev");
    check(lseek(fd, 0, SEEK_CUR) == 14, "it moves the offset by all pieces");
    check(pwrite(fd, "START", 5, 0) == 5, "pwrite at the start");
    check(lseek(fd, 0, SEEK_CUR) == 14, "it leaves the offset");
    check(pwritev(fd, pieces, 3, 20) == 8, "pwritev behind the end");
    check(lseek(fd, 0, SEEK_CUR) == 14, "it leaves the offset too");
    show_open("order", fd);
    check(write(fd, "", 0) == 0, "write of nothing");
    check(writev(fd, pieces, 0) == 0, "writev of no pieces");
    check(syscall(SYS_pwritev2, fd, pieces, 3, -1L, -1L, 0) == 8, "pwritev2 at the offset");
    check(lseek(fd, 0, SEEK_CUR) == 22, "it moves the offset");
    check(lseek(fd, -2, SEEK_END) == 26 && write(fd, "END", 3) == 3, "over the end");
    show_open("order", fd);
    close(fd);
}

static void refuse_nonsense(void)
{
    struct iovec negative = {"x", (size_t)-1};
    struct iovec many[2] = {{"x", 1}, {"y", 1}};
    char *volatile null_page = (char *)8;
    int fd = must_open("order", O_WRONLY);

    check_error(pwrite(fd, "x", 1, -1), EINVAL, "pwrite at a negative offset");
    check_error(pwritev(fd, many, 2, -2), EINVAL, "pwritev at a negative offset");
    check_error(writev(fd, &negative, 1), EINVAL, "writev of a negative length");
    check_error(syscall(SYS_writev, fd, many, -1L), EINVAL, "writev of -1 pieces");
    check_error(syscall(SYS_writev, fd, many, 1025L), EINVAL, "writev of 1025 pieces");
    check_error(lseek(fd, -1, SEEK_SET), EINVAL, "lseek to -1");
    check_error(lseek(fd, 0, 99), EINVAL, "lseek from nowhere");
    check_error(write(fd, null_page, 4), EFAULT, "write from the null page");
    check(lseek(fd, 0, SEEK_CUR) == 0, "none of them moved the offset");
    close(fd);
}

static void write_large(void)
{
    enum { SIZE = 3 << 20 };
    unsigned char *data = malloc(SIZE), *back = malloc(SIZE);
    int fd = must_open("large", O_RDWR | O_CREAT);
    struct iovec halves[2] = {{data, SIZE / 2}, {data + SIZE / 2, SIZE / 2}};

    for (size_t i = 0; i < SIZE; i++)
        data[i] = (unsigned char)(i * 7 + (i >> 12));
    check(write(fd, data, SIZE) == SIZE, "3 MiB at once");
    check(pread(fd, back, SIZE, 0) == SIZE && memcmp(data, back, SIZE) == 0, "are there");
    check(writev(fd, halves, 2) == SIZE, "3 MiB in two pieces");
    memset(back, 0, SIZE);
    check(pread(fd, back, SIZE, SIZE) == SIZE && memcmp(data, back, SIZE) == 0, "are there");
    check(pread(fd, back, SIZE, 2 * SIZE - 100) == 100, "a read over the end is short");
    check(pread(fd, back, SIZE, 2 * SIZE) == 0, "a read at the end is empty");
    check(ftruncate(fd, 5000) == 0, "cut");
    free(data);
    free(back);
    close(fd);
}

static void write_partly(void)
{
    char *memory = malloc(1 << 20);
    char page[1];
    int fd = must_open("stdio", O_RDWR | O_CREAT);
    FILE *file = fdopen(fd, "r+");

    memset(memory, 'x', 1 << 20);
    check(fwrite(memory, 1, 1 << 20, file) == 1 << 20, "fwrite of 1 MiB");
    check(fprintf(file, "%d %s\n", 42, "formatted") > 0, "fprintf");
    check(fflush(file) == 0 && size_of(fd) == (1 << 20) + 13, "size after fflush");
    check(fseek(file, 10, SEEK_SET) == 0 && fputs("overwritten", file) >= 0, "fseek and fputs");
    check(fclose(file) == 0, "fclose");
    fd = must_open("stdio", O_RDONLY);
    check(pread(fd, page, 1, 12) == 1 && page[0] == 'e', "it is in the file");
    close(fd);
    check(truncate("stdio", 40) == 0, "cut");
    free(memory);
}

static void make_holes(void)
{
    const off_t far = 1 << 20;
    char bytes[16] = "not zero";
    int fd = must_open("holes", O_RDWR | O_CREAT);
    off_t data, hole;

    check(pwrite(fd, "data", 4, far) == 4, "pwrite at 1 MiB of an empty file");
    check(size_of(fd) == far + 4, "its size");
    check(pread(fd, bytes, 8, 4096) == 8 && memcmp(bytes, "\0\0\0\0\0\0\0\0", 8) == 0,
          "the hole reads as zeros");
    check(lseek(fd, 2 * far, SEEK_SET) == 2 * far, "lseek behind the end");
    check(size_of(fd) == far + 4, "does not grow the file");
    check(read(fd, bytes, 8) == 0, "read there is empty");
    check(write(fd, "more", 4) == 4 && size_of(fd) == 2 * far + 4, "write there does grow it");
    data = lseek(fd, 0, SEEK_DATA);
    hole = lseek(fd, data, SEEK_HOLE);
    check(data == 0 || data == far, "SEEK_DATA finds the first data, or 0 without holes");
    check(hole > data && hole <= 2 * far + 4, "SEEK_HOLE finds its end");
    check(lseek(fd, 0, SEEK_CUR) == hole, "they move the offset");
    check_error(lseek(fd, 2 * far + 4, SEEK_DATA), ENXIO, "SEEK_DATA at the end");
    check_error(lseek(fd, 2 * far + 4, SEEK_HOLE), ENXIO, "SEEK_HOLE at the end");
    check_error(lseek(fd, -1, SEEK_DATA), ENXIO, "SEEK_DATA at -1");
    check(lseek(fd, 0, SEEK_CUR) == hole, "what fails does not");
    close(fd);
}

static void allocate(void)
{
    char bytes[4] = "abc";
    int fd = must_open("allocated", O_RDWR | O_CREAT);

    check(write(fd, "text", 4) == 4, "four bytes");
    check(fallocate(fd, 0, 0, 10000) == 0 && size_of(fd) == 10000, "fallocate grows the file");
    check(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 50000) == 0 && size_of(fd) == 10000,
          "or keeps its size");
    check(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 2) == 0, "a hole punched");
    check(pread(fd, bytes, 4, 0) == 4 && memcmp(bytes, "\0\0xt", 4) == 0, "is zeros");
    check_error(fallocate(fd, 0, -1, 5), EINVAL, "fallocate at -1");
    check_error(fallocate(fd, 0, 0, 0), EINVAL, "fallocate of nothing");
    check(posix_fallocate(fd, 0, 20000) == 0 && size_of(fd) == 20000, "posix_fallocate");
    check(fsync(fd) == 0 && fdatasync(fd) == 0, "fsync and fdatasync");
    check(sync_file_range(fd, 0, 4096, SYNC_FILE_RANGE_WRITE) == 0, "sync_file_range");
    check(syncfs(fd) == 0, "syncfs");
    check(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL) == 0, "posix_fadvise");
    close(fd);
    fd = must_open("allocated", O_RDONLY);
    check_error(fallocate(fd, 0, 0, 1), EBADF, "fallocate of what is open for reading");
    check(fsync(fd) == 0, "fsync of it");
    close(fd);
}

int main(int argc, char **argv)
{
    enter_scratch(argc, argv);
    write_in_order();
    refuse_nonsense();
    write_large();
    write_partly();
    make_holes();
    allocate();
    sync();
    return exit_status();
}
