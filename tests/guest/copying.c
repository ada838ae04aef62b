/* SPDX-License-Identifier: ISC */
/* Argument: a scratch directory. sendfile and copy_file_range. */
#include "scratch.h"

#include <sys/sendfile.h>

enum { LARGE = 300000 };

static off_t position(int fd)
{
    return lseek(fd, 0, SEEK_CUR);
}

static void make_source(void)
{
    int fd = must_open("source", O_WRONLY | O_CREAT);
    char *data = malloc(LARGE);

    for (int i = 0; i < LARGE; i++)
        data[i] = (char)('a' + i % 26);
    if (write(fd, data, LARGE) != LARGE)
        give_up("source");
    free(data);
    close(fd);
}

static void send(void)
{
    int in = must_open("source", O_RDONLY), out = must_open("sent", O_RDWR | O_CREAT);
    off_t offset = 26;

    check(sendfile(out, in, NULL, 10) == 10, "sendfile");
    check(position(in) == 10 && position(out) == 10, "moves both offsets");
    check(sendfile(out, in, &offset, 10) == 10, "sendfile from an offset");
    check(offset == 36 && position(in) == 10 && position(out) == 20, "moves that instead");
    show_open("sent", out);
    check(sendfile(out, in, NULL, 2 * LARGE) == LARGE - 10, "of more than there is");
    check(sendfile(out, in, NULL, 5) == 0, "of what is at the end");
    check(size_of(out) == LARGE + 10, "it is all there");
    check(sendfile(out, in, NULL, 0) == 0, "of nothing");
    offset = -1;
    check_error(sendfile(out, in, &offset, 1), EINVAL, "from -1");
    check_error(sendfile(in, in, NULL, 1), EBADF, "to a reader");
    close(in);
    check_error(sendfile(out, in, NULL, 1), EBADF, "from what is closed");
    close(out);
    in = must_open("source", O_RDONLY);
    out = must_open("sent", O_WRONLY | O_APPEND);
    check_error(sendfile(out, in, NULL, 1), EINVAL, "to O_APPEND");
    close(out);
    out = must_open("sent", O_WRONLY);
    check_error(sendfile(out, out, NULL, 1), EBADF, "from a writer");
    check(ftruncate(out, 30) == 0, "cut");
    close(in);
    close(out);
}

static void copy(void)
{
    int in = must_open("source", O_RDONLY), out = must_open("copied", O_RDWR | O_CREAT);
    off_t from = 100, to = 5;

    check(copy_file_range(in, NULL, out, NULL, 8, 0) == 8, "copy_file_range");
    check(position(in) == 8 && position(out) == 8, "moves both offsets");
    check(copy_file_range(in, &from, out, &to, 8, 0) == 8, "from and to an offset");
    check(from == 108 && to == 13 && position(in) == 8 && position(out) == 8, "moves those");
    show_open("copied", out);
    from = LARGE - 4;
    check(copy_file_range(in, &from, out, NULL, 100, 0) == 4, "over the end");
    check(copy_file_range(in, &from, out, NULL, 100, 0) == 0, "at the end");
    show_open("copied", out);
    check_error(copy_file_range(in, NULL, out, NULL, 1, 1), EINVAL, "with a flag");
    check_error(copy_file_range(out, NULL, in, NULL, 1, 0), EBADF, "to a reader");
    check_error(copy_file_range(in, NULL, 99, NULL, 1, 0), EBADF, "to no descriptor");
    close(out);
    out = must_open("copied", O_WRONLY | O_APPEND);
    check_error(copy_file_range(in, NULL, out, NULL, 1, 0), EBADF, "to O_APPEND");
    close(out);
    out = must_open(".", O_RDONLY);
    check_error(copy_file_range(out, NULL, out, NULL, 1, 0), EISDIR, "of a directory");
    close(out);
    close(in);
}

static void copy_within(void)
{
    int fd = must_open("copied", O_RDWR);
    off_t from = 0, to = 16;

    check(copy_file_range(fd, &from, fd, &to, 8, 0) == 8, "within one file");
    show_open("copied", fd);
    from = 0, to = 4;
    check_error(copy_file_range(fd, &from, fd, &to, 8, 0), EINVAL, "over itself");
    close(fd);
}

static void copy_whole(void)
{
    int in = must_open("source", O_RDONLY), out = must_open("whole", O_RDWR | O_CREAT);
    ssize_t done;
    off_t total = 0;

    while ((done = copy_file_range(in, NULL, out, NULL, 1 << 20, 0)) > 0)
        total += done;
    check(done == 0 && total == LARGE && size_of(out) == LARGE, "a whole file");
    close(in);
    close(out);
}

int main(int argc, char **argv)
{
    enter_scratch(argc, argv);
    make_source();
    send();
    copy();
    copy_within();
    copy_whole();
    return exit_status();
}
