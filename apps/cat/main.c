/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER_BYTES = 256 * 1024, PAGE_BYTES = 4096 };

static const char usage[] =
    "usage: cat [--help] [FILE...]\n"
    "Copies each FILE to standard output; no FILE, or -, is standard input.\n";

static bool complain(const char *name)
{
    fprintf(stderr, "cat: %s: %s\n", name, strerror(errno));
    return false;
}

static bool write_all(const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(STDOUT_FILENO, data, size);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            data += written;
            size -= (size_t)written;
        }
    }
    return true;
}

/* Sets *output_ok to false when it is standard output that failed: no other file can then help. */
static bool copy_descriptor(int fd, const char *name, bool *output_ok)
{
    static alignas(PAGE_BYTES) char buffer[BUFFER_BYTES];

    for (;;) {
        ssize_t size = read(fd, buffer, sizeof buffer);
        if (size == 0)
            return true;
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return complain(name);
        if (!write_all(buffer, (size_t)size)) {
            *output_ok = false;
            return complain("standard output");
        }
    }
}

static bool copy_file(const char *name, bool *output_ok)
{
    if (strcmp(name, "-") == 0)
        return copy_descriptor(STDIN_FILENO, "standard input", output_ok);

    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return complain(name);
    bool ok = copy_descriptor(fd, name, output_ok);
    close(fd);
    return ok;
}

int main(int argc, char **argv)
{
    bool ok = true;
    bool output_ok = true;
    int first = 1;

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(usage, stdout) == EOF || fflush(stdout) == EOF;
    if (argc > 1 && strcmp(argv[1], "--") == 0) {
        first = 2;
    } else if (argc > 1 && argv[1][0] == '-' && argv[1][1] != '\0') {
        fprintf(stderr, "cat: no option %s\n%s", argv[1], usage);
        return 2;
    }

    if (first >= argc)
        return !copy_file("-", &output_ok);
    for (int i = first; i < argc && output_ok; i++)
        ok &= copy_file(argv[i], &output_ok);
    return !ok;
}
